//! Calls for larger segments: bounded by batches and polls, never by members.

use activation_core::{Activation, RunStatus};

use crate::world::{World, people};

#[tokio::test(start_paused = true)]
async fn a_first_run_of_many_members_takes_a_handful_of_calls() {
    let world = World::new();
    let activation = Activation::new("all");
    world.segment(people(30_000));
    let report = world.run(&activation).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 30_000), "{report}");
    assert!(report.total_calls() <= 12, "{:?}", report.calls);

    // One per cent out, one per cent in; the ids of those who leave are known.
    world.segment(people(30_300)[300..].to_vec());
    let report = world.run(&activation).await;
    assert_eq!((report.added, report.removed), (300, 300), "{report}");
    assert!(report.total_calls() <= 12, "{:?}", report.calls);
    assert!(!report.calls.contains_key("GET /contacts/v3/{identifier}/{value}"));
    assert_eq!(world.on_list("all"), people(30_300)[300..]);
}
