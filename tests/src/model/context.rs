use crate::model::message::Command;
use crate::model::settings::Settings;
use crate::model::ticket::Ticket;

/// What a step of a node needs to know, and what it sends.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    /// A ticket that nobody knows of. A step needs at most one.
    pub(super) fresh: Ticket,
    pub(super) sent: Vec<Command>,
    /// The token of the guard that begins in this step.
    pub(super) begun: Option<i16>,
}

impl Context<'_> {
    pub(super) fn send(&mut self, command: Command) {
        self.sent.push(command);
    }
}
