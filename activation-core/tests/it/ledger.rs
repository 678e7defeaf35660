//! The membership ledger: complete, in the host's hands before each commit, and without addresses.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use activation_core::{
    Activation, ExcludedSegments, Fingerprint, HeldSelection, Ledger, LedgerError, LedgerPage,
    MembershipChange, Reconciliation, RunReport, RunStatus, sources::MemorySource,
};
use async_trait::async_trait;
use dotdigital_client::simulator::{Fault, FaultRule};

use crate::world::{World, key, people};

/// A host's sink in memory.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Vec<LedgerPage>>,
    out_of_order: Mutex<bool>,
}

#[async_trait]
impl Ledger for Book {
    async fn record(&self, page: &LedgerPage) -> Result<(), LedgerError> {
        if *self.out_of_order.lock().unwrap() {
            return Err(LedgerError::temporary("the book is out of reach"));
        }
        self.pages.lock().unwrap().push(page.clone());
        Ok(())
    }
}

impl Book {
    /// Who is on the list through us after the commit of `generation`, read as the contract says.
    pub(crate) fn members(&self, generation: u64) -> BTreeSet<Fingerprint> {
        let pages = self.pages.lock().unwrap();
        let mut members = BTreeSet::new();
        for generation in 1..=generation {
            let pages = pages.iter().filter(|page| page.generation == generation);
            let run = pages.clone().map(|page| page.run).max().expect("a page for each commit");
            for row in pages.filter(|page| page.run == run).flat_map(|page| &page.rows) {
                match row.change {
                    MembershipChange::Enter => assert!(members.insert(row.member), "{row:?}"),
                    MembershipChange::Exit => assert!(members.remove(&row.member), "{row:?}"),
                    MembershipChange::Move => {
                        assert!(row.before.is_some_and(|one| members.remove(&one)), "{row:?}");
                        assert!(members.insert(row.member), "{row:?}");
                    }
                    _ => {}
                }
            }
        }
        members
    }

    pub(crate) fn causes(&self, change: MembershipChange) -> Vec<String> {
        let pages = self.pages.lock().unwrap();
        let rows = pages.iter().flat_map(|page| &page.rows).filter(|row| row.change == change);
        rows.map(|row| row.cause.clone()).collect()
    }

    fn clear(&self) {
        self.pages.lock().unwrap().clear();
    }
}

fn vip() -> Activation {
    Activation::new("vip")
}

async fn run(world: &World, book: &Arc<Book>) -> RunReport {
    let engine = world.engine().ledger(book.clone());
    engine.run(&vip(), &world.source, &world.destination()).await
}

fn fingerprints(people: &[String]) -> BTreeSet<Fingerprint> {
    people.iter().map(|person| key().fingerprint(person.as_bytes())).collect()
}

async fn generation(world: &World) -> u64 {
    world.store.load(&vip().key()).await.unwrap().head.generation
}

