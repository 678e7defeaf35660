//! Why somebody is on the list, or is not.

use std::fmt;

use chrono::{DateTime, Utc};
use segment_diff::Fingerprint;
use serde::Serialize;

use super::{
    Engine,
    delta::fingerprint,
    error::RunError,
    excluded::Excluded,
    journal::{Journal, Stage},
    membership::MembershipReader,
    warehouse_key::{KeyPrinter, WarehouseKey},
};
use crate::{
    Activation, ContactId, ErrorReport, HeldMember, Operation, SegmentSource, SnapshotRef,
    report::{NO_CONTACT, VANISHED},
    source::CheckedScan,
};

/// What is known of somebody, as of the last commit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Her fingerprint, as the ledger and the list of held members know her.
    pub member: Fingerprint,
    /// The answer in one word.
    pub standing: Standing,
    /// Whether she is on the list through this activation. Others may have put her there besides.
    pub is_ours: bool,
    /// The contact, where known.
    pub contact: Option<ContactId>,
    /// Whether the segment has her; `None` where it was not asked.
    pub in_segment: Option<bool>,
    /// Whether the segment has her under another identifier, as the warehouse key that was recorded
    /// with this one tells.
    pub under_another_identifier: bool,
    /// Why she is excluded, if she is.
    pub excluded: Option<String>,
    /// Why and since when she is held, if she is.
    pub held: Option<HeldMember>,
    /// In how many runs in succession the segment was without her; 0 where that is not counted.
    pub missed_runs: u32,
    /// After how many such runs she leaves.
    pub leaves_after_runs: u32,
    /// Batches she is in that have not come to an end.
    pub pending: Vec<Pending>,
}

/// Why somebody is on the list or not. Each word is about this activation alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// On the list.
    OnList,
    /// On the list, and the next run removes her.
    Leaving,
    /// On the list, and in the segment under another identifier: the next run moves her there, or
    /// removes her once the other one is on the list.
    Renamed,
    /// On the list, and stays until the segment was without her in enough runs.
    Dwelling,
    /// The service is working on it, or nobody knows yet whether it did.
    Pending,
    /// Excluded.
    Excluded,
    /// Held.
    Held,
    /// No contact, under "existing contacts only".
    NoContact,
    /// In the segment; the next run adds her.
    ToAdd,
    /// Not in the segment, and not on the list through this activation.
    NotInSegment,
    /// Not on the list through this activation. Why is not known without asking the segment.
    NotOnList,
}

/// A batch that has not come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// What it does.
    pub operation: Operation,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// Whether the service has accepted it; else it may never have arrived.
    pub is_accepted: bool,
}

impl Engine {
    /// Why the person with this raw identifier, of the activation's kind, is on the list or is not.
    /// The state answers, and the segment where `source` is given. Changes nothing, and asks the
    /// destination nothing.
    ///
    /// # Errors
    ///
    /// Fails when the identifier cannot be used, and when state, exclusions or segment cannot be
    /// read.
    pub async fn explain(
        &self,
        activation: &Activation,
        identifier: &[u8],
        source: Option<&dyn SegmentSource>,
    ) -> Result<Explanation, ErrorReport> {
        let member = self.fingerprint(activation, identifier)?;
        self.explain_member(activation, member, source).await.map_err(|error| error.to_report())
    }

    async fn explain_member(
        &self,
        activation: &Activation,
        member: Fingerprint,
        source: Option<&dyn SegmentSource>,
    ) -> Result<Explanation, RunError> {
        let settings = activation.resolved();
        let key = self.store.fingerprint_key();
        let state = self.store.load(&activation.key()).await?;
        let ours = self.in_record(activation, state.head.snapshot.as_ref(), member).await?;
        let excluded = Excluded::read(&*self.exclusions, key, settings.identifier).await?;
        let warehouse_key = ours.and_then(|(_, key)| key);
        let (in_segment, under_another_identifier) = match source {
            Some(source) => {
                let found = self.in_segment(activation, source, member, warehouse_key).await?;
                (Some(found.0), !found.0 && found.1)
            }
            None => (None, false),
        };
        let missed = state.absent.iter().find(|absent| absent.member == member);
        let mut explanation = Explanation {
            member,
            standing: Standing::NotOnList,
            is_ours: ours.is_some(),
            contact: ours.and_then(|(contact, _)| contact),
            in_segment,
            under_another_identifier,
            excluded: excluded.reason(&member).map(str::to_owned),
            held: state.held.into_iter().find(|held| held.member == member),
            missed_runs: missed.map_or(0, |absent| absent.runs),
            leaves_after_runs: settings.leave_after_runs.get(),
            pending: pending(&Journal::replay(&state.journal)?, member),
        };
        explanation.standing = explanation.judge();
        Ok(explanation)
    }

