use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::{Answer, Backing, Client};

const FIRST_USER: i64 = 4;
const USERS: usize = 10;
const START_BALANCE: i64 = 100_000_000;

/// Charges of ten users, each under a key of its own.
#[derive(Debug)]
pub(crate) struct Load {
    charges: Vec<Charge>,
}

#[derive(Debug, Clone)]
struct Charge {
    user: i64,
    key: String,
}

impl Charge {
    /// Another amount for each user, so that money which went astray shows.
    fn amount(&self) -> i64 {
        amount_of(self.user)
    }
}

fn amount_of(user: i64) -> i64 {
    100 + user
}

/// What clients saw.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) repeated: usize,
    pub(crate) hung_up: usize,
    pub(crate) server_errors: usize,
    pub(crate) unreachable: usize,
}

#[derive(Default)]
struct Counts {
    next: AtomicUsize,
    repeated: AtomicUsize,
    hung_up: AtomicUsize,
    server_errors: AtomicUsize,
    unreachable: AtomicUsize,
}

impl Load {
    pub(crate) fn new(charges: usize) -> Self {
        let charge = |n: usize| {
            let user = FIRST_USER + i64::try_from(n % USERS).unwrap();
            Charge { user, key: format!("load-{user}-{n}") }
        };
        Self { charges: (0..charges).map(charge).collect() }
    }

    /// Sends every charge to a shop taken at random; about a third twice, about a third by a client that hangs up.
    pub(crate) async fn run(&self, shops: &[Client], tasks: usize) -> Report {
        let counts = std::sync::Arc::new(Counts::default());
        let running: Vec<_> = (0..tasks)
            .map(|_| {
                let (counts, charges, shops) = (counts.clone(), self.charges.clone(), shops.to_vec());
                tokio::spawn(async move {
                    while let Some(charge) = charges.get(counts.next.fetch_add(1, Ordering::Relaxed)) {
                        send(&shops, charge, &counts).await;
                    }
                })
            })
            .collect();
        for task in running {
            task.await.unwrap();
        }
        let get = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        Report {
            repeated: get(&counts.repeated),
            hung_up: get(&counts.hung_up),
            server_errors: get(&counts.server_errors),
            unreachable: get(&counts.unreachable),
        }
    }

    /// Asks for every charge again, until it is answered with success.
    pub(crate) async fn repeat_all(&self, shop: &Client) {
        for charges in self.charges.chunks(50) {
            let repeats: Vec<_> = charges
                .iter()
                .map(|charge| {
                    let (shop, charge) = (shop.clone(), charge.clone());
                    tokio::spawn(async move { charge_until_done(&shop, &charge).await })
                })
                .collect();
            for repeat in repeats {
                repeat.await.unwrap();
            }
        }
    }

    /// How many keys are completed, by the database.
    pub(crate) async fn completed(&self, backing: &Backing) -> i64 {
        backing.number("SELECT COUNT(*) FROM idempotency_keys WHERE status = 'COMPLETED'").await
    }

    /// The one thing that must hold, for each user: completed keys × amount = what the balance has grown by.
    pub(crate) async fn every_completed_key_moved_its_balance_once(&self, backing: &Backing) {
        for user in (0..).take(USERS).map(|n: i64| FIRST_USER + n) {
            let keys = backing
                .number(&format!(
                    "SELECT COUNT(*) FROM idempotency_keys \
                     WHERE status = 'COMPLETED' AND idempotency_key LIKE 'load-{user}-%'"
                ))
                .await;
            let balance = backing.number(&format!("SELECT balance FROM users WHERE id = {user}")).await;
            let version = backing.number(&format!("SELECT version FROM users WHERE id = {user}")).await;
            assert_eq!(balance - START_BALANCE, keys * amount_of(user), "user {user}: {keys} keys completed");
            assert_eq!(version, keys, "user {user}: one version a charge");
        }
    }
}

async fn send(shops: &[Client], charge: &Charge, counts: &Counts) {
    let add = |count: &AtomicUsize| count.fetch_add(1, Ordering::Relaxed);
    let times = if chance(3) { 2 } else { 1 };
    if times == 2 {
        add(&counts.repeated);
    }
    let sent = (0..times).map(|_| {
        let shop = shops[random(shops.len())].clone();
        let request = shop.charge_request(charge.user, charge.amount(), &charge.key);
        let patience = chance(3).then(|| Duration::from_micros(random(20_000) as u64));
        async move {
            let answer = async { Answer::read(request.send().await?).await };
            match patience {
                Some(patience) => tokio::time::timeout(patience, answer).await.map_err(|_| ()),
                None => Ok(answer.await),
            }
        }
    });
    for outcome in join_all(sent).await {
        match outcome {
            Err(()) => add(&counts.hung_up),
            Ok(Err(_)) => add(&counts.unreachable),
            Ok(Ok(answer)) if answer.status.is_server_error() => add(&counts.server_errors),
            Ok(Ok(_)) => 0,
        };
    }
}

async fn join_all<T: Send + 'static>(
    futures: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

async fn charge_until_done(shop: &Client, charge: &Charge) {
    for _ in 0..200 {
        let answer = shop.charge(charge.user, charge.amount(), &charge.key).await;
        if answer.status == 200 {
            assert_eq!(answer.json()["chargedAmount"], charge.amount());
            return;
        }
        assert!([409, 503].contains(&answer.status.as_u16()), "{} {}", answer.status, answer.json());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    panic!("{} is never done", charge.key);
}

fn random(below: usize) -> usize {
    usize::try_from(Uuid::new_v4().as_u128() % below as u128).unwrap()
}

fn chance(one_in: usize) -> bool {
    random(one_in) == 0
}
