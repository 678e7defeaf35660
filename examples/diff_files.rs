//! Who entered and who left: the membership difference of two line files.
//!
//! ```sh
//! cargo run --release --example diff_files -- yesterday.txt today.txt --count
//! ```
//!
//! A key is a line without its line feed; empty lines are ignored; lines may come in any order and
//! repeat. Output is sorted by bytes, each key once. Without `--added` and `--removed` it is one
//! sequence of `+key` and `-key` lines, in the order of the keys. Exit code 0 is success, 1 a
//! failure, 2 wrong usage.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::thread;

use clap::{CommandFactory, Parser, error::ErrorKind};
use segment_diff::external::{ExternalError, ExternalSorter, SortedKeys};
use segment_diff::merge::{
    CountOnly, Counts, DiffResult, MarkedLines, MergeError, SplitLines, diff,
};

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
    /// Memory for keys and buffers, at least 1MiB; what exceeds it goes to temporary files
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_memory)]
    memory: usize,
    /// Threads to use; the result is the same [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Print how many keys were added, removed and unchanged, and no keys
    #[arg(long)]
    count: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(contradiction) = arguments.contradiction() {
        Arguments::command().error(ErrorKind::ArgumentConflict, contradiction).exit();
    }
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as `head` has.
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "diff_files: {}", with_causes(&failure));
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn contradiction(&self) -> Option<&'static str> {
        if is_stdin(&self.previous) && is_stdin(&self.current) {
            return Some("only one of PREVIOUS and CURRENT can be standard input");
        }
        (self.added.is_some() && self.added == self.removed)
            .then_some("--added and --removed need two different files")
    }

    fn threads(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(processors, usize::from)
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (previous, current) = sort_both(arguments)?;
    let outputs = arguments.added.is_some() || arguments.removed.is_some();
    let counts = if outputs {
        write_files(arguments, previous, current)?
    } else if arguments.count {
        finished(diff(previous, current, &mut CountOnly), |never| match never {})?
    } else {
        let mut lines = MarkedLines::new(BufWriter::with_capacity(BUFFER, io::stdout().lock()));
        let counts = finished(diff(previous, current, &mut lines), Failure::Stdout)?;
        lines.into_inner().flush().map_err(Failure::Stdout)?;
        counts
    };
    if arguments.count {
        let Counts { added, removed, unchanged, .. } = counts;
        writeln!(io::stdout(), "added {added}\nremoved {removed}\nunchanged {unchanged}")
            .map_err(Failure::Stdout)?;
    }
    Ok(())
}

/// Reads and sorts both sides, at the same time if there are two threads or more.
fn sort_both(arguments: &Arguments) -> Result<(SortedKeys, SortedKeys), Failure> {
    let budget = (arguments.memory - 4 * BUFFER) / 2;
    let (previous, current) = (&arguments.previous, &arguments.current);
    match arguments.threads() {
        1 => Ok((sort_lines(previous, budget, 1)?, sort_lines(current, budget, 1)?)),
        threads => thread::scope(|scope| {
            let previous = scope.spawn(|| sort_lines(previous, budget, threads / 2));
            let current = sort_lines(current, budget, threads - threads / 2);
            match previous.join() {
                Ok(previous) => Ok((previous?, current?)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }),
    }
}

fn sort_lines(path: &Path, budget: usize, threads: usize) -> Result<SortedKeys, Failure> {
    let input_failed = |source| Failure::Input { path: path.to_path_buf(), source };
    let sort_failed = |source| Failure::Sort { path: path.to_path_buf(), source };

    let mut input = open(path).map_err(input_failed)?;
    let mut sorter =
        ExternalSorter::new(std::env::temp_dir(), budget).map_err(sort_failed)?.threads(threads);
    let limit = sorter.key_limit();
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let length = input
            .by_ref()
            .take(limit as u64 + 1)
            .read_until(b'\n', &mut line)
            .map_err(input_failed)?;
        if length == 0 {
            return sorter.finish().map_err(sort_failed);
        }
        line.pop_if(|last| *last == b'\n');
        if line.len() > limit {
            return Err(Failure::LongLine { path: path.to_path_buf(), number, limit });
        }
        if !line.is_empty() {
            sorter.push(&line).map_err(sort_failed)?;
        }
    }
}

fn open(path: &Path) -> io::Result<BufReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if is_stdin(path) {
        Box::new(io::stdin())
    } else {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Box::new(file)
    };
    Ok(BufReader::with_capacity(BUFFER, input))
}

