//! What requests share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use lock_core::LockManager;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::background::{Relay, Sweeper};
use crate::cache::Cache;
use crate::events::{EventSink, LogSink, RedisStreamSink};
use crate::gateway::MockGateway;
use crate::lab::Crash;
use crate::settings::Settings;
use crate::shared::SharedRedis;
use crate::store::{ConnectError, Database, Once, PoolSettings};
use crate::tasks::Tasks;
use crate::usecase::charge::Wallet;
use crate::usecase::coupons::CouponDesk;
use crate::usecase::orders::OrderDesk;
use crate::usecase::payments::{PaymentDesk, PaymentSettings};

/// The shop: its database, its locks and its use cases. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    database: Database,
    locks: LockManager,
    wallet: Wallet,
    coupons: CouponDesk,
    orders: OrderDesk,
    payments: PaymentDesk,
    relay: Relay,
    cache: Cache,
    sweeper: Sweeper,
    tasks: Tasks,
    metrics: PrometheusHandle,
}

impl App {
    /// Opens the database and the locks that `settings` name.
    ///
    /// # Errors
    ///
    /// [`StartError`] says which of them cannot be had.
    pub async fn open(settings: &Settings, metrics: PrometheusHandle) -> Result<Self, StartError> {
        let pool = PoolSettings { size: settings.pool_size, wait: settings.database_wait };
        let database = Database::open(&settings.database_url, pool).await?;
        let locks = locks(settings).await?;
        let shared = match &settings.redis_url {
            Some(address) => Some(SharedRedis::connect(address.reveal(), &settings.redis_prefix).await?),
            None => None,
        };
        let sink: Arc<dyn EventSink> = match &shared {
            Some(redis) => Arc::new(RedisStreamSink::new(redis.clone())),
            None => Arc::new(LogSink),
        };
        let keys = idempotency::Settings::default().ttl(settings.idempotency_ttl);
        let once = Once::open(&database, keys).await?;
        let parts = Parts {
            wallet: Wallet::new(once.clone(), locks.clone(), settings),
            coupons: CouponDesk::new(database.clone(), locks.clone()),
            payments: PaymentDesk::new(
                database.clone(),
                locks.clone(),
                once.clone(),
                Arc::new(MockGateway::new(database.clone())),
                payment_settings(settings),
            ),
            cache: Cache::new(shared),
            relay: Relay::new(database.clone(), locks.clone(), sink),
            orders: OrderDesk::new(once.clone()),
            sweeper: Sweeper::new(once, locks.clone(), settings.sweep_every),
            tasks: Tasks::new(settings.request_timeout),
            database,
            locks,
            metrics,
        };
        Ok(Self(Arc::new(parts)))
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The locks.
    pub fn locks(&self) -> &LockManager {
        &self.0.locks
    }

    /// What charges balances.
    pub fn wallet(&self) -> &Wallet {
        &self.0.wallet
    }

    /// What issues coupons.
    pub fn coupons(&self) -> &CouponDesk {
        &self.0.coupons
    }

    /// What takes orders.
    pub fn orders(&self) -> &OrderDesk {
        &self.0.orders
    }

    /// What takes payments.
    pub fn payments(&self) -> &PaymentDesk {
        &self.0.payments
    }

    /// The work under way.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Answers kept for a while.
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// What goes on by itself until `stop`.
    pub fn background(&self, stop: &CancellationToken) -> [Pin<Box<dyn Future<Output = ()> + Send>>; 4] {
        let Parts { payments, relay, cache, sweeper, .. } = &*self.0;
        [
            Box::pin(payments.clone().reconcile(stop.clone())),
            Box::pin(relay.clone().run(stop.clone())),
            Box::pin(cache.clone().catch_up(stop.clone())),
            Box::pin(sweeper.clone().run(stop.clone())),
        ]
    }

    /// Everything counted so far, in Prometheus' text format.
    pub fn render_metrics(&self) -> String {
        self.0.metrics.render()
    }

    /// Forgets histogram samples that are counted already; to be called now and then.
    pub fn tidy_metrics(&self) {
        self.0.metrics.run_upkeep();
    }

    /// Waits for the work under way, gives back every lock and closes the connections.
    ///
    /// # Cancel safety
    ///
    /// When dropped, work that is still under way is cut off when the process ends: its transaction rolls back and its
    /// lock ends with its lease.
    pub async fn close(&self) {
        self.0.tasks.finish().await;
        self.0.locks.shutdown().await;
        self.0.database.close().await;
    }
}

/// The locks that `settings` name.
///
/// # Errors
///
/// Redis cannot be had.
pub async fn locks(settings: &Settings) -> Result<LockManager, lock_core::ConnectError> {
    match &settings.redis_url {
        Some(address) => LockManager::builder().prefix(&settings.redis_prefix).redis(address.reveal()).await,
        None => Ok(LockManager::in_process()),
    }
}

fn payment_settings(settings: &Settings) -> PaymentSettings {
    PaymentSettings {
        gateway_timeout: settings.gateway_timeout,
        reconcile_after: settings.reconcile_after,
        tokens_are_shared: settings.redis_url.is_some(),
        crash: Crash::new(settings.crash_at),
    }
}

/// Why the shop cannot open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The database cannot be had.
    #[error(transparent)]
    Database(#[from] ConnectError),
    /// The table of the idempotency keys cannot be had.
    #[error("cannot make the table of idempotency keys")]
    Keys(#[from] idempotency::StoreError),
    /// Redis does not answer.
    #[error("cannot reach Redis")]
    Redis {
        /// What was met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The locks cannot be had.
    #[error(transparent)]
    Locks(#[from] lock_core::ConnectError),
}

impl From<redis::RedisError> for StartError {
    fn from(source: redis::RedisError) -> Self {
        Self::Redis { source: Box::new(source) }
    }
}

impl StartError {
    /// Whether a setting is wrong, rather than a server away.
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Locks(lock_core::ConnectError::InvalidAddress { .. }))
    }
}
