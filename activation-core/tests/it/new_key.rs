//! Replacing the key of the fingerprints: a new store is filled from list and segment.

use std::sync::Arc;

use activation_core::{
    Activation, DirectoryStore, FingerprintKey, MemoryStore, ReconcileMode, Reconciliation,
    RunStatus,
};

use crate::world::{World, people};

fn vip() -> Activation {
    Activation::new("vip")
}

#[tokio::test(start_paused = true)]
async fn a_new_store_takes_over_from_list_and_segment_and_removes_nobody() {
    let mut world = World::new();
    world.segment(people(10));
    world.run(&vip()).await;
    let list = world.simulator.list_named("vip").unwrap();
    world.simulator.add_member(list.id, world.simulator.add_contact("guest@example.com"));
    let everybody: Vec<String> =
        std::iter::once("guest@example.com".to_owned()).chain(people(10)).collect();

    // The last run under the old key leaves nothing open.
    assert_eq!(world.run(&vip()).await.status, RunStatus::NothingToDo);
    world.store = Arc::new(MemoryStore::new(FingerprintKey::new([8; 16])));
    let how = Reconciliation::rebuild();
    let engine = world.engine();
    let report = engine.reconcile(&vip(), &world.source, &world.destination(), &how).await;
    assert_eq!((report.status, report.mode), (RunStatus::Done, ReconcileMode::Rebuild), "{report}");
    assert_eq!(world.on_list("vip"), everybody);
    let run = world.run(&vip()).await;
    assert_eq!((run.status, run.unchanged), (RunStatus::NothingToDo, 10), "{run}");

    // From now on they are ours as before, and guests are not.
    world.segment(people(9));
    assert_eq!(world.run(&vip()).await.removed, 1);
    assert_eq!(world.on_list("vip"), everybody[..10]);
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_hosts_key_needs_no_rebuild() {
    use activation_core::HostKey;

    let directory = tempfile::tempdir().unwrap();
    let open = |byte| DirectoryStore::open_with_key(directory.path(), HostKey::new([byte; 16]));
    let mut world = World::new();
    let store = Arc::new(open(1).unwrap());
    world.store = store.clone();
    world.segment(people(10));
    world.run(&vip()).await;
    store.change_host_key(HostKey::new([2; 16])).await.unwrap();
    world.segment(people(9));
    assert_eq!(world.run(&vip()).await.removed, 1, "the open store goes on");
    world.store = Arc::new(open(2).unwrap());
    let run = world.run(&vip()).await;
    assert_eq!((run.status, run.unchanged), (RunStatus::NothingToDo, 9), "{run}");
}
