/// Runs the suite of [`Store`](crate::Store): `fixture` is a future of an empty store and of what has to outlive it.
#[macro_export]
macro_rules! store_suite {
    ($fixture:expr) => {
        $crate::__conformance_cases! { $fixture;
            a_free_key_is_started,
            of_many_claims_one_wins,
            a_response_is_replayed_exactly,
            a_refusal_is_replayed_as_one,
            a_large_response_is_replayed_exactly,
            work_in_flight_is_told_with_its_lease,
            another_request_is_a_mismatch,
            another_version_of_the_fingerprint_is_not,
            failed_work_may_be_claimed_again,
            failed_work_stays_bound_to_its_request,
            an_unknown_outcome_is_never_claimed,
            an_expired_response_gives_the_key_away,
            keys_are_told_apart_by_case,
            migrating_again_changes_nothing,
            a_lease_that_is_over_is_taken_over_on_demand,
            a_lease_is_not_taken_over_by_another_request,
            a_late_owner_is_fenced,
            an_extended_lease_holds,
            work_is_settled_once,
            leased_work_runs_once,
            long_leased_work_keeps_the_others_away,
            another_process_waits_for_leased_work,
            a_failure_that_nobody_has_classed_is_not_run_again,
            a_response_too_large_to_keep_leaves_leased_work_unknown,
            a_crash_makes_the_outcome_unknown,
            a_crash_may_be_run_again_by_policy,
            an_unknown_outcome_is_reconciled,
            failures_of_leased_work_are_told_apart,
            a_stuck_key_is_resolved_by_hand,
            work_at_its_lease_is_not_resolved,
            work_that_comes_late_to_a_resolved_key_is_fenced,
            a_message_that_no_column_takes_does_not_keep_a_failure_from_the_record,
            it_agrees_with_the_store_in_memory,
            the_sweep_takes_what_is_over_and_nothing_else,
            the_sweep_takes_no_more_than_its_limit,
        }
    };
}

/// Runs the suite of [`TransactionalStore`](crate::TransactionalStore): `fixture` is a future of a
/// [`Shop`](crate::conformance::Shop).
#[cfg(feature = "sql")]
#[macro_export]
macro_rules! transactional_suite {
    ($fixture:expr) => {
        $crate::__conformance_cases! { $fixture;
            a_repeat_is_answered_byte_for_byte,
            another_process_is_answered_from_the_table,
            a_key_is_bound_to_its_request,
            a_refusal_undoes_the_effect_and_is_replayed,
            failed_work_is_undone_and_may_run_again,
            work_that_did_not_start_leaves_nothing,
            work_that_may_have_been_applied_never_runs_again,
            work_that_ended_its_transaction_and_may_have_been_applied_never_runs_again,
            a_response_over_the_limit_undoes_the_effect,
            a_nested_transaction_is_a_savepoint,
            work_that_panics_leaves_nothing,
            people_can_read_the_table,
            a_key_may_live_in_a_transaction_of_the_callers,
            leased_work_may_end_in_a_transaction,
            leased_work_left_behind_is_unknown_to_a_transaction,
            of_a_hundred_twins_one_runs,
            twins_in_two_processes_have_one_effect,
            a_twin_in_another_process_waits_for_the_answer,
            a_twin_that_may_not_wait_is_told_at_once,
            failures_among_twins_reach_nobody_else,
            a_request_dropped_at_any_await_leaves_all_or_nothing,
            a_request_dropped_at_any_await_leaves_its_connection_fit,
        }
    };
}

/// Runs the suite of [`FencingStore`](crate::FencingStore): `fixture` is a future of a
/// [`Shop`](crate::conformance::Shop).
#[cfg(feature = "lock")]
#[macro_export]
macro_rules! locked_suite {
    ($fixture:expr) => {
        $crate::__conformance_cases! { $fixture;
            the_lock_is_held_around_the_transaction,
            a_repeat_does_not_wait_for_the_lock,
            without_the_lock_nothing_begins,
            an_overtaken_holder_cannot_commit,
            each_of_several_locks_is_checked,
            a_token_may_be_shown_again,
            two_holders_work_one_after_the_other,
            work_that_loses_its_lock_is_undone,
            work_that_outlives_its_lock_is_not_committed,
            a_fence_of_the_users_own_costs_nothing,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ($fixture:expr; $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::cases::$case($fixture.await).await;
            }
        )+
    };
}
