//! Imports, removals and other work that takes time: handed in now, done later.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    ContactChange, Enrol, EnrolmentReport, Identifier, ImportReport, MergeOption, RecordImport,
    RecordImportReport, RecordsReport, chrono_duration,
};
use crate::simulator::mix::guid;

/// What a job will do when it is due.
pub(in crate::simulator) enum Work {
    Import {
        rows: Vec<ContactChange>,
        merge: MergeOption,
    },
    RemoveMembers {
        list: i32,
        contacts: Vec<i64>,
    },
    EmptyList {
        list: i32,
    },
    DeleteContacts {
        contacts: Vec<Deletion>,
    },
    Enrol(Enrol),
    RefreshSegment,
    ImportRecords(RecordImport),
    DeleteCollection {
        collection: String,
    },
    /// Of one contact's records, or of all.
    EmptyCollection {
        collection: String,
        contact: Option<i64>,
    },
}

/// One contact to be deleted, as it was named.
pub(in crate::simulator) struct Deletion {
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) value: Value,
    /// `None` when the value cannot be one of that identifier.
    pub(in crate::simulator) identifier: Option<Identifier>,
}

impl Work {
    pub(in crate::simulator) fn len(&self) -> usize {
        match self {
            Self::Import { rows, .. } => rows.len(),
            Self::RemoveMembers { contacts, .. } => contacts.len(),
            Self::DeleteContacts { contacts } => contacts.len(),
            Self::Enrol(enrol) => enrol.contacts.len(),
            Self::ImportRecords(import) => import.rows.len(),
            Self::EmptyList { .. }
            | Self::RefreshSegment
            | Self::DeleteCollection { .. }
            | Self::EmptyCollection { .. } => 0,
        }
    }
}

/// What is to go wrong with a job.
#[derive(Clone)]
pub(in crate::simulator) enum JobFault {
    Stuck,
    Slow(Duration),
    Fail,
    RejectedByWatchdog,
    FailRows { code: String, every: u64 },
}

/// What became of a job.
pub(in crate::simulator) enum Report {
    Import(ImportReport),
    Removal { failed: bool },
    Deletion(DeleteReport),
    Enrolment(EnrolmentReport),
    Refresh { failed: bool },
    RecordImport(RecordImportReport),
    Records(RecordsReport),
}

/// What became of a bulk deletion of contacts.
#[derive(Default)]
pub(in crate::simulator) struct DeleteReport {
    pub(in crate::simulator) failed: bool,
    pub(in crate::simulator) deleted: Vec<Deletion>,
    pub(in crate::simulator) unknown: Vec<Deletion>,
    pub(in crate::simulator) invalid: Vec<Deletion>,
}

impl DeleteReport {
    pub(in crate::simulator) fn failed() -> Self {
        Self { failed: true, ..Self::default() }
    }
}

/// A job as those see it who ask for its status.
pub(in crate::simulator) enum Job {
    Pending(Work, Option<JobFault>),
    /// Taken up by [`Jobs::take_due`], its report not in yet.
    Running,
    Done(Report),
}

/// A job whose time has come.
pub(in crate::simulator) struct DueJob {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) at: DateTime<Utc>,
    pub(in crate::simulator) work: Work,
    pub(in crate::simulator) fault: Option<JobFault>,
}

/// All jobs of the account, pending and done.
pub(in crate::simulator) struct Jobs {
    all: HashMap<String, Job>,
    /// Pending jobs by due time, then by number; the stuck ones under the end of time.
    queue: BTreeMap<(DateTime<Utc>, u64), String>,
    seed: u64,
    issued: u64,
    active_imports: usize,
}

impl Jobs {
    pub(in crate::simulator) fn new(seed: u64) -> Self {
        Self { all: HashMap::new(), queue: BTreeMap::new(), seed, issued: 0, active_imports: 0 }
    }

