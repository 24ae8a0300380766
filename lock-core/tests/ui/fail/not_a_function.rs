use lock_core::distributed_lock;

#[distributed_lock(key = "wallet")]
struct Wallet;

fn main() {}
