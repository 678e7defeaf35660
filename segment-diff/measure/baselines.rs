//! What ours is measured against, as far as it is written in Rust.
//!
//! ```text
//! baselines scan THREADS PREVIOUS CURRENT
//! baselines hashbrown|fnv|std_set|sort PREVIOUS CURRENT ADDED REMOVED
//! ```
//!
//! `scan` counts the line feeds of both files: what merely reading them costs. The others write
//! the lines that were added and removed, and ignore empty lines: a hash set of slices into the
//! files (hashbrown with foldhash), the same with a weak hash, the hash set of strings that the
//! standard library invites to, and sorted slices that are merged.

use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::thread;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["scan", threads, previous, current] => {
            let feeds = if *threads == "1" {
                count_feeds(previous)? + count_feeds(current)?
            } else {
                thread::scope(|scope| {
                    let previous = scope.spawn(|| count_feeds(previous));
                    let current = count_feeds(current)?;
                    let previous = previous.join().map_err(|_| io::Error::other("panicked"))??;
                    io::Result::Ok(previous + current)
                })?
            };
            writeln!(io::stdout(), "{feeds}")?;
        }
        ["hashbrown", files @ ..] => hash_slices(files, foldhash::fast::RandomState::default())?,
        ["fnv", files @ ..] => hash_slices(files, BuildHasherDefault::<Fnv1a>::new())?,
        ["std_set", files @ ..] => hash_strings(files)?,
        ["sort", files @ ..] => sort_slices(files)?,
        _ => return Err("expected: scan|hashbrown|fnv|std_set|sort and files".into()),
    }
    Ok(())
}

fn count_feeds(path: &str) -> io::Result<usize> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 << 10];
    let mut feeds = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(feeds),
            length => feeds += memchr::memchr_iter(b'\n', &buffer[..length]).count(),
        }
    }
}

fn four<'a>(files: &[&'a str]) -> Result<[&'a str; 4], Box<dyn Error>> {
    files.try_into().map_err(|_| "expected: PREVIOUS CURRENT ADDED REMOVED".into())
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
    let lines = ends.map(move |end| {
        let line = &bytes[start..end];
        start = end + 1;
        line
    });
    lines.filter(|line| !line.is_empty())
}

fn hash_slices(files: &[&str], hasher: impl BuildHasher) -> Result<(), Box<dyn Error>> {
    let [previous, current, added, removed] = four(files)?;
    let (previous, current) = (fs::read(previous)?, fs::read(current)?);
    let mut seen = hashbrown::HashMap::with_hasher(hasher);
    seen.extend(lines(&previous).map(|line| (line, false)));
    let mut added = BufWriter::new(File::create(added)?);
    let mut removed = BufWriter::new(File::create(removed)?);
    for line in lines(&current) {
        match seen.get_mut(line) {
            Some(in_both) => *in_both = true,
            None => {
                added.write_all(line)?;
                added.write_all(b"\n")?;
            }
        }
    }
    for (line, _) in seen.iter().filter(|(_, in_both)| !**in_both) {
        removed.write_all(line)?;
        removed.write_all(b"\n")?;
    }
    added.flush()?;
    removed.flush()?;
    Ok(())
}

fn hash_strings(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let [previous, current, added, removed] = four(files)?;
    let read = |path: &str| -> io::Result<HashSet<String>> {
        let lines = BufReader::new(File::open(path)?).lines();
        lines.filter(|line| line.as_ref().map_or(true, |line| !line.is_empty())).collect()
    };
    let (previous, current) = (read(previous)?, read(current)?);
    for (path, some, others) in [(added, &current, &previous), (removed, &previous, &current)] {
        let mut out = BufWriter::new(File::create(path)?);
        for line in some.difference(others) {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    Ok(())
}

fn sort_slices(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let [previous, current, added, removed] = four(files)?;
    let (previous, current) = (fs::read(previous)?, fs::read(current)?);
    let sorted = |bytes| {
        let mut lines: Vec<&[u8]> = lines(bytes).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    let (previous, current) = thread::scope(|scope| {
        let previous = scope.spawn(|| sorted(&previous));
        let current = sorted(&current);
        (previous.join(), current)
    });
    let previous = previous.map_err(|_| "panicked")?;
    for (path, some, others) in [(added, &current, &previous), (removed, &previous, &current)] {
        let mut out = BufWriter::new(File::create(path)?);
        let mut others = others.iter().peekable();
        for line in some {
            while others.next_if(|other| *other < line).is_some() {}
            if others.peek() != Some(&line) {
                out.write_all(line)?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

/// A hash without a secret: anybody can make keys that it puts into one place.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv1a {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    // A slice hashes its length as well; FNV as people use it does not.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
