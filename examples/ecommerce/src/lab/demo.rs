use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lock_core::LockManager;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use uuid::Uuid;

use super::Defence;
use super::bench::{Bench, Shop};
use super::load;
use super::stage::{CROWDED, Stage};
use super::table::{Row, table};
use crate::app::{StartError, locks};
use crate::error::ShopError;
use crate::settings::{DatabaseAddress, Settings};
use crate::store::{Database, Once, PoolSettings};
use crate::usecase::charge::Wallet;
use crate::usecase::coupons::CouponDesk;
use crate::usecase::orders::OrderDesk;

/// Few enough for the load to want more.
const CONNECTIONS: u32 = 16;
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(1);

const LEGEND: &str = "\
lost updates: charges of which the balance knows nothing. double charges: more than one under one key. oversold coupons:
more in users' hands than there were. orders per key: the most under one key. All are counted in the database.
";

/// What a demonstration is told.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// About how many requests each defence gets
    #[arg(long, value_name = "N", default_value_t = 1_400, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub requests: u32,

    /// How many are under way at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub tasks: u32,

    /// How long each defence may take; what was not sent by then is left out
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = crate::settings::duration)]
    pub limit: Duration,

    /// Only this defence; may be given more than once
    #[arg(long, value_name = "DEFENCE", value_enum)]
    pub only: Vec<Defence>,
}

/// Why a demonstration did not come to its end, or not to the one it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The database or the locks cannot be had.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The rows cannot be made, counted or taken away.
    #[error("the rows of the demonstration cannot be had")]
    Rows(#[from] ShopError),
    /// There is no directory for the data.
    #[error("cannot make a directory for the data")]
    Directory(#[source] std::io::Error),
    /// Somebody pressed Ctrl-C. The rows are taken away.
    #[error("interrupted")]
    Interrupted,
    /// A defence did not do what is said of it.
    #[error("{0}")]
    Surprise(String),
}

/// Where the rows are: where the settings say, or in a file that is deleted with this.
struct Place {
    address: DatabaseAddress,
    _directory: Option<TempDir>,
}

impl Place {
    fn of(settings: &Settings) -> Result<Self, DemoError> {
        if settings.database_is_given {
            return Ok(Self { address: settings.database_url.clone(), _directory: None });
        }
        let directory = tempfile::tempdir().map_err(DemoError::Directory)?;
        let file = SqliteConnectOptions::new().filename(directory.path().join("demo.db"));
        Ok(Self { address: DatabaseAddress::Sqlite(Box::new(file)), _directory: Some(directory) })
    }
}

/// Runs the demonstration; `show` is handed the table.
///
/// # Errors
///
/// [`DemoError::Surprise`] when the table does not show what it should, after it was shown; else what was away.
///
/// # Cancel safety
///
/// Dropping the future leaves rows behind whose names begin with `demo-`.
pub async fn demo(settings: &Settings, demo: &Demo, show: impl FnOnce(&str)) -> Result<(), DemoError> {
    let pool = PoolSettings { size: CONNECTIONS, wait: PATIENCE };
    let place = Place::of(settings)?;
    let database = Database::open(&place.address, pool).await.map_err(StartError::from)?;
    let locks = locks(settings).await.map_err(StartError::from)?;
    let chosen =
        if demo.only.is_empty() { <Defence as clap::ValueEnum>::value_variants() } else { &demo.only };
    let bars = ProgressStyle::with_template("{msg:20} {bar:40} {pos}/{len}");
    let mut rows = Vec::new();
    for &defence in chosen {
        let bar = ProgressBar::new(u64::from(demo.requests)).with_message(defence.name());
        if let Ok(style) = &bars {
            bar.set_style(style.clone());
        }
        rows.push(run(settings, demo, defence, (&database, &locks), &bar).await?);
        bar.finish_and_clear();
    }
    locks.shutdown().await;
    database.close().await;
    show(&format!("{}\n{LEGEND}", table(&rows)));
    rows.iter().find_map(Row::surprise).map_or(Ok(()), |surprise| Err(DemoError::Surprise(surprise)))
}

async fn run(
    settings: &Settings,
    demo: &Demo,
    defence: Defence,
    (database, locks): (&Database, &LockManager),
    bar: &ProgressBar,
) -> Result<Row, DemoError> {
    let count = demo.requests as usize;
    let clients = load::clients(count);
    let name = format!("demo-{}", &Uuid::new_v4().simple().to_string()[..12]);
    let pieces = i64::try_from(clients / 2).unwrap_or(i64::MAX);
    let stage = Stage::set(database, name, CROWDED + clients, pieces).await?;
    let requests = load::requests(&stage, count)?;
    bar.set_length(requests.len() as u64);
    // A table of its own memory: what one defence has seen must not help the next.
    let keys = idempotency::Settings::default().wait(PATIENCE);
    let once = Once::open(database, keys).await.map_err(StartError::from)?;
    let shop = Shop {
        wallet: Wallet::new(once.clone(), locks.clone(), settings),
        coupons: CouponDesk::new(database.clone(), locks.clone()),
        orders: OrderDesk::new(once.clone()),
    };
    let bench = Arc::new(Bench::new(defence, shop, (database.clone(), locks.clone(), once), stage));
    let seen = tokio::select! {
        seen = load::run(&bench, requests, demo.tasks as usize, demo.limit, bar) => Some(seen),
        _ = tokio::signal::ctrl_c() => None,
    };
    let damage = bench.stage.damage(database).await?;
    bench.stage.clear(database).await?;
    seen.map(|seen| Row { defence, seen, damage }).ok_or(DemoError::Interrupted)
}
