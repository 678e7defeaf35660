//! The contract of [`Destination`].

mod bench;
mod lists;
mod members;
mod moves;
mod sending;
mod trouble;

use self::bench::Bench;
pub use self::trouble::Trouble;
use super::check::{Conformance, check_each};
use crate::{Clock, Destination};

/// Checks a destination against the contract of [`Destination`].
///
/// Works on a real account too, best one for tests: it creates about two dozen lists whose names
/// begin with `name`, and about 400 contacts at `example.com`, and cannot take them away again.
/// `name` must not have been used before on this account; letters and digits are best. `clock` is
/// the one that the destination goes by: the suite sleeps on it between two questions about a job,
/// and waits for one up to an hour.
///
/// # Errors
///
/// Returns the clauses that the destination breaks.
pub async fn destination(
    destination: &dyn Destination,
    clock: &dyn Clock,
    name: &str,
) -> Conformance {
    let bench = &Bench::new(destination, clock, name);
    check_each!("Destination", (bench);
        lists::the_account_never_changes,
        lists::a_new_list_is_found_by_id_and_by_name_whatever_its_case,
        lists::a_list_that_does_not_exist_is_none,
        lists::a_taken_name_is_refused_and_the_list_stays_the_one_it_was,
        lists::an_update_changes_name_and_visibility,
        lists::an_update_to_a_taken_name_is_refused,
        lists::an_update_of_a_list_that_does_not_exist_says_so,
        members::acknowledged_additions_are_on_the_list,
        members::adding_again_succeeds_and_changes_nothing,
        members::acknowledged_removals_are_off_the_list_and_others_stay,
        members::removing_who_is_not_on_the_list_succeeds_and_changes_nothing,
        members::removal_takes_nobody_off_another_list,
        members::removal_deletes_nobody,
        members::contacts_are_found_in_the_order_asked,
        members::looking_somebody_up_creates_nobody,
        moves::a_move_gives_the_same_contact_the_new_identifier_and_changes_nothing_again,
        moves::a_move_takes_no_identifier_away_from_another_contact,
        sending::at_least_one_member_fits_into_a_submission,
        sending::no_more_members_fit_into_a_submission_than_there_are,
        sending::a_settled_submission_has_an_outcome_for_each_member,
        sending::a_receipt_may_be_written_down_and_asked_about_twice,
        sending::no_fewer_calls_are_made_than_estimated,
        sending::an_estimate_of_the_same_is_the_same,
        sending::every_call_is_counted,
    )
}

/// Checks what a destination says when the service cannot be reached, or acts and its answer is
/// lost.
///
/// `trouble` brings the service, or the way to it, into the state it is called with, until it is
/// called again. The rest is as with [`destination`].
///
/// # Errors
///
/// Returns the clauses that the destination breaks.
pub async fn destination_in_trouble(
    destination: &dyn Destination,
    clock: &dyn Clock,
    name: &str,
    trouble: impl AsyncFn(Trouble),
) -> Conformance {
    let bench = &Bench::new(destination, clock, name);
    check_each!("a Destination in trouble", (bench, &trouble);
        trouble::a_lost_answer_to_a_creation_is_an_unknown_outcome,
        trouble::a_lost_answer_to_a_batch_is_an_unknown_outcome,
        trouble::a_creation_that_never_arrived_says_so,
        trouble::a_batch_that_never_arrived_says_so,
        trouble::a_question_that_cannot_be_asked_leaves_the_job_alone,
    )
}
