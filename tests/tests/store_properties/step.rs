use proptest::collection::vec;
use proptest::prelude::*;

const KEYS: usize = 3;
const STEPS: usize = 40;

/// What happens next. Times are either over at once or never: so the model needs no clock.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A request asks for a key.
    Claim { key: usize, request: Asked, lease_over: bool, ttl_over: bool, takeover: bool },
    /// An owner, perhaps a late one, extends its lease.
    Extend { claim: usize, over: bool },
    /// An owner says how its work ended.
    Settle { claim: usize, how: How, ttl_over: bool },
    /// An owner gives back what it has not used.
    Forget { claim: usize },
    /// Somebody marks what an owner has left behind.
    Mark { claim: usize, how: How, ttl_over: bool },
    /// Somebody reads a row.
    Find { key: usize },
    /// Somebody asks what is stuck.
    Stuck,
    /// The sweeper comes by.
    Sweep,
}

/// What a request asks for, and by which version of the fingerprint it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) body: u8,
    pub(crate) version: u8,
}

/// How work ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    Done(Vec<u8>),
    Refused(Vec<u8>),
    Failed,
    Unknown,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..STEPS)
}

fn step() -> impl Strategy<Value = Step> {
    // Claims by their distance from the last: most of those before are over for good.
    let claim = || prop_oneof![4 => Just(0_usize), 2 => 1..3_usize, 1 => 3..8_usize];
    prop_oneof![
        6 => (0..KEYS, asked(), seldom(), seldom(), any::<bool>()).prop_map(
            |(key, request, lease_over, ttl_over, takeover)| {
                Step::Claim { key, request, lease_over, ttl_over, takeover }
            }
        ),
        1 => (claim(), any::<bool>()).prop_map(|(claim, over)| Step::Extend { claim, over }),
        4 => (claim(), how(), seldom()).prop_map(|(claim, how, ttl_over)| Step::Settle { claim, how, ttl_over }),
        1 => claim().prop_map(|claim| Step::Forget { claim }),
        2 => (claim(), how(), seldom()).prop_map(|(claim, how, ttl_over)| Step::Mark { claim, how, ttl_over }),
        1 => (0..KEYS).prop_map(|key| Step::Find { key }),
        1 => Just(Step::Stuck),
        1 => Just(Step::Sweep),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    (prop_oneof![4 => Just(0_u8), 1 => Just(1)], prop_oneof![4 => Just(0_u8), 1 => Just(1)])
        .prop_map(|(body, version)| Asked { body, version })
}

fn how() -> impl Strategy<Value = How> {
    let payload = || vec(any::<u8>(), 0..8);
    prop_oneof![
        payload().prop_map(How::Done),
        payload().prop_map(How::Refused),
        Just(How::Failed),
        Just(How::Unknown)
    ]
}

fn seldom() -> impl Strategy<Value = bool> {
    prop_oneof![2 => Just(false), 1 => Just(true)]
}
