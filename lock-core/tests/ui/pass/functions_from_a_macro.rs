//! Functions that `macro_rules!` writes, with keys from its caller or its own.

use lock_core::{LockError, LockManager, distributed_lock};

macro_rules! charges {
    ($($name:ident($argument:ident: $type:ty) = $key:literal, $wait:literal, $manager:expr;)*) => {$(
        #[distributed_lock(key = $key, wait = $wait, manager = $manager)]
        async fn $name($argument: $type) -> Result<$type, LockError> {
            Ok($argument)
        }
    )*};
}

static LOCKS: std::sync::LazyLock<LockManager> = std::sync::LazyLock::new(LockManager::in_process);

charges! {
    by_user(user_id: u64) = "user:{user_id}", "1s", LOCKS;
    by_name(name: String) = "name:{name}:{name.len()}", "250ms", &*LOCKS;
}

macro_rules! jobs {
    ($($name:ident),*) => {$(
        #[distributed_lock(key = "job:{number}", manager = locks)]
        async fn $name(locks: &LockManager, number: u8) -> Option<u8> {
            Some(number)
        }
    )*};
}

jobs!(settle, report);

fn main() {}
