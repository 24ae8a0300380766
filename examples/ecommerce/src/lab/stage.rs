use super::damage::Damage;
use crate::error::ShopError;
use crate::model::{Amount, CouponId, ProductId, Quantity, Timestamp, UserId};
use crate::store::{Database, lab};
use crate::usecase::orders::{Basket, BasketLine};

/// What every charge adds.
pub(super) const AMOUNT: Amount = Amount::ONE;
/// How many users many charge at once.
pub(super) const CROWDED: usize = 4;

/// Rows that belong to one defence's load alone.
#[derive(Debug)]
pub(super) struct Stage {
    /// What the rows' names begin with.
    name: String,
    /// The first few are charged by many; each of the others is one client, who sends everything three times.
    pub(super) users: Vec<UserId>,
    pub(super) coupon: CouponId,
    pieces: i64,
    pub(super) basket: Basket,
}

impl Stage {
    /// Makes users with empty balances, and a coupon of so many pieces.
    pub(super) async fn set(
        database: &Database,
        name: String,
        users: usize,
        pieces: i64,
    ) -> Result<Self, ShopError> {
        let now = Timestamp::now();
        let work = async |mut conn: crate::store::Conn<'_>| {
            lab::insert_users(&mut conn, &name, users).await?;
            let coupon = lab::insert_coupon(&mut conn, &name, pieces, now).await?;
            let users = lab::users(&mut conn, &name).await?;
            Ok((users.into_iter().map(|user| user.id).collect(), coupon))
        };
        let (users, coupon) = database.transaction(work).await?;
        let one = Quantity::new(1).ok_or(ShopError::Internal { what: "one piece is a quantity" })?;
        let basket = Basket::merge([BasketLine { product: ProductId(1), quantity: one }])?;
        Ok(Self { name, users, coupon, pieces, basket })
    }

    /// Counts, in the database, what became of the rows.
    pub(super) async fn damage(&self, database: &Database) -> Result<Damage, ShopError> {
        let mut reader = database.reader().await?;
        let conn = &mut reader.conn();
        let mut damage = Damage::default();
        for (place, user) in lab::users(conn, &self.name).await?.into_iter().enumerate() {
            // The version counts in the database itself, so that no charge is missed, whatever became of its money.
            damage.lost_updates += user.version - user.balance / AMOUNT.won();
            if place >= CROWDED {
                damage.double_charges += (user.version - 1).max(0);
            }
        }
        damage.oversold_coupons = (lab::held(conn, self.coupon).await? - self.pieces).max(0);
        damage.orders_per_key = lab::most_orders(conn, &self.name).await?;
        Ok(damage)
    }

    /// Takes the rows away, and the keys of this name.
    pub(super) async fn clear(&self, database: &Database) -> Result<(), ShopError> {
        database.transaction(async |mut conn| Ok(lab::clear(&mut conn, &self.name).await?)).await
    }

    /// What the idempotency keys of this stage begin with.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
