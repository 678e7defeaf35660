//! Contacts that go by more than one identifier of the same kind over time.

use activation_core::{Activation, RunStatus};

use crate::world::{World, people};

fn vip() -> Activation {
    Activation::new("vip")
}

/// One contact whom the segment knows by an old address and by a new one.
async fn world_with_a_moved_person(others: usize) -> World {
    let world = World::new();
    let moved = world.simulator.add_contact("old@example.com");
    world.segment(people(others).into_iter().chain(["old@example.com".to_owned()]));
    world.run(&vip()).await;
    world.simulator.set_identifier(moved, "email", "new@example.com");
    let both = ["old@example.com".to_owned(), "new@example.com".to_owned()];
    world.segment(people(others).into_iter().chain(both[1..].iter().chain(&both[..1]).cloned()));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.added), (RunStatus::Done, 1), "{report}");
    world
}

#[tokio::test(start_paused = true)]
async fn a_contact_stays_on_the_list_as_long_as_one_of_its_addresses_is_in_the_segment() {
    // The old address leaves by a single call, and in bulk with others.
    for staying in [10, 4] {
        let world = world_with_a_moved_person(10).await;
        let segment: Vec<String> =
            people(staying).into_iter().chain(["new@example.com".to_owned()]).collect();
        world.segment(segment.clone());
        let report = world.run(&vip()).await;
        assert_eq!(report.status, RunStatus::Done, "{report}");
        let mut on_list = world.on_list("vip");
        on_list.sort();
        let mut expected = segment;
        expected.sort();
        assert_eq!(on_list, expected, "{report}");
        assert_eq!(world.run(&vip()).await.status, RunStatus::NothingToDo);
        // And leaves with the last of them.
        world.segment(people(staying));
        world.run(&vip()).await;
        assert_eq!(world.on_list("vip"), people(staying));
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_leaves_the_list_when_all_its_addresses_leave_together() {
    let world = world_with_a_moved_person(10).await;
    world.segment(people(8));
    let report = world.run(&vip()).await;
    assert_eq!((report.status, report.removed), (RunStatus::Done, 4), "{report}");
    assert_eq!(world.on_list("vip"), people(8));
}
