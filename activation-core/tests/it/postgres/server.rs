//! A PostgreSQL server of the tests' own, and databases on it. Also used by the tests of the examples.

use std::{
    env, fs,
    io::Write as _,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

/// Who may do everything, without a password, over the socket.
pub(crate) const ADMINISTRATOR: &str = "postgres";

/// A server. It ends, and its directory goes, when this or the whole process is gone.
pub(crate) struct Server {
    binaries: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    databases: AtomicU32,
    supervisor: Child,
    /// The supervisor ends the server when this is closed, however that comes.
    _lifeline: Option<ChildStdin>,
}

/// A database that no other test uses.
pub(crate) struct Database<'a> {
    pub(crate) server: &'a Server,
    pub(crate) name: String,
}

impl Server {
    /// Starts a server with these `settings`, after `files` have been put into its data directory.
    /// `None`, after having said so, where PostgreSQL is not installed.
    pub(crate) fn start(files: &[(&str, &str)], settings: &[&str]) -> Option<Self> {
        let Some(binaries) = binaries() else {
            let missing = "PostgreSQL's server (initdb, postgres, psql) was not found: install it, \
                or say where it is with PG_BIN";
            let is_ci = env::var_os("CI").is_some_and(|value| !value.is_empty());
            assert!(!is_ci, "{missing}");
            skipped(missing);
            return None;
        };
        let directory = tempfile::tempdir().unwrap().keep();
        if is_root() {
            chown(&directory, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = directory.join("data");
        let made = as_nobody(&binaries.join("initdb"))
            .args([
                "-U",
                ADMINISTRATOR,
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb failed: {}", text(&made.stderr));
        for (name, content) in files.iter().chain([&("pg_hba.conf", WHO_MAY_CONNECT)]) {
            write_private(&data.join(name), content);
        }
        // A port is free when it is looked for, and may be taken when the server starts.
        (0..5).find_map(|_| Self::launch(&binaries, &directory, settings)).or_else(|| {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("the PostgreSQL server does not start: {log}")
        })
    }

    fn launch(binaries: &Path, directory: &Path, settings: &[&str]) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "shared_buffers=16MB",
            "max_connections=50",
        ];
        let settings = own.iter().chain(settings).flat_map(|setting| ["-c", setting]);
        // Reads until the lifeline is closed.
        let script = "\"$@\" >\"$HOME/log\" 2>&1 </dev/null & server=$!; cat >/dev/null; \
            kill -QUIT $server 2>/dev/null; wait $server; rm -rf \"$HOME\"";
        let mut supervisor = as_nobody(Path::new("/bin/sh"))
            .env("HOME", directory)
            .args(["-c", script, "sh"])
            .arg(binaries.join("postgres"))
            .arg("-D")
            .arg(directory.join("data"))
            .arg("-k")
            .arg(directory)
            .args(["-p", &port.to_string()])
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Not reached by a Ctrl-C, so that it can clean up.
            .process_group(0)
            .spawn()
            .unwrap();
        let lifeline = supervisor.stdin.take();
        let server = Self {
            binaries: binaries.to_owned(),
            directory: directory.to_owned(),
            port,
            databases: AtomicU32::new(0),
            supervisor,
            _lifeline: lifeline,
        };
        (0..3_000).any(|_| server.is_ready()).then_some(server)
    }

    fn is_ready(&self) -> bool {
        let answered = self.psql("postgres", ADMINISTRATOR, "SELECT 1").status.success();
        if !answered {
            pause();
        }
        answered
    }

    /// A new database in which `sql` has been run.
    pub(crate) fn database(&self, sql: &str) -> Database<'_> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        let database = Database { server: self, name };
        database.run(sql);
        database
    }

    /// Runs `sql` in a database, and gives its last answer, without headings.
    pub(crate) fn run(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, ADMINISTRATOR, sql);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    fn psql(&self, database: &str, user: &str, sql: &str) -> Output {
        let mut psql = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database])
            .arg("-h")
            .arg(&self.directory)
            .args(["-p", &self.port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that cannot connect does not read.
        let _ = psql.stdin.take().unwrap().write_all(sql.as_bytes());
        psql.wait_with_output().unwrap()
    }
}

/// Waits for the end, so that nothing is left behind.
impl Drop for Server {
    fn drop(&mut self) {
        self._lifeline = None;
        let _ = self.supervisor.wait();
    }
}

impl Database<'_> {
    /// Runs `sql`, and gives its last answer, without headings.
    pub(crate) fn run(&self, sql: &str) -> String {
        self.server.run(&self.name, sql)
    }

    /// The URL for `user`, over TCP.
    pub(crate) fn url(&self, user: &str, password: &str) -> String {
        let (port, name) = (self.server.port, &self.name);
        format!("postgresql://{user}:{password}@127.0.0.1:{port}/{name}")
    }

    /// Asks with `sql` until the answer is `expected`. What it waits for happens by itself.
    pub(crate) fn wait_until(&self, sql: &str, expected: &str) {
        for _ in 0..3_000 {
            if self.run(sql) == expected {
                return;
            }
            pause();
        }
        panic!("{sql} is {} and not {expected}", self.run(sql));
    }
}

/// Between two looks at what another process does.
#[allow(clippy::disallowed_methods, reason = "other processes keep to no clock of ours")]
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(10));
}

#[allow(clippy::print_stderr, reason = "what a test did not do has to be seen")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Where the server's programs are.
fn binaries() -> Option<PathBuf> {
    let given = env::var_os("PG_BIN").map(PathBuf::from);
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.map(|output| PathBuf::from(text(&output.stdout).trim()));
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let places = given.into_iter().chain(told).chain(debian.into_iter().rev());
    let has_all = |place: &PathBuf| {
        ["initdb", "postgres", "psql"].iter().all(|program| place.join(program).is_file())
    };
    places.into_iter().find(has_all)
}

/// The server refuses to run as root.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/");
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A file that only the server may read, or it would not take it for a key.
fn write_private(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const NOBODY: u32 = 65534;

const WHO_MAY_CONNECT: &str = "\
    local all all trust\n\
    host all unwelcome all reject\n\
    host all all 127.0.0.1/32 scram-sha-256\n";
