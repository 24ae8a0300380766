use std::time::Duration;

use super::{GatewayError, GatewayFuture, GatewayPayment, PaymentGateway, Verdict};
use crate::store::{Database, mock_gateway};

/// How long it thinks about a `SLOW` payment.
const SLOW: Duration = Duration::from_secs(2);

/// A gateway that does what the reference tells it to.
///
/// | the reference contains | it |
/// |---|---|
/// | `FAIL` | declines |
/// | `SLOW` | answers after two seconds |
/// | `TIMEOUT` | decides, but never answers |
/// | `LOST` | never hears of the payment, and never answers |
/// | nothing of these | approves |
///
/// They go together: `TIMEOUT-FAIL` declines and never answers. It keeps books, so that it can tell later.
#[derive(Debug, Clone)]
pub struct MockGateway {
    books: Database,
}

impl MockGateway {
    /// A gateway with its books in the shop's database, which no request of the shop's reads.
    pub fn new(books: Database) -> Self {
        Self { books }
    }

    async fn decide(&self, payment: &GatewayPayment) -> Result<Verdict, GatewayError> {
        let told = |word: &str| payment.reference.contains(word);
        if told("LOST") {
            return std::future::pending().await;
        }
        if told("SLOW") {
            tokio::time::sleep(SLOW).await;
        }
        let verdict = if told("FAIL") { Verdict::Declined } else { Verdict::Approved };
        self.write_down(payment, verdict).await?;
        if told("TIMEOUT") {
            return std::future::pending().await;
        }
        Ok(verdict)
    }

    async fn write_down(&self, payment: &GatewayPayment, verdict: Verdict) -> Result<(), GatewayError> {
        let mut writer = self.books.writer().await.map_err(GatewayError::new)?;
        mock_gateway::insert(&mut writer.conn(), payment, verdict).await.map_err(GatewayError::new)
    }
}

impl PaymentGateway for MockGateway {
    fn pay<'a>(&'a self, payment: &'a GatewayPayment) -> GatewayFuture<'a, Verdict> {
        Box::pin(self.decide(payment))
    }

    fn find<'a>(&'a self, payment_id: &'a str) -> GatewayFuture<'a, Option<Verdict>> {
        Box::pin(async move {
            let mut reader = self.books.reader().await.map_err(GatewayError::new)?;
            mock_gateway::find(&mut reader.conn(), payment_id).await.map_err(GatewayError::new)
        })
    }
}
