use std::time::{Duration, Instant};

use redis::Client;

/// The median time of a `PING` on the same kind of connection as the lock's, sent again and again for `time`.
pub async fn round_trip(url: &str, time: Duration) -> Duration {
    paced_round_trip(url, Duration::ZERO, time).await
}

/// The same with a pause before each of them.
pub async fn paced_round_trip(url: &str, pause: Duration, time: Duration) -> Duration {
    let client = Client::open(url).expect("a Redis URL");
    let mut connection = client.get_connection_manager().await.expect("Redis answers");
    let pings = tokio::spawn(async move {
        let (begun, mut pings) = (Instant::now(), Vec::new());
        while begun.elapsed() < time {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let sent = Instant::now();
            let _: String = redis::cmd("PING").query_async(&mut connection).await.expect("Redis answers");
            pings.push(sent.elapsed());
        }
        pings
    });
    let mut pings = pings.await.expect("the pings");
    pings.sort_unstable();
    pings[pings.len() / 2]
}
