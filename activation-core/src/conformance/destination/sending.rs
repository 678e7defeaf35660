//! Submissions: how large, what comes back, what they cost.

use super::bench::{Bench, FEW, MANY, additions, in_order, removals};
use crate::{
    Batch, MissingContacts, Operation, Receipt, Submission,
    conformance::check::{Broken, Checked, ensure, ensure_eq},
};

pub(super) async fn at_least_one_member_fits_into_a_submission(bench: &Bench<'_>) -> Checked {
    let (list, people, contacts) = bench.list_of("fits", MANY).await?;
    for operation in [Operation::Add, Operation::Remove] {
        let members = match operation {
            Operation::Add => additions(&people),
            Operation::Remove | Operation::Move => removals(&contacts),
        };
        for count in [1, FEW, MANY] {
            let fit = bench.destination.batch_size(list.id, operation, &members[..count]);
            ensure!(fit >= 1);
        }
    }
    let limits = bench.destination.limits();
    ensure!(limits.in_flight >= 1 && limits.additions >= 1 && limits.removals >= 1);
    Ok(())
}

pub(super) async fn no_more_members_fit_into_a_submission_than_there_are(
    bench: &Bench<'_>,
) -> Checked {
    let (list, people, contacts) = bench.list_of("no.more", MANY).await?;
    let limits = bench.destination.limits();
    for count in [0, 1, FEW, MANY] {
        let add =
            bench.destination.batch_size(list.id, Operation::Add, &additions(&people[..count]));
        ensure!(add <= count.min(limits.additions.max(1)) || count == 0 && add <= 1);
        let remove =
            bench.destination.batch_size(list.id, Operation::Remove, &removals(&contacts[..count]));
        ensure!(remove <= count.min(limits.removals.max(1)) || count == 0 && remove <= 1);
    }
    Ok(())
}

pub(super) async fn a_settled_submission_has_an_outcome_for_each_member(
    bench: &Bench<'_>,
) -> Checked {
    let (list, people, contacts) = bench.list_of("each", FEW).await?;
    for batch in [
        Batch { operation: Operation::Add, members: additions(&people) },
        Batch { operation: Operation::Remove, members: removals(&contacts) },
    ] {
        if let Submission::Settled { outcomes, .. } =
            bench.destination.submit(list.id, &batch).await?
        {
            ensure_eq!(outcomes.len(), batch.members.len());
        }
    }
    Ok(())
}

pub(super) async fn a_receipt_may_be_written_down_and_asked_about_twice(
    bench: &Bench<'_>,
) -> Checked {
    let list = bench.new_list("written down").await?;
    let members = additions(&bench.people("written.down", MANY)?);
    let batch = Batch { operation: Operation::Add, members };
    // Where everything is settled at once, there is nothing to write down.
    if let Submission::Receipt(receipt) = bench.destination.submit(list.id, &batch).await? {
        let unreadable = |error| Broken::new(format!("the receipt does not survive JSON: {error}"));
        let written = serde_json::to_vec(&receipt).map_err(unreadable)?;
        let receipt: Receipt = serde_json::from_slice(&written).map_err(unreadable)?;
        let first = in_order(&batch.members, bench.settled(&receipt).await?)?;
        let second = in_order(&batch.members, bench.destination.settle(&receipt).await?)?;
        ensure_eq!(second, first);
    }
    Ok(())
}

pub(super) async fn no_fewer_calls_are_made_than_estimated(bench: &Bench<'_>) -> Checked {
    for (clause, count) in [("cost.few", FEW), ("cost.many", MANY)] {
        let list = bench.new_list(clause).await?;
        let people = bench.people(clause, count)?;
        let before = bench.calls();
        bench.do_all(list.id, Operation::Add, &additions(&people)).await?;
        let made = bench.calls() - before;
        ensure!(estimate(bench, Operation::Add, count) <= made);
        let contacts = bench.contacts(&people).await?;
        let before = bench.calls();
        bench.do_all(list.id, Operation::Remove, &removals(&contacts)).await?;
        let made = bench.calls() - before;
        ensure!(estimate(bench, Operation::Remove, count) <= made);
    }
    Ok(())
}

pub(super) async fn an_estimate_of_the_same_is_the_same(bench: &Bench<'_>) -> Checked {
    let before = bench.calls();
    for operation in [Operation::Add, Operation::Remove] {
        for count in [0, 1, 1_000_000] {
            ensure_eq!(estimate(bench, operation, count), estimate(bench, operation, count));
        }
    }
    ensure_eq!(bench.calls(), before);
    Ok(())
}

pub(super) async fn every_call_is_counted(bench: &Bench<'_>) -> Checked {
    let list = bench.new_list("counted").await?;
    let before = bench.calls();
    bench.destination.list(list.id).await?;
    ensure!(bench.calls() > before);
    Ok(())
}

fn estimate(bench: &Bench<'_>, operation: Operation, members: usize) -> u64 {
    bench.destination.estimate_calls(operation, members as u64, MissingContacts::Create)
}
