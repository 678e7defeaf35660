//! Which seeds are played: some in each run of the tests, more in CI, other ones every night.

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::Witnessed;

/// Seeds of an ordinary run of the tests.
const FEW: u64 = 400;

/// Enough failures to look at.
const MOST_FAILURES: usize = 10;

/// A range of seeds.
pub(super) struct Seeds {
    first: u64,
    count: u64,
}

impl Seeds {
    /// `SIMULATION_SEED` plays that one; `SIMULATION_SEEDS` says how many are played;
    /// `SIMULATION_START` is the first of them, or `random`.
    pub(super) fn from_environment() -> Self {
        let number = |name: &str| {
            let text = env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")))
        };
        if let Some(first) = number("SIMULATION_SEED") {
            return Self { first, count: 1 };
        }
        let first = match env::var("SIMULATION_START").as_deref() {
            Ok("random") => fastrand::u64(..1 << 62),
            _ => number("SIMULATION_START").unwrap_or(0),
        };
        Self { first, count: number("SIMULATION_SEEDS").unwrap_or(FEW) }
    }

    /// The first ones of them, and at least one.
    #[cfg(all(feature = "postgres", unix))]
    pub(super) fn one_in(self, many: u64) -> Self {
        Self { count: (self.count / many).max(1), ..self }
    }

    /// So many numbers from 0, whatever the environment says.
    #[cfg(all(feature = "postgres", unix))]
    pub(super) fn up_to(count: u64) -> Self {
        Self { first: 0, count }
    }

    /// Plays them on all processors. Panics with the seeds that failed.
    pub(super) fn play(&self, history: impl Fn(u64) -> Witnessed + Sync) -> Witnessed {
        let next = AtomicU64::new(0);
        let failed = Mutex::new(Vec::new());
        let seen = Mutex::new(Witnessed::default());
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.count || lock(&failed).len() >= MOST_FAILURES {
                            break;
                        }
                        let seed = self.first.wrapping_add(number);
                        match catch_unwind(AssertUnwindSafe(|| history(seed))) {
                            Ok(witnessed) => *lock(&seen) += witnessed,
                            Err(_) => lock(&failed).push(seed),
                        }
                    }
                });
            }
        });
        let (first, count) = (self.first, self.count);
        let mut failed = failed.into_inner().expect("no poison");
        failed.sort_unstable();
        assert!(
            failed.is_empty(),
            "of {count} seeds from {first}: replay with SIMULATION_SEED=n, n in {failed:?}"
        );
        seen.into_inner().expect("no poison")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no poison")
}
