//! Killed before or after any statement, scan or operation of the store, a run is made good by those
//! after it, and no table stays that nobody knows of.

use std::time::Duration;

use activation_core::{RunStatus, StateStore as _};

use super::{Host, MINUTE, Side, vip};

const THREE_HOURS: Duration = Duration::from_secs(3 * 3600);

/// The segment before each run. Refused rows, other spellings and people who come and go.
const SEGMENTS: [&[&str]; 2] = [
    &["ann@example.com", "bo@example.com", "BO@example.com", "no address", "cleo@example.com"],
    &["ANN@example.com", "bo@example.com", "no address", "dora@example.com"],
];

/// Runs through the segments; killed at the step of that number, a run is repeated when its lease has
/// ended. Returns how many steps there were.
async fn live_through(fatal: usize) -> usize {
    let host = Host::new("CREATE TABLE members (email)");
    let side = Side::new(host.pushed_down());
    side.steps.die_at(fatal);
    let activation = vip();
    for segment in SEGMENTS {
        host.set_texts(segment);
        loop {
            tokio::select! {
                biased;
                () = side.steps.death() => {}
                _ = side.run(&activation) => break,
            }
            side.world.wait(10 * MINUTE).await;
        }
        side.world.wait(MINUTE).await;
    }
    let steps = side.steps.reached();
    // Whatever was in doubt is over then.
    for _ in 0..2 {
        side.world.wait(THREE_HOURS).await;
        side.run(&vip()).await;
    }
    let expected = ["ann@example.com", "bo@example.com", "dora@example.com"];
    assert_eq!(side.world.on_list("vip"), expected, "killed at step {fatal}");
    side.world.assert_harmless();
    side.steps.rows();
    let report = side.run(&vip()).await;
    assert_eq!(report.status, RunStatus::NothingToDo, "killed at step {fatal}: {report}");
    assert_eq!(
        side.steps.rows(),
        1 + 1,
        "killed at step {fatal}: the number of rows, a useless one"
    );
    side.assert_tidy(&vip(), &host).await;
    let journal = side.world.store.load(&vip().key()).await.unwrap().journal;
    assert!(journal.len() <= 2, "killed at step {fatal}: {journal:?}");
    steps
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_at_any_statement_is_made_good_by_the_next_ones() {
    let steps = live_through(usize::MAX).await;
    assert!(steps > 100, "{steps}");
    for fatal in 0..steps {
        live_through(fatal).await;
    }
}
