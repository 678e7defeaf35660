//! Settles what an unfinished run left behind, before anything new is planned.

use chrono::TimeDelta;

use super::{
    apply::{Verdict, ask},
    commit::{Findings, commit},
    error::RunError,
    journal::{Journal, OpenBatch, Stage},
    session::Session,
    tally::Tally,
};
use crate::RunReport;

/// How long a run waits for a job of an earlier one. Short, since people who left in the meantime
/// wait with it.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// Asks about every receipt in the journal and commits what is known. Batches whose fate cannot be
/// learnt by asking stay in the journal as uncertain; the delta makes up for them. Those that the
/// service is still working on stay as they are; the delta leaves their members alone.
pub(super) async fn recover(
    session: &mut Session<'_>,
    report: &mut RunReport,
) -> Result<(), RunError> {
    let mut tally = Tally::new(session.activation.resolved());
    let result = settle_open_batches(session, &mut tally).await;
    if let Err(RunError::Store(_)) = result {
        return result;
    }
    if !tally.retired_batches.is_empty() {
        commit(session, tally, Findings::default(), false, report).await?;
        report.recovered = report.added + report.removed + report.moved;
        let state = session.store.load(&session.activation.key()).await?;
        session.journal = Journal::replay(&state.journal)?;
    }
    result
}

async fn settle_open_batches(session: &mut Session<'_>, tally: &mut Tally) -> Result<(), RunError> {
    for batch in session.journal.batches.clone() {
        match &batch.stage {
            Stage::Uncertain => {}
            Stage::Settled(outcomes) => {
                let OpenBatch { id, operation, at, before, .. } = &batch;
                session.absorb(*id, *operation, *at, outcomes, before, tally).await?;
            }
            Stage::Accepted(receipt) => {
                let asked = ask(session, receipt, batch.at, &batch.members, PATIENCE).await;
                match asked {
                    Err(RunError::NotYet(_)) => {}
                    Err(error) => return Err(error),
                    Ok(Verdict::Outcomes(outcomes)) => {
                        let OpenBatch { id, operation, at, before, .. } = &batch;
                        session.settled(*id, *operation, *at, outcomes, before, tally).await?;
                    }
                    Ok(Verdict::Refused(_)) => {
                        let OpenBatch { id, operation, at, members, before, .. } = batch;
                        session.uncertain(operation, at, members, before).await?;
                        tally.retired_batches.push(id);
                    }
                }
            }
        }
    }
    Ok(())
}
