//! A Dotdigital account in memory, as an HTTP server: try a sync against it without an account.
//!
//! ```text
//! cargo run --release --example dotdigital_simulator -- --port 8080 --account account.json
//! ```

use std::{
    fs,
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use dotdigital_client::{
    clock::SystemClock,
    simulator::{AccountFile, Simulator, SimulatorServer},
};

/// Serves a simulated Dotdigital account until interrupted.
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; a free one when absent.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What the account holds, as JSON; empty when absent.
    #[arg(long, value_name = "FILE.json")]
    account: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing more can be done if even standard error is closed.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let (file, simulator) = open(arguments.account.as_deref())?;
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .map_err(|error| format!("cannot listen on port {}: {error}", arguments.port))?;
    let server = SimulatorServer::start(simulator.clone(), listener, Arc::new(SystemClock))
        .await
        .map_err(|error| format!("cannot serve: {error}"))?;
    introduce(&server, &file, &simulator).map_err(|error| format!("cannot print: {error}"))?;
    tokio::signal::ctrl_c().await.map_err(|error| format!("cannot wait for Ctrl-C: {error}"))
}

fn open(path: Option<&Path>) -> Result<(AccountFile, Simulator), String> {
    let file = match path {
        None => AccountFile::default(),
        Some(path) => {
            let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = fs::read_to_string(path).map_err(|error| named(&error))?;
            AccountFile::from_json(&text).map_err(|error| named(&error))?
        }
    };
    let simulator = file.open().map_err(|error| error.to_string())?;
    Ok((file, simulator))
}

/// Says where the server is and how to reach it; the address comes first, since scripts wait for it.
fn introduce(
    server: &SimulatorServer,
    file: &AccountFile,
    simulator: &Simulator,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", server.url())?;
    writeln!(out)?;
    writeln!(out, "  contacts   {}", simulator.contact_count())?;
    for list in simulator.lists() {
        let members = simulator.members(list.id).len();
        writeln!(
            out,
            "  list       {} ({} members, {})",
            list.name,
            members,
            list.visibility.as_str()
        )?;
    }
    writeln!(out)?;
    writeln!(out, "point a client at it with")?;
    writeln!(out, "  endpoint   {}", server.url())?;
    writeln!(out, "  export DOTDIGITAL_USER='{}'", file.user())?;
    writeln!(out, "  export DOTDIGITAL_PASSWORD='{}'", file.password())?;
    writeln!(out)?;
    writeln!(out, "stop with Ctrl-C")?;
    out.flush()
}
