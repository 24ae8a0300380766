use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use futures_util::future::join_all;
use interlock_tests::eventually;
use serde_json::json;

use crate::payments::{IMPATIENT, answer_in_the_end, order, pay, the_books_are_right};
use crate::support::{Backing, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_step_at_which_a_server_dies_nothing_is_lost_or_invented() {
    let steps = ["claimed", "reserved", "answered", "ended"];
    let keys = ["crash", "crash-FAIL"];
    let ways = steps.into_iter().flat_map(|step| keys.map(|key| (step, key)));
    // Together: each has to wait until the locks and keys of the dead are free.
    join_all(ways.flat_map(|(step, key)| [dies_at(step, key, false), dies_at(step, key, true)])).await;
}

async fn dies_at(step: &str, key: &str, servers: bool) {
    let backing = if servers { Backing::servers().await } else { Backing::embedded() };
    let flags: Vec<_> = IMPATIENT.into_iter().chain(["--crash-at", step]).collect();
    let mut doomed = Shop::open_with(&backing, &flags).await;
    let order = order(&doomed, 1, &[(1, 2)]).await;
    let body = json!({ "userId": 1, "idempotencyKey": key });
    let request = doomed.request(reqwest::Method::POST, &format!("/api/orders/{order}/payment")).json(&body);
    assert!(request.send().await.is_err(), "{step}: it answered");
    let end = doomed.process.exits(Duration::from_secs(5)).await;
    assert_eq!(end.signal(), Some(9), "{step}: {end}");

    let shop = Shop::open_with(&backing, &IMPATIENT).await;
    let last = answer_in_the_end(&shop, order, 1, key).await;
    match (step, key) {
        (_, "crash-FAIL") => last.is_refused(402, "PAY002"),
        // The gateway never heard of it, so everything goes back.
        ("reserved", _) => last.is_refused(402, "PAY002"),
        _ => assert_eq!(last.ok()["paidAmount"], 58_000, "{step}"),
    }
    let again = pay(&shop, order, 1, key).await;
    assert_eq!(again.code_if_refused(), last.code_if_refused(), "{step} {key}");
    the_books_are_right(&backing).await;
}

/// A payment under way.
struct Asked {
    user: i64,
    order: i64,
    key: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_server_is_killed_among_payments_the_other_finds_out_and_nothing_is_lost_or_invented() {
    let backing = Backing::servers().await;
    // It waits for its gateway for longer than it lives.
    let mut doomed = Shop::open_with(&backing, &["--gateway-timeout", "20s"]).await;
    let other = Shop::open_with(&backing, &IMPATIENT).await;
    let shops = [doomed.client().clone(), other.client().clone()];
    let silent = ["LOST", "TIMEOUT", "LOST", "TIMEOUT"];
    let mut load = Vec::new();
    for user in 4..64 {
        let (order, key) = (order(&other, user, &[(1 + user % 5, 1)]).await, format!("among-{user}"));
        load.push((&shops[usize::from(user % 3 == 0)], Asked { user, order, key }));
    }
    for (user, word) in (70..).zip(silent) {
        let (order, key) = (order(&other, user, &[(user - 61, 1)]).await, format!("{word}-{user}"));
        load.push((&shops[0], Asked { user, order, key }));
    }
    let under_way = load.iter().map(|(shop, Asked { user, order, key })| {
        let body = json!({ "userId": user, "idempotencyKey": key });
        let request = shop.request(reqwest::Method::POST, &format!("/api/orders/{order}/payment"));
        tokio::spawn(request.json(&body).send())
    });
    let under_way: Vec<_> = under_way.collect();
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'SETTLED'";
    let waiting =
        "SELECT COUNT(*) FROM payments WHERE status = 'RESERVED' AND idempotency_key NOT LIKE 'among-%'";
    eventually("some have paid, and four wait for the gateway", Duration::from_secs(20), async || {
        backing.number(paid).await > 5 && backing.number(waiting).await == 4
    })
    .await;
    doomed.process.kill();
    let answers = join_all(under_way).await;
    assert!(answers.iter().filter(|answer| answer.as_ref().unwrap().is_err()).count() >= 4);

    let other = &other;
    let in_the_end = load.iter().map(|(_, Asked { user, order, key })| async move {
        let answer = answer_in_the_end(other, *order, *user, key).await;
        match (answer.status.as_u16(), key) {
            (200, key) => assert!(!key.contains("LOST")),
            // The gateway never heard of it: everything went back.
            (402, key) => assert!(!key.contains("TIMEOUT")),
            _ => panic!("{key}: {} {}", answer.status, answer.json()),
        }
    });
    join_all(in_the_end).await;
    the_books_are_right(&backing).await;
}
