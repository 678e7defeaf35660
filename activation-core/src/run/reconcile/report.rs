//! What a reconciliation found.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Drift, ReconcileMode, drift::Verdict, sides::Member};
use crate::{Activation, ErrorReport, ListReport, RunStatus, Trip};

/// The account of one reconciliation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReconcileReport {
    /// The segment's name.
    pub segment: String,
    /// The list.
    pub list: ListReport,
    /// What was asked for.
    pub mode: ReconcileMode,
    /// How it ended: [`NothingToDo`](RunStatus::NothingToDo) when our record is right,
    /// [`Planned`](RunStatus::Planned) when a report found that it is not,
    /// [`Done`](RunStatus::Done) when it was put right.
    pub status: RunStatus,
    /// Members in our record.
    pub ours: u64,
    /// Members of the segment, without those who are excluded.
    pub in_segment: u64,
    /// Contacts on the list.
    pub on_list: u64,
    /// Members in our record, in the segment and on the list.
    pub agreeing: u64,
    /// Where the sides differ, by cause.
    pub drift: Drift,
    /// Members whom the next run adds as far as this one knows; those who vanished included.
    pub to_add: u64,
    /// Members who left the segment, and are on the list through us.
    pub to_remove: u64,
    /// Members of the segment who are held and not on the list.
    pub held: u64,
    /// Members of batches that have not come to an end; left to the runs.
    pub in_flux: u64,
    /// Whether our record could not be read, and a rebuild began without it.
    pub snapshot_lost: bool,
    /// Why a repair was blocked.
    pub reasons: Vec<Trip>,
    /// Calls to the destination by endpoint, every attempt counted.
    pub calls: BTreeMap<String, u64>,
    /// What stopped it.
    pub error: Option<ErrorReport>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

impl ReconcileReport {
    pub(super) fn new(activation: &Activation, mode: ReconcileMode, now: DateTime<Utc>) -> Self {
        Self {
            segment: activation.segment().to_owned(),
            list: ListReport { id: None, name: activation.list_name().to_owned() },
            mode,
            status: RunStatus::NothingToDo,
            ours: 0,
            in_segment: 0,
            on_list: 0,
            agreeing: 0,
            drift: Drift::default(),
            to_add: 0,
            to_remove: 0,
            held: 0,
            in_flux: 0,
            snapshot_lost: false,
            reasons: Vec::new(),
            calls: BTreeMap::new(),
            error: None,
            started_at: now,
            finished_at: now,
        }
    }

    pub(super) fn stop(&mut self, error: ErrorReport) {
        self.status = if error.temporary { RunStatus::Busy } else { RunStatus::Failed };
        self.error = Some(error);
    }

    pub(super) fn count_in_flux(&mut self, member: &Member) {
        self.in_flux += 1;
        self.count_sides(member);
    }

    pub(super) fn count(&mut self, member: &Member, verdict: &Verdict, is_held: bool) {
        self.count_sides(member);
        self.drift.count(verdict);
        match verdict {
            Verdict::Agrees { wanted: true } => self.agreeing += 1,
            Verdict::Agrees { wanted: false } => self.to_remove += 1,
            Verdict::OtherIdentifier { .. } | Verdict::OtherContact { .. } => {
                self.to_remove += u64::from(!member.wanted);
            }
            Verdict::Absent { wanted: true } if is_held => self.held += 1,
            Verdict::Absent { wanted: true } | Verdict::Vanished { wanted: true } => {
                self.to_add += 1;
            }
            Verdict::Unclaimed { .. } => self.drift.held_on_list += u64::from(is_held),
            _ => {}
        }
    }

    fn count_sides(&mut self, member: &Member) {
        self.ours += u64::from(member.ours.is_some());
        self.in_segment += u64::from(member.wanted);
    }
}

/// A few lines for people.
impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} = list \"{}\"? {}", self.segment, self.list.name, self.status)?;
        writeln!(
            f,
            "  ours {}, in the segment {}, on the list {}, in all three {}",
            self.ours, self.in_segment, self.on_list, self.agreeing
        )?;
        let Drift { vanished, unclaimed, other_contact, other_identifier, foreign, .. } =
            self.drift;
        writeln!(
            f,
            "  vanished {vanished}, unclaimed {unclaimed}, other contact {other_contact}, other \
             identifier {other_identifier}, foreign {foreign}"
        )?;
        writeln!(
            f,
            "  to add {}, to remove {}, held {}, in flux {}",
            self.to_add, self.to_remove, self.held, self.in_flux
        )?;
        for reason in &self.reasons {
            writeln!(f, "  guard: {reason}")?;
        }
        match &self.error {
            Some(error) => writeln!(f, "  error: {error}"),
            None => Ok(()),
        }
    }
}
