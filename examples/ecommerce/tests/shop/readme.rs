use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use interlock_tests::{MariaDbServer, RedisServer, Scratch};

use crate::openapi::ROUTES;
use crate::support::{Backing, Shop, run_within};

const README: &str = include_str!("../../README.md");
/// Stands for any text in what is printed.
const ANYTHING: char = '…';
/// Printed after each command.
const END: char = '\u{1e}';
/// What redirects the commands of the README from the usual ports to those of the test.
const CLIENTS: [(&str, &str); 3] = [
    ("curl", "curl --connect-to localhost:8080:127.0.0.1:@SHOP@"),
    ("mysql", "$(command -v mysql || command -v mariadb) --no-defaults -h 127.0.0.1 -P @MARIADB@ -u root"),
    ("redis-cli", "$(command -v redis-cli || command -v valkey-cli) -p @REDIS@"),
];

/// A command of the README, and what it prints.
#[derive(Debug, Default)]
struct Step {
    command: String,
    output: String,
}

/// What is in blocks of `console`: commands after a dollar, each followed by what it prints.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in README.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step { command: command.to_owned(), ..Step::default() });
            } else {
                let output = &mut steps.last_mut().expect("a command before what it prints").output;
                output.push_str(line);
                output.push('\n');
            }
        }
    }
    steps
}

/// Whether `text` is `pattern`, where that says anything by `…`.
fn is_as_printed(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.trim_end().split(ANYTHING);
    let Some(mut rest) = text.trim_end().strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

fn write_clients(directory: &Path, ports: &[(&str, String)]) {
    for (name, client) in CLIENTS {
        let command = ports.iter().fold(client.to_owned(), |line, (port, number)| line.replace(port, number));
        // The next one of that name on the path.
        let script = format!("#!/bin/sh\nPATH=${{PATH#*:}}\nexec {command} \"$@\"\n");
        let file = directory.join(name);
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn port(address: &str) -> String {
    address.rsplit(':').next().unwrap().trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn every_command_prints_what_the_readme_says() {
    let (mariadb, redis) = (MariaDbServer::private().await, RedisServer::private().await);
    let mut backing = Backing::on(&mariadb, &redis).await;
    backing.run("CREATE DATABASE shop CHARACTER SET utf8mb4").await;
    backing.database_url = format!("{}/shop", mariadb.url());
    // Locks that can be looked at for longer, and a payment that is found out sooner.
    let shop = Shop::open_with(&backing, &["--gateway-timeout", "6s", "--reconcile-after", "1s"]).await;

    let directory = Scratch::new("readme");
    let clients = directory.path().join("clients");
    std::fs::create_dir(&clients).unwrap();
    let ports = [
        ("@SHOP@", port(shop.base())),
        ("@MARIADB@", port(&mariadb.address())),
        ("@REDIS@", redis.port().to_string()),
    ];
    write_clients(&clients, &ports);

    let steps = steps();
    assert!(steps.len() >= 20, "{steps:#?}");
    let script: String = steps.iter().map(|step| format!("{}\nprintf '\\036'\n", step.command)).collect();
    let mut bash = Command::new("bash");
    let path = std::env::var("PATH").unwrap();
    bash.arg("-c").arg(format!("exec 2>&1\n{script}")).current_dir(directory.path());
    bash.env("PATH", format!("{}:{path}", clients.display()));
    let ended = run_within(Duration::from_secs(120), bash).await;

    let printed: Vec<_> = ended.output.split(END).collect();
    let differs = |(n, step): (usize, &Step)| {
        let text = printed.get(n).copied().unwrap_or_default();
        let Step { command, output } = step;
        (!is_as_printed(text, output)).then(|| format!("$ {command}\nprinted\n{text}\nand not\n{output}"))
    };
    let differences: Vec<_> = steps.iter().enumerate().filter_map(differs).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_text_is_told_from_what_should_have_been_printed() {
    for (text, pattern) in [("a", "a"), ("a b c", "a…c"), ("abc\n", "…b…"), ("", ""), ("x", "…")] {
        assert!(is_as_printed(text, pattern), "{text} {pattern}");
    }
    for (text, pattern) in
        [("ab", "a"), ("a b d", "a…c"), ("acb", "a…b…c"), ("a", ""), ("", "a"), ("ab", "b")]
    {
        assert!(!is_as_printed(text, pattern), "{text} {pattern}");
    }
}

#[test]
fn the_readme_lists_every_route() {
    let rows = README.lines().filter(|line| line.starts_with("| `"));
    let codes = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`'));
    let listed: BTreeSet<_> = codes.filter_map(|code| code.split_once(" /")).collect();
    let routes: Vec<_> = ROUTES.iter().map(|(method, path)| (method.to_uppercase(), &path[1..])).collect();
    let routes: BTreeSet<_> = routes.iter().map(|(method, path)| (method.as_str(), *path)).collect();
    assert_eq!(listed, routes);
}
