//! Who moves the money outside of the shop.

mod mock;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

pub use mock::MockGateway;

/// A future of a gateway.
pub type GatewayFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'a>>;

/// Somebody who approves or declines payments, knows them by an id of ours, and tells what became of them.
pub trait PaymentGateway: Debug + Send + Sync {
    /// Asks for a payment.
    ///
    /// An error says that there is no answer: the payment may have been made or not, and [`find`](Self::find) tells
    /// later.
    fn pay<'a>(&'a self, payment: &'a GatewayPayment) -> GatewayFuture<'a, Verdict>;

    /// Tells what became of a payment; `None` when it was never asked for.
    fn find<'a>(&'a self, payment_id: &'a str) -> GatewayFuture<'a, Option<Verdict>>;
}

/// What is to be paid.
#[derive(Debug, Clone)]
pub struct GatewayPayment {
    /// Our name for it. Asked twice under one name, a gateway pays once.
    pub payment_id: String,
    /// How much, in won.
    pub amount: i64,
    /// What the client called its request: the mock's test values are in here.
    pub reference: String,
}

/// What the gateway decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The money has moved.
    Approved,
    /// It has not, and will not.
    Declined,
}

/// The gateway gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("the payment gateway gave no answer")]
pub struct GatewayError {
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl GatewayError {
    /// With what was met.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()) }
    }
}
