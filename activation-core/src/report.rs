//! What a run did, for people and for scripts.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Activation, Approval, GuardOutcome, GuardReport, HeldMember, Plan, Reject};

/// The cause of holding a member who is no contact yet, under "existing contacts only". Not a
/// fault, so it is reported as skipped.
pub(crate) const NO_CONTACT: &str = "no_contact";

/// The cause of watching or holding a member who was added, and is not on the list.
pub(crate) const VANISHED: &str = "vanished";

/// What the cause of a held member starts with where two contacts are in conflict.
pub(crate) const CONFLICT: &str = "conflict:";

/// How a run ended. Each word has one exit code in the `activate` example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// The list equals the segment, and something was done for it.
    Done,
    /// The list equalled the segment already.
    NothingToDo,
    /// A dry run: nothing was changed anywhere.
    Planned,
    /// Stopped by the guard; the plan waits for approval.
    Blocked,
    /// Done, but for held or failed members.
    Incomplete,
    /// Stopped by an error that will stay until something changes.
    Failed,
    /// Stopped by something that passes: another run, a limit, an unreachable service or
    /// warehouse. Run again later.
    Busy,
}

/// The account of one run.
///
/// Counts add up: what the plan wanted (`planned`) is what was added, removed, moved, newly held,
/// newly skipped or has failed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The segment's name.
    pub segment: String,
    /// The run's number: greater than those of all earlier ones of this activation. `None` for a dry
    /// run, and for one that could not begin.
    pub run: Option<u64>,
    /// The list.
    pub list: ListReport,
    /// How the run ended.
    pub status: RunStatus,
    /// Members added, as the destination confirmed.
    pub added: u64,
    /// Members removed, as the destination confirmed.
    pub removed: u64,
    /// Members whose contact has another identifier now, as the destination confirmed.
    pub moved: u64,
    /// What warehouse keys said of people whose identifier is another one.
    pub identities: IdentityCounts,
    /// Members that were on the list and stay.
    pub unchanged: u64,
    /// Members that should be on the list and cannot be, old and new. Who they are:
    /// [`Engine::held`](crate::Engine::held).
    pub held: u64,
    /// Of `held`, those whose identifier belongs to another contact: a person has to say which
    /// contact is right.
    pub conflicts: u64,
    /// Of `added`, `removed` and `moved`, those that an earlier run began and this one learnt of.
    pub recovered: u64,
    /// Changes wanted and not confirmed; they come back in the next run.
    pub failed: u64,
    /// Members on the list who have left the segment, and stay until it was without them in enough
    /// runs.
    pub dwelling: u64,
    /// Members to be added by a batch of an earlier run that the service is still working on.
    pub under_way: u64,
    /// Members passed over because they are no contacts yet, under "existing contacts only".
    pub skipped: u64,
    /// Rows without a usable identifier, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// The first of these rows as they are, as many as
    /// [`Settings::show_rejects`](crate::Settings::show_rejects) asks for: by default none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected_rows: Vec<RejectedRow>,
    /// Members of the segment who are excluded, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// Held members by cause.
    pub held_by_cause: BTreeMap<String, u64>,
    /// Failed changes by cause, where one is known.
    pub failed_by_cause: BTreeMap<String, u64>,
    /// Of when the segment was, where its source said so.
    pub as_of: Option<DateTime<Utc>>,
    /// What the guard said.
    pub guard: GuardReport,
    /// What the run set out to do; `None` when it did not get that far.
    pub planned: Option<Plan>,
    /// The plan's digest, to approve it by.
    pub plan_digest: Option<String>,
    /// Calls to the destination by endpoint, every attempt counted.
    pub calls: BTreeMap<String, u64>,
    /// What stopped the run.
    pub error: Option<ErrorReport>,
    /// When a run that was [`Busy`](RunStatus::Busy) may go through, where that is known: the end
    /// of another's lease, or the time the service named.
    pub retry_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// What warehouse keys said of people whose identifier is another one, by cause. All zero where the
