use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};
use sqlx::MySqlPool;

use crate::support::{Answer, Backing, Shop};

const CHARGES: usize = 20;
const ROUNDS: usize = 5;
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_costs_four_round_trips_to_the_database_and_two_commands_to_redis() {
    let redis = RedisServer::private().await;
    let mariadb = MariaDbServer::shared().await;
    let (backing, turns) = Backing::counted(mariadb, &redis).await;
    let shop = Shop::open_with(&backing, &["--pool-size", "1"]).await;
    // The first time, statements and scripts are introduced.
    shop.charge(1, 1, "warm-up-1").await.ok();
    shop.charge(1, 1, "warm-up-2").await.ok();

    // What goes on in the background only adds to the counts: the least of some rounds is the truth.
    let (mut trips, mut scripts) = (usize::MAX, usize::MAX);
    for round in 0..ROUNDS {
        let before = (turns.count(), scripts_run(&redis).await);
        for n in 0..CHARGES {
            shop.charge(1, 1, &format!("counted-{round}-{n}")).await.ok();
        }
        // The release of the last lock is not waited for.
        eventually("the last lock is given back", Duration::from_secs(5), async || {
            redis.keys("balance:user:1").await.is_empty()
        })
        .await;
        trips = trips.min(turns.count() - before.0);
        scripts = scripts.min(scripts_run(&redis).await - before.1);
    }
    // Begin and claim; read; write; store the answer and commit, which MariaDB takes together and MySQL apart.
    assert_eq!(trips, if mariadb.is_mysql().await { 5 } else { 4 } * CHARGES);
    assert_eq!(scripts, 2 * CHARGES);

    let mut repeats = usize::MAX;
    for _ in 0..ROUNDS {
        let before = turns.count();
        for n in 0..CHARGES {
            shop.charge(1, 1, &format!("counted-0-{n}")).await.ok();
        }
        repeats = repeats.min(turns.count() - before);
    }
    assert_eq!(repeats, CHARGES, "a repeat costs one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_answered_before_its_lock_is_given_back() {
    let mut redis = RedisServer::private().await;
    let backing = Backing::on(MariaDbServer::shared().await, &redis).await;
    let shop = Shop::open(&backing).await;
    let pool = MySqlPool::connect(&backing.database_url).await.unwrap();
    let mut row = pool.begin().await.unwrap();
    sqlx::query("SELECT balance FROM users WHERE id = 1 FOR UPDATE").execute(&mut *row).await.unwrap();
    let request = shop.charge_request(1, 10, "unhurried");
    let charge = tokio::spawn(async move { Answer::read(request.send().await?).await });
    let writes = "SELECT COUNT(*) FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%UPDATE users%'";
    eventually("the charge waits for the row", SOON, async || backing.number(writes).await == 1).await;
    assert_eq!(redis.keys("balance:user:1").await.len(), 1, "under its lock");
    // From here on Redis does not answer: whoever waits for it is refused in the end.
    redis.pause();
    row.commit().await.unwrap();
    assert_eq!(charge.await.unwrap().unwrap().ok()["balance"], 100_000_010);
    redis.resume();
}

async fn scripts_run(redis: &RedisServer) -> usize {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut redis.connection().await).await.unwrap();
    let calls = |line: &str| line.split("calls=").nth(1)?.split(',').next()?.parse::<usize>().ok();
    info.lines().filter(|line| line.starts_with("cmdstat_evalsha:")).filter_map(calls).sum()
}
