use lock_core::{LockError, LockManager, distributed_lock};

#[distributed_lock(key = "a", manager = locks)]
fn charge(locks: &LockManager) -> impl Future<Output = Result<(), LockError>> {
    println!("this would run without the lock");
    async move { Ok(()) }
}

fn main() {}
