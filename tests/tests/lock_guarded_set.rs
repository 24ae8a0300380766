//! A set that is read, changed and written under a lock, by processes of which one is frozen past its lease in between.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Duration;

use interlock_tests::{Process, RedisServer, Scratch, unique_name};
use redis::AsyncCommands;

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_millis(400);
const OTHERS: [&str; 3] = ["b", "c", "d"];

/// What the set holds after one process was frozen between its reading and its writing, others added an element each
/// after its lease, and it went on; and whether its write was refused.
async fn added_around_a_freeze(store: &str) -> (Vec<String>, bool) {
    let redis = RedisServer::shared().await;
    let (key, set) = (unique_name("guarded"), unique_name("set"));
    let scratch = Scratch::new("set");
    let start = |element: &str, stop: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lock_worker"));
        command.arg(redis.url()).arg(&key).arg(LEASE.as_millis().to_string());
        command.args(["add", element, &set, store]).args(stop);
        Process::spawn(&command, &scratch.path().join(element))
    };
    // It stops itself right after this.
    let mut frozen = start("a", &["stop"]);
    frozen.says("read", SOON).await;
    for element in OTHERS {
        // The first of them gets the lock because the lease of the frozen one is over.
        let mut other = start(element, &[]);
        assert!(other.exits(SOON).await.success(), "{}", other.log());
        assert!(!other.log().contains("refused"));
    }
    assert!(frozen.exited().is_none() && !frozen.log().contains("added"), "it is frozen: {}", frozen.log());
    frozen.resume();
    assert!(frozen.exits(SOON).await.success(), "{}", frozen.log());
    let elements: String = redis.connection().await.get(&set).await.unwrap();
    let mut elements: Vec<_> = elements.split(',').map(str::to_owned).collect();
    elements.sort();
    (elements, frozen.log().contains("refused"))
}

#[tokio::test]
async fn updates_are_lost_without_the_fence_and_none_with_it() {
    // The frozen one writes over what the others added.
    assert_eq!(added_around_a_freeze("plain").await, (vec!["a".to_owned()], false));
    // Its write is refused; it takes the lock again, and adds to what the others added.
    let all = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    assert_eq!(added_around_a_freeze("fenced").await, (all, true));
}
