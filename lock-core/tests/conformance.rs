//! The in-process backend keeps the contract of every backend.

use std::sync::Arc;

use lock_core::{InProcessBackend, LockBackend};

async fn backend() -> Arc<dyn LockBackend> {
    Arc::new(InProcessBackend::new())
}

lock_core::conformance_suite!(backend);
