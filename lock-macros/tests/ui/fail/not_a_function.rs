use idempotency::idempotent;

#[idempotent(key = key, scope = "pay", store = once)]
struct Pay;

fn main() {}
