//! The contract of [`StateStore`](crate::StateStore).

mod bench;
mod durable;
mod erasure;
mod head;
mod lease;
mod rows;
mod snapshots;

use std::sync::Arc;

use super::check::{Conformance, check_each};
use crate::StateStore;

type Store = Arc<dyn StateStore>;

/// Checks a store against the contract of [`StateStore`], each clause on a new one.
///
/// `make` gives a new, empty store each time it is called. The suite brings its own time, and waits
/// for nothing. A store that does real work on other threads should be tested on a runtime with
/// several, since one clause asks for the same lease from many tasks at once.
///
/// # Errors
///
/// Returns the clauses that the store breaks.
///
/// # Examples
///
/// ```
/// use activation_core::{FingerprintKey, MemoryStore, conformance};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// conformance::state_store(async || MemoryStore::new(FingerprintKey::new([7; 16]))).await.unwrap();
/// # }
/// ```
pub async fn state_store<S: StateStore + 'static>(make: impl AsyncFn() -> S) -> Conformance {
    let store = async || shared(make().await);
    check_each!("StateStore", (store().await);
        lease::a_lease_keeps_others_out_and_names_its_holder,
        lease::one_of_many_at_once_gets_the_lease,
        lease::a_released_lease_is_free_at_once,
        lease::a_lease_ends_with_its_time,
        lease::a_renewed_lease_ends_later,
        lease::tokens_grow_whatever_ended_the_lease_before,
        lease::releasing_an_old_lease_does_not_end_the_new_one,
        lease::a_holder_who_was_followed_can_write_nothing,
        lease::a_lease_that_was_given_back_can_write_nothing,
        lease::a_lease_of_nobody_can_write_nothing,
        lease::a_late_holder_whom_nobody_followed_may_write,
        head::an_activation_never_committed_is_empty,
        head::a_commit_changes_head_journal_and_held_members_together,
        head::a_commit_from_another_generation_changes_nothing,
        head::a_commit_that_skips_a_generation_changes_nothing,
        head::a_commit_of_a_missing_snapshot_changes_nothing,
        head::a_commit_of_a_snapshot_of_another_length_changes_nothing,
        head::a_commit_of_the_snapshot_of_another_activation_changes_nothing,
        head::a_commit_may_keep_the_snapshot_or_drop_it,
        rows::the_journal_keeps_its_order_until_its_batches_retire,
        rows::journal_bodies_come_back_byte_for_byte,
        rows::held_members_are_inserted_replaced_and_removed,
        rows::a_member_held_and_no_longer_held_in_one_commit_is_held,
        rows::absent_members_are_replaced_together_or_kept,
        rows::activations_with_any_name_do_not_influence_each_other,
        rows::the_fingerprint_key_stays,
        erasure::activations_are_listed_once_they_had_a_lease,
        erasure::a_scrub_keeps_the_state_and_nothing_else,
        erasure::a_scrub_needs_its_lease,
        snapshots::an_empty_snapshot_comes_back_empty,
        snapshots::a_snapshot_of_many_chunks_comes_back_byte_for_byte,
        snapshots::a_scan_opened_before_a_commit_reads_on,
        snapshots::a_reader_overtaken_by_a_commit_is_told_to_start_again,
        snapshots::an_unfinished_snapshot_counts_for_nothing,
        snapshots::a_finished_snapshot_counts_for_nothing_until_committed,
    )
}

/// Checks that a store which claims to be durable is: each clause writes to it, drops it, opens it
/// again and looks.
///
/// `open` opens the store number `n`, which is empty the first time that `n` is given. Leaves aside
/// what only a killed process or a power cut shows.
///
/// # Errors
///
/// Returns the clauses that the store breaks.
pub async fn durable_state_store<S: StateStore + 'static>(
    open: impl AsyncFn(u32) -> S,
) -> Conformance {
    let numbers = std::cell::Cell::new(0);
    let open = &open;
    let next = || {
        let number = numbers.replace(numbers.get() + 1);
        async move || shared(open(number).await)
    };
    check_each!("a durable StateStore", (&next());
        durable::an_appended_entry_is_still_there,
        durable::a_commit_is_still_there,
        durable::what_no_commit_named_still_counts_for_nothing,
        durable::tokens_go_on_growing,
        durable::a_holder_of_before_is_fenced,
        durable::the_key_is_the_same,
    )
}

fn shared(store: impl StateStore + 'static) -> Store {
    Arc::new(store)
}
