use serde::{Deserialize, Serialize};

use crate::model::{OrderId, OrderStatus, ProductId, Timestamp, UserId};
use crate::store::orders::{OrderItemRow, OrderRow};

/// An order as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields of the answer
pub struct Order {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub order_number: String,
    pub items: Vec<OrderItem>,
    pub subtotal_amount: i64,
    pub discount_amount: i64,
    pub total_amount: i64,
    pub status: OrderStatus,
    pub created_at: Timestamp,
}

/// A line of an [`Order`]; its price is the one at which it was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields of the answer
pub struct OrderItem {
    pub product_id: ProductId,
    pub product_name: String,
    pub quantity: i64,
    pub unit_price: i64,
    pub subtotal: i64,
}

impl Order {
    /// An order from its rows.
    pub(super) fn from_rows(row: OrderRow, items: Vec<OrderItemRow>) -> Self {
        Self {
            order_id: row.id,
            user_id: row.user_id,
            order_number: row.order_number,
            items: items.into_iter().map(OrderItem::from).collect(),
            subtotal_amount: row.subtotal_amount,
            discount_amount: row.discount_amount,
            total_amount: row.total_amount,
            status: row.status,
            created_at: row.created_at,
        }
    }
}

impl From<OrderItemRow> for OrderItem {
    fn from(row: OrderItemRow) -> Self {
        Self {
            product_id: row.product_id,
            product_name: row.product_name,
            quantity: row.quantity,
            unit_price: row.unit_price,
            subtotal: row.subtotal,
        }
    }
}
