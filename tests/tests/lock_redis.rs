//! The Redis backend keeps the contract of every backend, on a real server.

#![allow(clippy::expect_used)]

use std::sync::Arc;

use interlock_tests::{RedisServer, unique_name};
use lock_core::{LockBackend, RedisBackend};

async fn backend() -> Arc<dyn LockBackend> {
    let redis = RedisServer::shared().await;
    let prefix = format!("{}:", unique_name("lock"));
    Arc::new(RedisBackend::connect(redis.url(), &prefix).await.expect("Redis answers"))
}

lock_core::conformance_suite!(backend);
