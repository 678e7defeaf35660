//! Held members, for those who look after an activation: who they are, and another try on request.

use chrono::SubsecRound;
use segment_diff::Fingerprint;

use super::{Engine, delta::fingerprint, error::RunError};
use crate::{Activation, Commit, ErrorReport, Head, HeldMember, ledger::LedgerWriter};

/// One page of an activation's held members.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HeldPage {
    /// In ascending order of fingerprint.
    pub members: Vec<HeldMember>,
    /// Whom the next page comes after; `None` on the last one.
    pub next: Option<Fingerprint>,
    /// Held members on all pages.
    pub total: u64,
}

/// Which held members are tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeldSelection {
    /// All of them.
    All,
    /// Those with this cause.
    Cause(String),
    /// The one with this raw identifier, of the activation's kind.
    Member(Vec<u8>),
}

impl Engine {
    /// Held members after `after`, at most `most` of them, and at least one if there is one.
    /// Changes nothing.
    ///
    /// # Errors
    ///
    /// Fails when the state cannot be read.
    pub async fn held(
        &self,
        activation: &Activation,
        after: Option<Fingerprint>,
        most: usize,
    ) -> Result<HeldPage, ErrorReport> {
        let state = self.store.load(&activation.key()).await.map_err(report)?;
        let mut members = state.held;
        members.sort_unstable_by_key(|held| held.member);
        let total = members.len() as u64;
        members.retain(|held| Some(held.member) > after);
        let rest = members.len();
        members.truncate(most.max(1));
        let last = members.last().map(|held| held.member);
        Ok(HeldPage { next: last.filter(|_| members.len() < rest), members, total })
    }

    /// Makes the next run try held members again, and says how many. They stay held until that run
    /// has learnt more.
    ///
    /// # Errors
    ///
    /// Fails, changing nothing, when a run is under way, when the state cannot be read or written,
    /// and when an identifier cannot be used.
    pub async fn retry_held(
        &self,
        activation: &Activation,
        which: &HeldSelection,
    ) -> Result<u64, ErrorReport> {
        let wanted = self.selected(activation, which)?;
        let lease = self.lease(activation).await?;
        let result = async {
            let state = self.store.load(&lease.activation).await?;
            let now = self.clock.now().trunc_subsecs(0);
            let hold: Vec<HeldMember> = (state.held.into_iter().filter(wanted))
                .map(|held| HeldMember { retry_at: now.min(held.retry_at), ..held })
                .collect();
            let selected = hold.len() as u64;
            if selected > 0 {
                let expected_generation = state.head.generation;
                let head = Head { generation: expected_generation + 1, ..state.head };
                let commit = Commit { expected_generation, head, hold, ..Commit::default() };
                LedgerWriter::new(
                    self.ledger.as_deref(),
                    activation.segment(),
                    lease.token,
                    commit.head.generation,
                    now,
                )
                .finish()
                .await?;
                self.store.commit(&lease, commit).await?;
            }
            Ok(selected)
        };
        let result: Result<u64, RunError> = result.await;
        let released = self.store.release(&lease).await.map_err(report);
        let selected = result.map_err(|error| error.to_report())?;
        released.map(|()| selected)
    }

    fn selected(
        &self,
        activation: &Activation,
        which: &HeldSelection,
    ) -> Result<impl Fn(&HeldMember) -> bool, ErrorReport> {
        let member = match which {
            HeldSelection::Member(raw) => Some(self.fingerprint(activation, raw)?),
            HeldSelection::All | HeldSelection::Cause(_) => None,
        };
        let which = which.clone();
        Ok(move |held: &HeldMember| match &which {
            HeldSelection::All => true,
            HeldSelection::Cause(cause) => held.cause == *cause,
            HeldSelection::Member(_) => Some(held.member) == member,
        })
    }

    /// The fingerprint of a raw identifier of the activation's kind.
    pub(super) fn fingerprint(
        &self,
        activation: &Activation,
        raw: &[u8],
    ) -> Result<Fingerprint, ErrorReport> {
        let kind = activation.resolved().identifier;
        let identifier = kind.normalise(raw).map_err(|reject| {
            let message = format!("the identifier cannot be used: {}", reject.as_str());
            RunError::Stopped(message).to_report()
        })?;
        Ok(fingerprint(self.store.fingerprint_key(), &identifier))
    }
}

pub(super) fn report(error: crate::StoreError) -> ErrorReport {
    RunError::from(error).to_report()
}
