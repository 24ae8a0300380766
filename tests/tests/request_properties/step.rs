use proptest::collection::vec;
use proptest::prelude::*;

const STEPS: usize = 30;

/// What happens next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A request whose effect is in the database.
    Transact(Asked),
    /// A request whose effect is elsewhere; `found` is what the hook finds out about an unknown outcome.
    Lease { asked: Asked, takeover: bool, found: Found },
    /// Somebody looks after a key, if it is stuck.
    Mark { key: usize, mark: Mark },
    /// Longer than a lease, than a short time to live, or than a long one.
    Pass(Time),
    /// The sweeper comes by.
    Sweep,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The second one keeps answers in memory.
    pub(crate) process: usize,
    pub(crate) key: usize,
    pub(crate) body: u8,
    pub(crate) time_to_live: Time,
    pub(crate) work: Work,
}

/// How the work ends, if it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Done,
    Refused,
    NotStarted,
    RolledBack,
    MaybeApplied,
    Unstated,
    Panics,
    /// The request is dropped while the work is at it.
    Dropped,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    Applied,
    Refused,
    NotApplied,
    StillUnknown,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    Released,
    Completed,
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Time {
    Lease,
    Short,
    Long,
}

impl Time {
    /// How long it lasts, in seconds. What passes is a second longer; no sum of those is one of these.
    pub(crate) const fn seconds(self) -> u64 {
        match self {
            Self::Lease => 60,
            Self::Short => 100,
            Self::Long => 3600,
        }
    }
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..STEPS)
}

fn step() -> impl Strategy<Value = Step> {
    let found = || {
        prop_oneof![
            1 => Just(Found::Applied),
            1 => Just(Found::Refused),
            2 => Just(Found::NotApplied),
            2 => Just(Found::StillUnknown)
        ]
    };
    let mark = || prop_oneof![Just(Mark::Released), Just(Mark::Completed), Just(Mark::Refused)];
    prop_oneof![
        6 => asked().prop_map(Step::Transact),
        6 => (asked(), any::<bool>(), found())
            .prop_map(|(asked, takeover, found)| Step::Lease { asked, takeover, found }),
        1 => (0..3_usize, mark()).prop_map(|(key, mark)| Step::Mark { key, mark }),
        2 => prop_oneof![2 => Just(Time::Lease), 2 => Just(Time::Short), 1 => Just(Time::Long)].prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let work = prop_oneof![
        4 => Just(Work::Done),
        2 => Just(Work::Refused),
        1 => Just(Work::NotStarted),
        2 => Just(Work::RolledBack),
        1 => Just(Work::MaybeApplied),
        1 => Just(Work::Unstated),
        1 => Just(Work::Panics),
        1 => Just(Work::Dropped)
    ];
    let time_to_live = prop_oneof![1 => Just(Time::Short), 2 => Just(Time::Long)];
    let body = prop_oneof![4 => Just(0_u8), 1 => Just(1)];
    (0..2_usize, 0..3_usize, body, time_to_live, work)
        .prop_map(|(process, key, body, time_to_live, work)| Asked { process, key, body, time_to_live, work })
}
