//! The tables `coupons` and `user_coupons`.

use super::conn::on;
use super::inserted::InsertedId;
use super::{Conn, StoreError};
use crate::model::{CouponId, CouponStatus, Timestamp, UserCouponId, UserId};

/// A row of `coupons`.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct CouponRow {
    pub id: CouponId,
    pub name: String,
    pub discount_rate: i64,
    pub total_quantity: i64,
    pub issued_quantity: i64,
    pub start_date: Timestamp,
    pub end_date: Timestamp,
}

/// A row of `user_coupons`, with what its coupon says.
#[derive(Debug, Clone, sqlx::FromRow)]
#[allow(missing_docs)] // the columns
pub struct UserCouponRow {
    pub id: UserCouponId,
    pub coupon_id: CouponId,
    pub name: String,
    pub discount_rate: i64,
    #[sqlx(try_from = "String")]
    pub status: CouponStatus,
    pub issued_at: Timestamp,
    pub used_at: Option<Timestamp>,
    pub expires_at: Timestamp,
}

/// What [`issue`] writes.
#[derive(Debug, Clone, Copy)]
pub struct Issue {
    /// To whom.
    pub user: UserId,
    /// Which coupon.
    pub coupon: CouponId,
    /// When.
    pub at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// The coupon's row, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, id: CouponId) -> Result<Option<CouponRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_coupon.sql")).bind(id).fetch_optional(c).await)
}

/// Takes one of the coupon's pieces; answers whether there was one left.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn take_one(conn: &mut Conn<'_>, id: CouponId) -> Result<bool, StoreError> {
    let rows = on!(conn, c => sqlx::query(include_str!("sql/take_coupon.sql")).bind(id).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Gives the coupon to the user.
///
/// # Errors
///
/// [`StoreError::is_duplicate`] when the user has it already.
pub async fn issue(conn: &mut Conn<'_>, issue: &Issue) -> Result<UserCouponId, StoreError> {
    let id = on!(conn, c => sqlx::query(include_str!("sql/issue_coupon.sql"))
        .bind(issue.user)
        .bind(issue.coupon)
        .bind(CouponStatus::Available.as_str())
        .bind(issue.at)
        .bind(issue.expires_at)
        .execute(c)
        .await
        .map(|done| done.inserted_id()))?;
    Ok(UserCouponId(id))
}

/// The user's piece of this coupon, if there is one.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn held(
    conn: &mut Conn<'_>,
    user: UserId,
    coupon: CouponId,
) -> Result<Option<UserCouponRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/find_user_coupon.sql"))
        .bind(user)
        .bind(coupon)
        .fetch_optional(c)
        .await)
}

/// The user's coupons, in the order in which they were issued.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn of_user(conn: &mut Conn<'_>, user: UserId) -> Result<Vec<UserCouponRow>, StoreError> {
    on!(conn, c => sqlx::query_as(include_str!("sql/list_user_coupons.sql")).bind(user).fetch_all(c).await)
}

/// Marks a piece as used; answers whether it was still to be had.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn mark_used(conn: &mut Conn<'_>, id: UserCouponId, at: Timestamp) -> Result<bool, StoreError> {
    let rows = on!(conn, c => sqlx::query(include_str!("sql/use_coupon.sql"))
        .bind(CouponStatus::Used.as_str())
        .bind(at)
        .bind(id)
        .bind(CouponStatus::Available.as_str())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}
