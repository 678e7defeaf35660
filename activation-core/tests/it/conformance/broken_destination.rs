//! Destinations that break one clause each: wrappers around the one that keeps them all.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use activation_core::{
    Batch, BatchMember, ContactId, Destination, DestinationError, DestinationErrorKind, Identifier,
    Limits, ListState, ListWish, MemberOutcome, MemberScan, MissingContacts, Operation, Receipt,
    Settlement, Submission, Visibility, conformance, dotdigital::Dotdigital,
};
use async_trait::async_trait;
use dotdigital_client::simulator::{Fault, JobLatency, SimulatorSettings};

use super::{each_breach_is_found, ours::cause};
use crate::world::{EngineClock, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    NamesTheAccountAnew,
    LooksForExactNames,
    FailsOnLostLists,
    GivesTheListThatIsThere,
    ForgetsTheVisibility,
    KeepsTheOldNameSilently,
    BlamesTheConfiguration,
    OnlySaysItAdded,
    RefusesWhoIsThere,
    OnlySaysItRemoved,
    RefusesWhoIsNotThere,
    RemovesFromEveryList,
    DeletesContacts,
    FindsInAnyOrder,
    CreatesWhomItLooksUp,
    OnlySaysItMoved,
    SaysItTookWhatIsTaken,
    FitsNobody,
    FitsMoreThanThereAre,
    LeavesOutcomesOut,
    ForgetsEndedJobs,
    EstimatesTooMuch,
    EstimatesDifferently,
    CountsNoCalls,
    CreationSurelyFailed,
    BatchSurelyFailed,
    CreationMayHaveArrived,
    BatchMayHaveArrived,
    FailsJobsItCannotAskAbout,
}

use Breach::*;

#[derive(Debug)]
struct BrokenDestination {
    good: Dotdigital,
    breach: Option<Breach>,
    count: AtomicU64,
    lists: Mutex<BTreeSet<u64>>,
    deleted: Mutex<BTreeSet<u64>>,
    looked_up: Mutex<BTreeSet<String>>,
    ended: Mutex<BTreeSet<String>>,
}

