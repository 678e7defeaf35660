//! Who entered and who left: the membership difference of two line files.
//!
//! ```sh
//! cargo run --release --example diff_files -- yesterday.txt today.txt --count
//! ```
//!
//! A key is a line without its line feed; empty lines are ignored; lines may come in any order and
//! repeat. Output is sorted by bytes, each key once. Without `--added` and `--removed` it is one
//! sequence of `+key` and `-key` lines, in the order of the keys.
//!
//! Exit code 0 is success, whether or not anything differs, 1 a failure, 2 wrong usage. With
//! `--exit-code` it is 0 when nothing differs, 1 when something does, and 2 for failures as well.

mod input;
mod output;
mod progress;

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::{CommandFactory, Parser, error::ErrorKind};
use segment_diff::lines::{LineDiff, LineError, LineReport, LinesError};
use segment_diff::merge::{CountOnly, DiffSink, MarkedLines, Side, SplitLines};

use input::Input;
use output::{BUFFER, Output};
use progress::ProgressLine;

/// Compare two files of keys, one on each line, and say which were added and which removed.
///
/// Lines may come in any order and repeat; empty lines are ignored. Output is sorted by bytes,
/// each key once: `+key` and `-key` lines in the order of the keys, unless --added, --removed or
/// --count say otherwise.
#[derive(Debug, Parser)]
#[command(name = "diff_files")]
struct Arguments {
    /// The earlier keys; `-` is standard input
    previous: PathBuf,
    /// The later keys; `-` is standard input
    current: PathBuf,
    /// Write the added keys to this file, which is replaced only on success
    #[arg(long, value_name = "FILE")]
    added: Option<PathBuf>,
    /// Write the removed keys to this file, which is replaced only on success
    #[arg(long, value_name = "FILE")]
    removed: Option<PathBuf>,
    /// Memory for the comparison, at least 1MiB; what exceeds it goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = parse_memory)]
    memory: usize,
    /// Threads to use; the result is the same [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Print how many keys were added, removed and unchanged, and no keys
    #[arg(long)]
    count: bool,
    /// Rely on no hash: by default two keys are taken for the same with a probability below 1e-16
    #[arg(long)]
    exact: bool,
    /// Exit with 1 if anything differs, and with 2 on failures
    #[arg(long)]
    exit_code: bool,
    /// Show no progress; without this it is shown on standard error if that is a terminal
    #[arg(long, short)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(contradiction) = arguments.contradiction() {
        Arguments::command().error(ErrorKind::ArgumentConflict, contradiction).exit();
    }
    let differs = match run(&arguments) {
        Ok(report) => report.added + report.removed > 0,
        // Whoever read the output has seen enough, as `head` has.
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => true,
        Err(failure) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "diff_files: {}", with_causes(&failure));
            return ExitCode::from(if arguments.exit_code { 2 } else { 1 });
        }
    };
    ExitCode::from(u8::from(arguments.exit_code && differs))
}

impl Arguments {
    fn contradiction(&self) -> Option<&'static str> {
        if input::is_stdin(&self.previous) && input::is_stdin(&self.current) {
            return Some("only one of PREVIOUS and CURRENT can be standard input");
        }
        (self.added.is_some() && self.added == self.removed)
            .then_some("--added and --removed need two different files")
    }

    fn threads(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, usize::from)
    }

    fn path(&self, side: Side) -> &Path {
        match side {
            Side::Previous => &self.previous,
            Side::Current => &self.current,
        }
    }

    fn writes_files(&self) -> bool {
        self.added.is_some() || self.removed.is_some()
    }

    /// Progress does not go where keys appear.
    fn shows_progress(&self) -> bool {
        let prints_keys = !self.writes_files() && !self.count;
        !self.quiet && io::stderr().is_terminal() && !(prints_keys && io::stdout().is_terminal())
    }
}

fn run(arguments: &Arguments) -> Result<LineReport, Failure> {
    let previous = open(&arguments.previous)?;
    let current = open(&arguments.current)?;
    let sides = Sides { arguments, previous, current };
    let report = if arguments.writes_files() {
        write_files(sides)?
    } else if arguments.count {
        sides.compare(&mut CountOnly, |never| match never {})?
    } else {
        let mut lines = MarkedLines::new(BufWriter::with_capacity(BUFFER, io::stdout().lock()));
        let report = sides.compare(&mut lines, Failure::Stdout)?;
        lines.into_inner().flush().map_err(Failure::Stdout)?;
        report
    };
    if arguments.count {
        let LineReport { added, removed, unchanged, .. } = report;
        let mut counts = format!("added {added}\nremoved {removed}\n");
        if let Some(unchanged) = unchanged {
            counts.push_str(&format!("unchanged {unchanged}\n"));
        }
        io::stdout().write_all(counts.as_bytes()).map_err(Failure::Stdout)?;
    }
    Ok(report)
}