    /// Whether our record has her, as which contact and with which warehouse key. Reads on to the
    /// end: before it nothing that was read is to be believed.
    async fn in_record(
        &self,
        activation: &Activation,
        snapshot: Option<&SnapshotRef>,
        member: Fingerprint,
    ) -> Result<Option<(Option<ContactId>, Option<WarehouseKey>)>, RunError> {
        let key = activation.key();
        let mut reader = MembershipReader::open(&*self.store, &key, snapshot).await?;
        let (mut members, mut found) = (Vec::new(), None);
        while reader.next_members(&mut members).await? {
            let hers = members.iter().position(|entry| entry.member == member);
            found = found.or(hers.map(|hers| (members[hers].contact, reader.key(hers))));
        }
        Ok(found)
    }

    /// Whether the segment has her, and whether it has her warehouse key.
    async fn in_segment(
        &self,
        activation: &Activation,
        source: &dyn SegmentSource,
        member: Fingerprint,
        warehouse_key: Option<WarehouseKey>,
    ) -> Result<(bool, bool), RunError> {
        let (kind, key) = (activation.resolved().identifier, self.store.fingerprint_key());
        let printer = KeyPrinter::new(key);
        let mut scan = CheckedScan::new(source.open().await?);
        let (mut is_there, mut has_key) = (false, false);
        while let Some(batch) = scan.next_batch().await? {
            let mut usable = batch.iter().filter_map(|raw| kind.normalise(raw).ok());
            is_there |= usable.any(|one| fingerprint(key, &one) == member);
            if warehouse_key.is_some() && batch.has_warehouse_keys() {
                let mut usable = batch.rows().filter(|row| kind.normalise(row.identifier).is_ok());
                has_key |= usable.any(|row| printer.print(row.warehouse_key) == warehouse_key);
            }
        }
        Ok((is_there, has_key))
    }
}

fn pending(journal: &Journal, member: Fingerprint) -> Vec<Pending> {
    (journal.batches.iter())
        .filter(|batch| batch.concerns(&member))
        .map(|batch| Pending {
            operation: batch.operation,
            sent_at: batch.at,
            is_accepted: batch.stage != Stage::Uncertain,
        })
        .collect()
}

impl Explanation {
    fn judge(&self) -> Standing {
        let held = self.held.as_ref().map(|held| held.cause.as_str());
        match (self.is_ours, self.in_segment) {
            _ if !self.pending.is_empty() => Standing::Pending,
            (true, _) if self.excluded.is_some() => Standing::Leaving,
            (true, Some(false)) if self.under_another_identifier => Standing::Renamed,
            (true, Some(false)) if self.missed_runs + 1 >= self.leaves_after_runs => {
                Standing::Leaving
            }
            (true, Some(false)) => Standing::Dwelling,
            (true, None) if self.missed_runs > 0 => Standing::Dwelling,
            (true, _) => Standing::OnList,
            (false, _) if self.excluded.is_some() => Standing::Excluded,
            (false, Some(false)) => Standing::NotInSegment,
            (false, _) if held == Some(NO_CONTACT) => Standing::NoContact,
            (false, _) if held.is_some() => Standing::Held,
            (false, Some(true)) => Standing::ToAdd,
            (false, None) => Standing::NotOnList,
        }
    }
}

/// One sentence, and what belongs to it.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.standing {
            Standing::OnList => "on the list through this activation",
            Standing::Leaving => "on the list through this activation; the next run removes her",
            Standing::Renamed => {
                "on the list through this activation; in the segment under another identifier"
            }
            Standing::Dwelling => "on the list through this activation, for now",
            Standing::Pending => "a change of hers is under way, or in doubt",
            Standing::Excluded => "not on the list through this activation: excluded",
            Standing::Held => "not on the list through this activation: held",
            Standing::NoContact => "not on the list through this activation: no contact yet",
            Standing::ToAdd => "not on the list through this activation; the next run adds her",
            Standing::NotInSegment => "not on the list through this activation: not in the segment",
            Standing::NotOnList => "not on the list through this activation",
        })?;
        if let Some(reason) = &self.excluded {
            write!(f, "; excluded as {reason}")?;
        }
        // Somebody watched who is on the list is not held.
        let held = self.held.as_ref().filter(|held| !self.is_ours || held.cause != VANISHED);
        if let Some(HeldMember { cause, since, retry_at, attempts, .. }) = held {
            write!(f, "; {cause} since {since}, tried {attempts} times, next from {retry_at}")?;
        }
        if self.missed_runs > 0 {
            let (missed, after) = (self.missed_runs, self.leaves_after_runs);
            write!(f, "; the segment was without her in {missed} runs of {after}")?;
        }
        for Pending { operation, sent_at, is_accepted } in &self.pending {
            let operation = match operation {
                Operation::Add => "addition",
                Operation::Remove => "removal",
                Operation::Move => "move",
            };
            let state = if *is_accepted { "accepted" } else { "in doubt" };
            write!(f, "; {operation} of {sent_at} {state}")?;
        }
        Ok(())
    }
}
