use redis::RedisError;
use redis::aio::{AsyncPushSender, MultiplexedConnection};

use crate::error::ConnectError;
use crate::redis::config::{Place, RedisConfig};
use crate::redis::sentinel::Sentinel;
use crate::redis::server::Server;

/// Where connections to the one server in charge come from.
pub(super) enum Source {
    Server(Server),
    Sentinel(Sentinel),
    #[cfg(feature = "deadpool")]
    Pool {
        pool: deadpool_redis::Pool,
        server: Server,
    },
}

impl Source {
    /// Reads where the server is.
    pub(super) fn new(config: &RedisConfig) -> Result<Self, ConnectError> {
        let server = |url: &str| Ok::<_, ConnectError>(Server::parse(url, config)?.logged_in_by(config));
        Ok(match &config.place {
            Place::Standalone(url) => Self::Server(server(url)?),
            Place::Sentinel { sentinels, name } => {
                let parsed: Result<Vec<_>, _> =
                    sentinels.iter().map(|url| Server::parse(url, config)).collect();
                let sentinels = parsed?;
                let template = sentinels.first().cloned().ok_or_else(no_address)?;
                Self::Sentinel(Sentinel {
                    // A Sentinel has no databases.
                    sentinels: sentinels.into_iter().map(Server::without_database).collect(),
                    name: name.clone(),
                    template: template.logged_in_by(config),
                })
            }
            #[cfg(feature = "deadpool")]
            Place::Pool { pool, events } => Self::Pool { pool: pool.clone(), server: server(events)? },
            // Each of its servers is a source of its own.
            Place::Cluster(_) => return Err(no_address()),
        })
    }

    /// Where the server is as far as is known without asking, without user or password.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Server(server) => server.address(),
            Self::Sentinel(sentinel) => {
                let addresses: Vec<_> = sentinel.sentinels.iter().map(Server::address).collect();
                format!("{} (by Sentinels {})", sentinel.name, addresses.join(", "))
            }
            #[cfg(feature = "deadpool")]
            Self::Pool { server, .. } => server.address(),
        }
    }

    /// Opens a connection for commands, and says to where.
    pub(super) async fn connect(&self) -> Result<(MultiplexedConnection, String), RedisError> {
        match self {
            Self::Server(server) => Ok((server.connect().await?, server.address())),
            Self::Sentinel(sentinel) => {
                let (server, connection) = sentinel.primary().await?;
                Ok((connection, server.address()))
            }
            #[cfg(feature = "deadpool")]
            Self::Pool { pool, server } => {
                let pooled = super::server::within(server.timeouts.connect, async {
                    pool.get().await.map_err(super::error::pool)
                });
                // For good: a shared connection must be free of other people's blocking commands and transactions.
                let mut connection = deadpool_redis::Connection::take(pooled.await?);
                connection.set_response_timeout(server.timeouts.response);
                Ok((connection, server.address()))
            }
        }
    }

    /// Opens a connection that listens on `channel`, and says to where. Messages go to what `pushes` makes for that place.
    pub(super) async fn subscribe<P: AsyncPushSender>(
        &self,
        channel: &str,
        pushes: impl FnOnce(&str) -> P,
    ) -> Result<(MultiplexedConnection, String), RedisError> {
        let server = match self {
            Self::Server(server) => server.clone(),
            Self::Sentinel(sentinel) => sentinel.primary().await?.0,
            #[cfg(feature = "deadpool")]
            Self::Pool { server, .. } => server.clone(),
        };
        let address = server.address();
        let connection = server.subscribe(channel, pushes(&address)).await?;
        Ok((connection, address))
    }
}

pub(super) fn no_address() -> ConnectError {
    ConnectError::InvalidAddress { reason: "the list of addresses is empty".to_owned() }
}