fn open(path: &Path) -> Result<Input, Failure> {
    Input::open(path).map_err(|source| Failure::Input { path: path.to_path_buf(), source })
}

struct Sides<'a> {
    arguments: &'a Arguments,
    previous: Input,
    current: Input,
}

impl Sides<'_> {
    fn compare<S: DiffSink<[u8]>>(
        &self,
        sink: &mut S,
        broken_off: impl FnOnce(S::Break) -> Failure,
    ) -> Result<LineReport, Failure> {
        let line = ProgressLine::new(self.previous.is_file() && self.current.is_file());
        let observer = |progress| line.show(progress);
        let mut diff =
            LineDiff::new().memory(self.arguments.memory).threads(self.arguments.threads());
        if self.arguments.exact {
            diff = diff.exact();
        }
        if self.arguments.shows_progress() {
            diff = diff.progress(&observer);
        }
        let result = diff.run(self.previous.lines(), self.current.lines(), sink);
        line.clear();
        match result.map_err(|error| self.explain(error))? {
            ControlFlow::Continue(report) => Ok(report),
            ControlFlow::Break(reason) => Err(broken_off(reason)),
        }
    }

    /// Names the file, and the line by its number where the file can be read once more.
    fn explain(&self, error: LinesError) -> Failure {
        let LinesError::Input { side, source } = error else { return Failure::Compare(error) };
        let path = self.arguments.path(side).to_path_buf();
        match source {
            LineError::Read { source, .. } => Failure::Input { path, source },
            LineError::TooLong { offset, limit } => {
                let input = match side {
                    Side::Previous => &self.previous,
                    Side::Current => &self.current,
                };
                match input.line_number(offset) {
                    Some(number) => Failure::LongLine { path, number, limit },
                    None => Failure::LongLineAt { path, offset, limit },
                }
            }
            source => Failure::Lines { path, source },
        }
    }
}

fn write_files(sides: Sides<'_>) -> Result<LineReport, Failure> {
    let create = |path: &Option<PathBuf>| path.as_deref().map(Output::create).transpose();
    let mut added = create(&sides.arguments.added)?;
    let mut removed = create(&sides.arguments.removed)?;
    let mut lines =
        SplitLines::new(Output::or_nowhere(&mut added), Output::or_nowhere(&mut removed));
    let report = sides.compare(&mut lines, Failure::Write)?;
    drop(lines);
    for output in [added, removed].into_iter().flatten() {
        output.commit()?;
    }
    Ok(report)
}

fn parse_memory(text: &str) -> Result<usize, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("expected a size such as 64MiB, 1GiB or 500MB".to_owned()),
    };
    let bytes = number.parse().ok().and_then(|number: usize| number.checked_mul(factor));
    match bytes {
        None => Err("expected a size such as 64MiB, 1GiB or 500MB".to_owned()),
        Some(bytes) if bytes < 1 << 20 => Err("at least 1MiB is needed".to_owned()),
        Some(bytes) => Ok(bytes),
    }
}

/// Why there is no result. No message holds a key.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {}", input::name(path))]
    Input { path: PathBuf, source: io::Error },
    #[error("line {number} of {} is longer than {limit} bytes, the limit with this --memory", path.display())]
    LongLine { path: PathBuf, number: u64, limit: usize },
    #[error(
        "the line of {} that starts at byte {offset} is longer than {limit} bytes, the limit with this --memory",
        input::name(path)
    )]
    LongLineAt { path: PathBuf, offset: u64, limit: usize },
    #[error("cannot read the lines of {}", input::name(path))]
    Lines { path: PathBuf, source: LineError },
    #[error("cannot compare")]
    Compare(#[source] LinesError),
    #[error("cannot write {}", path.display())]
    Output { path: PathBuf, source: io::Error },
    #[error("cannot write")]
    Write(#[source] io::Error),
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
}

fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    message
}
