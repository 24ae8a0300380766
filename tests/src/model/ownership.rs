use crate::model::known::Known;
use crate::model::message::Grant;
use crate::model::mutation::Mutation;
use crate::model::settings::Settings;
use crate::model::ticket::Ticket;
use crate::model::ticks::{Ticks, count_down, renew_after};
use crate::model::tokens::Tokens;

/// A node believes that its ticket owns the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ownership {
    pub(super) ticket: Ticket,
    /// Until the deadline, by the node's own clock.
    pub(super) left: Ticks,
    pub(super) renew_in: Ticks,
    /// How long the turn has lasted that goes on now.
    pub(super) turn: Option<Ticks>,
    /// How much longer the idle key is kept.
    pub(super) idle: Option<Ticks>,
    /// Those of the turns to come.
    pub(super) tokens: Tokens,
    pub(super) known: Known,
}

impl Ownership {
    /// `known` is what was known before the grant.
    pub(super) fn new(grant: &Grant, age: Ticks, mut known: Known) -> Self {
        known.note(grant.wanted, grant.others_queue);
        Self {
            ticket: grant.ticket,
            left: (grant.lease - age).max(0),
            renew_in: (renew_after(grant.lease) - age).max(0),
            turn: None,
            idle: None,
            tokens: grant.tokens,
            known,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.left > 0
    }

    pub(super) fn note_wanted(&mut self) {
        self.known.note(true, true);
    }

    pub(super) fn may_hand_over(&self, settings: &Settings) -> bool {
        settings.is(Mutation::OvertakeUnbounded)
            || self.known.wanted.is_none_or(|turns| turns < settings.overtake)
    }

    /// Begins a turn and answers its token; none when they are used up.
    pub(super) fn begin_turn(&mut self, settings: &Settings) -> Option<i16> {
        let token = self.tokens.take()?;
        self.known.begin_turn(settings);
        self.turn = Some(0);
        self.idle = None;
        Some(token)
    }

    /// Ends the turn; true if the idle key is kept for a while.
    pub(super) fn end_turn(&mut self, settings: &Settings) -> bool {
        self.turn = None;
        if settings.retain == 0 || self.known.wanted.is_some() || self.idle.is_some() {
            return false;
        }
        self.idle = Some(settings.retain);
        true
    }

    pub(super) fn is_due(&self) -> bool {
        !self.is_live() || self.renew_in == 0 || self.idle == Some(0)
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        count_down(&mut self.left);
        count_down(&mut self.renew_in);
        if let Some(lasted) = &mut self.turn {
            *lasted = (*lasted + 1).min(super::ticks::TURN);
        }
        if let Some(idle) = &mut self.idle {
            count_down(idle);
        }
        self.tokens.tick(tokens);
    }
}