fn write_files(
    arguments: &Arguments,
    previous: SortedKeys,
    current: SortedKeys,
) -> Result<Counts, Failure> {
    let create = |path: &Option<PathBuf>| path.as_deref().map(Output::create).transpose();
    let (mut added, mut removed) = (create(&arguments.added)?, create(&arguments.removed)?);
    let mut lines =
        SplitLines::new(Output::or_nowhere(&mut added), Output::or_nowhere(&mut removed));
    let counts = finished(diff(previous, current, &mut lines), Failure::Write)?;
    drop(lines);
    for output in [added, removed].into_iter().flatten() {
        output.commit()?;
    }
    Ok(counts)
}

/// Takes the counts out of a difference that ran to its end.
fn finished<B>(
    result: DiffResult<SortedKeys, SortedKeys, B>,
    broken_off: impl FnOnce(B) -> Failure,
) -> Result<Counts, Failure> {
    match result? {
        ControlFlow::Continue(counts) => Ok(counts),
        ControlFlow::Break(reason) => Err(broken_off(reason)),
    }
}

/// A file that is replaced as a whole, or stays as it is.
struct Output {
    path: PathBuf,
    /// Where the lines go until all are there; `None` for what cannot be replaced, like a pipe.
    temporary: Option<PathBuf>,
    writer: BufWriter<File>,
}

impl Output {
    fn create(path: &Path) -> Result<Self, Failure> {
        Self::try_create(path)
            .map_err(|source| Failure::Output { path: path.to_path_buf(), source })
    }

    fn try_create(path: &Path) -> io::Result<Self> {
        let (path, special) = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // Through a symbolic link it is the file behind it that is replaced.
            Ok(metadata) => (fs::canonicalize(path)?, !metadata.is_file()),
            Err(_) => (path.to_path_buf(), false),
        };
        let temporary = if special { None } else { Some(beside(&path)?) };
        let file = match &temporary {
            None => File::options().write(true).open(&path)?,
            Some(temporary) => File::create_new(temporary)?,
        };
        Ok(Self { path, temporary, writer: BufWriter::with_capacity(BUFFER, file) })
    }

    fn or_nowhere(output: &mut Option<Self>) -> Box<dyn Write + '_> {
        match output {
            Some(output) => Box::new(output),
            None => Box::new(io::sink()),
        }
    }

    fn commit(mut self) -> Result<(), Failure> {
        self.try_commit().map_err(|source| Failure::Output { path: self.path.clone(), source })
    }

    fn try_commit(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        if let Some(temporary) = &self.temporary {
            self.writer.get_ref().sync_all()?;
            fs::rename(temporary, &self.path)?;
            self.temporary = None;
        }
        Ok(())
    }
}

/// Failures name the file, since there may be two.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // The failure that led here is the one to report.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// A name for a temporary file in the directory of `path`, from where it can be renamed.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_os_string();
    name.push(format!(".{}.tmp", process::id()));
    Ok(path.with_file_name(name))
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
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
    #[error("cannot read {}", path.display())]
    Input { path: PathBuf, source: io::Error },
    #[error("line {number} of {} is longer than {limit} bytes, the limit with this --memory", path.display())]
    LongLine { path: PathBuf, number: u64, limit: usize },
    #[error("cannot sort {}", path.display())]
    Sort { path: PathBuf, source: ExternalError },
    #[error("cannot compare")]
    Merge(#[from] MergeError<ExternalError, ExternalError>),
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

/// Bytes of each of the buffers in front of the inputs and the outputs.
const BUFFER: usize = 128 << 10;
