use idempotency::{IdempotencyKey, Reconciled};
use serde::Serialize;

use super::bench::Bench;
use super::defence::{Keeping, Writing};
use crate::error::ShopError;
use crate::store::{Conn, Leased};
use crate::usecase::retried;

impl Bench {
    /// Runs `work` in a transaction, with the key where the defence keeps it.
    pub(super) async fn effect(
        &self,
        operation: &str,
        key: &IdempotencyKey,
        what: &impl Serialize,
        work: impl AsyncFnOnce(&mut Conn<'_>) -> Result<(), ShopError>,
    ) -> Result<(), ShopError> {
        match self.parts.keeping {
            Keeping::None => self.database.transaction(async |mut conn| work(&mut conn).await).await,
            Keeping::SameTransaction => {
                let work = async |mut conn: Conn<'_>| work(&mut conn).await;
                self.once.run(operation, key.clone(), what, work).await.map(drop)
            }
            // The key is claimed and settled on connections of its own, while this one is held.
            Keeping::SecondConnection => {
                let unknown = async || Ok(Reconciled::StillUnknown);
                let work = async |mut conn: Conn<'_>| {
                    let work = async |_: Leased<'_>| work(&mut conn).await;
                    self.once.lease(operation, key.clone(), what, work, unknown).await.map(drop)
                };
                self.database.transaction(work).await
            }
        }
    }

    /// Tries work again that met somebody else's, if the defence looks for that.
    pub(super) async fn tried<F>(
        &self,
        use_case: &'static str,
        mut work: impl FnMut() -> F,
    ) -> Result<(), ShopError>
    where
        F: Future<Output = Result<(), ShopError>>,
    {
        match self.parts.writing {
            Writing::Blind => work().await,
            Writing::Checked | Writing::Guarded => retried(use_case, work).await,
        }
    }
}
