//! Issuing coupons: many want one of a few. The coupon's lock lets them through one by one; the guarded UPDATE and the
//! unique index on (user, coupon) hold without it.

use lock_core::{LockManager, distributed_lock};

use super::retried::retried;
use crate::error::{ErrorCode, ShopError};
use crate::model::{CouponId, CouponStatus, Timestamp, UserCouponId, UserId};
use crate::store::coupons::{self, CouponRow, Issue, UserCouponRow};
use crate::store::{Conn, Database, users};

/// A coupon in a user's hands.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its number.
    pub id: UserCouponId,
    /// Which coupon it is one of.
    pub coupon: CouponRow,
    /// When it was issued.
    pub at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// How many are left.
    pub remaining: i64,
}

/// Issues coupons. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct CouponDesk {
    database: Database,
    locks: LockManager,
}

impl CouponDesk {
    /// A desk on the shop's database and locks.
    pub fn new(database: Database, locks: LockManager) -> Self {
        Self { database, locks }
    }

    /// Gives the user one of the coupon's pieces.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::InvalidCoupon`] when there is no such coupon, [`ErrorCode::CouponExpired`] outside its dates,
    /// [`ErrorCode::UserNotFound`], [`ErrorCode::CouponAlreadyIssued`], [`ErrorCode::CouponSoldOut`],
    /// [`ErrorCode::Busy`], or the database or the locks are away.
    #[distributed_lock(key = "coupon:issue:{coupon}", wait = "5s", lease = "10s", manager = self.locks)]
    pub async fn issue(&self, coupon: CouponId, user: UserId) -> Result<Issued, ShopError> {
        retried("coupon", || self.issue_once(coupon, user)).await
    }

    async fn issue_once(&self, coupon: CouponId, user: UserId) -> Result<Issued, ShopError> {
        self.database.transaction(async |mut conn| issue(&mut conn, coupon, user).await).await
    }
}

async fn issue(conn: &mut Conn<'_>, id: CouponId, user: UserId) -> Result<Issued, ShopError> {
    let coupon = coupons::find(conn, id).await?.ok_or(ErrorCode::InvalidCoupon)?;
    let at = Timestamp::now();
    if at < coupon.start_date || coupon.end_date < at {
        return Err(ErrorCode::CouponExpired.into());
    }
    users::find(conn, user).await?.ok_or(ErrorCode::UserNotFound)?;
    if coupons::held(conn, user, id).await?.is_some() {
        return Err(ErrorCode::CouponAlreadyIssued.into());
    }
    if !coupons::take_one(conn, id).await? {
        return Err(ErrorCode::CouponSoldOut.into());
    }
    let expires_at = coupon.end_date;
    let issued = coupons::issue(conn, &Issue { user, coupon: id, at, expires_at }).await;
    let id = match issued {
        Err(error) if error.is_duplicate() => return Err(ErrorCode::CouponAlreadyIssued.into()),
        issued => issued?,
    };
    let remaining = coupon.total_quantity - coupon.issued_quantity - 1;
    Ok(Issued { id, coupon, at, expires_at, remaining })
}

/// The user's coupons of a status, or all.
///
/// # Errors
///
/// [`ErrorCode::UserNotFound`], or the database is away.
pub async fn of_user(
    database: &Database,
    user: UserId,
    status: Option<CouponStatus>,
) -> Result<Vec<UserCouponRow>, ShopError> {
    let mut reader = database.reader().await?;
    let conn = &mut reader.conn();
    users::find(conn, user).await?.ok_or(ErrorCode::UserNotFound)?;
    let now = Timestamp::now();
    let mut rows = coupons::of_user(conn, user).await?;
    for row in &mut rows {
        // Nobody goes through the table when a coupon's time is over: it shows when it is read.
        if row.status == CouponStatus::Available && row.expires_at < now {
            row.status = CouponStatus::Expired;
        }
    }
    rows.retain(|row| status.is_none_or(|status| status == row.status));
    Ok(rows)
}
