//! Segments: who is in them is worked out by the service, not written by callers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Job, Jobs, Report, Work, name_key};

/// One segment and who is in it.
pub(in crate::simulator) struct Segment {
    pub(in crate::simulator) id: i32,
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) members: BTreeSet<i64>,
    /// The job that refreshes it, or did so last.
    pub(in crate::simulator) refresh: Option<String>,
}

impl Segment {
    pub(in crate::simulator) fn new(id: i32, name: &str) -> Self {
        Self { id, name: name.to_owned(), members: BTreeSet::new(), refresh: None }
    }

    /// How far the last refresh is, in the service's word.
    pub(in crate::simulator) fn refresh_status(&self, jobs: &Jobs) -> &'static str {
        match self.refresh.as_ref().and_then(|id| jobs.get(id)) {
            None => "NotStarted",
            Some(Job::Pending(Work::RefreshSegment, _) | Job::Running) => "NotFinished",
            Some(Job::Done(Report::Refresh { failed: true })) => "Failed",
            Some(_) => "Finished",
        }
    }
}

/// The segment of that name, compared as names of lists are.
pub(in crate::simulator) fn named<'a>(
    segments: &'a BTreeMap<i32, Segment>,
    name: &str,
) -> Option<&'a Segment> {
    let key = name_key(name);
    segments.values().find(|segment| name_key(&segment.name) == key)
}
