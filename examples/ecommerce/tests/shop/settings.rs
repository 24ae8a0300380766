use interlock_tests::{Scratch, free_port};

use crate::support::{Backing, Ended, Shop, run_to_end, shop_command};

async fn with(flags: &[&str], variables: &[(&str, &str)]) -> Ended {
    let directory = Scratch::new("settings");
    let mut command = shop_command();
    command.args(["--port", "0"]).args(flags).envs(variables.iter().copied()).current_dir(directory.path());
    run_to_end(command).await
}

#[track_caller]
fn assert_one_line(ended: &Ended, code: i32, part: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let last = ended.errors.lines().last().unwrap_or_default();
    assert!(last.starts_with("ecommerce: ") && last.contains(part), "{part:?} is missing: {ended:?}");
    let unasked = ended.errors.lines().filter(|line| !line.contains(" INFO ")).count();
    assert_eq!(unasked, 1, "more than one line: {ended:?}");
    assert!(!ended.errors.contains("hunter2"), "a password is shown: {ended:?}");
    assert_eq!(ended.output, "");
}

/// Flags, variables, and what the line must mention.
type Wrong<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[tokio::test]
async fn a_wrong_setting_ends_the_program_with_one_line_and_code_2() {
    let wrong: [Wrong<'_>; 16] = [
        (&["--unknown"], &[], "--unknown"),
        (&["stray"], &[], "stray"),
        (&["--port", "70000"], &[], "--port"),
        (&["--bind", "nowhere"], &[], "--bind"),
        (&["--pool-size", "0"], &[], "--pool-size"),
        (&["--charge-lock", "maybe"], &[], "--charge-lock"),
        (&["--drain-timeout", "10"], &[], "--drain-timeout"),
        (&["--idempotency-ttl", "0s"], &[], "--idempotency-ttl"),
        (&["--log", "ecommerce=loud"], &[], "--log"),
        (&[], &[("ECOMMERCE_POOLSIZE", "3")], "ECOMMERCE_POOLSIZE"),
        (&[], &[("ECOMMERCE_BODY_LIMIT", "none")], "--body-limit"),
        (&[], &[("DATABASE_URL", "oracle://shop:hunter2@host/shop")], "--database-url"),
        (&[], &[("DATABASE_URL", "mysql://shop:hunter2@host:port/shop")], "--database-url"),
        (&[], &[("DATABASE_URL", "mysql://shop:hunter2@host")], "--database-url"),
        (&[], &[("REDIS_URL", "http://:hunter2@host")], "--redis-url"),
        (&[], &[("REDIS_URL", "")], "it is empty"),
    ];
    for (flags, variables, part) in wrong {
        assert_one_line(&with(flags, variables).await, 2, part);
    }
}

#[tokio::test]
async fn an_address_of_redis_that_cannot_be_read_is_a_wrong_setting() {
    let ended = with(&[], &[("REDIS_URL", "redis://:hunter2@host:port")]).await;
    assert_one_line(&ended, 2, "cannot be read");
}

#[tokio::test]
async fn a_server_that_is_away_at_start_ends_the_program_with_one_line_and_code_1() {
    let nobody = free_port();
    let database = format!("mysql://shop:hunter2@127.0.0.1:{nobody}/shop");
    let patience = ["--database-wait", "300ms"];
    let ended = with(&patience, &[("DATABASE_URL", &database)]).await;
    assert_one_line(&ended, 1, &nobody.to_string());
    assert_one_line(&ended, 1, "refused");
    let redis = format!("redis://:hunter2@127.0.0.1:{nobody}");
    assert_one_line(&with(&[], &[("REDIS_URL", &redis)]).await, 1, &nobody.to_string());
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_ends_the_program_with_one_line_and_code_1() {
    let ended = with(&["--database-url", "sqlite:no/such/directory/shop.db"], &[]).await;
    assert_one_line(&ended, 1, "no/such/directory/shop.db");
}

#[tokio::test]
async fn a_port_that_is_taken_ends_the_program_with_one_line_and_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = shop_command();
    command.args(["--port", &port]);
    let ended = run_to_end(command).await;
    assert_one_line(&ended, 1, &port);
}

#[tokio::test]
async fn help_explains_every_setting_and_shows_examples() {
    let ended = with(&["--help"], &[("DATABASE_URL", "mysql://shop:hunter2@host/shop")]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in ["DATABASE_URL", "REDIS_URL", "ECOMMERCE_CHARGE_LOCK", "Examples:", "24h"] {
        assert!(ended.output.contains(part), "{part} is missing:\n{}", ended.output);
    }
    assert!(!ended.output.contains("hunter2"));
}

#[tokio::test]
async fn the_program_says_where_its_data_is() {
    let backing = Backing::embedded();
    let shop = Shop::open(&backing).await;
    let file = backing.database_url.trim_start_matches("sqlite:");
    assert!(shop.process.log().contains(file), "{}", shop.process.log());
}
