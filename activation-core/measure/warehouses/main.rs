//! Measures runs whose segment is in a warehouse, read in full or with the difference computed there, and
//! prints a line of JSON for each.
//!
//! ```text
//! warehouses fill SOURCE MEMBERS PLACE                      makes a table with 1 % more members
//! warehouses run SOURCE full|tables RUN MEMBERS PLACE STATE a run: first, changed or unchanged
//! ```
//!
//! SOURCE is csv, sqlite, postgres, adbc-postgres, duckdb, sail, clickhouse or mariadb, and PLACE a file, a URL,
//! a port, a directory or a socket. RUN and
//! STATE are as for `runs`, beside which this is; `back` undoes what `changed` did, and is as large. The destination is the account that keeps next to
//! nothing; waiting for it costs nothing, and warehouses take the time that they take.

#[path = "../../tests/it/engines/child.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "an engine that is not there ends a measurement as it ends a test"
)]
mod child;
mod counted;
#[path = "../runs/members.rs"]
mod members;
mod places;
#[path = "../runs/process.rs"]
mod process;
#[path = "../runs/thin.rs"]
mod thin;

use std::{error::Error, io::Write as _, sync::Arc, time::Duration};

use activation_core::{
    Activation, Clock, DirectoryStore, Engine, RunReport, RunStatus, dotdigital::Dotdigital,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dotdigital_client::{
    Client, Clock as _, Credentials,
    simulator::{SimulatorSettings, VirtualClock},
};
use serde::Serialize;

use crate::{counted::Counted, members::changed, places::Place, process::Meter, thin::ThinAccount};

type Fallible<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fill", source, members, place] => {
            let members: u32 = members.parse()?;
            Place::new(source, place).fill(changed(members).end).await
        }
        ["run", source, how, run, members, place, state] => {
            let is_pushed_down = match how {
                "full" => false,
                "tables" => true,
                _ => return Err("a run reads in full, or has tables".into()),
            };
            measured(Place::new(source, place), is_pushed_down, run, members.parse()?, state).await
        }
        _ => {
            Err("expected: fill SOURCE MEMBERS PLACE, or run SOURCE full|tables RUN MEMBERS PLACE \
                  STATE"
                .into())
        }
    }
}

/// One measurement.
#[derive(Serialize)]
struct Line<'a> {
    source: &'a str,
    tables: bool,
    run: &'a str,
    members: u32,
    seconds: f64,
    cpu_seconds: f64,
    before_mib: f64,
    peak_mib: f64,
    /// What came out of the warehouse.
    rows: u64,
    /// Of identifiers.
    bytes: u64,
}

async fn measured(
    place: Place<'_>,
    is_pushed_down: bool,
    run: &str,
    members: u32,
    state: &str,
) -> Fallible<()> {
    let clock = Skipping(VirtualClock::starting_at("2026-11-23T06:00:00Z".parse()?));
    let settings = SimulatorSettings::default();
    let client = Client::builder()
        .credentials(Credentials::new(&settings.user, &settings.password))
        .endpoint("http://127.0.0.1:9")
        .transport(Arc::new(ThinAccount::new(clock.0, run != "first")))
        .clock(Arc::new(clock))
        .build()?;
    let range = if matches!(run, "first" | "back") { 0..members } else { changed(members) };
    let source = Counted::new(place.source(range, is_pushed_down)?);
    let engine = Engine::new(Arc::new(DirectoryStore::open(state)?)).clock(Arc::new(clock));
    let (everybody, destination) = (Activation::new("everybody"), Dotdigital::new(&client));
    let meter = Meter::start()?;
    let report = engine.run(&everybody, &source, &destination).await;
    let used = meter.stop()?;
    check(run, members, &report)?;
    let (rows, bytes) = source.counts();
    let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
    let line = Line {
        source: place.name(),
        tables: is_pushed_down,
        run: if run == "back" { "changed" } else { run },
        members,
        seconds: rounded(used.seconds),
        cpu_seconds: rounded(used.cpu_seconds),
        before_mib: rounded(used.before_mib),
        peak_mib: rounded(used.peak_mib),
        rows,
        bytes,
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&line)?)?)
}

/// So that nothing else is measured by mistake.
fn check(run: &str, members: u32, report: &RunReport) -> Fallible<()> {
    let (all, part) = (u64::from(members), u64::from(members / 100));
    let expected = match run {
        "first" => (RunStatus::Done, all, 0),
        "changed" | "back" => (RunStatus::Done, part, part),
        "unchanged" => (RunStatus::NothingToDo, 0, 0),
        _ => return Err("a run is first, changed, unchanged or back".into()),
    };
    if (report.status, report.added, report.removed) == expected {
        return Ok(());
    }
    Err(format!("the run did something else:\n{report}").into())
}

/// Time that goes on by itself while a warehouse works, and that is skipped where somebody waits for the
/// destination.
#[derive(Clone, Copy, Debug)]
struct Skipping(VirtualClock);

impl Skipping {
    async fn skip(duration: Duration) {
        tokio::time::pause();
        tokio::time::advance(duration).await;
        tokio::time::resume();
    }
}

#[async_trait]
impl Clock for Skipping {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        Self::skip(duration).await;
    }
}

#[async_trait]
impl dotdigital_client::Clock for Skipping {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        Self::skip(duration).await;
    }
}
