use std::time::Duration;

#[cfg(feature = "sqlite")]
/// The whole milliseconds of `duration`, rounded up, as the databases take them.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

/// The whole microseconds of `duration`, as the databases take them in an `INTERVAL`: at most a thousand years.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn micros(duration: Duration) -> u64 {
    const THOUSAND_YEARS: u64 = 1000 * 365 * 24 * 60 * 60 * 1_000_000;
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(THOUSAND_YEARS)
}

/// For how long a claim gives its row away that is settled in the same transaction: a thousandth longer than asked for,
/// so that settling it within that time leaves the index of times alone.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn kept(ttl: Duration) -> Duration {
    ttl.saturating_add(ttl / 1000)
}
