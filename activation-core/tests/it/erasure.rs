//! Forgetting one person: wherever the state knows her, for good, and her alone.

use std::{
    num::NonZeroU32,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use activation_core::{
    Acquired, Activation, ActivationErasure, ActivationKey, ContactId, DirectoryStore,
    ErasureReport, ExcludedSegments, Identifier, IdentifierKind, RunStatus, Settings,
    SettingsPatch, Standing, sources::MemorySource,
};
use dotdigital_client::simulator::{Fault, FaultRule};
use tempfile::TempDir;

use crate::{
    ledger::Book,
    world::{World, monday, people},
};

const IMPORT: &str = "PUT /contacts/v3/import";
const HOUR: Duration = Duration::from_secs(3_600);

fn vip() -> Activation {
    Activation::new("vip")
}

fn with(segment: &str, patch: &SettingsPatch) -> Activation {
    Activation::new(segment).settings(Settings::resolve(&SettingsPatch::default(), patch))
}

fn ada() -> Vec<Identifier> {
    vec![email("person000000@example.com")]
}

fn email(address: &str) -> Identifier {
    IdentifierKind::Email.normalise(address.as_bytes()).unwrap()
}

/// A world that keeps its state in a directory.
fn world() -> (World, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::new();
    world.store = Arc::new(DirectoryStore::open(directory.path().join("state")).unwrap());
    (world, directory)
}

fn contact_of(world: &World, address: &str) -> ContactId {
    let list = world.simulator.list_named("vip").expect("the list");
    let members = world.simulator.members(list.id).into_iter();
    let hers = members.filter(|contact| contact.email.as_deref() == Some(address));
    let ids: Vec<i64> = hers.map(|contact| contact.id).collect();
    ContactId::new(ids[0].try_into().unwrap()).unwrap()
}

/// Every place below a directory where her fingerprint or contact id stands.
fn traces(world: &World, directory: &TempDir, address: &str, contact: ContactId) -> Vec<String> {
    let fingerprint = world.store.fingerprint_key().fingerprint(address.as_bytes());
    let wanted = [&fingerprint.as_bytes()[..], &contact.get().to_le_bytes()];
    let mut found = Vec::new();
    look_into(directory.path(), &wanted, &mut found);
    found
}

fn look_into(directory: &Path, wanted: &[&[u8]], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_into(&path, wanted, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for bytes_of_hers in wanted {
            if bytes.windows(bytes_of_hers.len()).any(|window| window == *bytes_of_hers) {
                found.push(path.display().to_string());
            }
        }
    }
}

fn in_vip(report: &ErasureReport) -> &ActivationErasure {
    report.activations.iter().find(|one| one.segment == "vip").expect("vip was searched")
}

#[tokio::test(start_paused = true)]
async fn no_file_knows_her_afterwards_and_everybody_else_is_as_before() {
    let (world, directory) = world();
    let (ann, address) = (ada(), "person000000@example.com");
    world.segment(people(10));
    for segment in ["vip", "newsletter"] {
        world.run(&Activation::new(segment)).await;
    }
    let contact = contact_of(&world, address);
    assert!(!traces(&world, &directory, address, contact).is_empty(), "the search finds her");

    let report = world.engine().erase(&ann).await.unwrap();
    assert!(report.is_complete() && report.found_her(), "{report}");
    assert_eq!(report.activations.len(), 2);
    assert!(report.activations.iter().all(|one| (one.records, one.held, one.batches) == (1, 0, 0)));
    assert_eq!(traces(&world, &directory, address, contact), [""; 0]);

    // She is on the list still, as a foreign member, and stays when she leaves the segment.
    assert_eq!(world.on_list("vip"), people(10));
    world.segment(people(10)[1..].to_vec());
    let run = world.run(&vip()).await;
    assert_eq!((run.status, run.unchanged), (RunStatus::NothingToDo, 9), "{run}");
    assert_eq!(world.on_list("vip"), people(10));
    world.assert_harmless();
    let again = world.engine().erase(&ann).await.unwrap();
    assert!(again.is_complete() && !again.found_her(), "{again}");
}

#[tokio::test(start_paused = true)]
async fn one_activation_can_forget_her_and_another_not() {
    let world = World::new();
    world.segment(people(10));
    for segment in ["vip", "newsletter"] {
        world.run(&Activation::new(segment)).await;
    }
    let report = world.engine().erase_from(&vip().key(), &ada()).await;
    assert_eq!((report.activations.len(), in_vip(&report).records), (1, 1), "{report}");
    let explain = async |segment| {
        let who = b"person000000@example.com";
        world.engine().explain(&Activation::new(segment), who, None).await.unwrap().standing
    };
    assert_eq!(explain("vip").await, Standing::NotOnList);
    assert_eq!(explain("newsletter").await, Standing::OnList);
}

#[tokio::test(start_paused = true)]
async fn she_is_removed_from_the_list_when_she_is_excluded_first() {
    let (world, directory) = world();
    world.segment(people(10));
    world.run(&vip()).await;
    let address = "person000000@example.com";
    let contact = contact_of(&world, address);
    let objected = ExcludedSegments::default()
        .segment("objected", Arc::new(MemorySource::new([address.to_owned()])));
    let engine = world.engine().exclusions(Arc::new(objected));
    let run = engine.run(&vip(), &world.source, &world.destination()).await;
    assert_eq!((run.status, run.removed), (RunStatus::Done, 1), "{run}");
    engine.erase(&ada()).await.unwrap();
    assert_eq!(traces(&world, &directory, address, contact), [""; 0], "old rows are gone too");
    engine.run(&vip(), &world.source, &world.destination()).await;
    assert_eq!(world.on_list("vip"), people(10)[1..].to_vec());
    assert_eq!(world.simulator.contact_count(), 10, "no contact was deleted");
    world.assert_harmless();
}

#[tokio::test(start_paused = true)]
async fn whoever_is_held_or_dwells_is_forgotten_too() {
    let (world, directory) = world();
    let activation =
        with("vip", &SettingsPatch::default().leave_after_runs(NonZeroU32::new(3).unwrap()));
    world.simulator.globally_suppress("person000000@example.com");
    world.segment(people(10));
    world.run(&activation).await;
    let dweller = "person000009@example.com";
    let contact = contact_of(&world, dweller);
    world.segment(people(9));
    let run = world.run(&activation).await;
    assert_eq!((run.held, run.dwelling), (1, 1), "{run}");

    let report = world.engine().erase(&ada()).await.unwrap();
    assert_eq!((in_vip(&report).held, in_vip(&report).records), (1, 0), "{report}");
    let report = world.engine().erase(&[email(dweller)]).await.unwrap();
    assert_eq!((in_vip(&report).absent, in_vip(&report).records), (1, 1), "{report}");
    let state = world.store.load(&activation.key()).await.unwrap();
    assert_eq!((state.held, state.absent), (Vec::new(), Vec::new()));
    assert_eq!(traces(&world, &directory, dweller, contact), [""; 0]);
    assert_eq!(traces(&world, &directory, "person000000@example.com", contact), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn open_batches_go_on_without_her() {
    let (world, directory) = world();
    let slow = Fault::SlowJob(2 * HOUR);
    world.simulator.inject(FaultRule::new(slow).on(IMPORT).times(1));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    let report = world.engine().erase(&ada()).await.unwrap();
    assert_eq!((in_vip(&report).batches, in_vip(&report).records), (1, 0), "{report}");
    let fingerprint = world.store.fingerprint_key().fingerprint(b"person000000@example.com");
    let mut found = Vec::new();
    look_into(directory.path(), &[&fingerprint.as_bytes()[..]], &mut found);
    assert_eq!(found, [""; 0]);

    world.wait(3 * HOUR).await;
    world.segment(people(10)[1..].to_vec());
    let run = world.run(&vip()).await;
    assert_eq!((run.recovered, run.unchanged), (9, 9), "the rest was confirmed: {run}");
    assert_eq!(world.on_list("vip"), people(10), "what was sent has acted");
    assert_eq!(world.run(&vip()).await.total_calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_doubt_about_her_is_forgotten_and_the_others_stay_in_doubt() {
    let world = World::new();
    world.simulator.inject(FaultRule::new(Fault::ResetAfterActing).on(IMPORT));
    world.segment(people(10));
    assert_eq!(world.run(&vip()).await.status, RunStatus::Busy);
    let report = world.engine().erase(&ada()).await.unwrap();
    assert_eq!(in_vip(&report).batches, 1, "{report}");
    let pending = async |who: &str| {
        world.engine().explain(&vip(), who.as_bytes(), None).await.unwrap().pending.len()
    };
    assert_eq!(pending("person000000@example.com").await, 0);
    assert_eq!(pending("person000001@example.com").await, 1);
    // Nine left after the lost import: those in doubt are found on the list, she is not looked for.
    world.segment(people(10)[9..].to_vec());
    world.wait(HOUR / 60).await;
    world.run(&vip()).await;
    assert_eq!(world.on_list("vip"), ["person000000@example.com", "person000009@example.com"]);
}

#[tokio::test(start_paused = true)]
async fn she_is_known_by_each_of_her_names_and_by_her_contact() {
    let (world, directory) = world();
    // One contact under two addresses, as after an address was changed at the service.
    world.segment(people(10));
    world.run(&vip()).await;
    let address = "person000000@example.com";
    let contact = contact_of(&world, address);
    let by_number =
        with("by number", &SettingsPatch::default().identifier(IdentifierKind::ContactId));
    world.segment([contact.to_string(), "999".to_owned()]);
    world.run(&by_number).await;
    let known = async |activation: &Activation, who: &str| {
        let known = world.engine().explain(activation, who.as_bytes(), None).await.unwrap();
        known.is_ours || known.held.is_some()
    };
    assert!(known(&by_number, &contact.to_string()).await);
    assert!(known(&by_number, "999").await);

    let report = world.engine().erase(&[email(" Person000000@EXAMPLE.com")]).await.unwrap();
    assert!(report.activations.iter().all(|one| one.records == 1), "by the contact: {report}");
    assert!(!known(&by_number, &contact.to_string()).await);
    assert!(known(&by_number, "999").await, "nobody else");
    assert_eq!(traces(&world, &directory, address, contact), [""; 0]);

    let other = contact_of(&world, "person000001@example.com");
    let report = world.engine().erase(&[Identifier::from(other)]).await.unwrap();
    assert_eq!(in_vip(&report).records, 1, "by the contact alone: {report}");
}

#[tokio::test(start_paused = true)]
async fn a_running_activation_is_reported_and_the_others_are_erased() {
    let world = World::new();
    world.segment(people(10));
    for segment in ["vip", "newsletter"] {
        world.run(&Activation::new(segment)).await;
    }
    let key = vip().key();
    let running = world.store.acquire(&key, "host-7", monday(), 9_999 * HOUR).await.unwrap();
    assert!(matches!(running, Acquired::Lease(_)));
    let report = world.engine().erase(&ada()).await.unwrap();
    assert!(!report.is_complete(), "{report}");
    let error = in_vip(&report).error.as_ref().expect("an error");
    assert!(error.temporary && error.message.contains("host-7"), "{error}");
    let other = report.activations.iter().find(|one| one.segment == "newsletter").unwrap();
    assert_eq!((other.records, &other.error), (1, &None));
    assert!(report.to_string().contains("host-7"), "{report}");
    assert!(!report.to_string().contains("person"), "no address in reports: {report}");
}

#[tokio::test(start_paused = true)]
async fn the_ledger_is_told() {
    let world = World::new();
    let book = Arc::new(Book::default());
    let engine = world.engine().ledger(book.clone());
    world.segment(people(10));
    engine.run(&vip(), &world.source, &world.destination()).await;
    engine.erase(&ada()).await.unwrap();
    let generation = world.store.load(&vip().key()).await.unwrap().head.generation;
    assert_eq!(book.members(generation).len(), 9);
}

#[tokio::test(start_paused = true)]
async fn an_erasure_cut_off_at_any_step_is_completed_by_another() {
    let address = "person000000@example.com";
    let mut cuts = 0;
    for allowed in 0.. {
        let (mut world, directory) = world();
        let slow = Fault::SlowJob(2 * HOUR);
        world.segment(people(10));
        world.run(&vip()).await;
        let contact = contact_of(&world, address);
        world.simulator.inject(FaultRule::new(slow).on(IMPORT).times(1));
        let unfinished = Activation::new("unfinished");
        world.run(&unfinished).await;

        let path = directory.path().join("state");
        let store = DirectoryStore::open(&path).unwrap();
        let seen = AtomicUsize::new(0);
        store.before_each_step(Arc::new(move |_| {
            if seen.fetch_add(1, Ordering::SeqCst) < allowed {
                return Ok(());
            }
            Err(std::io::Error::other("killed here"))
        }));
        world.store = Arc::new(store);
        let cut = !world.engine().erase(&ada()).await.unwrap().is_complete();
        cuts += usize::from(cut);

        world.store = Arc::new(DirectoryStore::open(&path).unwrap());
        let report = world.engine().erase(&ada()).await.unwrap();
        assert!(report.is_complete(), "after {allowed} steps: {report}");
        let found = traces(&world, &directory, address, contact);
        assert_eq!(found, [""; 0], "after {allowed} steps");
        world.wait(3 * HOUR).await;
        for activation in [vip(), unfinished] {
            world.run(&activation).await;
            let run = world.run(&activation).await;
            assert_eq!((run.status, run.unchanged), (RunStatus::NothingToDo, 10), "{run}");
        }
        world.assert_harmless();
        if !cut {
            break;
        }
    }
    assert!(cuts > 10, "only {cuts} steps");
}

#[tokio::test(start_paused = true)]
async fn an_activation_that_no_configuration_names_any_more_is_searched_too() {
    let world = World::new();
    world.segment(people(3));
    world.run(&Activation::new("of last year")).await;
    let report = world.engine().erase(&ada()).await.unwrap();
    assert_eq!(report.activations[0].segment, "of last year");
    assert_eq!(report.activations[0].records, 1);
    let never = world.engine().erase_from(&ActivationKey::new("never run"), &ada()).await;
    assert!(never.is_complete() && !never.found_her(), "{never}");
}
