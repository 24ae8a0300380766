use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, RedisError,
};
use tokio::time::timeout;

use crate::error::ConnectError;
use crate::redis::config::{RedisConfig, Timeouts};
use crate::redis::error;

/// Commands that wait in this process for the socket to take them; when there are more, callers wait.
const PIPELINE: usize = 1024;

/// One server: its address, and how to log in.
#[derive(Clone)]
pub(super) struct Server {
    info: ConnectionInfo,
    pub(super) timeouts: Timeouts,
}

impl Server {
    /// Reads the URL of a server. The login of `config` is not looked at.
    pub(super) fn parse(url: &str, config: &RedisConfig) -> Result<Self, ConnectError> {
        needs_tls(url, cfg!(feature = "redis-tls"))?;
        let info = url
            .into_connection_info()
            .map_err(|error| error::address(&error))?
            // A hand-over is a small message that must not wait for others.
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        #[cfg(feature = "redis-tls")]
        let info = match info.addr() {
            ConnectionAddr::TcpTls { .. } => {
                config.certificates.apply(info).map_err(|error| error::address(&error))?
            }
            _ => info,
        };
        Ok(Self { info, timeouts: config.timeouts })
    }

    /// Takes the login of `config` in place of the URL's, where it has one.
    pub(super) fn logged_in_by(mut self, config: &RedisConfig) -> Self {
        if let Some(login) = &config.login {
            let redis = self.info.redis_settings().clone();
            let redis = redis.set_username(&login.user).set_password(&login.password);
            self.info = self.info.set_redis_settings(redis);
        }
        self
    }

    /// Another server with the same login and encryption.
    pub(super) fn at(&self, host: &str, port: u16) -> Self {
        let host = host.to_owned();
        let address = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        Self { info: self.info.clone().set_addr(address), timeouts: self.timeouts }
    }

    /// The same server, for a kind of server that has no databases.
    pub(super) fn without_database(mut self) -> Self {
        let redis = self.info.redis_settings().clone();
        self.info = self.info.set_redis_settings(redis.set_db(0));
        self
    }

    /// The same server, spoken to in RESP3.
    pub(super) fn in_resp3(mut self) -> Self {
        let redis = self.info.redis_settings().clone();
        self.info = self.info.set_redis_settings(redis.set_protocol(ProtocolVersion::RESP3));
        self
    }

    /// Where it is, without user or password.
    pub(super) fn address(&self) -> String {
        self.info.addr().to_string()
    }

    pub(super) fn host(&self) -> Option<&str> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Opens a connection for commands.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        self.open(self.settings()).await
    }

    /// Opens a connection for commands in RESP3, by which the server also sends messages.
    pub(super) async fn connect_for_pushes(
        &self,
        pushes: impl AsyncPushSender,
    ) -> Result<MultiplexedConnection, RedisError> {
        self.open(self.settings().set_push_sender(pushes)).await
    }

    /// Opens a connection that listens on `channel`. Messages go to `pushes` from the task that reads the socket, with no
    /// other task in between; that takes RESP3.
    pub(super) async fn subscribe(
        &self,
        channel: &str,
        pushes: impl AsyncPushSender,
    ) -> Result<MultiplexedConnection, RedisError> {
        within(self.timeouts.connect, async {
            let mut connection = self.clone().in_resp3().connect_for_pushes(pushes).await?;
            connection.subscribe(channel).await?;
            Ok(connection)
        })
        .await
    }

    fn settings(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeouts.connect))
            .set_response_timeout(Some(self.timeouts.response))
            .set_pipeline_buffer_size(PIPELINE)
    }

    async fn open(&self, settings: AsyncConnectionConfig) -> Result<MultiplexedConnection, RedisError> {
        let client = Client::open(self.info.clone())?;
        // Once more around all of it: a server may take the connection and then not answer the login.
        within(self.timeouts.connect, client.get_multiplexed_async_connection_with_config(&settings)).await
    }
}

/// Refuses an address whose encryption is not built in, before the client does in words that do not say what to do.
fn needs_tls(url: &str, built_in: bool) -> Result<(), ConnectError> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if built_in || !["rediss", "valkeys"].contains(&scheme) {
        return Ok(());
    }
    Err(ConnectError::InvalidAddress {
        reason: format!("{scheme}:// is TLS, which needs the feature `redis-tls` of lock-core"),
    })
}

/// Bounds what would otherwise wait for a dead peer.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    match timeout(limit, work).await {
        Ok(result) => result,
        Err(elapsed) => Err(std::io::Error::from(elapsed).into()),
    }
}

/// An error of ours in the terms of the Redis client.
pub(super) fn trouble(kind: ErrorKind, what: &'static str) -> RedisError {
    RedisError::from((kind, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_address_names_the_feature_that_it_needs() {
        let error = needs_tls("rediss://:s3cret@host", false).unwrap_err().to_string();
        assert!(error.contains("`redis-tls`") && !error.contains("s3cret"), "{error}");
        assert!(needs_tls("rediss://host", true).is_ok());
        assert!(needs_tls("redis://host", false).is_ok());
    }
}