/// source gives no keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IdentityCounts {
    /// Members who stay on the list under the identifier they had, since the segment still has their
    /// key and the identifier it has now is not on the list yet: it is held, unusable or not the only
    /// one.
    pub waiting: u64,
    /// Members of the record whose key the segment has under an identifier that belongs to another key
    /// or member too: several people became one. The identifier that is left stays or is added; nobody
    /// is moved.
    pub merged: u64,
    /// Keys that the segment has under several identifiers, at least one of them new: one person
    /// became several. Each identifier is a member; nobody is moved.
    pub split: u64,
    /// Members whom the segment has under another key than was recorded. They stay.
    pub rekeyed: u64,
    /// Members who are removed and added under their new identifier, since the record does not know
    /// their contact.
    pub contact_unknown: u64,
    /// As `contact_unknown`, since their contact is another member's too.
    pub contact_shared: u64,
    /// As `contact_unknown`, since the destination or the settings allow no moves, or since it is in
    /// doubt whether an earlier removal of theirs still happens.
    pub not_movable: u64,
}

impl IdentityCounts {
    fn by_cause(&self) -> [(&'static str, u64); 7] {
        [
            ("waiting under the old one", self.waiting),
            ("several people became one", self.merged),
            ("one person became several", self.split),
            ("another warehouse key", self.rekeyed),
            ("replaced, since the contact is not known", self.contact_unknown),
            ("replaced, since two members are one contact", self.contact_shared),
            ("replaced, not moved", self.not_movable),
        ]
    }
}

/// A row without a usable identifier, as the source gave it. It may be somebody's address, so
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// What is wrong with it.
    pub reason: Reject,
    /// Its beginning, up to 1,000 characters. Bytes that are no UTF-8 are replaced.
    pub row: String,
}

/// Enough of a row to see what is wrong with it.
const SHOWN_CHARACTERS: usize = 1_000;

impl RejectedRow {
    pub(crate) fn new(reason: Reject, raw: &[u8]) -> Self {
        let row = String::from_utf8_lossy(raw).chars().take(SHOWN_CHARACTERS).collect();
        Self { reason, row }
    }
}

impl fmt::Debug for RejectedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RejectedRow({}, <redacted>)", self.reason.as_str())
    }
}

/// The list of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListReport {
    /// Its id, once known.
    pub id: Option<u64>,
    /// Its name.
    pub name: String,
}

/// An error in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// What happened and what to do, without addresses and secrets.
    pub message: String,
    /// Whether it may pass by itself.
    pub temporary: bool,
}

impl fmt::Display for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ErrorReport {}

impl RunReport {
    pub(crate) fn new(activation: &Activation, now: DateTime<Utc>) -> Self {
        Self {
            segment: activation.segment().to_owned(),
            run: None,
            list: ListReport { id: None, name: activation.list_name().to_owned() },
            status: RunStatus::NothingToDo,
            added: 0,
            removed: 0,
            moved: 0,
            identities: IdentityCounts::default(),
            unchanged: 0,
            held: 0,
            conflicts: 0,
            dwelling: 0,
            recovered: 0,
            failed: 0,
            under_way: 0,
            skipped: 0,
            rejected: BTreeMap::new(),
            rejected_rows: Vec::new(),
            excluded: BTreeMap::new(),
            as_of: None,
            held_by_cause: BTreeMap::new(),
            failed_by_cause: BTreeMap::new(),
            guard: GuardReport::default(),
            planned: None,
            plan_digest: None,
            calls: BTreeMap::new(),
            error: None,
            retry_at: None,
            started_at: now,
            finished_at: now,
        }
    }

    /// The report of a run that could not begin, or was cut off with nothing known of it:
    /// [`Busy`](RunStatus::Busy) when `error` may pass by itself, else
    /// [`Failed`](RunStatus::Failed).
    pub fn stopped(activation: &Activation, error: ErrorReport, now: DateTime<Utc>) -> Self {
        let mut report = Self::new(activation, now);
        report.stop(error);
        report
    }