#[tokio::test(start_paused = true)]
async fn every_change_of_a_membership_stands_in_the_ledger_with_run_and_cause() {
    let (world, book) = (World::new(), Arc::new(Book::default()));
    world.simulator.globally_suppress("person000009@example.com");
    world.segment(people(10));
    let report = run(&world, &book).await;
    assert_eq!(book.causes(MembershipChange::Enter), ["entered_segment"; 9]);
    assert_eq!(book.causes(MembershipChange::Hold), ["globally_suppressed"]);
    let pages = book.pages.lock().unwrap().clone();
    assert!(pages.iter().all(|page| Some(page.run) == report.run && page.segment == "vip"));
    let rows = pages.iter().flat_map(|page| &page.rows);
    let entered = rows.filter(|row| row.change == MembershipChange::Enter);
    assert!(entered.clone().all(|row| row.contact.is_some()));
    let text = serde_json::to_string(&pages).unwrap();
    assert!(text.contains(r#""change":"enter""#) && !text.contains('@'), "{text}");

    book.clear();
    world.segment(people(7));
    let excluded = Arc::new(MemorySource::new(["person000001@example.com"]));
    let exclusions = ExcludedSegments::default().segment("complained", excluded);
    let engine = world.engine().ledger(book.clone()).exclusions(Arc::new(exclusions));
    engine.run(&vip(), &world.source, &world.destination()).await;
    let mut exits = book.causes(MembershipChange::Exit);
    exits.sort();
    assert_eq!(exits, ["excluded:complained", "left_segment", "left_segment"]);
    assert_eq!(book.causes(MembershipChange::Release), ["left_segment"]);
    let exited = book.pages.lock().unwrap().clone();
    assert!(
        exited
            .iter()
            .flat_map(|page| &page.rows)
            .all(|row| { row.contact.is_some() || row.change == MembershipChange::Release })
    );

    book.clear();
    world.segment(people(7)[2..].to_vec().into_iter().chain(["person000000@example.com".into()]));
    assert_eq!(run(&world, &book).await.status, RunStatus::NothingToDo);
    assert_eq!(*book.pages.lock().unwrap(), [], "no commit, no page");
}

#[tokio::test(start_paused = true)]
async fn the_ledger_tells_who_is_on_the_list_after_each_commit() {
    let (world, book) = (World::new(), Arc::new(Book::default()));
    let mut members = Vec::new();
    // From a few members to several pages of them.
    for (first, last) in [(0, 900), (3, 8_900), (40, 18_000), (0, 15_000)] {
        members = people(last)[first..].to_vec();
        world.segment(members.clone());
        let report = run(&world, &book).await;
        assert_eq!(report.status, RunStatus::Done, "{report}");
        assert!(book.members(generation(&world).await) == fingerprints(&members));
    }
    // Also where somebody is added again who is there: that is no entry.
    world.simulator.inject(FaultRule::new(Fault::TimeoutAfterActing).on("POST"));
    world.segment(members[..14_000].to_vec());
    assert_eq!(run(&world, &book).await.status, RunStatus::Busy);
    world.segment(members.clone());
    assert!(run(&world, &book).await.added > 0);
    assert!(book.members(generation(&world).await) == fingerprints(&members));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_committed_that_the_ledger_did_not_take_and_nothing_is_lost() {
    let (world, book) = (World::new(), Arc::new(Book::default()));
    world.segment(people(10));
    run(&world, &book).await;
    let before = generation(&world).await;
    *book.out_of_order.lock().unwrap() = true;
    world.segment(people(20));
    let report = run(&world, &book).await;
    assert_eq!((report.status, report.added), (RunStatus::Busy, 0), "{report}");
    assert!(report.error.as_ref().unwrap().message.contains("ledger"), "{report}");
    assert_eq!(generation(&world).await, before);
    let error = world.engine().ledger(book.clone());
    assert_eq!(error.retry_held(&vip(), &HeldSelection::All).await, Ok(0), "nothing to commit");

    *book.out_of_order.lock().unwrap() = false;
    let report = run(&world, &book).await;
    assert_eq!((report.added, report.recovered), (10, 10), "not sent twice: {report}");
    assert_eq!(book.causes(MembershipChange::Enter)[10..], ["recovered"; 10]);
    assert_eq!(book.members(generation(&world).await), fingerprints(&people(20)));
}

#[tokio::test(start_paused = true)]
async fn a_reconciliation_stands_in_the_ledger_too() {
    let (world, book) = (World::new(), Arc::new(Book::default()));
    world.segment(people(10));
    run(&world, &book).await;
    let list = world.simulator.list_named("vip").unwrap().id;
    let gone = world.simulator.members(list)[0].id;
    world.simulator.remove_member(list, gone);
    world.simulator.add_member(list, world.simulator.add_contact("person000010@example.com"));
    world.segment(people(11));
    book.clear();
    let engine = world.engine().ledger(book.clone());
    let repair = Reconciliation::repair();
    engine.reconcile(&vip(), &world.source, &world.destination(), &repair).await;
    assert_eq!(book.causes(MembershipChange::Exit), ["vanished"]);
    assert_eq!(book.causes(MembershipChange::Enter), ["found_on_list"]);
    assert_eq!(book.causes(MembershipChange::Hold), [""; 0], "she is tried again first");
    // A report, which commits nothing, tells the ledger nothing.
    book.clear();
    world.simulator.remove_member(list, world.simulator.members(list)[0].id);
    let report = Reconciliation::report();
    engine.reconcile(&vip(), &world.source, &world.destination(), &report).await;
    assert_eq!(*book.pages.lock().unwrap(), []);
}
