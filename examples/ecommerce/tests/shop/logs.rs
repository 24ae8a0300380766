use std::time::Duration;

use interlock_tests::eventually;

use crate::support::{Backing, Shop};

const SOON: Duration = Duration::from_secs(10);

/// The line of the log that has all of these.
fn line<'a>(log: &'a str, parts: &[&str]) -> Option<&'a str> {
    log.lines().find(|line| parts.iter().all(|part| line.contains(part)))
}

#[tokio::test]
async fn every_line_of_a_request_carries_its_id_and_locks_say_how_long_they_took() {
    for backing in Backing::both().await {
        let shop = Shop::open_with(&backing, &["--log", "info,lock_core=debug,ecommerce=debug"]).await;
        let charge = shop.charge_request(1, 10, "logged").header("x-request-id", "mine-7");
        shop.send(charge).await.ok();
        let other = shop.charge(1, 11, "logged").await;
        other.is_refused(422, "COMMON004");
        let others = format!("id={} ", other.headers["x-request-id"].to_str().unwrap());

        let key = "key=balance:user:1";
        let lines: [&[&str]; 6] = [
            &["id=mine-7 ", "lock acquired", key, "wait_us="],
            &["id=mine-7 ", "lock released", key, "hold_us="],
            &["id=mine-7 ", "method=POST path=\"/api/users/1/balance/charge\"", "answered status=200"],
            &[&others, "lock acquired", key],
            &[&others, "request refused"],
            &[&others, "answered status=422"],
        ];
        eventually("all is written", SOON, async || {
            let log = shop.process.log();
            lines.iter().all(|parts| line(&log, parts).is_some())
        })
        .await;
        let log = shop.process.log();
        let told: Vec<_> = log.lines().filter(|line| line.contains("balance:user:1")).collect();
        assert!(told.iter().all(|line| line.contains("request{id=")), "{told:#?}");
        assert!(!log.contains("idempotencyKey") && !log.contains("key=logged"), "keys of clients are theirs");
    }
}
