//! Ports on loopback.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which systems take the local ports of outgoing connections, so that a server which is
/// stopped and started again finds its port still free.
const RANGE: std::ops::Range<u64> = 15_000..30_000;

/// Answers a loopback port that nothing listens on at this moment.
///
/// Another process may take it before the caller does: a server that can then be reached may be a stranger's.
#[must_use]
pub fn free_port() -> u16 {
    for attempt in 0..1_000_u32 {
        let port = RANGE.start + RandomState::new().hash_one(attempt) % (RANGE.end - RANGE.start);
        let port = u16::try_from(port).expect("the range is within u16");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1 between {} and {}", RANGE.start, RANGE.end);
}
