//! Somebody meddles with the list, and the state is lost: what a reconciliation finds, and what it
//! puts right.
//!
//! ```text
//! cargo run --release --example reconcile
//! ```

use std::{error::Error, sync::Arc};

use activation_core::{
    Activation, Engine, FingerprintKey, MemoryStore, Reconciliation, RunStatus,
    sources::MemorySource,
};
use examples::{Account, people, say};

fn new_state() -> Engine {
    Engine::new(Arc::new(MemoryStore::new(FingerprintKey::new([7; 16]))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = Account::open()?;
    let destination = account.destination();
    let segment = MemorySource::new(people(0, 500));
    let vip = Activation::new("vip");
    let engine = new_state();
    engine.run(&vip, &segment, &destination).await;

    say("-- somebody takes three people off the list and puts one of her own on it");
    let list = account.service.list_named("vip").ok_or("the run made it")?.id;
    for member in account.service.members(list).into_iter().take(3) {
        account.service.remove_member(list, member.id);
    }
    let guest = account.service.add_contact("guest@example.com");
    account.service.add_member(list, guest);
    let run = engine.run(&vip, &segment, &destination).await;
    assert_eq!(run.status, RunStatus::NothingToDo, "a run does not read the list");

    say("-- a report finds them");
    let report = engine.reconcile(&vip, &segment, &destination, &Reconciliation::report()).await;
    say(&report.to_string());
    assert_eq!((report.drift.vanished, report.drift.foreign), (3, 1));

    say("-- a repair puts our record right, and the next run adds them again; the guest stays");
    engine.reconcile(&vip, &segment, &destination, &Reconciliation::repair()).await;
    let run = engine.run(&vip, &segment, &destination).await;
    assert_eq!((run.added, run.removed, account.members("vip")), (3, 0, 501));
    say(&run.to_string());

    say("-- the disk with the state is lost; 20 people have left the segment meanwhile");
    let engine = new_state();
    segment.set(people(20, 480));
    let rebuilt = engine.reconcile(&vip, &segment, &destination, &Reconciliation::rebuild()).await;
    say(&rebuilt.to_string());
    let run = engine.run(&vip, &segment, &destination).await;
    assert_eq!((run.removed, account.members("vip")), (0, 501), "nobody is removed on a guess");
    say("-- from here on it goes on as before: who leaves now is removed");
    segment.set(people(30, 470));
    let run = engine.run(&vip, &segment, &destination).await;
    say(&run.to_string());
    assert_eq!((run.removed, account.members("vip")), (10, 491));
    Ok(())
}
