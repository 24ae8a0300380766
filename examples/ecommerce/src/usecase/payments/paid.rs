use serde::{Deserialize, Serialize};

use crate::model::{OrderId, Timestamp};
use crate::store::payments::PaymentRow;

/// A payment that was made, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Paid {
    order_id: OrderId,
    paid_amount: i64,
    remaining_balance: i64,
    status: Status,
    data_transmission: DataTransmission,
    paid_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Success,
}

/// What has become of the event that tells others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DataTransmission {
    /// It is in the outbox, and on its way from there.
    Pending,
}

impl Paid {
    pub(super) fn new(payment: &PaymentRow, at: Timestamp) -> Self {
        Self {
            order_id: payment.order_id,
            paid_amount: payment.amount,
            remaining_balance: payment.balance_after,
            status: Status::Success,
            data_transmission: DataTransmission::Pending,
            paid_at: at,
        }
    }
}
