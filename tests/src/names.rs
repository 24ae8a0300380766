//! Names that no other test uses.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Answers `prefix` with a suffix that no other call, process or run shares: a key prefix, a database name.
///
/// The suffix is `_` and 18 characters of `a-z0-9_`; a `prefix` of up to 40 such characters gives a name that is
/// valid in every server of this harness.
#[must_use]
pub fn unique_name(prefix: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Seeded by the operating system, so it differs between processes and runs that share a server.
    let random = RandomState::new().hash_one(number) as u32;
    format!("{prefix}_{random:08x}_{:09x}", (u64::from(std::process::id()) << 12) | u64::from(number & 0xfff))
}
