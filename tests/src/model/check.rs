use std::sync::atomic::Ordering;

use stateright::{Checker, HasDiscoveries, Model};

use crate::model::promise::Promise;
use crate::model::protocol::Protocol;
use crate::model::settings::Settings;

/// What a check came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many different states were looked at.
    pub states: usize,
    /// How many steps were taken between them.
    pub steps: usize,
    /// The most steps from the beginning to any state.
    pub depth: usize,
    /// The longest that any caller waited, in ticks.
    pub longest_wait: i8,
    /// The promises that do not hold, each with a shortest way to break it.
    pub broken: Vec<Counterexample>,
}

/// A way to break a promise.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// What is broken.
    pub promise: Promise,
    /// The steps, from the beginning.
    pub steps: Vec<String>,
    /// The state in which the promise is broken.
    pub state: String,
}

/// Looks at every state that a system of the given size can reach, on so many threads; ends at the first broken promise.
///
/// With one thread a counterexample is a shortest one.
pub fn check(settings: Settings, threads: usize) -> Outcome {
    let protocol = Protocol::new(settings);
    let longest_wait = protocol.longest_wait();
    let checker = protocol
        .checker()
        .threads(threads.max(1))
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let mut broken: Vec<_> = checker
        .discoveries()
        .into_iter()
        .filter_map(|(name, path)| {
            let promise = Promise::ALL.into_iter().find(|promise| promise.name() == name)?;
            let state = format!("{:#?}", path.last_state());
            let steps = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
            Some(Counterexample { promise, steps, state })
        })
        .collect();
    broken.sort_by_key(|found| found.steps.len());
    Outcome {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        longest_wait: longest_wait.load(Ordering::Relaxed),
        broken,
    }
}
