use std::ops::ControlFlow;

use super::Value;
use crate::memory::threads;
use crate::merge::{Counts, DiffSink};

/// A range of values that is small enough to have a bit for each.
pub(super) struct Window<T> {
    lowest: T,
    size: usize,
}

impl<T: Value> Window<T> {
    /// The range from the lowest to the highest of all values, if bits for it pay.
    pub(super) fn around(previous: &[T], current: &[T]) -> Option<Self> {
        let first = *previous.first().or(current.first())?;
        let widen = |(low, high): (T, T), value: &T| (low.min(*value), high.max(*value));
        let (mut lowest, mut highest) = (first, first);
        let limit = (previous.len() + current.len()).saturating_mul(BITS_PER_VALUE);
        // Sparse values show it in the first few.
        for values in previous.chunks(1024).chain(current.chunks(1024)) {
            (lowest, highest) = values.iter().fold((lowest, highest), widen);
            if highest.wrapping_sub(lowest) >= T::from_usize(limit) {
                return None;
            }
        }
        Some(Self { lowest, size: highest.wrapping_sub(lowest).low() + 1 })
    }

    pub(super) fn diff<S: DiffSink<T> + ?Sized>(
        &self,
        previous: &[T],
        current: &[T],
        threads: usize,
        sink: &mut S,
    ) -> ControlFlow<S::Break, Counts> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        threads::join(threads, |_| before = self.mark(previous), |_| after = self.mark(current));
        let mut counts = Counts::default();
        for (index, (before, after)) in before.into_iter().zip(after).enumerate() {
            counts.unchanged += u64::from((before & after).count_ones());
            let mut rest = before ^ after;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let value = self.value(index * 64 + bit as usize);
                if after >> bit & 1 == 1 {
                    counts.added += 1;
                    sink.added(&value, &())?;
                } else {
                    counts.removed += 1;
                    sink.removed(&value, &())?;
                }
            }
        }
        ControlFlow::Continue(counts)
    }

    fn mark(&self, values: &[T]) -> Vec<u64> {
        let mut words = vec![0; self.size.div_ceil(64)];
        for value in values {
            let bit = value.wrapping_sub(self.lowest).low();
            words[bit / 64] |= 1 << (bit % 64);
        }
        words
    }

    fn value(&self, index: usize) -> T {
        // Undoes the subtraction, without asking one operation more of the type.
        self.lowest.wrapping_sub(T::from(false).wrapping_sub(T::from_usize(index)))
    }
}

/// Bits for a range of so many times the number of values are still faster than tables.
const BITS_PER_VALUE: usize = 16;
