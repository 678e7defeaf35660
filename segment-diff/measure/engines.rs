//! Compares two line files with the engine that is asked for, and prints which one it was.
//!
//! ```text
//! engines choose|merge|partition|sketch|spill MEMORY THREADS PREVIOUS CURRENT ADDED REMOVED
//! ```
//!
//! MEMORY is in bytes.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use segment_diff::lines::{Engine, LineDiff};
use segment_diff::merge::SplitLines;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [engine, memory, threads, previous, current, added, removed] = arguments.as_slice() else {
        return Err("expected: ENGINE MEMORY THREADS PREVIOUS CURRENT ADDED REMOVED".into());
    };
    let mut diff = LineDiff::new().memory(memory.parse()?).threads(threads.parse()?);
    diff = match engine.as_str() {
        "choose" => diff,
        "merge" => diff.engine(Engine::Merge),
        "partition" => diff.engine(Engine::Partition),
        "sketch" => diff.engine(Engine::Sketch),
        "spill" => diff.engine(Engine::Spill),
        _ => return Err(format!("unknown engine {engine}").into()),
    };
    let create = |path| File::create(path).map(|file| BufWriter::with_capacity(128 << 10, file));
    let mut lines = SplitLines::new(create(added)?, create(removed)?);
    let report = match diff.run(&File::open(previous)?, &File::open(current)?, &mut lines)? {
        ControlFlow::Continue(report) => report,
        ControlFlow::Break(error) => return Err(error.into()),
    };
    let (mut added, mut removed) = lines.into_inner();
    added.flush()?;
    removed.flush()?;
    writeln!(io::stdout(), "{}", report.engine)?;
    Ok(())
}
