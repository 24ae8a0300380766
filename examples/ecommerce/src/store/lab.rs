//! Rows that the lab makes and breaks: it writes what the shop never would.

use sqlx::QueryBuilder;

use super::conn::on;
use super::inserted::InsertedId;
use super::{Conn, StoreError};
use crate::model::{CouponId, Timestamp, UserId};

/// A row of `users`, as the lab reads it.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct LabUser {
    pub id: UserId,
    pub balance: i64,
    pub version: i64,
}

/// Makes users with empty balances, whose email begins with `name`.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn insert_users(conn: &mut Conn<'_>, name: &str, count: usize) -> Result<(), StoreError> {
    on!(conn, c => {
        let mut query = QueryBuilder::new("INSERT INTO users (email, username, balance) ");
        query.push_values(0..count, |mut row, n| {
            row.push_bind(format!("{name}-{n:05}@example.com")).push_bind("demo").push_bind(0_i64);
        });
        query.build().execute(c).await.map(drop)
    })
}

/// Makes a coupon that is valid for a day, and gives its number.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn insert_coupon(
    conn: &mut Conn<'_>,
    name: &str,
    pieces: i64,
    now: Timestamp,
) -> Result<CouponId, StoreError> {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let id = on!(conn, c => sqlx::query(include_str!("sql/lab_insert_coupon.sql"))
        .bind(name)
        .bind(pieces)
        .bind(now.before(day))
        .bind(now.after(day))
        .execute(c)
        .await
        .map(|done| done.inserted_id()))?;
    Ok(CouponId(id))
}

/// The users of this name, in the order in which they were made.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn users(conn: &mut Conn<'_>, name: &str) -> Result<Vec<LabUser>, StoreError> {
    let sql = "SELECT id, balance, version FROM users WHERE email LIKE ? ORDER BY email";
    on!(conn, c => sqlx::query_as(sql).bind(format!("{name}-%")).fetch_all(c).await)
}

/// How many of a coupon are in users' hands.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn held(conn: &mut Conn<'_>, coupon: CouponId) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM user_coupons WHERE coupon_id = ?";
    on!(conn, c => sqlx::query_scalar(sql).bind(coupon).fetch_one(c).await)
}

/// The most orders that one of the users of this name has.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn most_orders(conn: &mut Conn<'_>, name: &str) -> Result<i64, StoreError> {
    on!(conn, c => sqlx::query_scalar(include_str!("sql/lab_most_orders.sql"))
        .bind(format!("{name}-%"))
        .fetch_one(c)
        .await)
}

/// Writes a balance, whatever is there.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn overwrite_balance(conn: &mut Conn<'_>, user: UserId, balance: i64) -> Result<(), StoreError> {
    let sql = "UPDATE users SET balance = ?, version = version + 1 WHERE id = ?";
    on!(conn, c => sqlx::query(sql).bind(balance).bind(user).execute(c).await.map(drop))
}

/// Writes how many of a coupon are issued, whatever is there.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn overwrite_issued(conn: &mut Conn<'_>, coupon: CouponId, issued: i64) -> Result<(), StoreError> {
    let sql = "UPDATE coupons SET issued_quantity = ? WHERE id = ?";
    on!(conn, c => sqlx::query(sql).bind(issued).bind(coupon).execute(c).await.map(drop))
}

/// Counts one more issued coupon unless the number is no longer the one that was read; answers whether it was.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn count_issued(conn: &mut Conn<'_>, coupon: CouponId, read: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = ? AND issued_quantity = ?";
    let rows = on!(conn, c => sqlx::query(sql).bind(coupon).bind(read).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Takes away everything of this name: users, their orders and coupons, the coupon, the idempotency keys.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn clear(conn: &mut Conn<'_>, name: &str) -> Result<(), StoreError> {
    let like = format!("{name}-%");
    for sql in include_str!("sql/lab_clear.sql").split_terminator(';').filter(|sql| sql.contains("DELETE")) {
        on!(conn, c => sqlx::query(sql).bind(&like).execute(c).await.map(drop))?;
    }
    let sql = "DELETE FROM coupons WHERE coupon_code = ?";
    on!(conn, c => sqlx::query(sql).bind(name).execute(c).await.map(drop))
}
