//! A simulated account over HTTP, a directory with a configuration, and the program to run there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use dotdigital_client::{
    Method, SystemClock,
    simulator::{JobLatency, Simulator, SimulatorServer, SimulatorSettings},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) const USER: &str = "apiuser-tests@example.com";
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// Where the configuration of a [`Case`] is.
pub(crate) const CONFIG: &str = "sync.toml";

/// An account, and a directory to work in.
pub(crate) struct Case {
    pub(crate) service: Simulator,
    directory: TempDir,
    server: SimulatorServer,
    runtime: Runtime,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Case {
    /// An empty account whose jobs are finished when they are first asked about.
    pub(crate) fn new() -> Self {
        let service = Simulator::new(SimulatorSettings {
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
            latency: JobLatency::NONE,
            ..SimulatorSettings::default()
        });
        let runtime = Runtime::new().unwrap();
        let server = SimulatorServer::on_any_port(service.clone(), Arc::new(SystemClock));
        let server = runtime.block_on(server).unwrap();
        Self { service, directory: TempDir::new().unwrap(), server, runtime }
    }

    /// A case with one activation of the segment `vip`, a CSV file of these members.
    pub(crate) fn of(members: &[&str]) -> Self {
        let case = Self::new();
        case.segment("vip.csv", members);
        case.configure(&format!("{VIP}\n"));
        case
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a CSV file with a column `email`.
    pub(crate) fn segment(&self, name: &str, members: &[&str]) {
        let rows: String = members.iter().map(|member| format!("{member}\n")).collect();
        self.write(name, &format!("email\n{rows}"));
    }

    /// The beginning of every configuration, ending inside `[destination]`.
    pub(crate) fn head(&self) -> String {
        format!(
            "[state]\ndirectory = \"state\"\n\n[destination]\nendpoint = \"{}\"\n\
             user_env = \"TEST_USER\"\npassword_env = \"TEST_PASSWORD\"\n",
            self.server.url()
        )
    }

    /// Writes the configuration: the beginning, and then `rest`.
    pub(crate) fn configure(&self, rest: &str) {
        self.write(CONFIG, &(self.head() + rest));
    }

    /// `activate` in this case's directory, with the right credentials.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(Path::new(CONFIG), arguments)
    }

    /// The same with another name of the configuration.
    pub(crate) fn command_with(&self, config: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("activate"));
        command
            .current_dir(&self.directory)
            .env("TEST_USER", USER)
            .env("TEST_PASSWORD", PASSWORD)
            .arg("--config")
            .arg(config)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `activate` to its end.
    pub(crate) fn activate(&self, arguments: &[&str]) -> Run {
        self.check(self.command(arguments).output().unwrap())
    }

    /// Runs `activate` and gives its report beside how it ended.
    pub(crate) fn activate_with_report(&self, arguments: &[&str]) -> (Run, Value) {
        let run = self.activate(&[arguments, &["--report", "report.json"]].concat());
        (run, self.report())
    }

    pub(crate) fn report(&self) -> Value {
        let text = fs::read_to_string(self.path("report.json")).unwrap();
        assert_no_secrets("the report", &text);
        serde_json::from_str(&text).unwrap()
    }

    /// Looks at how a run ended. Whatever it did: no secret was shown, nobody was deleted or
    /// emptied out, nobody's consent was touched.
    pub(crate) fn check(&self, output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert_no_secrets("standard output", &run.stdout);
        assert_no_secrets("standard error", &run.stderr);
        assert_eq!(self.service.forbidden_calls(), []);
        assert_eq!(self.service.status_writes(), 0);
        run
    }

    /// The members of a list by address, sorted.
    pub(crate) fn members(&self, list: &str) -> Vec<String> {
        let list = self.service.list_named(list).expect("the list exists");
        let members = self.service.members(list.id).into_iter();
        let mut members: Vec<String> =
            members.map(|member| member.email.or(member.mobile).unwrap_or_default()).collect();
        members.sort();
        members
    }

    /// The contact of a member of the list `vip`.
    pub(crate) fn contact(&self, address: &str) -> i64 {
        let list = self.service.list_named("vip").expect("the list exists");
        let mut members = self.service.members(list.id).into_iter();
        members.find(|member| member.email.as_deref() == Some(address)).expect("a member").id
    }

    /// How many calls the service was asked for that could change something.
    pub(crate) fn write_calls(&self) -> usize {
        self.service.ledger().iter().filter(|call| call.method != Method::Get).count()
    }

    /// Every file below the state directory with its bytes; `None` when there is no directory.
    pub(crate) fn state(&self) -> Option<BTreeMap<PathBuf, Vec<u8>>> {
        let root = self.path("state");
        root.exists().then(|| {
            let mut files = BTreeMap::new();
            read_files(&root, &mut files);
            files
        })
    }
}

/// An activation of `vip.csv`, to which keys can be appended.
pub(crate) const VIP: &str = "\n[[activation]]\nsegment = \"vip\"\n\
     source = { kind = \"csv\", path = \"vip.csv\", column = \"email\" }";

/// The example of that name, which `cargo test` builds beside this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program =
        profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{name} is not built: cargo test -p examples");
    program
}

/// Neither the password nor anybody's address. An address of the tests always has an `@`.
pub(crate) fn assert_no_secrets(place: &str, text: &str) {
    assert!(!text.contains(PASSWORD), "the password is in {place}: {text}");
    assert!(!text.contains('@'), "an address is in {place}: {text}");
}

fn read_files(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_files(&path, files);
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}
