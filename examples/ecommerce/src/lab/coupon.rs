use idempotency::IdempotencyKey;

use super::bench::Bench;
use super::defence::Writing;
use super::turn::Turn;
use crate::error::{ErrorCode, ShopError};
use crate::model::{Timestamp, UserId};
use crate::store::coupons::{self, CouponRow, Issue};
use crate::store::{Conn, lab};

/// Gives a coupon to a user behind the bench's defence.
pub(super) async fn issue(bench: &Bench, user: UserId, key: &IdempotencyKey) -> Result<(), ShopError> {
    let coupon = bench.stage.coupon;
    if let Some(shop) = &bench.shop {
        return shop.coupons.issue(coupon, user).await.map(drop);
    }
    let turn = Turn::take(&bench.locks, bench.parts.locking, &format!("coupon:issue:{coupon}"), key).await?;
    let issued = bench.tried("coupon", || issue_once(bench, user, &turn)).await;
    turn.end().await;
    issued
}

async fn issue_once(bench: &Bench, user: UserId, turn: &Turn) -> Result<(), ShopError> {
    let read = {
        let mut reader = bench.database.reader().await?;
        coupons::find(&mut reader.conn(), bench.stage.coupon).await?.ok_or(ErrorCode::InvalidCoupon)?
    };
    if read.issued_quantity >= read.total_quantity {
        return Err(ErrorCode::CouponSoldOut.into());
    }
    let work = async |mut conn: Conn<'_>| {
        count(&mut conn, &read, bench.parts.writing).await?;
        let issue = Issue { user, coupon: read.id, at: Timestamp::now(), expires_at: read.end_date };
        coupons::issue(&mut conn, &issue).await?;
        turn.before_commit().await;
        Ok(())
    };
    bench.database.transaction(work).await
}

async fn count(conn: &mut Conn<'_>, read: &CouponRow, writing: Writing) -> Result<(), ShopError> {
    match writing {
        Writing::Blind => lab::overwrite_issued(conn, read.id, read.issued_quantity + 1).await?,
        Writing::Checked => {
            if !lab::count_issued(conn, read.id, read.issued_quantity).await? {
                return Err(ShopError::VersionConflict);
            }
        }
        Writing::Guarded => {
            if !coupons::take_one(conn, read.id).await? {
                return Err(ErrorCode::CouponSoldOut.into());
            }
        }
    }
    Ok(())
}
