use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, Value};

use crate::redis::server::{Server, trouble, within};

/// Knows which server is the primary now, by asking those who decide it.
pub(super) struct Sentinel {
    pub(super) sentinels: Vec<Server>,
    /// What the Sentinels call the primary and its replicas.
    pub(super) name: String,
    /// Login and encryption of the servers.
    pub(super) template: Server,
}

impl Sentinel {
    /// Finds the primary and connects to it.
    ///
    /// All Sentinels are asked at once, and the first whose word holds true wins: one that hangs holds up nobody, and one
    /// that missed a failover names a server that is no primary any more.
    pub(super) async fn primary(&self) -> Result<(Server, MultiplexedConnection), RedisError> {
        let mut answers: FuturesUnordered<_> =
            self.sentinels.iter().map(|sentinel| self.by_word_of(sentinel)).collect();
        let mut failure = trouble(ErrorKind::EmptySentinelList, "no Sentinel is named");
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(found) => return Ok(found),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn by_word_of(&self, sentinel: &Server) -> Result<(Server, MultiplexedConnection), RedisError> {
        let mut connection = sentinel.connect().await?;
        let named: Option<(String, u16)> = redis::cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.name)
            .query_async(&mut connection)
            .await?;
        let (host, port) = named.ok_or_else(|| {
            trouble(ErrorKind::MasterNameNotFoundBySentinel, "the Sentinels know no primary of this name")
        })?;
        let server = self.template.at(&host, port);
        let mut connection = server.connect().await?;
        // See <https://redis.io/docs/latest/develop/reference/sentinel-clients/>: the word may be out of date.
        let role =
            within(server.timeouts.response, redis::cmd("ROLE").query_async::<Vec<Value>>(&mut connection))
                .await?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok((server, connection)),
            _ => Err(trouble(
                ErrorKind::MasterNameNotFoundBySentinel,
                "the server that a Sentinel names is no primary any more",
            )),
        }
    }
}
