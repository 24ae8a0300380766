//! The protocol keeps its promises in every state of small systems, and the check notices when a rule is broken.
//!
//! `cargo run --release -p interlock-tests --bin model_check` checks larger ones; see `docs/proofs.md`.

use clap::ValueEnum;
use interlock_tests::model::FaultKind::{Crash, Cut, Delay, Duplicate, Forget, Freeze, Lose};
use interlock_tests::model::{FaultKind, Mutation, Outcome, Promise, Settings, check};

fn holds(settings: Settings) -> Outcome {
    let outcome = check(settings, 1);
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
    outcome
}

/// One thing goes wrong, at any time.
fn with_a_fault(kind: FaultKind) {
    let settings = Settings { faults: 1, kinds: vec![kind], ..Settings::default() };
    let without = holds(Settings::default());
    let outcome = holds(settings);
    assert!(outcome.states > without.states, "the fault never happens");
}

macro_rules! keeps_its_promises {
    ($($name:ident: $kind:expr;)*) => { $(
        #[test]
        fn $name() {
            with_a_fault($kind);
        }
    )* };
}

keeps_its_promises! {
    keeps_its_promises_when_a_message_is_lost: Lose;
    keeps_its_promises_when_a_command_is_sent_twice: Duplicate;
    keeps_its_promises_when_a_message_is_late: Delay;
    keeps_its_promises_when_a_node_ends: Crash;
    keeps_its_promises_when_a_node_stands_still: Freeze;
    keeps_its_promises_when_a_subscription_breaks: Cut;
    keeps_its_promises_when_the_server_forgets: Forget;
}

#[test]
fn keeps_its_promises_with_two_callers_at_a_node_of_whom_one_leaves() {
    holds(Settings { callers: vec![2, 1], block: 1, leavers: 1, ..Settings::default() });
}

#[test]
fn keeps_its_promises_with_an_extension_and_idle_keys_kept() {
    holds(Settings { callers: vec![1, 1], retain: 1, extensions: 1, ..Settings::default() });
}

#[test]
fn a_wait_is_as_long_as_the_bound_and_no_longer() {
    let settings = Settings { callers: vec![2, 1], ..Settings::default() };
    let bound = settings.bound();
    assert_eq!(holds(settings).longest_wait, bound);
}

/// Breaks one rule in a system of the given size, and looks for the promise that goes with it.
fn breaks(mutation: Mutation, promise: Promise, settings: Settings) {
    let outcome = check(Settings { mutation: Some(mutation), promises: vec![promise], ..settings }, 1);
    assert!(!outcome.broken.is_empty(), "{mutation:?} breaks nothing in {} states", outcome.states);
}

fn one_caller_each(kinds: &[FaultKind]) -> Settings {
    Settings { faults: 1, kinds: kinds.to_vec(), ..Settings::default() }
}

macro_rules! breaks {
    ($($name:ident: $mutation:ident => $promise:ident, $settings:expr;)*) => {
        $(
            #[test]
            fn $name() {
                breaks(Mutation::$mutation, Promise::$promise, $settings);
            }
        )*

        #[test]
        fn every_mutation_has_its_test() {
            let tested = [$(Mutation::$mutation),*];
            assert!(Mutation::ALL.iter().all(|each| tested.contains(each) || COURTESIES.contains(each)));
        }
    };
}

