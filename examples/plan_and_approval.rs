//! A plan that the guard stops, looked at by a person, approved, and carried out: each step could be
//! a process of its own, on another day. Only the state directory connects them.
//!
//! ```text
//! cargo run --release --example plan_and_approval
//! ```

use std::{error::Error, sync::Arc, time::Duration};

use activation_core::{
    Activation, DirectoryStore, Engine, GuardOutcome, RunStatus, sources::MemorySource,
};
use examples::{Account, people, say};

const A_DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = Account::open()?;
    let directory = tempfile::tempdir()?;
    let process =
        || DirectoryStore::open(directory.path()).map(|store| Engine::new(Arc::new(store)));
    let segment = MemorySource::new(people(0, 1_000));
    let vip = Activation::new("vip");
    process()?.run(&vip, &segment, &account.destination()).await;
    say(&format!("{} people are on the list", account.members("vip")));

    say("\n-- the campaign is over: 600 people leave the segment, and the guard stops the run");
    segment.set(people(600, 400));
    let stopped = process()?.run(&vip, &segment, &account.destination()).await;
    say(&stopped.to_string());
    assert_eq!((stopped.status, account.members("vip")), (RunStatus::Blocked, 1_000));

    say("-- a plan changes nothing, and has the same digest as long as nothing moves");
    let plan = process()?.plan(&vip, &segment, &account.destination()).await;
    assert_eq!(plan.plan_digest, stopped.plan_digest);
    let digest = plan.plan_digest.ok_or("a plan has a digest")?;

    say("-- Ada looks at it and approves this plan, for a day");
    process()?.approve(&vip, &digest, "Ada", "the campaign is over", A_DAY).await?;

    say("-- meanwhile one more person leaves: what was approved is not what would be done");
    segment.set(people(601, 399));
    let moved = process()?.apply(&vip, &segment, &account.destination(), &digest).await;
    say(&format!("{}: {}", moved.status, moved.error.map_or_else(String::new, |e| e.message)));
    assert_eq!(account.members("vip"), 1_000);

    say("\n-- she comes back, and the approved plan is carried out");
    segment.set(people(600, 400));
    let applied = process()?.apply(&vip, &segment, &account.destination(), &digest).await;
    say(&applied.to_string());
    assert_eq!((applied.guard.outcome, applied.removed), (GuardOutcome::Approved, 600));
    assert_eq!(account.members("vip"), 400);
    assert_eq!(account.service.contact_count(), 1_000, "nobody was deleted from the account");
    Ok(())
}
