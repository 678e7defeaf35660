//! Compares a line file with what an earlier run stored of the one before: a snapshot of
//! fingerprints, or a sketch.
//!
//! ```text
//! stored make PREVIOUS SNAPSHOT SKETCH DIFFERENCES
//! stored snapshot MEMORY THREADS SNAPSHOT CURRENT ADDED REMOVED
//! stored sketch THREADS SKETCH CURRENT ADDED REMOVED
//! ```
//!
//! MEMORY is in bytes; the sketch has room for DIFFERENCES. REMOVED gets fingerprints, since
//! nothing else of them is stored. `sketch` writes the next sketch beside ADDED.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use segment_diff::lines::{LineReader, SnapshotDiff, changes_since, sketch_lines};
use segment_diff::merge::DiffSink;
use segment_diff::sketch::{Shape, Sketch};
use segment_diff::snapshot::{Layout, SnapshotFile, SnapshotWriter};
use segment_diff::{Fingerprint, FingerprintKey};

/// No secret: the same data have to give the same files.
const KEY: FingerprintKey = FingerprintKey::new([7; 16]);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", previous, snapshot, sketch, differences] => {
            make(previous, snapshot, sketch, differences.parse()?)
        }
        ["snapshot", memory, threads, snapshot, current, added, removed] => {
            let previous = SnapshotFile::open(File::open(snapshot)?)?;
            let diff = SnapshotDiff::new(&previous, &KEY).memory(memory.parse()?);
            let mut lines = Lines { added: create(added)?, removed: create(removed)? };
            match diff.threads(threads.parse()?).diff(&File::open(current)?, &mut lines)? {
                ControlFlow::Break(error) => Err(error.into()),
                ControlFlow::Continue(_) => {
                    lines.added.flush()?;
                    Ok(lines.removed.flush()?)
                }
            }
        }
        ["sketch", threads, sketch, current, added, removed] => {
            let previous = Sketch::from_bytes(&fs::read(sketch)?)?;
            let changes = changes_since(&previous, &File::open(current)?, &KEY, threads.parse()?)?;
            fs::write(format!("{added}.sketch"), changes.sketch.to_bytes())?;
            let (mut added, mut removed) = (create(added)?, create(removed)?);
            for line in changes.added.iter() {
                added.write_all(line)?;
                added.write_all(b"\n")?;
            }
            for member in changes.removed {
                writeln!(removed, "{}", member.to_hex())?;
            }
            added.flush()?;
            Ok(removed.flush()?)
        }
        _ => Err("expected: make, snapshot or sketch, and its arguments".into()),
    }
}

fn make(
    previous: &str,
    snapshot: &str,
    sketch: &str,
    differences: u64,
) -> Result<(), Box<dyn Error>> {
    let file = File::open(previous)?;
    fs::write(
        sketch,
        sketch_lines(&file, &KEY, Shape::for_differences(differences), 2)?.to_bytes(),
    )?;
    let mut members = Vec::new();
    let mut lines = LineReader::new(file);
    while let Some(block) = lines.next_block()? {
        members.extend(block.keys().map(|key| KEY.fingerprint(key)));
    }
    members.sort_unstable();
    members.dedup();
    let layout = Layout::Fixed { key: 16, payload: 8 };
    let mut writer = SnapshotWriter::new(File::create(snapshot)?, layout);
    for member in members {
        writer.push(member.as_bytes(), &[0; 8])?;
    }
    writer.finish()?;
    Ok(())
}

fn create(path: &str) -> std::io::Result<BufWriter<File>> {
    File::create(path).map(|file| BufWriter::with_capacity(128 << 10, file))
}

struct Lines {
    added: BufWriter<File>,
    removed: BufWriter<File>,
}

impl DiffSink<Fingerprint, [u8]> for Lines {
    type Break = std::io::Error;

    fn added(&mut self, _: &Fingerprint, line: &[u8]) -> ControlFlow<Self::Break> {
        flow(self.added.write_all(line).and_then(|()| self.added.write_all(b"\n")))
    }

    fn removed(&mut self, member: &Fingerprint, _: &[u8]) -> ControlFlow<Self::Break> {
        flow(writeln!(self.removed, "{}", member.to_hex()))
    }
}

fn flow(result: std::io::Result<()>) -> ControlFlow<std::io::Error> {
    result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}
