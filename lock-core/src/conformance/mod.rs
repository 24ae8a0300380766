//! What every [`LockBackend`](crate::LockBackend) has to keep, as tests.
//!
//! [`conformance_suite!`](crate::conformance_suite) makes each case a test of its own:
//!
//! ```
//! use lock_core::{InProcessBackend, LockBackend};
//! use std::sync::Arc;
//!
//! async fn backend() -> Arc<dyn LockBackend> {
//!     Arc::new(InProcessBackend::new())
//! }
//!
//! lock_core::conformance_suite!(backend);
//! # fn main() {}
//! ```

#![allow(clippy::expect_used, clippy::panic, reason = "a test suite: a promise that is not kept is a panic")]

mod cases;
mod inspection;
mod node;

pub use cases::*;
pub use inspection::a_key_is_shown_and_listed_while_it_is_owned;
pub use node::Node;

/// Makes every case of the suite a `#[tokio::test]`.
///
/// Takes the path of an `async fn() -> Arc<dyn LockBackend>`. Keys are unique, so one server may serve all cases.
#[macro_export]
macro_rules! conformance_suite {
    ($backend:path) => {
        $crate::conformance_suite! { @cases $backend;
            a_free_key_is_granted
            a_busy_key_answers_how_long_its_lease_lasts
            who_does_not_wait_is_not_queued
            a_repeated_acquire_of_the_owner_is_granted_again
            a_repeated_acquire_of_a_waiter_keeps_its_place
            a_release_makes_the_longest_queued_the_owner
            a_repeated_release_does_not_free_the_next_owner
            a_release_by_another_ticket_changes_nothing
            a_requeued_ticket_owns_a_key_that_nobody_else_wants
            a_requeued_ticket_comes_after_those_who_queued
            a_lease_ends
            after_a_lease_ended_the_queue_comes_first
            a_release_after_the_lease_ended_helps_the_queue_along
            a_cancel_after_the_lease_ended_helps_the_queue_along
            a_renewed_lease_goes_on
            a_renewal_names_the_keys_that_are_lost
            a_renewal_never_shortens_a_lease
            a_cancelled_ticket_is_not_granted
            a_cancel_after_the_grant_is_a_release
            a_detached_node_is_skipped
            tokens_grow_from_grant_to_grant
            the_owner_hears_that_another_node_queues
            many_nodes_get_one_turn_each_in_order
            a_key_is_shown_and_listed_while_it_is_owned
        }
    };
    (@cases $backend:path; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::$case($backend().await).await;
            }
        )*
    };
}
