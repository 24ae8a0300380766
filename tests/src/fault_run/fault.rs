/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// A worker is killed (SIGKILL), and another one takes its place.
    Kill,
    /// A worker stands still (SIGSTOP) for longer than a lease.
    Freeze,
    /// The server stands still (SIGSTOP), for longer than a lease or not.
    Pause,
    /// The server is killed and comes back without data.
    Restart,
    /// The server is told to forget everything.
    Flush,
    /// The connections of a worker are closed.
    Cut,
    /// The connections of a worker are half open from now on.
    Strand,
    /// Everything that a worker sends and gets is late.
    Delay,
}

impl Fault {
    pub(super) const ALL: [Self; 8] = [
        Self::Kill,
        Self::Freeze,
        Self::Pause,
        Self::Restart,
        Self::Flush,
        Self::Cut,
        Self::Strand,
        Self::Delay,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "worker killed",
            Self::Freeze => "worker frozen past its lease",
            Self::Pause => "Redis paused",
            Self::Restart => "Redis restarted without data",
            Self::Flush => "Redis flushed",
            Self::Cut => "connections cut",
            Self::Strand => "connections half open",
            Self::Delay => "messages delayed",
        }
    }
}
