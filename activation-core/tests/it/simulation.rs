//! Deterministic simulation: whatever is cut, lost or refused, the list ends up equal to the
//! segment, and nobody is harmed.
//!
//! One test crashes a fixed history at every single point. The other lets a seed decide segment
//! histories, faults, crashes and pauses. Replay one seed with `SIMULATION_SEED=17`, run more with
//! `SIMULATION_SEEDS=20000`.

mod crash;
mod history;
mod identities;
mod terrain;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use self::history::{History, Outcome};

const SEEDS: u64 = 600;

#[test]
fn a_run_killed_at_any_point_is_made_good_by_the_next_ones() {
    let mut crashes = 0;
    for point in 1.. {
        match with_paused_time(History::fixed(point).play()) {
            Outcome::Crashed => crashes += 1,
            Outcome::Undisturbed => break,
        }
    }
    // Fewer points would mean that a wrapper no longer sees what it should cut.
    assert!(crashes > 100, "only {crashes} points to crash at");
}

#[test]
fn random_histories_converge_and_harm_nobody() {
    if let Ok(seed) = std::env::var("SIMULATION_SEED") {
        with_paused_time(History::random(seed.parse().expect("a number")).play());
        return;
    }
    let seeds = std::env::var("SIMULATION_SEEDS").map_or(SEEDS, |n| n.parse().expect("a number"));
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let crashed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let play = || with_paused_time(History::random(seed).play());
                    match catch_unwind(AssertUnwindSafe(play)) {
                        Ok(Outcome::Crashed) => _ = crashed.fetch_add(1, Ordering::Relaxed),
                        Ok(Outcome::Undisturbed) => {}
                        Err(_) => failed.lock().expect("no poison").push(seed),
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no poison");
    assert!(failed.is_empty(), "replay with SIMULATION_SEED=n, n in {failed:?}");
    assert!(crashed.into_inner() > seeds / 3, "too few histories were crashed");
}

fn with_paused_time<T>(history: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(history)
}
