use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds on the clock that all processes of this machine share.
#[must_use]
pub fn monotonic_nanos() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).expect("after the start of the machine") * 1_000_000_000
        + u64::try_from(time.tv_nsec).expect("a part of a second")
}