    /// Takes a job that will need `takes` from `now`; returns its id.
    pub(in crate::simulator) fn submit(
        &mut self,
        work: Work,
        fault: Option<JobFault>,
        now: DateTime<Utc>,
        takes: Duration,
    ) -> String {
        let number = self.issued;
        self.issued += 1;
        let id = guid(self.seed, number);
        let due = match fault {
            Some(JobFault::Stuck) => DateTime::<Utc>::MAX_UTC,
            Some(JobFault::Slow(more)) => later(now, takes.saturating_add(more)),
            _ => later(now, takes),
        };
        self.active_imports += usize::from(matches!(work, Work::Import { .. }));
        self.queue.insert((due, number), id.clone());
        self.all.insert(id.clone(), Job::Pending(work, fault));
        id
    }

    pub(in crate::simulator) fn get(&self, id: &str) -> Option<&Job> {
        self.all.get(id)
    }

    pub(in crate::simulator) fn pending(&self) -> usize {
        self.queue.len()
    }

    pub(in crate::simulator) fn active_imports(&self) -> usize {
        self.active_imports
    }

    /// Bulk deletions of contacts that are under way.
    pub(in crate::simulator) fn active_deletions(&self) -> usize {
        self.count(|work| matches!(work, Work::DeleteContacts { .. }))
    }

    /// Imports of Insight data that are under way.
    pub(in crate::simulator) fn active_record_imports(&self) -> usize {
        self.count(|work| matches!(work, Work::ImportRecords(_)))
    }

    /// How many jobs with such work are under way.
    fn count(&self, is_such: impl Fn(&Work) -> bool) -> usize {
        let pending = self.queue.values().filter_map(|id| self.all.get(id));
        pending.filter(|job| matches!(job, Job::Pending(work, _) if is_such(work))).count()
    }

    /// The next job that is due at `now`, in order of due time.
    pub(in crate::simulator) fn take_due(&mut self, now: DateTime<Utc>) -> Option<DueJob> {
        let entry = self.queue.first_entry()?;
        let at = entry.key().0;
        if at > now {
            return None;
        }
        let id = entry.remove();
        match self.all.insert(id.clone(), Job::Running)? {
            Job::Pending(work, fault) => {
                self.active_imports -= usize::from(matches!(work, Work::Import { .. }));
                Some(DueJob { id, at, work, fault })
            }
            Job::Running | Job::Done(_) => None,
        }
    }

    pub(in crate::simulator) fn finish(&mut self, id: &str, report: Report) {
        self.all.insert(id.to_owned(), Job::Done(report));
    }

    /// Makes every pending job due at `now`, in the order they were due.
    pub(in crate::simulator) fn make_all_due(&mut self, now: DateTime<Utc>) {
        let queue = std::mem::take(&mut self.queue);
        self.queue =
            queue.into_iter().map(|((due, number), id)| ((due.min(now), number), id)).collect();
    }
}

fn later(now: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    now.checked_add_signed(chrono_duration(duration)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn submit(jobs: &mut Jobs, fault: Option<JobFault>, seconds: u64) -> String {
        jobs.submit(Work::EmptyList { list: 1 }, fault, at(0), Duration::from_secs(seconds))
    }

    #[test]
    fn jobs_come_due_in_order_of_time_and_stuck_ones_never() {
        let mut jobs = Jobs::new(0);
        let stuck = submit(&mut jobs, Some(JobFault::Stuck), 1);
        let late = submit(&mut jobs, None, 9);
        let early = submit(&mut jobs, None, 3);
        let mut due = || jobs.take_due(at(100)).map(|job| job.id);
        assert_eq!([due(), due(), due()], [Some(early), Some(late), None]);
        jobs.make_all_due(at(100));
        assert_eq!(jobs.take_due(at(100)).map(|job| job.id), Some(stuck));
    }

    #[test]
    fn a_slow_job_takes_longer_by_so_much() {
        let mut jobs = Jobs::new(0);
        submit(&mut jobs, Some(JobFault::Slow(Duration::from_secs(60))), 1);
        assert!(jobs.take_due(at(60)).is_none());
        assert!(jobs.take_due(at(61)).is_some());
    }
}
