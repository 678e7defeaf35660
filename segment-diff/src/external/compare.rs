use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::partitions::{Partitions, Pieces};
use super::record::{LONG_HEADER, Record};
use super::shape::Shape;
use super::table::{Lookup, Table, TableRoom};
use super::temp_file::Create;
use super::{Differences, ExternalError};
use crate::kernel::HashKey;
use crate::lines::Meter;

/// What comparing partitions needs and brings about.
pub(super) struct Comparison<'a> {
    pub(super) directory: PathBuf,
    pub(super) create: Create,
    pub(super) threads: usize,
    /// Bytes for all that is held while partitions are compared.
    pub(super) memory: usize,
    pub(super) version: usize,
    pub(super) longest_key: usize,
    pub(super) differences: Mutex<Differences>,
    pub(super) unchanged: AtomicU64,
    pub(super) tally: Tally,
    /// Is told of what is read back.
    pub(super) meter: &'a Meter<'a>,
}

/// What it took.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) written: AtomicU64,
    pub(super) partitions: AtomicU64,
    pub(super) divided: AtomicU64,
}

impl Comparison<'_> {
    /// Compares two sides, partitioned alike, within `memory` bytes, pages included.
    pub(super) fn compare(
        &self,
        mut previous: Partitions,
        mut current: Partitions,
        memory: usize,
    ) -> Result<(), ExternalError> {
        let shape = previous.shape();
        let room = largest(&previous, shape).total();
        let needed = room.saturating_add(self.stream(shape, &current));
        let left = memory.saturating_sub(previous.held() + current.held());
        // What was spilled in part may stay so only where it costs no thread its table.
        let spilled = previous.written() + current.written() > 0;
        if needed > left || spilled && needed.saturating_mul(self.threads) > left {
            previous.write_out()?;
            current.write_out()?;
        }
        self.tally.written.fetch_add(previous.written() + current.written(), Ordering::Relaxed);
        self.tally.partitions.fetch_add(shape.partitions as u64, Ordering::Relaxed);
        // The lists of extents are short beside the budget, unless that is absurdly small: it is
        // exceeded then, because with ever less memory partitioning would never end.
        let left = memory.saturating_sub(previous.held() + current.held());
        let memory = left.max(self.memory / 2);

        let all = (0..shape.partitions).collect();
        let sides = Sides { previous: &previous, current: &current };
        let mut rest = self.round(&sides, all, memory, self.threads)?;
        if self.threads > 1 && !rest.is_empty() {
            rest = self.round(&sides, rest, memory, 1)?;
        }
        for partition in rest {
            self.divide(&sides, partition, memory)?;
        }
        Ok(())
    }

    /// Compares those partitions that fit into a share of the memory, and returns the others.
    fn round(
        &self,
        sides: &Sides<'_>,
        partitions: Vec<usize>,
        memory: usize,
        threads: usize,
    ) -> Result<Vec<usize>, ExternalError> {
        let stream = self.stream(sides.current.shape(), sides.current);
        let share = (memory / threads).saturating_sub(stream);
        let fits = |partition: &usize| {
            let room = sides.previous.room(*partition);
            room.fits() && room.total() <= share
        };
        let (now, mut rest): (Vec<_>, Vec<_>) = partitions.into_iter().partition(fits);
        let needed = |partitions: &[usize]| {
            let rooms = partitions.iter().map(|partition| sides.previous.room(*partition));
            rooms.reduce(TableRoom::union)
        };
        if let Some(room) = needed(&now) {
            rest.extend(self.share_out(sides, &now, room, stream, threads)?);
        }
        if threads == 1 && !rest.is_empty() {
            // Repetitions may be all that makes them large.
            rest = self.share_out(sides, &rest, TableRoom::within(share), stream, 1)?;
        }
        Ok(rest)
    }

    /// Compares partitions on several threads, each with a table of its own. Returns those that
    /// did not fit.
    fn share_out(
        &self,
        sides: &Sides<'_>,
        partitions: &[usize],
        room: TableRoom,
        stream: usize,
        threads: usize,
    ) -> Result<Vec<usize>, ExternalError> {
        for partition in partitions {
            self.meter.expect(sides.length(*partition));
        }
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<usize>, ExternalError> {
            let mut worker = Worker::new(self, sides, room, stream)?;
            let mut rest = Vec::new();
            while let Some(partition) = partitions.get(next.fetch_add(1, Ordering::Relaxed)) {
                match worker.compare(*partition) {
                    Ok(true) => {}
                    Ok(false) => rest.push(*partition),
                    Err(error) => {
                        // The others need not go on.
                        next.store(partitions.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            Ok(rest)
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut rest = work();
            for other in others {
                let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                rest = rest.and_then(|mut rest| {
                    rest.append(&mut theirs?);
                    Ok(rest)
                });
            }
            rest
        })
    }

    /// Partitions one partition again, by another hash, and compares what comes of it.
    fn divide(
        &self,
        sides: &Sides<'_>,
        partition: usize,
        memory: usize,
    ) -> Result<(), ExternalError> {
        self.tally.divided.fetch_add(1, Ordering::Relaxed);
        self.meter.expect(sides.length(partition));
        let hash_key = HashKey::random();
        let shape = Shape::new(memory, Some(sides.previous.length(partition)));
        let again = |side: &Partitions| -> Result<Partitions, ExternalError> {
            let width = side.width();
            let (directory, create) = (self.directory.clone(), self.create.clone());
            let mut parts = Partitions::new(hash_key, shape, width, directory, create)?;
            let mut stream = Stream::new(self.stream(side.shape(), side));
            let mut pieces = side.pieces(partition);
            while let Some(length) = stream.fill(&mut pieces)? {
                self.meter.read(length as u64);
                while let Some((record, bytes)) = stream.next(width) {
                    parts.push(record.key_of(bytes), record.value_of(bytes))?;
                }
            }
            Ok(parts)
        };
        let (previous, current) = if self.threads > 1 {
            thread::scope(|scope| {
                let previous = scope.spawn(|| again(sides.previous));
                let current = again(sides.current);
                let previous =
                    previous.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                (previous, current)
            })
        } else {
            (again(sides.previous), again(sides.current))
        };
        self.compare(previous?, current?, memory)
    }

    /// Bytes needed to read a partition record by record.
    fn stream(&self, shape: Shape, side: &Partitions) -> usize {
        shape.extent + LONG_HEADER + self.longest_key + side.width()
    }

    fn note(
        &self,
        note: impl FnOnce(&mut Differences) -> Result<(), ExternalError>,
    ) -> Result<(), ExternalError> {
        note(&mut self.differences.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Sides<'a> {
    previous: &'a Partitions,
    current: &'a Partitions,
}

impl Sides<'_> {
    /// Bytes of a partition on both sides.
    fn length(&self, partition: usize) -> u64 {
        self.previous.length(partition) + self.current.length(partition)
    }
}

impl Partitions {
    fn room(&self, partition: usize) -> TableRoom {
        TableRoom::for_partition(self.length(partition), self.records(partition))
    }
}

fn largest(side: &Partitions, shape: Shape) -> TableRoom {
    let rooms = (0..shape.partitions).map(|partition| side.room(partition));
    rooms.reduce(TableRoom::union).expect("there are at least two partitions")
}

/// Compares one partition after another.
struct Worker<'a> {
    comparison: &'a Comparison<'a>,
    sides: &'a Sides<'a>,
    table: Table,
    stream: Stream,
}

impl<'a> Worker<'a> {
    fn new(
        comparison: &'a Comparison<'a>,
        sides: &'a Sides<'a>,
        room: TableRoom,
        stream: usize,
    ) -> Result<Self, ExternalError> {
        let table = Table::new(room, sides.previous.width(), comparison.version)?;
        Ok(Self { comparison, sides, table, stream: Stream::new(stream) })
    }

    /// `false` where the previous side does not fit into the table; nothing was noted then.
    fn compare(&mut self, partition: usize) -> Result<bool, ExternalError> {
        let (comparison, width) = (self.comparison, self.sides.previous.width());
        let records = self.sides.previous.records(partition);
        let mut pieces = self.sides.previous.pieces(partition);
        if !self.table.load(&mut pieces, records, comparison.meter)? {
            return Ok(false);
        }
        let mut unchanged = 0;
        let mut pieces = self.sides.current.pieces(partition);
        self.stream.clear();
        while let Some(length) = self.stream.fill(&mut pieces)? {
            comparison.meter.read(length as u64);
            while let Some((record, bytes)) = self.stream.next(width) {
                let (key, value) = (record.key_of(bytes), record.value_of(bytes));
                match self.table.look_up(record, bytes) {
                    Lookup::Unchanged => unchanged += 1,
                    Lookup::Repeated => {}
                    Lookup::Added => comparison.note(|found| found.added_record(key, value))?,
                    Lookup::Changed(previous) => {
                        comparison.note(|found| found.changed_record(key, previous, value))?;
                    }
                }
            }
        }
        comparison.unchanged.fetch_add(unchanged, Ordering::Relaxed);
        comparison.note(|found| {
            let mut removed = self.table.removed();
            removed.try_for_each(|(key, value)| found.removed_record(key, value))
        })?;
        Ok(true)
    }
}

/// Cuts pieces of a partition into records.
struct Stream {
    buffer: Vec<u8>,
    next: usize,
    end: usize,
}

impl Stream {
    /// For pieces and records that have `length` bytes together at most.
    fn new(length: usize) -> Self {
        Self { buffer: vec![0; length], next: 0, end: 0 }
    }

    fn clear(&mut self) {
        (self.next, self.end) = (0, 0);
    }

    /// Adds the next piece to what is left of the last, and says how long it is.
    fn fill(&mut self, pieces: &mut Pieces<'_>) -> Result<Option<usize>, ExternalError> {
        let Some(length) = pieces.length() else { return Ok(None) };
        self.buffer.copy_within(self.next..self.end, 0);
        (self.next, self.end) = (0, self.end - self.next);
        pieces.read(&mut self.buffer[self.end..self.end + length])?;
        self.end += length;
        Ok(Some(length))
    }

    /// The next record that is there as a whole, and its bytes.
    fn next(&mut self, width: usize) -> Option<(Record, &[u8])> {
        let start = self.next;
        let record = Record::parse(&self.buffer[start..self.end], width)?;
        self.next += record.length;
        Some((record, &self.buffer[start..self.next]))
    }
}
