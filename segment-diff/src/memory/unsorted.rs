use std::ops::{ControlFlow, Range};
use std::panic;
use std::thread;

use super::{Matching, Options, PackedKeys, threads};
use crate::kernel::{HashKey, KeyRange, SLACK};
use crate::merge::{Counts, DiffSink, byte_keys, diff};
use crate::partition::{
    Entry, Found, Located, PLACE_BITS, Partitions, Room, Shape, compare_by, located, place,
};

/// Tells `sink` how `current` differs from `previous`, in the order of the keys' bytes, and tells
/// it nothing of keys that do not differ. The slices stay as they are: only what differs is sorted.
///
/// Memory: 16 bytes for each key of both sides, and as much for each that differs.
///
/// # Panics
///
/// Panics if a side has 2³⁹ keys or more, or a key 4 GiB.
pub fn diff_slices<K: AsRef<[u8]> + Sync, S: DiffSink<[u8]> + ?Sized>(
    previous: &[K],
    current: &[K],
    options: Options,
    sink: &mut S,
) -> ControlFlow<S::Break, Counts> {
    let sides = Sides {
        previous: (previous.len(), |index: usize| previous[index].as_ref()),
        current: (current.len(), |index: usize| current[index].as_ref()),
    };
    sides.diff(options, sink)
}

/// As [`diff_slices`], of packed keys: they need not be sorted, and are not.
///
/// # Panics
///
/// Panics if a side has 2³⁹ keys or more, or a key 4 GiB.
pub fn diff_packed<S: DiffSink<[u8]> + ?Sized>(
    previous: &PackedKeys,
    current: &PackedKeys,
    options: Options,
    sink: &mut S,
) -> ControlFlow<S::Break, Counts> {
    let sides = Sides {
        previous: (previous.len(), |index| previous.get(index).expect(THERE)),
        current: (current.len(), |index| current.get(index).expect(THERE)),
    };
    sides.diff(options, sink)
}

const THERE: &str = "the index is below the number of keys";

/// Set in the place of a key of the current side; the other bits are its index.
const CURRENT: u64 = 1 << (PLACE_BITS - 1);

/// The number of keys of both sides, and the keys.
struct Sides<P, C> {
    previous: (usize, P),
    current: (usize, C),
}

