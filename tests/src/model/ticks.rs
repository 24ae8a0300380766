//! How long things last in the model. The ratios are those of the library, rounded to whole ticks.

/// A time span, or the time left until something.
pub(super) type Ticks = i8;

/// What a caller asks for.
pub(super) const LEASE: Ticks = 3;
/// What a grant gets that its node has not asked for in this moment.
pub(super) const DIRECT_LEASE: Ticks = 2;
/// What a guard is extended to.
pub(super) const LONG_LEASE: Ticks = 9;
/// The longest turn: longer than a direct grant lasts, so that it has to be renewed.
pub(super) const TURN: Ticks = 3;
/// No reply for so long is an error.
pub(super) const RESPONSE_TIMEOUT: Ticks = 1;
/// The pause before a command that failed is sent again, and between two questions of a node without events.
pub(super) const PAUSE: Ticks = 1;
/// A message that is late is at most so late: longer than a lease.
pub(super) const LATE: Ticks = 4;
/// A node that is frozen is so at most so long: longer than a lease.
pub(super) const FROZEN: Ticks = 4;
/// A broken subscription is noticed after so long, and stands again after as long once more.
pub(super) const SUBSCRIPTION: Ticks = 1;
/// How many tokens the clock gains in a tick.
pub(super) const TOKENS_PER_TICK: i16 = 8;

/// How long after its beginning a lease is renewed.
pub(super) fn renew_after(lease: Ticks) -> Ticks {
    (lease / 3).max(1)
}

/// One tick less, not below zero.
pub(super) fn count_down(left: &mut Ticks) {
    *left = (*left - 1).max(0);
}
