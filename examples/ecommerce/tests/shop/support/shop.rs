use std::ops::Deref;
use std::time::Duration;

use interlock_tests::{Process, Scratch};

use super::{Backing, Client, shop_command};

/// A shop that runs, as a process of its own.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) process: Process,
    client: Client,
    _directory: Scratch,
    _backing: Backing,
}

impl Shop {
    /// Opens a shop on a free port.
    pub(crate) async fn open(backing: &Backing) -> Self {
        Self::open_with(backing, &[]).await
    }

    /// Opens a shop with more flags.
    pub(crate) async fn open_with(backing: &Backing, flags: &[&str]) -> Self {
        let directory = Scratch::new("shop-process");
        let mut command = shop_command();
        command.args(["--port", "0"]).args(flags).env("DATABASE_URL", &backing.database_url);
        if let Some(url) = &backing.redis_url {
            command.env("REDIS_URL", url).env("ECOMMERCE_REDIS_PREFIX", &backing.redis_prefix);
        }
        let mut process = Process::spawn(&command, &directory.path().join("log"));
        process.says("listening on http://", Duration::from_secs(60)).await;
        let log = process.log();
        let base = log.split("listening on ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        let client = Client::new(base.to_owned());
        Self { process, client, _directory: directory, _backing: backing.clone() }
    }

    /// What talks to it.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

impl Deref for Shop {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // What the shop had to say about it helps whoever reads why the test failed.
        if std::thread::panicking() {
            let log = self.process.log();
            let from = log.lines().count().saturating_sub(20);
            eprintln!("the shop's last words:");
            log.lines().skip(from).for_each(|line| eprintln!("  {line}"));
        }
    }
}
