use crate::support::{Backing, Ended, run_to_end, shop_command};

const DEFENCES: [&str; 9] = [
    "none",
    "lock-per-request",
    "unlock-before-commit",
    "second-connection",
    "no-idempotency",
    "lock-only",
    "version-only",
    "database-only",
    "all",
];

async fn demo(backing: Option<&Backing>, flags: &[&str]) -> Ended {
    let mut command = shop_command();
    command.arg("demo").args(flags);
    if let Some(backing) = backing {
        command.env("DATABASE_URL", &backing.database_url);
        if let Some(url) = &backing.redis_url {
            command.env("REDIS_URL", url).env("ECOMMERCE_REDIS_PREFIX", &backing.redis_prefix);
        }
    }
    run_to_end(command).await
}

/// The last five columns of a defence's line: failed, lost, double, oversold, orders per key.
fn damage(ended: &Ended, defence: &str) -> [i64; 5] {
    let line = ended.output.lines().find(|line| line.split_whitespace().next() == Some(defence));
    let cells: Vec<_> =
        line.unwrap_or_else(|| panic!("{defence} is missing: {ended:?}")).split_whitespace().collect();
    let numbers: Vec<i64> = cells[cells.len() - 5..].iter().map(|cell| cell.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_defence_shows_its_damage_and_all_together_show_none() {
    let ended = demo(None, &["--requests", "300", "--limit", "2s"]).await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
    let damages = DEFENCES.map(|defence| damage(&ended, defence));
    let [none, per_request, before_commit, second, keyless, lock, version, database, all] = damages;
    assert!(none[1] > 0 && none[2] > 0 && none[3] > 0 && none[4] == 3, "{}", ended.output);
    assert!(per_request[1] > 0 && before_commit[1] > 0, "{}", ended.output);
    assert!(second[0] > 0, "{}", ended.output);
    for without_keys in [keyless, lock, version] {
        assert!(without_keys[2] > 0 && without_keys[4] == 3, "{}", ended.output);
        assert_eq!((without_keys[1], without_keys[3]), (0, 0), "{}", ended.output);
    }
    for whole in [database, all] {
        assert_eq!((&whole[1..4], whole[4]), (&[0, 0, 0][..], 1), "{}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_servers_it_works_beside_the_shops_data_and_leaves_nothing_behind() {
    let backing = Backing::servers().await;
    let flags = ["--requests", "300", "--limit", "2s", "--only", "none", "--only", "all"];
    let ended = demo(Some(&backing), &flags).await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
    assert!(damage(&ended, "none")[1] > 0, "{}", ended.output);
    let left = "SELECT (SELECT COUNT(*) FROM users) - 153 + (SELECT COUNT(*) FROM orders) \
                + (SELECT COUNT(*) FROM user_coupons) + (SELECT COUNT(*) FROM coupons) - 5 \
                + (SELECT COUNT(*) FROM idempotency_keys)";
    assert_eq!(backing.number(left).await, 0);
    assert_eq!(backing.number("SELECT COUNT(*) FROM users WHERE version <> 0").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_defence_that_shows_no_damage_fails_the_run() {
    // Two at a time never want more than four of the sixteen connections.
    let backing = Backing::servers().await;
    let flags = ["--requests", "100", "--tasks", "2", "--only", "second-connection"];
    let ended = demo(Some(&backing), &flags).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(damage(&ended, "second-connection")[0], 0, "{}", ended.output);
    assert_eq!(ended.errors.lines().count(), 1, "{ended:?}");
    assert!(ended.errors.contains("second-connection should break"), "{ended:?}");
}

#[tokio::test]
async fn its_help_explains_every_defence() {
    let ended = demo(None, &["--help"]).await;
    assert_eq!(ended.code, Some(0));
    for word in DEFENCES.into_iter().chain(["--requests", "--limit", "DATABASE_URL", "exit code 1"]) {
        assert!(ended.output.contains(word), "{word} is missing: {}", ended.output);
    }
}
