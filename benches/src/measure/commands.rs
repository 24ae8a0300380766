use redis::aio::MultiplexedConnection;

/// Counts commands at the server.
#[derive(Clone)]
pub struct CommandCounter {
    connection: MultiplexedConnection,
    sends: &'static [&'static str],
}

impl CommandCounter {
    /// Counts the commands named in `sends`.
    #[must_use]
    pub fn new(connection: MultiplexedConnection, sends: &'static [&'static str]) -> Self {
        Self { connection, sends }
    }

    /// How many there were since the server was started.
    pub async fn count(&self) -> u64 {
        let statistics: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut self.connection.clone())
            .await
            .expect("Redis answers");
        statistics
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="))
            .filter(|(command, _)| self.sends.contains(command))
            .filter_map(|(_, rest)| rest.split(',').next()?.parse::<u64>().ok())
            .sum()
    }
}
