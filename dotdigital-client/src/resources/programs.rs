//! Programs and the enrolment of contacts in them.

mod enrolment;
mod faults;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, Repeat},
    client::Client,
    decode,
    error::{Error, ErrorKind},
    ids::{EnrolmentId, ProgramId},
    limits::Tier,
    paging::{self, Pages},
    polling::{self, PollPolicy},
    service_enum::service_enum,
};

pub use enrolment::{Enrolees, Enrolment, EnrolmentFilter, EnrolmentStatus, InvalidEnrolees};
pub use faults::EnrolmentFault;

/// The service's largest page of programs and of enrolments.
const LARGEST_PAGE: u32 = 1000;

service_enum! {
    /// Whether a program is at work.
    ProgramStatus {
        /// Not started yet.
        Draft = "Draft",
        /// At work: contacts can be enrolled.
        Active = "Active",
        /// Stopped.
        Deactivated = "Deactivated",
        /// Can be looked at only.
        ReadOnly = "ReadOnly",
    }
}

/// A program: what happens, step by step, to the contacts enrolled in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Program {
    /// The program's id, for as long as it exists.
    pub id: ProgramId,
    /// Its name.
    #[serde(default, deserialize_with = "decode::null_as_default")]
    pub name: String,
    /// Whether it is at work.
    pub status: ProgramStatus,
    /// When it was created. `None` when missing or in a spelling this crate does not know.
    #[serde(default, rename = "dateCreated", deserialize_with = "decode::lenient_time")]
    pub created: Option<DateTime<Utc>>,
}

/// Calls about programs and enrolments. From [`Client::programs`].
#[derive(Clone, Debug)]
pub struct Programs {
    client: Client,
}

impl Programs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All programs of the account, page by page.
    ///
    /// `GET /v2/programs` (tier: low)
    pub fn pages(&self) -> Pages<Program> {
        let call = Call::read("GET /v2/programs", Tier::Low);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, |it| paging::key(&it.id))
    }

    /// The program of that id, or `None` when there is none.
    ///
    /// `GET /v2/programs/{id}` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn find(&self, id: ProgramId) -> Result<Option<Program>, Error> {
        let call = find_call(id);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing(&error, "ERROR_PROGRAM_NOT_FOUND") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Enrols contacts, and all members of lists, in an active program, and returns at once: the
    /// work is done later. Whoever is enrolled gets what the program sends, a second time when
    /// enrolled twice and the program allows it, so this is never repeated once it may have been
    /// acted on.
    ///
    /// The service takes 20 such calls an hour for all programs of an account together. Beyond
    /// them it answers with the code `ERROR_ENROLMENT_ALLOWANCE_EXCEEDED`.
    ///
    /// `POST /v2/programs/enrolments` (tier: medium)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when the program, a contact or a list does not exist,
    /// [`ErrorKind::Rejected`] when the program is not active.
    pub async fn enrol(&self, program: ProgramId, who: &Enrolees) -> Result<Enrolment, Error> {
        let call = enrol_call(program, who)?;
        decode::json(&call, &self.client.send(&call).await?)
    }

    /// The enrolment of that id, or `None` when there is none.
    ///
    /// `GET /v2/programs/enrolments/{enrolmentId}` (tier: high)
    ///
    /// # Errors
    ///
    /// Fails as any call does.
    pub async fn enrolment(&self, id: &EnrolmentId) -> Result<Option<Enrolment>, Error> {
        let call = enrolment_call(id);
        match self.client.send(&call).await {
            Ok(answer) => decode::json(&call, &answer).map(Some),
            Err(error) if is_missing(&error, "ERROR_ENROLMENT_NOT_FOUND") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks about an enrolment until it has ended. Dropping the future leaves it at work.
    ///
    /// `GET /v2/programs/enrolments/{enrolmentId}` (tier: high)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is no such enrolment, and [`ErrorKind::GaveUp`] when it
    /// takes longer than `policy` allows.
    pub async fn wait(&self, id: &EnrolmentId, policy: &PollPolicy) -> Result<Enrolment, Error> {
        let has_ended = |enrolment: &Enrolment| enrolment.status.is_terminal();
        polling::until_ended(&self.client, &enrolment_call(id), policy, has_ended, |_| {}).await
    }

    /// All enrolments that are at work, or all that have ended, page by page.
    ///
    /// `GET /v2/programs/enrolments/{status}` (tier: low)
    pub fn enrolments(&self, filter: EnrolmentFilter) -> Pages<Enrolment> {
        let call = enrolments_call(filter);
        Pages::by_position(self.client.clone(), call, LARGEST_PAGE, |it| paging::key(&it.id))
    }

    /// The contacts that were not enrolled, once the enrolment has ended.
    ///
    /// `GET /v2/programs/enrolments/{id}/report-faults` (tier: low)
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] with the code `ERROR_ENROLMENT_IS_PROCESSING` while the enrolment
    /// is at work, and [`ErrorKind::NotFound`] when there is none.
    pub async fn enrolment_faults(&self, id: &EnrolmentId) -> Result<Vec<EnrolmentFault>, Error> {
        let call = faults_call(id);
        let answer = self.client.send(&call).await?;
        let report = faults::read(decode::without_mark(&answer.response.body));
        report.ok_or_else(|| Error::decode(&call, &answer, "the report is not CSV with a reason"))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnrolBody<'a> {
    program_id: ProgramId,
    #[serde(flatten)]
    who: &'a Enrolees,
}

/// Whether an error says that the thing of this code does not exist, and nothing else.
fn is_missing(error: &Error, code: &str) -> bool {
    error.kind() == ErrorKind::NotFound && error.code().is_none_or(|it| it == code)
}

fn find_call(id: ProgramId) -> Call {
    Call::read("GET /v2/programs/{id}", Tier::High).arg(id)
}

fn enrol_call(program: ProgramId, who: &Enrolees) -> Result<Call, Error> {
    let body = EnrolBody { program_id: program, who };
    Call::new("POST /v2/programs/enrolments", Tier::Medium, Repeat::ActsAgain).json(&body)
}

fn enrolment_call(id: &EnrolmentId) -> Call {
    Call::read("GET /v2/programs/enrolments/{enrolmentId}", Tier::High).arg(id)
}

fn enrolments_call(filter: EnrolmentFilter) -> Call {
    Call::read("GET /v2/programs/enrolments/{status}", Tier::Low).arg(filter.as_str())
}

fn faults_call(id: &EnrolmentId) -> Call {
    Call::read("GET /v2/programs/enrolments/{id}/report-faults", Tier::Low).arg(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ContactId;

    #[test]
    fn enrolling_is_never_marked_as_repeatable() {
        let who = Enrolees::contacts([ContactId::new(3).unwrap()]).unwrap();
        let call = enrol_call(ProgramId::new(1).unwrap(), &who).unwrap();
        assert_eq!(call.repeat, Repeat::ActsAgain);
    }
}
