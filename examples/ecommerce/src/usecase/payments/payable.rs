use serde::Serialize;

use crate::error::{ErrorCode, ShopError};
use crate::model::{OrderId, UserId};
use crate::store::orders::{self, OrderItemRow, OrderRow};
use crate::store::{Conn, Database};

/// An order and its lines, which say what is to be locked and taken.
#[derive(Debug, Clone)]
pub(super) struct Payable {
    pub(super) order: OrderRow,
    pub(super) items: Vec<OrderItemRow>,
}

/// What the idempotency key stands for.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct WhatIsPaid {
    order: OrderId,
    user: UserId,
}

impl Payable {
    /// The user's order; another user's is as good as none.
    pub(super) async fn load(database: &Database, id: OrderId, user: UserId) -> Result<Self, ShopError> {
        let mut reader = database.reader().await?;
        let found = Self::find(&mut reader.conn(), id).await?;
        found.filter(|payable| payable.order.user_id == user).ok_or_else(|| ErrorCode::OrderNotFound.into())
    }

    pub(super) async fn find(conn: &mut Conn<'_>, id: OrderId) -> Result<Option<Self>, ShopError> {
        let Some(order) = orders::find(conn, id).await? else {
            return Ok(None);
        };
        let items = orders::items_of(conn, id).await?;
        Ok(Some(Self { order, items }))
    }

    /// Everything that a payment changes. Whoever wants some of the same waits.
    pub(super) fn lock_keys(&self) -> Vec<String> {
        let stock = self.items.iter().map(|item| format!("stock:product:{}", item.product_id));
        [format!("order:{}", self.order.id), self.balance_key()].into_iter().chain(stock).collect()
    }

    pub(super) fn balance_key(&self) -> String {
        format!("balance:user:{}", self.order.user_id)
    }

    pub(super) fn what(&self) -> WhatIsPaid {
        WhatIsPaid { order: self.order.id, user: self.order.user_id }
    }
}
