use crate::model::message::Message;

/// What may go wrong, as often as [`Settings::faults`](super::Settings) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum FaultKind {
    /// A message is lost.
    Lose,
    /// A command is sent twice.
    Duplicate,
    /// A message is late, for longer than a lease.
    Delay,
    /// A node ends; the server may notice that its connection is gone, or not.
    Crash,
    /// A node stands still for longer than a lease, its connection stands.
    Freeze,
    /// The subscription of a node breaks, with the events that are under way to it.
    Cut,
    /// The server loses all it knows.
    Forget,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Lose, Self::Duplicate, Self::Delay, Self::Crash, Self::Freeze, Self::Cut, Self::Forget];
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Lose(Message),
    Duplicate(Message),
    Delay(Message),
    Crash { node: u8, noticed: bool },
    Freeze { node: u8 },
    Cut { node: u8 },
    Forget,
}
