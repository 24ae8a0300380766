use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, eventually};

use crate::support::{Backing, Shop, Turns};

const CHARGES: usize = 20;
const ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_costs_four_round_trips_to_the_database_and_two_commands_to_redis() {
    let redis = RedisServer::private().await;
    let mariadb = MariaDbServer::shared().await;
    let turns = Turns::to(&mariadb.address()).await;
    let mut backing = Backing::on(mariadb, &redis).await;
    backing.database_url = backing.database_url.replace(&mariadb.address(), turns.address());
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

async fn scripts_run(redis: &RedisServer) -> usize {
    let info: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut redis.connection().await).await.unwrap();
    let calls = |line: &str| line.split("calls=").nth(1)?.split(',').next()?.parse::<usize>().ok();
    info.lines().filter(|line| line.starts_with("cmdstat_evalsha:")).filter_map(calls).sum()
}