impl<'k, P, C> Sides<P, C>
where
    P: Fn(usize) -> &'k [u8] + Sync,
    C: Fn(usize) -> &'k [u8] + Sync,
{
    fn diff<S: DiffSink<[u8]> + ?Sized>(
        &self,
        options: Options,
        sink: &mut S,
    ) -> ControlFlow<S::Break, Counts> {
        let longer = self.previous.0.max(self.current.0) as u64;
        assert!(longer < CURRENT, "too many keys");
        // Memory is what the caller has: the allocator decides.
        let room = Room::new(usize::MAX);
        let found = self.find(Shape::for_entries(longer), options, &room);
        let mut added = self.keys(&found, |found| &found.added);
        let mut removed = self.keys(&found, |found| &found.removed);
        let unchanged = found.iter().map(|found| found.unchanged).sum();
        drop(found);
        threads::join(
            options.threads,
            |threads| threads::sort(&mut removed, threads, &Ord::cmp),
            |threads| threads::sort(&mut added, threads, &Ord::cmp),
        );
        let flow = diff(byte_keys(removed), byte_keys(added), sink)
            .expect("both sides were just sorted and cannot fail to be read");
        match flow {
            ControlFlow::Continue(counts) => ControlFlow::Continue(Counts { unchanged, ..counts }),
            stopped => stopped,
        }
    }

    fn find<'a>(&self, shape: Shape, options: Options, room: &'a Room) -> Vec<Found<'a, Located>> {
        let threads = options.threads.max(1);
        let key = HashKey::random();
        let work = |number: usize| {
            let share = |keys: usize| keys * number / threads..keys * (number + 1) / threads;
            let mut dealer = Dealer::new(key, shape, room);
            let previous = dealer.deal(share(self.previous.0), 0, &self.previous.1);
            let current = dealer.deal(share(self.current.0), CURRENT, &self.current.1);
            (previous, current)
        };
        let (previous, current): (Vec<_>, Vec<_>) = thread::scope(|scope| {
            let work = &work;
            let others: Vec<_> =
                (1..threads).map(|number| scope.spawn(move || work(number))).collect();
            let mine = work(0);
            let joined = others
                .into_iter()
                .map(|other| other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
            [mine].into_iter().chain(joined).unzip()
        });
        let same = |one: Located, other| match options.matching {
            Matching::Bytes => one.is_same(other) && self.key(one) == self.key(other),
            Matching::Fingerprints => one.is_same(other),
        };
        compare_by(shape, &previous, &current, threads, room, &same).expect(UNBOUNDED)
    }

    fn key(&self, entry: Located) -> &'k [u8] {
        let index = (place(entry) & (CURRENT - 1)) as usize;
        if place(entry) & CURRENT == 0 { (self.previous.1)(index) } else { (self.current.1)(index) }
    }

    fn keys<'f>(
        &self,
        found: &'f [Found<'_, Located>],
        of: fn(&'f Found<'_, Located>) -> &'f Partitions<'f, Located>,
    ) -> Vec<&'k [u8]> {
        let entries = || found.iter().flat_map(|found| of(found).entries(0)).flatten();
        let mut keys = Vec::with_capacity(found.iter().map(|found| of(found).len(0)).sum());
        keys.extend(entries().map(|entry| self.key(*entry)));
        keys
    }
}

const UNBOUNDED: &str = "there is no budget";

/// Deals keys out by their hash, for one worker.
struct Dealer<'a> {
    key: HashKey,
    shape: Shape,
    room: &'a Room,
    /// The keys of a batch, one behind the other, because that is how many are hashed at a time.
    bytes: Vec<u8>,
    ranges: Vec<KeyRange>,
    hashes: Vec<u128>,
}

impl<'a> Dealer<'a> {
    fn new(key: HashKey, shape: Shape, room: &'a Room) -> Self {
        Self { key, shape, room, bytes: Vec::new(), ranges: Vec::new(), hashes: Vec::new() }
    }

    /// `side` is set in the place of every entry.
    fn deal<'k>(
        &mut self,
        indices: Range<usize>,
        side: u64,
        key: impl Fn(usize) -> &'k [u8],
    ) -> Partitions<'a, Located> {
        let mut partitions = Partitions::new(self.shape, self.room);
        let mut first = indices.start;
        while first < indices.end {
            self.gather(first..indices.end, &key);
            self.key.hash_many(&self.bytes, &self.ranges, &mut self.hashes);
            for (index, hash) in (first..).zip(&self.hashes) {
                let partition = self.shape.partition((hash >> 64) as u64);
                let entry = located(*hash, side | index as u64);
                partitions.push(partition, entry).expect(UNBOUNDED);
            }
            first += self.ranges.len();
        }
        partitions
    }

    /// Puts the first of the keys into the batch, at least one of them.
    fn gather<'k>(&mut self, indices: Range<usize>, key: impl Fn(usize) -> &'k [u8]) {
        self.bytes.clear();
        self.ranges.clear();
        for index in indices.take(BATCH) {
            let key = key(index);
            if !self.ranges.is_empty() && self.bytes.len() + key.len() > BATCH_BYTES {
                break;
            }
            let length = u32::try_from(key.len()).expect("a key is shorter than 4 GiB");
            self.ranges.push(KeyRange { start: self.bytes.len() as u32, length });
            self.bytes.extend_from_slice(key);
        }
        self.bytes.extend_from_slice(&[0; SLACK]);
    }
}

/// Keys, and bytes of keys, that are hashed at a time.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 32 << 10;
