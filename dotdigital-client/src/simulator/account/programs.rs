//! Automation programs and who was enrolled in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{Account, Job, JobFault, Jobs, MemberStatus, contact::ChannelStatus};
use crate::simulator::{programs::ProgramState, switches::Reenrolment};

/// One program.
pub(in crate::simulator) struct Program {
    pub(in crate::simulator) id: i32,
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) state: ProgramState,
    pub(in crate::simulator) created: DateTime<Utc>,
    /// How often each contact was enrolled.
    pub(in crate::simulator) enrolled: BTreeMap<i64, u32>,
}

/// One request to enrol people; what became of it is known to the job of the same id.
pub(in crate::simulator) struct Enrolment {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) program: i32,
    pub(in crate::simulator) contacts: Vec<i64>,
    pub(in crate::simulator) lists: Vec<i32>,
    pub(in crate::simulator) created: DateTime<Utc>,
}

impl Enrolment {
    pub(in crate::simulator) fn status(&self, jobs: &Jobs) -> EnrolmentStatus {
        match jobs.get(&self.id) {
            Some(Job::Done(_)) => EnrolmentStatus::Finished,
            _ => EnrolmentStatus::Processing,
        }
    }
}

/// Whether an enrolment has been carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum EnrolmentStatus {
    Processing,
    Finished,
}

impl EnrolmentStatus {
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "Processing",
            Self::Finished => "Finished",
        }
    }
}

/// All programs of the account and all enrolments, the oldest first.
#[derive(Default)]
pub(in crate::simulator) struct Programs {
    pub(in crate::simulator) all: BTreeMap<i32, Program>,
    pub(in crate::simulator) enrolments: Vec<Enrolment>,
    /// Where each enrolment stands, by its id in lower case.
    places: HashMap<String, usize>,
}

impl Programs {
    pub(in crate::simulator) fn create(
        &mut self,
        name: &str,
        state: ProgramState,
        now: DateTime<Utc>,
    ) -> i32 {
        let id = self.all.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        let enrolled = BTreeMap::new();
        let program = Program { id, name: name.to_owned(), state, created: now, enrolled };
        self.all.insert(id, program);
        id
    }

    pub(in crate::simulator) fn enrolment(&self, id: &str) -> Option<&Enrolment> {
        self.enrolments.get(*self.places.get(&id.to_ascii_lowercase())?)
    }

    pub(in crate::simulator) fn note(&mut self, enrolment: Enrolment) {
        self.places.insert(enrolment.id.to_ascii_lowercase(), self.enrolments.len());
        self.enrolments.push(enrolment);
    }
}

/// Who was not enrolled, and why.
#[derive(Default)]
pub(in crate::simulator) struct EnrolmentReport {
    pub(in crate::simulator) faults: Vec<EnrolmentFault>,
}

/// One contact that was not enrolled.
pub(in crate::simulator) struct EnrolmentFault {
    pub(in crate::simulator) contact: i64,
    pub(in crate::simulator) email: Option<String>,
    pub(in crate::simulator) mobile: Option<String>,
    pub(in crate::simulator) reason: String,
}

/// What an enrolment is about: people by id, and all subscribed members of lists.
pub(in crate::simulator) struct Enrol {
    pub(in crate::simulator) program: i32,
    pub(in crate::simulator) contacts: Vec<i64>,
    pub(in crate::simulator) lists: Vec<i32>,
}

/// Carries out an enrolment: each contact once, however often it is named.
pub(super) fn run(
    account: &mut Account,
    enrol: &Enrol,
    fault: Option<&JobFault>,
) -> EnrolmentReport {
    let mut report = EnrolmentReport::default();
    for (number, contact) in (1_u64..).zip(asked_for(account, enrol)) {
        let injected = match fault {
            Some(JobFault::Fail | JobFault::RejectedByWatchdog) => Some("Failed"),
            Some(JobFault::FailRows { code, every }) if number % (*every).max(1) == 0 => {
                Some(code.as_str())
            }
            _ => None,
        };
        if let Some(reason) = injected.or_else(|| obstacle(account, enrol.program, contact)) {
            report.faults.push(describe(account, contact, reason));
        } else if let Some(program) = account.programs.all.get_mut(&enrol.program) {
            *program.enrolled.entry(contact).or_default() += 1;
        }
    }
    report
}

fn asked_for(account: &Account, enrol: &Enrol) -> BTreeSet<i64> {
    let lists = enrol.lists.iter().filter_map(|list| account.lists.get(list));
    let members = lists.flat_map(|list| &list.members);
    let subscribed = members.filter(|(_, status)| **status == MemberStatus::Subscribed);
    enrol.contacts.iter().copied().chain(subscribed.map(|(contact, _)| *contact)).collect()
}

fn obstacle(account: &Account, program: i32, contact: i64) -> Option<&'static str> {
    let Some(stored) = account.contacts.get(contact) else { return Some("Deleted") };
    if stored.is_suppressed_everywhere() {
        return Some(match stored.status() {
            ChannelStatus::Unsubscribed => "Unsubscribed",
            _ => "Suppressed",
        });
    }
    let again = account.programs.all.get(&program)?.enrolled.contains_key(&contact);
    let refused = account.settings.switches.reenrolment == Reenrolment::AlreadyInProgram;
    (again && refused).then_some("AlreadyInProgram")
}

fn describe(account: &Account, contact: i64, reason: &str) -> EnrolmentFault {
    let stored = account.contacts.get(contact);
    EnrolmentFault {
        contact,
        email: stored.and_then(|stored| stored.email.as_deref()).map(str::to_owned),
        mobile: stored.and_then(|stored| stored.mobile.as_deref()).map(str::to_owned),
        reason: reason.to_owned(),
    }
}
