//! Settles what an unfinished run left behind, before anything new is planned.

use super::{
    apply::{Verdict, ask},
    commit::commit,
    error::RunError,
    journal::{Journal, Stage},
    session::Session,
    tally::Tally,
};
use crate::RunReport;

/// Asks about every receipt in the journal and commits what is known. Batches whose fate cannot be
/// learnt by asking stay in the journal as uncertain; the delta makes up for them.
pub(super) async fn recover(
    session: &mut Session<'_>,
    report: &mut RunReport,
) -> Result<(), RunError> {
    let mut tally = Tally::new(session.activation.resolved().missing_contacts);
    let result = settle_open_batches(session, &mut tally).await;
    if let Err(RunError::Store(_)) = result {
        return result;
    }
    if !tally.retired_batches.is_empty() {
        commit(session, tally, Vec::new(), false, report).await?;
        report.recovered = report.added + report.removed;
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
                session.absorb(batch.id, batch.operation, batch.at, outcomes, tally).await?;
            }
            Stage::Accepted(receipt) => {
                match ask(session, receipt, batch.at, &batch.members).await? {
                    Verdict::Outcomes(outcomes) => {
                        session
                            .settled(batch.id, batch.operation, batch.at, outcomes, tally)
                            .await?;
                    }
                    Verdict::Refused(_) => {
                        session.uncertain(batch.operation, batch.at, batch.members.clone()).await?;
                        tally.retired_batches.push(batch.id);
                    }
                }
            }
        }
    }
    Ok(())
}
