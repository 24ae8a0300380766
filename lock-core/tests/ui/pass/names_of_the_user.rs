//! Whatever the user calls things, the expansion finds its own.

#![no_implicit_prelude]
#![allow(dead_code)]

mod core {}
mod std {}
mod locks {
    pub use ::lock_core::{LockError, LockManager, distributed_lock};
}

struct Option;
struct Result;
struct None;
struct Some;
struct Ok;
struct LockOptions;

#[locks::distributed_lock(key = "{key}:{manager.len()}:{result}", wait = "1s", manager = run, guard = options)]
async fn charge(
    key: &::std::primitive::str,
    manager: &[::std::primitive::u8],
    result: ::std::primitive::u8,
    run: &locks::LockManager,
) -> ::std::result::Result<::std::primitive::u64, locks::LockError> {
    ::std::assert!(!key.is_empty() && !manager.is_empty());
    ::std::result::Result::Ok(options.token().get())
}

fn main() {}
