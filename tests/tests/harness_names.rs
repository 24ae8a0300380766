//! Names and waits of the harness.

use std::collections::HashSet;
use std::time::Duration;

use interlock_tests::{eventually, unique_name};

#[test]
fn two_tests_get_different_names() {
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(|| (0..1_000).map(|_| unique_name("t")).collect())).collect();
    let names: Vec<String> =
        threads.into_iter().flat_map(|thread| -> Vec<String> { thread.join().unwrap() }).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), 4_000);
}

#[test]
fn a_name_is_valid_everywhere() {
    let name = unique_name(&"x".repeat(40));
    // PostgreSQL's limit, the shortest.
    assert!(name.len() <= 63, "{name}");
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
}

#[tokio::test(start_paused = true)]
async fn eventually_asks_until_it_holds() {
    let mut asked = 0;
    eventually("asked three times", Duration::from_secs(1), async || {
        asked += 1;
        asked == 3
    })
    .await;
    assert_eq!(asked, 3);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "did not happen within 1s: pigs fly")]
async fn eventually_gives_up_and_says_what_did_not_happen() {
    eventually("pigs fly", Duration::from_secs(1), async || false).await;
}
