//! Compares two files of integers, eight little-endian bytes each, and writes the added and the
//! removed ones as lines.
//!
//! ```text
//! integers tables|slices|sort|roaring THREADS PREVIOUS CURRENT ADDED REMOVED
//! ```
//!
//! `tables` takes them in a block at a time, `slices` reads both files first. `sort` stands for what
//! one would do otherwise: sort both, on a thread each, and merge. `roaring` subtracts compressed
//! bitmaps.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::thread;

use roaring::RoaringTreemap;
use segment_diff::memory::{Options, ValueSide, ValueSides, diff_values};
use segment_diff::merge::{Counts, DiffSink};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, threads, previous, current, added, removed] = arguments.as_slice() else {
        return Err("expected: KIND THREADS PREVIOUS CURRENT ADDED REMOVED".into());
    };
    let options = Options::new().threads(threads.parse()?);
    let mut lines = Lines { added: create(added)?, removed: create(removed)? };
    let flow = match kind.as_str() {
        "tables" => {
            let values = fs::metadata(previous)?.len() / 8;
            let mut sides = ValueSides::new(values as usize);
            let (old, new) = sides.both();
            if threads == "1" {
                take_in(previous, old)?;
                take_in(current, new)?;
            } else {
                thread::scope(|scope| {
                    let previous = scope.spawn(|| take_in(previous, old));
                    take_in(current, new)?;
                    previous.join().map_err(|_| io::Error::other("panicked"))?
                })?;
            }
            sides.diff(options, &mut lines)
        }
        "slices" => diff_values(&read(previous)?, &read(current)?, options, &mut lines),
        "roaring" => {
            let bitmap = |path| read(path).map(RoaringTreemap::from_iter);
            let (old, new) = (bitmap(previous)?, bitmap(current)?);
            let mut added = (&new - &old).into_iter();
            let mut removed = (&old - &new).into_iter();
            let told = added.try_for_each(|value| lines.added(&value, &()));
            let told = match told {
                ControlFlow::Continue(()) => {
                    removed.try_for_each(|value| lines.removed(&value, &()))
                }
                stopped => stopped,
            };
            told.map_continue(|()| Counts::default())
        }
        "sort" => {
            let (mut old, mut new) = (read(previous)?, read(current)?);
            thread::scope(|scope| {
                scope.spawn(|| old.sort_unstable());
                new.sort_unstable();
            });
            diff_values(&old, &new, options, &mut lines)
        }
        _ => return Err(format!("unknown kind {kind}").into()),
    };
    if let ControlFlow::Break(error) = flow {
        return Err(error.into());
    }
    lines.added.flush()?;
    lines.removed.flush()?;
    Ok(())
}

fn create(path: &str) -> io::Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(64 << 10, File::create(path)?))
}

fn take_in(path: &str, mut side: ValueSide<'_, u64>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 256 << 10];
    let mut filled = 0;
    loop {
        match file.read(&mut block[filled..])? {
            0 if filled == 0 => return Ok(()),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => filled += length,
        }
        let whole = filled - filled % 8;
        side.extend(values(&block[..whole]));
        block.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn read(path: &str) -> io::Result<Vec<u64>> {
    let mut read = Vec::new();
    let mut file = File::open(path)?;
    read.reserve_exact(file.metadata()?.len() as usize / 8);
    let mut block = vec![0; 256 << 10];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(read),
            length if length % 8 == 0 => read.extend(values(&block[..length])),
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn values(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

struct Lines {
    added: BufWriter<File>,
    removed: BufWriter<File>,
}

impl DiffSink<u64> for Lines {
    type Break = io::Error;

    fn added(&mut self, value: &u64, (): &()) -> ControlFlow<io::Error> {
        written(writeln!(self.added, "{value}"))
    }

    fn removed(&mut self, value: &u64, (): &()) -> ControlFlow<io::Error> {
        written(writeln!(self.removed, "{value}"))
    }
}

fn written(result: io::Result<()>) -> ControlFlow<io::Error> {
    result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}
