/// A rule of the protocol left out or turned around, to see that the check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Mutation {
    /// A release does not look whose ticket owns the key.
    ReleaseUnchecked,
    /// A node uses the same ticket for every attempt.
    TicketReused,
    /// A repeated acquire of the owner counts, and has to be released as often.
    AcquireCounts,
    /// A repeated acquire of the owner sets the lease anew, even if that is shorter.
    AcquireShortens,
    /// A renewal sets the lease, even if that is shorter.
    RenewShortens,
    /// A node counts its deadline from the moment at which the reply came.
    DeadlineFromReply,
    /// A node counts its deadline from the moment at which the grant message came.
    DeadlineFromEvent,
    /// A node goes on until it hears that its lease is over, rather than until its deadline.
    NoDeadline,
    /// A waiter relies on the grant message and does not ask again.
    NoRetryTimer,
    /// After a broken subscription nobody asks again.
    NoAskAfterCut,
    /// A grant goes to the head of the queue even if its node is known to be gone.
    GrantToTheDead,
    /// A grant that nobody waits for any more is not given back.
    OrphanKept,
    /// A caller that leaves does not take its ticket out of the queue.
    NoCancel,
    /// Tokens are counted on, and not lifted to the clock.
    TokensFromCounter,
    /// A late grant of the same ticket is taken although newer tokens were shown.
    StaleGrantTaken,
    /// A ticket goes on with the tokens of the one before because that one owns the key, wherever the fence stands.
    GoOnUnchecked,
    /// A release that is sent once more still tells which tokens its ticket had left.
    RetryKeepsTokens,
    /// A node hands the key over in memory as often as it likes while others queue.
    OvertakeUnbounded,
    /// A node that fetches fresh tokens begins anew to count the turns since others queue.
    OvertakeRestarts,
    /// A grant does not say that others queue.
    GrantSaysNothing,
    /// That others queue is not noted while the grant itself is on its way.
    WantedTooEarly,
    /// A release or a renewal that finds the lease over leaves those who queue to their timers.
    LateReleaseHelpsNobody,
    /// A ticket that owns the key for nobody is not given back when others want it.
    NoReclaim,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::ReleaseUnchecked,
        Self::TicketReused,
        Self::AcquireCounts,
        Self::AcquireShortens,
        Self::RenewShortens,
        Self::DeadlineFromReply,
        Self::DeadlineFromEvent,
        Self::NoDeadline,
        Self::NoRetryTimer,
        Self::NoAskAfterCut,
        Self::GrantToTheDead,
        Self::OrphanKept,
        Self::NoCancel,
        Self::TokensFromCounter,
        Self::StaleGrantTaken,
        Self::GoOnUnchecked,
        Self::RetryKeepsTokens,
        Self::OvertakeUnbounded,
        Self::OvertakeRestarts,
        Self::GrantSaysNothing,
        Self::WantedTooEarly,
        Self::LateReleaseHelpsNobody,
        Self::NoReclaim,
    ];
}
