use std::cmp::Ordering;
use std::thread;

/// Runs both, at the same time if there are two threads or more, and tells each how many of the
/// threads it may use.
pub(super) fn join(threads: usize, left: impl FnOnce(usize) + Send, right: impl FnOnce(usize)) {
    if threads < 2 {
        left(1);
        right(1);
    } else {
        thread::scope(|scope| {
            scope.spawn(|| left(threads / 2));
            right(threads - threads / 2);
        });
    }
}

/// Does the same work on each of `threads` threads; how it is shared out is their own matter.
pub(super) fn each<R: Send>(threads: usize, work: impl Fn() -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut results = vec![work()];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

/// Sorts in place on up to `threads` threads. The result depends on them only where `compare`
/// calls different items equal.
pub(super) fn sort<T: Send>(
    items: &mut [T],
    threads: usize,
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
) {
    if threads < 2 || items.len() < WORTH_A_THREAD {
        items.sort_unstable_by(compare);
        return;
    }
    // Splitting around a chosen item leaves nothing to merge, and so needs no second array.
    let middle = items.len() * (threads / 2) / threads;
    let (low, _, high) = items.select_nth_unstable_by(middle, compare);
    join(threads, |threads| sort(low, threads, compare), |threads| sort(high, threads, compare));
}

/// Sorting fewer items than this takes about as long as starting a thread.
const WORTH_A_THREAD: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_threads_sorts_alike() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 50
        };
        let items: Vec<u64> = (0..20_000).map(|_| next()).collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        for threads in [0, 1, 2, 3, 4, 9] {
            let mut sorted = items.clone();
            sort(&mut sorted, threads, &u64::cmp);
            assert!(sorted == expected, "{threads} threads");
        }
    }
}
