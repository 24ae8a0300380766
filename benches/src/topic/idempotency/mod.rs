//! What an idempotency key costs on MariaDB, with a flush per commit.

mod desk;
mod flush;
mod layer;
mod original;
mod replay;
mod round_trips;
mod sweep;
mod transactions;
mod twins;

use crate::report::Findings;
use crate::topic::Effort;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let mut all = Findings::default();
    for findings in [
        transactions::measure(effort).await,
        round_trips::measure().await,
        replay::measure(effort).await,
        twins::measure(effort).await,
        sweep::measure(effort).await,
        layer::measure(effort).await,
    ] {
        all.add(findings);
    }
    all
}
