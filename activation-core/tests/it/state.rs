//! Both stores against the contract, and the directory store against crashes and damage.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

mod contract;
#[cfg(all(feature = "directory", feature = "test-util"))]
mod crash;
#[cfg(feature = "directory")]
mod damage;
#[cfg(feature = "directory")]
mod directory;
#[cfg(feature = "directory")]
mod read_only;
mod tools;

/// Runs every clause of the contract against new stores.
macro_rules! keeps_the_contract {
    ($store:ident, $make:expr) => {
        mod $store {
            use super::*;

            keeps_the_contract! { @each $make;
                a_lease_keeps_others_out_and_names_its_holder
                one_of_many_at_once_gets_the_lease
                a_released_lease_is_free_at_once
                a_lease_ends_with_its_time
                a_renewed_lease_ends_later
                tokens_grow_whatever_ended_the_lease_before
                releasing_an_old_lease_does_not_end_the_new_one
                a_holder_who_was_followed_can_write_nothing
                a_lease_that_was_given_back_can_write_nothing
                a_lease_of_nobody_can_write_nothing
                a_late_holder_whom_nobody_followed_may_write
                an_activation_never_committed_is_empty
                a_commit_changes_head_journal_and_held_members_together
                a_commit_from_another_generation_changes_nothing
                a_commit_that_skips_a_generation_changes_nothing
                a_commit_of_a_missing_snapshot_changes_nothing
                a_commit_of_a_snapshot_of_another_length_changes_nothing
                a_commit_of_the_snapshot_of_another_activation_changes_nothing
                a_commit_may_keep_the_snapshot_or_drop_it
                the_journal_keeps_its_order_until_its_batches_retire
                journal_bodies_come_back_byte_for_byte
                held_members_are_inserted_replaced_and_removed
                a_member_held_and_no_longer_held_in_one_commit_is_held
                an_empty_snapshot_comes_back_empty
                a_snapshot_of_many_chunks_comes_back_byte_for_byte
                a_scan_opened_before_a_commit_reads_on
                a_reader_overtaken_by_a_commit_is_told_to_start_again
                an_unfinished_snapshot_counts_for_nothing
                a_finished_snapshot_counts_for_nothing_until_committed
                activations_with_any_name_do_not_influence_each_other
                the_fingerprint_key_stays
                absent_members_are_replaced_together_or_kept
                activations_are_listed_once_they_had_a_lease
                a_scrub_keeps_the_state_and_nothing_else
                a_scrub_needs_its_lease
            }
        }
    };
    (@each $make:expr; $($clause:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                contract::$clause($make).await;
            }
        )*
    };
}

keeps_the_contract!(memory_store, tools::memory_stores());
#[cfg(feature = "directory")]
keeps_the_contract!(directory_store, tools::directory_stores());
