use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::error::ShopError;
use crate::http::{Json, Path, Query, errors};
use crate::model::{CouponId, CouponStatus, Timestamp, UserCouponId, UserId};
use crate::store::coupons::UserCouponRow;
use crate::usecase::coupons::{self, Issued};

errors!(IssueCouponErrors: UserNotFound, InvalidCoupon, CouponExpired, CouponAlreadyIssued, CouponSoldOut, Busy, InvalidInput, BodyTooLarge, UnsupportedMediaType);
errors!(CouponsOfUserErrors: InvalidInput, UserNotFound);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueBody {
    user_id: UserId,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedBody {
    user_coupon_id: UserCouponId,
    coupon_id: CouponId,
    coupon_name: String,
    discount_rate: i64,
    status: CouponStatus,
    issued_at: Timestamp,
    expires_at: Timestamp,
    remaining_quantity: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserCouponsBody {
    user_id: UserId,
    coupons: Vec<UserCouponBody>,
    total_count: usize,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserCouponBody {
    user_coupon_id: UserCouponId,
    coupon_id: CouponId,
    coupon_name: String,
    discount_rate: i64,
    status: CouponStatus,
    issued_at: Timestamp,
    used_at: Option<Timestamp>,
    expires_at: Timestamp,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    status: Option<CouponStatus>,
}

impl From<Issued> for IssuedBody {
    fn from(issued: Issued) -> Self {
        Self {
            user_coupon_id: issued.id,
            coupon_id: issued.coupon.id,
            coupon_name: issued.coupon.name,
            discount_rate: issued.coupon.discount_rate,
            status: CouponStatus::Available,
            issued_at: issued.at,
            expires_at: issued.expires_at,
            remaining_quantity: issued.remaining,
        }
    }
}

impl From<UserCouponRow> for UserCouponBody {
    fn from(row: UserCouponRow) -> Self {
        Self {
            user_coupon_id: row.id,
            coupon_id: row.coupon_id,
            coupon_name: row.name,
            discount_rate: row.discount_rate,
            status: row.status,
            issued_at: row.issued_at,
            used_at: row.used_at,
            expires_at: row.expires_at,
        }
    }
}

#[utoipa::path(
    post,
    path = "/coupons/{id}/issue",
    operation_id = "issueCoupon",
    summary = "Gives a coupon to a user",
    params(("id" = CouponId, Path)),
    request_body = IssueBody,
    responses((status = 200, body = IssuedBody, description = "Done"), IssueCouponErrors)
)]
pub(super) async fn issue(
    State(app): State<App>,
    Path(coupon): Path<CouponId>,
    Json(body): Json<IssueBody>,
) -> Result<Json<IssuedBody>, ShopError> {
    let desk = app.coupons().clone();
    let issued = app.tasks().run("coupon", async move { desk.issue(coupon, body.user_id).await }).await?;
    Ok(Json(issued.into()))
}

#[utoipa::path(
    get,
    path = "/users/{id}/coupons",
    operation_id = "couponsOfUser",
    summary = "The coupons of a user",
    params(("id" = UserId, Path), Filter),
    responses((status = 200, body = UserCouponsBody, description = "Done"), CouponsOfUserErrors)
)]
pub(super) async fn of_user(
    State(app): State<App>,
    Path(user_id): Path<UserId>,
    Query(filter): Query<Filter>,
) -> Result<Json<UserCouponsBody>, ShopError> {
    let rows = coupons::of_user(app.database(), user_id, filter.status).await?;
    let coupons: Vec<_> = rows.into_iter().map(UserCouponBody::from).collect();
    Ok(Json(UserCouponsBody { user_id, total_count: coupons.len(), coupons }))
}
