//! The contract suite: the promises of a log, as tests for any engine.
//!
//! An engine implements [`Rig`] in its tests and passes a function that makes one to
//! [`contract_tests!`](crate::contract_tests).
//!
//! **Invariant:** no test waits for time to pass; each waits for a condition, or not at all.
#![expect(clippy::missing_panics_doc, reason = "tests fail by panicking")]

mod appending;
mod commands;
mod erasing;
mod reading;
mod sample;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::{appending::*, commands::*, erasing::*, reading::*};
use crate::ErasableLog;

/// A log under test.
#[async_trait]
pub trait Rig: Send {
    /// The log; empty at first.
    fn log(&self) -> Arc<dyn ErasableLog>;

    /// Closes the log and opens it again, as a restart of the server would. Every `Arc` that
    /// [`Self::log`] gave was dropped. An engine that stores nothing does nothing.
    async fn reopen(&mut self);
}

/// Makes a test of each rule of the contract. `$rig` is an async function that returns a [`Rig`].
///
/// The calling crate needs tokio with the features `macros` and `rt`.
#[macro_export]
macro_rules! contract_tests {
    ($rig:path) => {
        $crate::contract_tests!($rig:
            positions_are_dense_and_revisions_count_events
            stale_guard_conflicts_and_writes_nothing
            unfit_commits_are_refused
            largest_commits_are_kept_whole
            pipelined_appends_are_applied_in_order
            dropped_append_goes_on
            one_racer_wins_each_guard
            append_that_builds_on_a_failed_one_fails_too
            append_that_builds_on_what_was_not_written_fails
            guards_hold_over_erasing_and_reopening
            backlog_ends_when_appends_are_answered
            command_gives_its_first_result_again
            command_is_remembered_after_reopening
            command_repeated_in_the_same_breath_is_written_once
            find_names_the_commit_of_a_command
            reads_give_what_was_appended_in_order
            pages_end_where_the_log_does
            streams_are_read_in_pages
            pages_are_bounded_in_bytes
            get_gives_records_in_the_order_asked_for
            head_is_where_the_stream_ends
            records_form_a_chain
            nothing_is_read_before_it_is_durable
            catching_up_then_following_sees_each_once
            all_is_there_after_reopening
            erased_content_is_gone_and_all_else_stays
            what_is_erased_stays_so_after_reopening
            erasing_again_changes_nothing
            any_event_of_the_largest_commits_can_be_erased
            what_is_not_there_cannot_be_erased
            erasing_goes_on_beside_appends
            facts_of_every_kind_of_stream_can_be_erased
        );
    };
    ($rig:path: $($rule:ident)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                $crate::contract::$rule(&mut $rig().await).await;
            }
        )*
    };
}
