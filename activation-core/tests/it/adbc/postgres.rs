//! A PostgreSQL server of a test's own.

use std::{
    os::unix::{fs::chown, net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A server that listens on a socket in its own directory. It is gone when this is dropped.
pub(crate) struct Postgres {
    directory: TempDir,
    server: Child,
}

impl Postgres {
    /// Starts a server; `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let binaries = binaries()?;
        let directory = TempDir::new().unwrap();
        let data = directory.path().join("data");
        // It refuses to run as root.
        chown(directory.path(), Some(NOBODY), Some(NOBODY)).ok();
        let command = |name: &str| {
            let mut command = Command::new(binaries.join(name));
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            command.current_dir(&directory).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let mut made = command("initdb");
        made.args(["-A", "trust", "-U", "owner", "--no-sync", "-D"]).arg(&data);
        assert!(made.status().unwrap().success(), "initdb failed");
        let mut start = command("postgres");
        start.args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"]).arg(directory.path());
        let server = start.arg("-D").arg(&data).spawn().unwrap();
        let mut postgres = Self { directory, server };
        while !postgres.is_ready() {
            assert!(postgres.server.try_wait().unwrap().is_none(), "the server stopped");
            std::thread::yield_now();
        }
        Some(postgres)
    }

    pub(crate) fn uri(&self) -> String {
        let directory = self.directory.path().display();
        format!("postgresql:///postgres?host={directory}&user=owner")
    }

    fn is_ready(&self) -> bool {
        let pid = std::fs::read_to_string(self.directory.path().join("data/postmaster.pid"));
        // The last line says so.
        pid.is_ok_and(|lines| lines.lines().last().is_some_and(|line| line.trim() == "ready"))
            && UnixStream::connect(self.directory.path().join(".s.PGSQL.5432")).is_ok()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once: the data are not wanted any more.
        let pid = self.server.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.server.wait();
    }
}

fn binaries() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = installed.map(|version| version.path().join("bin"));
    let named = std::env::var_os("PG_BIN").map(PathBuf::from);
    named.into_iter().chain(found).find(|directory: &PathBuf| has_server(directory))
}

fn has_server(directory: &Path) -> bool {
    directory.join("postgres").is_file()
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// Anybody but root.
const NOBODY: u32 = 65534;
