use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lock_core::LockManager;

use crate::contender::Interlock;
use crate::load::hold_many;
use crate::measure::{cpu_time, resident_bytes};

/// What many held keys cost.
#[derive(Debug, Clone, Copy)]
pub struct HeldReport {
    /// How many guards were lost.
    pub lost: usize,
    /// Memory of the process for each key, in bytes; zero where the system does not tell.
    pub bytes_per_key: f64,
    /// Processor time for each second that the keys were held, in seconds.
    pub cpu_share: f64,
}

/// Taken and given back before, so that what is allocated once is not counted.
const WARM_UP: usize = 1_000;

pub(crate) async fn run(url: &str, keys: usize, time: Duration) -> HeldReport {
    let locks = LockManager::redis(url).await.expect("Redis answers");
    let lock = Interlock::of(locks.clone());
    drop(hold_many(&lock, WARM_UP).await);
    let before = resident_bytes();
    let guards = hold_many(&lock, keys).await;
    let bytes = resident_bytes().zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
    let cpu = cpu_time();
    tokio::time::sleep(time).await;
    let cpu = cpu_time() - cpu;
    let lost = guards.iter().filter(|guard| !guard.is_held()).count();
    drop(guards);
    locks.shutdown().await;
    HeldReport {
        lost,
        bytes_per_key: bytes as f64 / keys as f64,
        cpu_share: cpu.as_secs_f64() / time.as_secs_f64(),
    }
}

impl fmt::Display for HeldReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.lost, self.bytes_per_key, self.cpu_share)
    }
}

impl FromStr for HeldReport {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<&str> = text.split(' ').collect();
        let [lost, bytes_per_key, cpu_share] = fields[..] else {
            anyhow::bail!("three numbers expected, not {text:?}");
        };
        Ok(Self { lost: lost.parse()?, bytes_per_key: bytes_per_key.parse()?, cpu_share: cpu_share.parse()? })
    }
}
