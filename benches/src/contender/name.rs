use clap::ValueEnum;

/// The locks that can be measured in processes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// This workspace's lock.
    Interlock,
    /// rslock as shipped.
    Rslock,
    /// rslock, asking again within 5 ms.
    RslockTuned,
    /// async-redis-lock as shipped.
    AsyncRedisLock,
    /// async-redis-lock, asking again after 2 ms.
    AsyncRedisLockTuned,
    /// distributed-lock-redis, which leaves asking again to the caller.
    DistributedLockRedis,
}

impl Name {
    /// Everybody but us.
    pub const PEERS: [Self; 5] = [
        Self::Rslock,
        Self::RslockTuned,
        Self::AsyncRedisLock,
        Self::AsyncRedisLockTuned,
        Self::DistributedLockRedis,
    ];

    /// The name in tables.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Interlock => "interlock",
            Self::Rslock => "rslock",
            Self::RslockTuned => "rslock, tuned",
            Self::AsyncRedisLock => "async-redis-lock",
            Self::AsyncRedisLockTuned => "async-redis-lock, tuned",
            Self::DistributedLockRedis => "distributed-lock-redis",
        }
    }
}

/// Evaluates an expression with `$lock` bound to the contender of that name, connected to the server at `$url`.
#[macro_export]
macro_rules! with_contender {
    ($name:expr, $url:expr, |$lock:ident| $body:expr) => {
        match $name {
            $crate::contender::Name::Interlock => {
                let $lock = $crate::contender::Interlock::redis($url).await;
                $body
            }
            $crate::contender::Name::Rslock => {
                let $lock = $crate::contender::Rslock::as_shipped($url);
                $body
            }
            $crate::contender::Name::RslockTuned => {
                let $lock = $crate::contender::Rslock::tuned($url);
                $body
            }
            $crate::contender::Name::AsyncRedisLock => {
                let $lock = $crate::contender::AsyncRedisLock::as_shipped($url).await;
                $body
            }
            $crate::contender::Name::AsyncRedisLockTuned => {
                let $lock = $crate::contender::AsyncRedisLock::tuned($url).await;
                $body
            }
            $crate::contender::Name::DistributedLockRedis => {
                let $lock = $crate::contender::DistributedLockRedis::connect($url).await;
                $body
            }
        }
    };
}
