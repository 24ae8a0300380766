use std::sync::Arc;
use std::sync::atomic::{AtomicI8, Ordering};

use stateright::{Model, Property};

use crate::model::action::Action;
use crate::model::fault::{Fault, FaultKind};
use crate::model::message::Unsent;
use crate::model::phase::Phase;
use crate::model::promise::nobody_waits_too_long;
use crate::model::settings::Settings;
use crate::model::system::System;

/// The protocol as a graph of states and steps.
pub(super) struct Protocol {
    settings: Settings,
    longest_wait: Arc<AtomicI8>,
}

impl Protocol {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, longest_wait: Arc::default() }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Filled in while the check goes on.
    pub(super) fn longest_wait(&self) -> Arc<AtomicI8> {
        Arc::clone(&self.longest_wait)
    }

    /// Whether nothing can happen any more but faults.
    pub(super) fn is_over(&self, system: &System) -> bool {
        let mut actions = Vec::new();
        self.steps(system, &mut actions);
        actions.is_empty()
    }

    fn steps(&self, system: &System, actions: &mut Vec<Action>) {
        actions.extend(
            system
                .network
                .distinct()
                .filter(|message| system.can_arrive(message))
                .copied()
                .map(Action::Deliver),
        );
        for (number, node) in system.numbered() {
            if node.frozen > 0 {
                actions.push(Action::Thaw { node: number });
            }
            if !node.acts() {
                continue;
            }
            if node.expected > 0 {
                let asks = node.phase == Phase::Vacant;
                let with = company(asks.then(|| system.unsent(number)));
                actions.extend(with.map(|with| Action::Arrive { node: number, with }));
            }
            if let Phase::Owned(ownership) = &node.phase
                && ownership.turn.is_some()
            {
                actions.push(Action::EndTurn { node: number });
                if system.extensions_left > 0 && ownership.is_live() {
                    actions.push(Action::Extend { node: number });
                }
            }
            if system.leavers_left > 0 {
                actions
                    .extend((0..).zip(&node.queue).map(|(place, _)| Action::Leave { node: number, place }));
            }
            if node.timers_are_due() {
                let asks = matches!(node.phase, Phase::Waiting { retry_in: Some(0), .. });
                let with = company(asks.then(|| system.unsent(number)));
                actions.extend(with.map(|with| Action::Round { node: number, with }));
            }
            if node.subscription != Default::default() {
                actions.push(Action::Subscription { node: number });
            }
        }
        if system.is_busy() && !system.is_urgent() {
            actions.push(Action::Tick);
        }
    }

    fn faults(&self, system: &System, actions: &mut Vec<Action>) {
        let mut add = |fault| actions.push(Action::Fault(fault));
        for kind in &self.settings.kinds {
            let messages = || system.network.distinct().copied();
            let nodes =
                || system.numbered().filter(|(_, node)| node.acts() && node.is_busy()).map(|(node, _)| node);
            match kind {
                FaultKind::Lose => messages().map(Fault::Lose).for_each(&mut add),
                FaultKind::Duplicate => {
                    messages()
                        .filter(|message| message.is_command())
                        .map(Fault::Duplicate)
                        .for_each(&mut add);
                }
                FaultKind::Delay => {
                    messages().filter(|message| message.late == 0).map(Fault::Delay).for_each(&mut add);
                }
                FaultKind::Crash => {
                    for node in nodes() {
                        add(Fault::Crash { node, noticed: true });
                        add(Fault::Crash { node, noticed: false });
                    }
                }
                FaultKind::Freeze => nodes().map(|node| Fault::Freeze { node }).for_each(&mut add),
                FaultKind::Cut => nodes().map(|node| Fault::Cut { node }).for_each(&mut add),
                // The clock has passed the last token: that takes microseconds, losing the data takes longer.
                FaultKind::Forget if system.server.clock_has_passed() || self.settings.is_counter() => {
                    add(Fault::Forget);
                }
                FaultKind::Forget => {}
            }
        }
    }
}

/// What a node asks may travel alone, or with any release that was not sent yet.
fn company(releases: Option<Vec<Unsent>>) -> impl Iterator<Item = Option<Unsent>> {
    std::iter::once(None).chain(releases.into_iter().flatten().map(Some))
}

impl Model for Protocol {
    type State = System;
    type Action = Action;

    fn init_states(&self) -> Vec<System> {
        vec![System::new(&self.settings)]
    }

    fn actions(&self, system: &System, actions: &mut Vec<Action>) {
        // What follows on a wait that is too long is the same again.
        if !nobody_waits_too_long(self, system) {
            return;
        }
        self.steps(system, actions);
        if system.faults_left > 0 {
            self.faults(system, actions);
        }
    }

    fn next_state(&self, last: &System, action: Action) -> Option<System> {
        let (settings, mut system) = (&self.settings, last.clone());
        match action {
            Action::Arrive { node, with } => {
                system.step_with(settings, node, with, |node, cx| node.arrive(cx));
            }
            Action::Leave { node, place } => {
                system.leavers_left -= 1;
                system.step(settings, node, |node, cx| node.leave(cx, usize::from(place)));
            }
            Action::EndTurn { node } => system.step(settings, node, |node, cx| node.end_turn(cx)),
            Action::Extend { node } => {
                system.extensions_left -= 1;
                system.step(settings, node, |node, cx| node.extend(cx));
            }
            Action::Deliver(message) => system.deliver(settings, &message),
            Action::Round { node, with } => {
                system.step_with(settings, node, with, |node, cx| node.round(cx));
            }
            Action::Subscription { node } => system.subscription_moves(settings, node),
            Action::Thaw { node } => system.node_mut(node).frozen = 0,
            Action::Tick => {
                system.tick(settings);
                let waited = system.nodes.iter().flat_map(|node| node.queue.iter().copied()).max();
                self.longest_wait.fetch_max(waited.unwrap_or(0), Ordering::Relaxed);
            }
            Action::Fault(fault) => system.suffer(&fault),
        }
        system.tidy();
        Some(system)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.settings.promises.iter().map(|promise| promise.property()).collect()
    }
}