breaks! {
    a_release_must_look_at_the_ticket:
        ReleaseUnchecked => MutualExclusion, Settings { callers: vec![2, 1], ..one_caller_each(&[Duplicate]) };
    a_ticket_must_be_fresh:
        TicketReused => MutualExclusion, Settings { callers: vec![2, 1], ..one_caller_each(&[Duplicate]) };
    a_repeated_acquire_must_not_count:
        AcquireCounts => NoGrantIsForgotten, one_caller_each(&[Duplicate]);
    a_repeated_acquire_must_not_shorten_the_lease:
        AcquireShortens => MutualExclusion, Settings { extensions: 1, ..one_caller_each(&[Duplicate]) };
    a_renewal_must_not_shorten_the_lease:
        RenewShortens => MutualExclusion, Settings { extensions: 1, ..one_caller_each(&[Freeze]) };
    a_deadline_must_count_from_before_the_command:
        DeadlineFromReply => MutualExclusion, one_caller_each(&[Delay]);
    a_deadline_must_count_from_the_servers_time:
        DeadlineFromEvent => MutualExclusion, Settings { callers: vec![2, 1], ..one_caller_each(&[Delay]) };
    a_guard_must_end_at_its_deadline:
        NoDeadline => MutualExclusion, one_caller_each(&[Freeze]);
    a_waiter_must_ask_again:
        NoRetryTimer => NobodyWaitsTooLong, one_caller_each(&[Lose]);
    a_waiter_must_ask_again_after_a_cut:
        NoAskAfterCut => NobodyWaitsTooLong, Settings { patience: Some(4), ..one_caller_each(&[Cut]) };
    a_grant_must_skip_the_dead:
        GrantToTheDead => GrantsGoToTheLiving, one_caller_each(&[Crash]);
    an_orphan_must_be_given_back:
        OrphanKept => NoGrantIsForgotten, Settings { leavers: 1, ..Settings::default() };
    tokens_must_follow_the_clock:
        TokensFromCounter => TokensGrowInGrantOrder, one_caller_each(&[Forget]);
    a_stale_grant_must_be_ignored:
        StaleGrantTaken => TokensGrowFromGuardToGuard,
        Settings { callers: vec![1, 2], block: 1, ..one_caller_each(&[Delay]) };
    to_own_the_key_must_not_suffice_to_go_on_with_tokens:
        GoOnUnchecked => TokensGrowFromGuardToGuard, Settings { callers: vec![2, 1], ..one_caller_each(&[Delay]) };
    overtaking_must_end:
        OvertakeUnbounded => OvertakingIsBounded, Settings { callers: vec![3, 1], ..Settings::default() };
    overtaking_must_end_with_fresh_tokens_too:
        OvertakeRestarts => OvertakingIsBounded,
        Settings { callers: vec![4, 1], block: 1, overtake: 2, ..Settings::default() };
    a_grant_must_say_that_others_queue:
        GrantSaysNothing => OvertakingIsBounded, Settings { callers: vec![1, 2, 1], ..Settings::default() };
    that_others_queue_must_be_noted_before_the_grant_is_known:
        WantedTooEarly => OvertakingIsBounded, Settings { callers: vec![2, 1], ..Settings::default() };
}

#[test]
fn every_mutation_is_documented() {
    let document = include_str!("../../docs/proofs.md");
    for mutation in Mutation::ALL {
        let name = mutation.to_possible_value().unwrap();
        assert!(document.contains(&format!("`{}`", name.get_name())), "{name:?} is missing");
    }
}

#[test]
fn after_a_cut_a_waiter_asks_again_before_the_lease_is_over() {
    holds(Settings { patience: Some(4), ..one_caller_each(&[Cut]) });
}

/// What these rules do sooner, or once more, something else does in the end: without them the promises hold all the same.
const COURTESIES: [Mutation; 4] =
    [Mutation::NoCancel, Mutation::LateReleaseHelpsNobody, Mutation::NoReclaim, Mutation::RetryKeepsTokens];

/// A ticket that stays in the queue costs a hand-over, for its grant is given back.
#[test]
fn leaving_the_queue_is_a_courtesy() {
    holds(Settings { mutation: Some(Mutation::NoCancel), leavers: 1, ..one_caller_each(&[Lose]) });
}

/// Those who queue ask themselves when the lease is over.
#[test]
fn helping_along_after_the_lease_is_a_courtesy() {
    holds(Settings { mutation: Some(Mutation::LateReleaseHelpsNobody), ..one_caller_each(&[Freeze]) });
}

/// What is owned for nobody ends with its lease.
#[test]
fn giving_back_what_is_owned_for_nobody_is_a_courtesy() {
    holds(Settings { mutation: Some(Mutation::NoReclaim), ..one_caller_each(&[Duplicate]) });
}

/// Tokens that were used in between are not the last ones of the key any more.
#[test]
fn leaving_tokens_out_of_a_repeated_release_is_a_courtesy() {
    let settings = Settings { callers: vec![3], ..one_caller_each(&[Lose]) };
    holds(Settings { mutation: Some(Mutation::RetryKeepsTokens), ..settings });
}