    /// Notes what stopped the run.
    pub(crate) fn stop(&mut self, error: ErrorReport) {
        self.status = if error.temporary { RunStatus::Busy } else { RunStatus::Failed };
        self.error = Some(error);
    }

    pub(crate) fn count_held(&mut self, held: &[HeldMember]) {
        for held in held {
            if held.cause == NO_CONTACT {
                self.skipped += 1;
            } else {
                self.held += 1;
                self.conflicts += u64::from(held.cause.starts_with(CONFLICT));
                *self.held_by_cause.entry(held.cause.clone()).or_default() += 1;
            }
        }
    }

    pub(crate) fn count_failed(&mut self, by_cause: BTreeMap<String, u64>) {
        for (cause, members) in by_cause {
            self.failed += members;
            *self.failed_by_cause.entry(cause).or_default() += members;
        }
    }

    /// All calls to the destination.
    pub fn total_calls(&self) -> u64 {
        self.calls.values().sum()
    }
}

/// A few lines for people.
impl fmt::Display for RunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> list \"{}\": {}", self.segment, self.list.name, self.status)?;
        if self.status == RunStatus::Planned {
            self.fmt_plan(f)?;
        } else {
            writeln!(
                f,
                "  added {}, removed {}, unchanged {}, held {}, failed {}",
                self.added, self.removed, self.unchanged, self.held, self.failed
            )?;
        }
        if self.moved > 0 {
            writeln!(f, "  moved to another identifier: {}", self.moved)?;
        }
        for (cause, members) in self.identities.by_cause().iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "  identifiers: {cause} {members}")?;
        }
        if self.skipped > 0 {
            writeln!(f, "  skipped, since they are no contacts yet: {}", self.skipped)?;
        }
        fmt_counts(f, "rows without a usable identifier", &self.rejected)?;
        if self.dwelling > 0 {
            writeln!(f, "  left the segment and stay for now: {}", self.dwelling)?;
        }
        fmt_counts(f, "excluded", &self.excluded)?;
        fmt_counts(f, "held", &self.held_by_cause)?;
        fmt_counts(f, "failed, to be tried again", &self.failed_by_cause)?;
        for reason in &self.guard.reasons {
            writeln!(f, "  guard: {reason}")?;
        }
        if let Some(Approval { by, reason, .. }) = &self.guard.approval {
            writeln!(f, "  approved by {by}: {reason}")?;
        }
        if let (GuardOutcome::Tripped, Some(digest)) = (self.guard.outcome, &self.plan_digest) {
            writeln!(f, "  nothing was changed; if this is intended, approve plan {digest}")?;
        }
        if let Some(error) = &self.error {
            writeln!(f, "  error: {}", error.message)?;
        }
        fmt_counts(f, "calls", &self.calls)
    }
}

impl RunReport {
    fn fmt_plan(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(plan) = &self.planned else { return Ok(()) };
        writeln!(
            f,
            "  would add {} and remove {} members, {} stay; about {} calls; list: {}",
            plan.add, plan.remove, self.unchanged, plan.estimated_calls, plan.list_action
        )?;
        if plan.moves > 0 {
            writeln!(f, "  would move to another identifier: {}", plan.moves)?;
        }
        writeln!(f, "  plan {}", plan.digest)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::NothingToDo => "nothing to do",
            Self::Planned => "planned, nothing changed",
            Self::Blocked => "blocked by the guard",
            Self::Incomplete => "done, with held or failed members",
            Self::Failed => "failed",
            Self::Busy => "stopped for now, run again later",
        })
    }
}

fn fmt_counts(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    counts: &BTreeMap<String, u64>,
) -> fmt::Result {
    for (name, count) in counts {
        writeln!(f, "  {title}: {name} {count}")?;
    }
    Ok(())
}
