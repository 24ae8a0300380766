use rustix::time::{ClockId, clock_gettime};

/// Microseconds on the one monotonic clock that all processes of a machine share.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1_000
}