impl BrokenDestination {
    fn new(good: Dotdigital, breach: Option<Breach>) -> Self {
        Self {
            good,
            breach,
            count: AtomicU64::new(0),
            lists: Mutex::default(),
            deleted: Mutex::default(),
            looked_up: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    fn is(&self, breach: Breach) -> bool {
        self.breach == Some(breach)
    }

    async fn on_list(&self, list_id: u64, member: &BatchMember) -> bool {
        let mut scan = self.good.members(list_id);
        while let Ok(Some(page)) = scan.next_page().await {
            if page.iter().any(|listed| {
                Some(listed.contact) == member.contact
                    || member.identifier.iter().any(|name| listed.identifiers.contains(name))
            }) {
                return true;
            }
        }
        false
    }

    /// Says the same of every member, and does nothing.
    fn all(batch: &Batch, outcome: &MemberOutcome) -> Submission {
        let outcomes = vec![outcome.clone(); batch.members.len()];
        Submission::Settled { outcomes, stopped_by: None }
    }

    fn said(&self, error: DestinationError, surely: Breach, maybe: Breach) -> DestinationError {
        let kind = match error.kind {
            DestinationErrorKind::Unknown if self.is(surely) => {
                DestinationErrorKind::Unavailable { until: None }
            }
            DestinationErrorKind::Unavailable { .. } if self.is(maybe) => {
                DestinationErrorKind::Unknown
            }
            kind => kind,
        };
        DestinationError::new(kind, error.message)
    }
}

fn done() -> MemberOutcome {
    MemberOutcome::Acknowledged { contact: None }
}

fn refused() -> MemberOutcome {
    MemberOutcome::Hold { cause: "no_change".to_owned() }
}

#[async_trait]
impl Destination for BrokenDestination {
    async fn account(&self) -> Result<String, DestinationError> {
        let account = self.good.account().await?;
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        Ok(if self.is(NamesTheAccountAnew) { format!("{account}/{count}") } else { account })
    }

    async fn list(&self, list_id: u64) -> Result<Option<ListState>, DestinationError> {
        let list = self.good.list(list_id).await?;
        if self.is(FailsOnLostLists) && list.is_none() {
            return Err(DestinationError::new(DestinationErrorKind::ListGone, "gone"));
        }
        Ok(list)
    }

    async fn list_named(&self, name: &str) -> Result<Option<ListState>, DestinationError> {
        let list = self.good.list_named(name).await?;
        Ok(list.filter(|list| !self.is(LooksForExactNames) || list.name == name))
    }

    async fn create_list(&self, wanted: &ListWish) -> Result<ListState, DestinationError> {
        let list = match self.good.create_list(wanted).await {
            Ok(list) => list,
            Err(error) => {
                let there = self.good.list_named(&wanted.name).await.ok().flatten();
                return match there {
                    Some(list) if self.is(GivesTheListThatIsThere) => Ok(list),
                    _ => Err(self.said(error, CreationSurelyFailed, CreationMayHaveArrived)),
                };
            }
        };
        self.lists.lock().unwrap().insert(list.id);
        Ok(list)
    }

    async fn update_list(
        &self,
        list_id: u64,
        wanted: &ListWish,
    ) -> Result<ListState, DestinationError> {
        let mut wanted = wanted.clone();
        if self.is(ForgetsTheVisibility) {
            wanted.visibility = Visibility::Private;
        }
        match (self.good.update_list(list_id, &wanted).await, self.breach) {
            (Err(error), Some(KeepsTheOldNameSilently)) => {
                self.good.list(list_id).await?.ok_or(error)
            }
            (Err(error), Some(BlamesTheConfiguration)) => {
                Err(DestinationError::new(DestinationErrorKind::Configuration, error.message))
            }
            (answer, _) => answer,
        }
    }

    fn limits(&self) -> Limits {
        self.good.limits()
    }

    fn batch_size(&self, list_id: u64, operation: Operation, members: &[BatchMember]) -> usize {
        match self.breach {
            Some(FitsNobody) => 0,
            Some(FitsMoreThanThereAre) => members.len() + 5,
            _ => self.good.batch_size(list_id, operation, members),
        }
    }

    fn estimate_calls(&self, operation: Operation, members: u64, policy: MissingContacts) -> u64 {
        match self.breach {
            Some(EstimatesTooMuch) => 1_000,
            Some(EstimatesDifferently) => self.count.fetch_add(1, Ordering::SeqCst),
            _ => self.good.estimate_calls(operation, members, policy),
        }
    }

    fn can_move(&self) -> bool {
        self.good.can_move()
    }

    async fn find_contacts(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Vec<Option<ContactId>>, DestinationError> {
        let mut contacts = self.good.find_contacts(identifiers).await?;
        match self.breach {
            Some(FindsInAnyOrder) => contacts.sort(),
            Some(DeletesContacts) => {
                let deleted = self.deleted.lock().unwrap();
                for contact in &mut contacts {
                    *contact = contact.filter(|contact| !deleted.contains(&contact.get()));
                }
            }
            Some(CreatesWhomItLooksUp) => {
                for (contact, identifier) in contacts.iter_mut().zip(identifiers) {
                    if !self.looked_up.lock().unwrap().insert(identifier.to_text()) {
                        *contact = contact.or(ContactId::new(999));
                    }
                }
            }
            _ => {}
        }
        Ok(contacts)
    }

    async fn submit(&self, list_id: u64, batch: &Batch) -> Result<Submission, DestinationError> {
        let first_is_there = self.on_list(list_id, &batch.members[0]).await;
        match (batch.operation, self.breach) {
            (Operation::Add, Some(OnlySaysItAdded))
            | (Operation::Remove, Some(OnlySaysItRemoved))
            | (Operation::Move, Some(OnlySaysItMoved)) => {
                return Ok(Self::all(batch, &done()));
            }
            (Operation::Add, Some(RefusesWhoIsThere)) if first_is_there => {
                return Ok(Self::all(batch, &refused()));
            }
            (Operation::Remove, Some(RefusesWhoIsNotThere)) if !first_is_there => {
                return Ok(Self::all(batch, &refused()));
            }
            (Operation::Move, Some(SaysItTookWhatIsTaken)) => {
                let wanted: Vec<_> = batch.members[0].identifier.iter().cloned().collect();
                let owner = self.good.find_contacts(&wanted).await?[0];
                if owner.is_some_and(|owner| Some(owner) != batch.members[0].contact) {
                    return Ok(Self::all(batch, &done()));
                }
            }
            (Operation::Remove, Some(RemovesFromEveryList)) => {
                let lists = self.lists.lock().unwrap().clone();
                for list in lists {
                    self.good.submit(list, batch).await?;
                }
            }
            (Operation::Remove, Some(DeletesContacts)) => {
                let contacts = batch.members.iter().filter_map(|member| member.contact);
                self.deleted.lock().unwrap().extend(contacts.map(ContactId::get));
            }
            _ => {}
        }
        match self.good.submit(list_id, batch).await {
            Ok(Submission::Settled { mut outcomes, stopped_by }) => {
                if self.is(LeavesOutcomesOut) {
                    outcomes.pop();
                }
                Ok(Submission::Settled { outcomes, stopped_by })
            }
            Ok(receipt) => Ok(receipt),
            Err(error) => Err(self.said(error, BatchSurelyFailed, BatchMayHaveArrived)),
        }
    }

    async fn settle(&self, receipt: &Receipt) -> Result<Settlement, DestinationError> {
        let code = || "unknown_job".to_owned();
        if self.is(ForgetsEndedJobs) && self.ended.lock().unwrap().contains(&receipt.id) {
            return Ok(Settlement::Refused { code: code() });
        }
        let answer = self.good.settle(receipt).await;
        if matches!(answer, Ok(Settlement::Pending)) {
            return answer;
        }
        if answer.is_err() && self.is(FailsJobsItCannotAskAbout) {
            return Ok(Settlement::Refused { code: code() });
        }
        self.ended.lock().unwrap().insert(receipt.id.clone());
        answer
    }

    fn members(&self, list_id: u64) -> Box<dyn MemberScan> {
        self.good.members(list_id)
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        if self.is(CountsNoCalls) { BTreeMap::new() } else { self.good.calls() }
    }
}

#[tokio::test(start_paused = true)]
async fn each_breach_of_a_destinations_contract_is_found() {
    let breaches = [
        (NamesTheAccountAnew, "the_account_never_changes"),
        (LooksForExactNames, "a_new_list_is_found_by_id_and_by_name_whatever_its_case"),
        (FailsOnLostLists, "a_list_that_does_not_exist_is_none"),
        (GivesTheListThatIsThere, "a_taken_name_is_refused_and_the_list_stays_the_one_it_was"),
        (ForgetsTheVisibility, "an_update_changes_name_and_visibility"),
        (KeepsTheOldNameSilently, "an_update_to_a_taken_name_is_refused"),
        (BlamesTheConfiguration, "an_update_of_a_list_that_does_not_exist_says_so"),
        (OnlySaysItAdded, "acknowledged_additions_are_on_the_list"),
        (RefusesWhoIsThere, "adding_again_succeeds_and_changes_nothing"),
        (OnlySaysItRemoved, "acknowledged_removals_are_off_the_list_and_others_stay"),
        (RefusesWhoIsNotThere, "removing_who_is_not_on_the_list_succeeds_and_changes_nothing"),
        (RemovesFromEveryList, "removal_takes_nobody_off_another_list"),
        (DeletesContacts, "removal_deletes_nobody"),
        (FindsInAnyOrder, "contacts_are_found_in_the_order_asked"),
        (CreatesWhomItLooksUp, "looking_somebody_up_creates_nobody"),
        (
            OnlySaysItMoved,
            "a_move_gives_the_same_contact_the_new_identifier_and_changes_nothing_again",
        ),
        (SaysItTookWhatIsTaken, "a_move_takes_no_identifier_away_from_another_contact"),
        (FitsNobody, "at_least_one_member_fits_into_a_submission"),
        (FitsMoreThanThereAre, "no_more_members_fit_into_a_submission_than_there_are"),
        (LeavesOutcomesOut, "a_settled_submission_has_an_outcome_for_each_member"),
        (ForgetsEndedJobs, "a_receipt_may_be_written_down_and_asked_about_twice"),
        (EstimatesTooMuch, "no_fewer_calls_are_made_than_estimated"),
        (EstimatesDifferently, "an_estimate_of_the_same_is_the_same"),
        (CountsNoCalls, "every_call_is_counted"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let latency = JobLatency::NONE;
        let world = World::with(SimulatorSettings { latency, ..SimulatorSettings::default() });
        let destination = BrokenDestination::new(world.destination(), breach);
        conformance::destination(&destination, &EngineClock(world.clock), "suite").await
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn each_breach_of_the_contract_in_trouble_is_found() {
    let breaches = [
        (CreationSurelyFailed, "a_lost_answer_to_a_creation_is_an_unknown_outcome"),
        (BatchSurelyFailed, "a_lost_answer_to_a_batch_is_an_unknown_outcome"),
        (CreationMayHaveArrived, "a_creation_that_never_arrived_says_so"),
        (BatchMayHaveArrived, "a_batch_that_never_arrived_says_so"),
        (FailsJobsItCannotAskAbout, "a_question_that_cannot_be_asked_leaves_the_job_alone"),
    ];
    each_breach_is_found(&breaches, async |breach| {
        let world = World::new();
        let destination = BrokenDestination::new(world.destination(), breach);
        let trouble = async |trouble| cause(&world, &Fault::ResetAfterActing, trouble);
        let clock = EngineClock(world.clock);
        conformance::destination_in_trouble(&destination, &clock, "suite", trouble).await
    })
    .await;
}
