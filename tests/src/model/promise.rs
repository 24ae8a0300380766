use stateright::Property;

use crate::model::message::Message;
use crate::model::mutation::Mutation;
use crate::model::phase::Phase;
use crate::model::protocol::Protocol;
use crate::model::system::System;

/// What is checked in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Promise {
    /// Promise 1: while the server keeps its data, no two guards are live at once.
    MutualExclusion,
    /// Promise 3: every grant has tokens above those of all earlier grants.
    TokensGrowInGrantOrder,
    /// Promise 3: every guard has a token above those of earlier guards: of its own node's in any case, of all nodes' while
    /// the server keeps its data.
    TokensGrowFromGuardToGuard,
    /// Promise 4: when nothing can happen any more, nobody waits.
    NobodyWaitsForEver,
    /// Promise 4: nobody waits longer than [`Settings::bound`](super::Settings::bound).
    NobodyWaitsTooLong,
    /// Promise 4: no grant goes to a node that the server knows to be gone.
    GrantsGoToTheLiving,
    /// Promise 5: once told that others queue, a node begins no more turns than it may.
    OvertakingIsBounded,
    /// Promises 6 and 7: unless messages or data were lost, no ticket owns the key that nobody knows of.
    NoGrantIsForgotten,
    /// When nothing can happen any more, nobody owns the key.
    NothingIsLeftBehind,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MutualExclusion,
        Self::TokensGrowInGrantOrder,
        Self::TokensGrowFromGuardToGuard,
        Self::NobodyWaitsForEver,
        Self::NobodyWaitsTooLong,
        Self::GrantsGoToTheLiving,
        Self::OvertakingIsBounded,
        Self::NoGrantIsForgotten,
        Self::NothingIsLeftBehind,
    ];

    /// The promise in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MutualExclusion => "mutual exclusion",
            Self::TokensGrowInGrantOrder => "tokens grow in grant order",
            Self::TokensGrowFromGuardToGuard => "tokens grow from guard to guard",
            Self::NobodyWaitsForEver => "nobody waits for ever",
            Self::NobodyWaitsTooLong => "nobody waits too long",
            Self::GrantsGoToTheLiving => "grants go to the living",
            Self::OvertakingIsBounded => "overtaking is bounded",
            Self::NoGrantIsForgotten => "no grant is forgotten",
            Self::NothingIsLeftBehind => "nothing is left behind",
        }
    }

    pub(super) fn property(self) -> Property<Protocol> {
        let condition = match self {
            Self::MutualExclusion => mutual_exclusion,
            Self::TokensGrowInGrantOrder => |_: &Protocol, system: &System| system.server.tokens_grew,
            Self::TokensGrowFromGuardToGuard => |_: &Protocol, system: &System| {
                system.tokens_grew && system.nodes.iter().all(|node| node.tokens_grew)
            },
            Self::NobodyWaitsForEver => |protocol: &Protocol, system: &System| {
                !protocol.is_over(system) || system.nodes.iter().all(|node| node.queue.is_empty())
            },
            Self::NobodyWaitsTooLong => nobody_waits_too_long,
            Self::GrantsGoToTheLiving => |_: &Protocol, system: &System| !system.server.granted_to_the_dead,
            Self::OvertakingIsBounded => overtaking_is_bounded,
            Self::NoGrantIsForgotten => no_grant_is_forgotten,
            Self::NothingIsLeftBehind => {
                |protocol: &Protocol, system: &System| !protocol.is_over(system) || !system.is_busy()
            }
        };
        Property::always(self.name(), condition)
    }
}

fn mutual_exclusion(protocol: &Protocol, system: &System) -> bool {
    let no_deadline = protocol.settings().is(Mutation::NoDeadline);
    system.data_lost || system.nodes.iter().filter(|node| node.has_live_guard(no_deadline)).count() <= 1
}

pub(super) fn nobody_waits_too_long(protocol: &Protocol, system: &System) -> bool {
    let patience = protocol.settings().patience();
    system.nodes.iter().all(|node| node.queue.iter().all(|waited| *waited <= patience))
}

fn overtaking_is_bounded(protocol: &Protocol, system: &System) -> bool {
    let most = protocol.settings().overtake;
    system.nodes.iter().all(|node| match &node.phase {
        Phase::Owned(ownership) => ownership.known.overtook.is_none_or(|turns| turns <= most),
        _ => true,
    })
}

fn no_grant_is_forgotten(_: &Protocol, system: &System) -> bool {
    let Some(owner) = &system.server.owner else {
        return true;
    };
    let ticket = owner.ticket;
    let node = system.node(ticket.node);
    system.message_lost
        || system.data_lost
        || node.phase.ticket() == Some(ticket)
        || node.unconfirmed.iter().any(|sent| sent.ticket == ticket)
        || system.network.iter().any(|message: &Message| message.settles(ticket))
}
