//! Taking locks one by one in an order that others may not share is reported, once for each pair of places.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as loudly as tests")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use lock_core::LockManager;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

async fn second_inside_first(locks: &LockManager, first: &str, second: &str) {
    locks.lock(first).run(async |_| drop(locks.lock(second).acquire().await.unwrap())).await.unwrap();
}

#[tokio::test]
async fn an_inversion_is_reported_once_with_both_places() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let locks = LockManager::in_process();
    second_inside_first(&locks, "a", "b").await;
    assert_eq!(log.0.lock().unwrap().len(), 0, "in order");
    for _ in 0..3 {
        second_inside_first(&locks, "b", "a").await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("out of order").count(), 1, "{text}");
    assert_eq!(text.matches("lock_order.rs:").count(), 2, "{text}");
    // Keys that are taken at once are always in order.
    locks.lock_all(["d", "c"]).run(async |_| ()).await.unwrap();
    assert_eq!(text, String::from_utf8(log.0.lock().unwrap().clone()).unwrap());
}
