use std::fmt;
use std::time::Duration;

/// Where the Redis servers are and how to log in.
///
/// A text is the URL of one server, so most callers never name this type:
///
/// ```no_run
/// # async fn example() -> Result<(), lock_core::ConnectError> {
/// use lock_core::{LockManager, RedisConfig};
///
/// let one = LockManager::redis("redis://127.0.0.1:6379").await?;
///
/// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
/// let replicated = LockManager::redis(RedisConfig::sentinel(sentinels, "main")).await?;
///
/// let cluster = LockManager::redis(RedisConfig::cluster(["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"])).await?;
/// # Ok(()) }
/// ```
///
/// # URLs
///
/// `redis://user:password@host:port/database`; `rediss://` for TLS (feature `redis-tls`), `unix:///path/to/socket`, and
/// `?protocol=resp3` at the end for commands in RESP3. Messages always come in RESP3.
#[derive(Clone)]
#[must_use = "a configuration does nothing until a manager is made from it"]
pub struct RedisConfig {
    pub(super) place: Place,
    pub(super) login: Option<Login>,
    pub(super) timeouts: Timeouts,
    #[cfg(feature = "redis-tls")]
    pub(super) certificates: super::tls::Certificates,
}

#[derive(Clone)]
pub(super) enum Place {
    Standalone(String),
    Sentinel {
        sentinels: Vec<String>,
        name: String,
    },
    Cluster(Vec<String>),
    #[cfg(feature = "deadpool")]
    Pool {
        pool: deadpool_redis::Pool,
        events: String,
    },
}

#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) response: Duration,
}

impl RedisConfig {
    fn new(place: Place) -> Self {
        Self {
            place,
            login: None,
            timeouts: Timeouts { connect: Duration::from_secs(2), response: Duration::from_secs(1) },
            #[cfg(feature = "redis-tls")]
            certificates: super::tls::Certificates::default(),
        }
    }

    /// One server.
    pub fn standalone(url: impl Into<String>) -> Self {
        Self::new(Place::Standalone(url.into()))
    }

    /// The primary that the Sentinels watch under `name`; after a failover, the new one.
    ///
    /// User, password, TLS and protocol of the first URL hold for the servers too, and its database; see
    /// [`login`](Self::login) for servers with another password than their Sentinels.
    pub fn sentinel<U: Into<String>>(urls: impl IntoIterator<Item = U>, name: impl Into<String>) -> Self {
        Self::new(Place::Sentinel {
            sentinels: urls.into_iter().map(Into::into).collect(),
            name: name.into(),
        })
    }

    /// A cluster, version 7.0 or newer, that is found through any of these nodes.
    ///
    /// User, password and TLS of the first URL hold for all nodes.
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Self {
        Self::new(Place::Cluster(urls.into_iter().map(Into::into).collect()))
    }

    /// A server to which the application has a pool already.
    ///
    /// Commands go over a connection that is taken out of the pool for good, with whatever the pool sets up for its
    /// connections, and over the next one when it breaks; the pool makes another in its place. Lock events need a
    /// connection of their own, which a pool cannot give: it is made from `events`, the URL of the same server.
    #[cfg(feature = "deadpool")]
    pub fn pool(pool: deadpool_redis::Pool, events: impl Into<String>) -> Self {
        Self::new(Place::Pool { pool, events: events.into() })
    }

    /// Sets the user and password of the servers, in place of those in the URLs.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some(Login { user: user.into(), password: password.into() });
        self
    }

    /// Sets how long one reply may take, 1 s by default. After this time the command counts as failed, and the connection
    /// as broken: the next command opens another one.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout;
        self
    }

    /// Sets how long a connection may take to open, login included: 2 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// Sets the certificates, as PEM, of the authorities that a server's certificate is checked against, in place of
    /// those of the machine.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.roots = Some(pem.into());
        self
    }

    /// Sets the certificate and its key, both as PEM, by which the servers know this client.
    #[cfg(feature = "redis-tls")]
    pub fn client_certificate(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.certificates.client = Some((certificate.into(), key.into()));
        self
    }
}

impl From<&str> for RedisConfig {
    fn from(url: &str) -> Self {
        Self::standalone(url)
    }
}

impl From<&&str> for RedisConfig {
    fn from(url: &&str) -> Self {
        Self::standalone(*url)
    }
}

impl From<&String> for RedisConfig {
    fn from(url: &String) -> Self {
        Self::standalone(url.as_str())
    }
}

impl From<String> for RedisConfig {
    fn from(url: String) -> Self {
        Self::standalone(url)
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // URLs may hold passwords.
        let place = match &self.place {
            Place::Standalone(_) => "standalone",
            Place::Sentinel { .. } => "sentinel",
            Place::Cluster(_) => "cluster",
            #[cfg(feature = "deadpool")]
            Place::Pool { .. } => "pool",
        };
        f.debug_struct("RedisConfig")
            .field("place", &place)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_secret() {
        let config = RedisConfig::standalone("redis://user:hunter2@host").login("user", "hunter3");
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
