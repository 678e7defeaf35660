//! What is said of calls that did not arrive, and of those whose answer did not.

use super::bench::{Bench, FEW, MANY, additions, in_order};
use crate::{
    Batch, DestinationErrorKind, MemberOutcome, Operation, Submission,
    conformance::check::{Broken, Checked, ensure, ensure_eq},
};

/// What is the matter with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing: it works.
    Nothing,
    /// No call arrives.
    Unreachable,
    /// Calls arrive and are acted on, and no answer comes back.
    AnswersLost,
}

pub(super) async fn a_lost_answer_to_a_creation_is_an_unknown_outcome(
    bench: &Bench<'_>,
    trouble: &impl AsyncFn(Trouble),
) -> Checked {
    trouble(Trouble::AnswersLost).await;
    let answer = bench.destination.create_list(&bench.wish("lost answer")).await;
    trouble(Trouble::Nothing).await;
    match answer {
        Err(error) if error.kind == DestinationErrorKind::Unknown => Ok(()),
        Err(error) => Err(Broken::new(format!("{:?} and not Unknown: {error}", error.kind))),
        Ok(_) => Err(Broken::new("a list, without any answer".to_owned())),
    }
}

pub(super) async fn a_lost_answer_to_a_batch_is_an_unknown_outcome(
    bench: &Bench<'_>,
    trouble: &impl AsyncFn(Trouble),
) -> Checked {
    for (clause, count) in [("lost.few", FEW), ("lost.many", MANY)] {
        let list = bench.new_list(clause).await?;
        let members = additions(&bench.people(clause, count)?);
        let batch = Batch { operation: Operation::Add, members };
        trouble(Trouble::AnswersLost).await;
        let answer = bench.destination.submit(list.id, &batch).await;
        trouble(Trouble::Nothing).await;
        match answer {
            Err(error) => ensure_eq!(error.kind, DestinationErrorKind::Unknown),
            Ok(Submission::Receipt(_)) => {
                return Err(Broken::new("a receipt, without any answer".to_owned()));
            }
            Ok(Submission::Settled { outcomes, .. }) => {
                // What was not tried any more after that may say so.
                let first = outcomes.first();
                ensure!(matches!(first, Some(MemberOutcome::Unknown { .. })));
            }
        }
    }
    Ok(())
}

pub(super) async fn a_creation_that_never_arrived_says_so(
    bench: &Bench<'_>,
    trouble: &impl AsyncFn(Trouble),
) -> Checked {
    trouble(Trouble::Unreachable).await;
    let answer = bench.destination.create_list(&bench.wish("never arrived")).await;
    trouble(Trouble::Nothing).await;
    let kind = answer.err().map(|error| error.kind);
    ensure!(matches!(kind, Some(DestinationErrorKind::Unavailable { .. })));
    ensure_eq!(bench.destination.list_named(&bench.wish("never arrived").name).await?, None);
    Ok(())
}

pub(super) async fn a_batch_that_never_arrived_says_so(
    bench: &Bench<'_>,
    trouble: &impl AsyncFn(Trouble),
) -> Checked {
    for (clause, count) in [("unsent.few", FEW), ("unsent.many", MANY)] {
        let list = bench.new_list(clause).await?;
        let people = bench.people(clause, count)?;
        let batch = Batch { operation: Operation::Add, members: additions(&people) };
        trouble(Trouble::Unreachable).await;
        let answer = bench.destination.submit(list.id, &batch).await;
        trouble(Trouble::Nothing).await;
        let kind = answer.err().map(|error| error.kind);
        ensure!(matches!(kind, Some(DestinationErrorKind::Unavailable { .. })));
        ensure_eq!(bench.on_list(list.id, &people).await?, []);
    }
    Ok(())
}

pub(super) async fn a_question_that_cannot_be_asked_leaves_the_job_alone(
    bench: &Bench<'_>,
    trouble: &impl AsyncFn(Trouble),
) -> Checked {
    let list = bench.new_list("question").await?;
    let people = bench.people("question", MANY)?;
    let batch = Batch { operation: Operation::Add, members: additions(&people) };
    if let Submission::Receipt(receipt) = bench.destination.submit(list.id, &batch).await? {
        trouble(Trouble::Unreachable).await;
        let answer = bench.destination.settle(&receipt).await;
        trouble(Trouble::Nothing).await;
        let kind = answer.err().map(|error| error.kind);
        ensure!(matches!(kind, Some(DestinationErrorKind::Unavailable { .. })));
        for outcome in in_order(&batch.members, bench.settled(&receipt).await?)? {
            ensure!(matches!(outcome, MemberOutcome::Acknowledged { .. }));
        }
    }
    ensure_eq!(bench.on_list(list.id, &people).await?.len(), MANY);
    Ok(())
}
