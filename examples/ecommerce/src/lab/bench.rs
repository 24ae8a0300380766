use idempotency::IdempotencyKey;
use lock_core::LockManager;

use super::defence::{Defence, Parts};
use super::stage::Stage;
use super::{charge, coupon, order};
use crate::error::ShopError;
use crate::model::UserId;
use crate::store::{Database, Once};
use crate::usecase::charge::Wallet;
use crate::usecase::coupons::CouponDesk;
use crate::usecase::orders::OrderDesk;

/// The use cases behind one defence.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) parts: Parts,
    pub(super) database: Database,
    pub(super) locks: LockManager,
    pub(super) once: Once,
    pub(super) stage: Stage,
    /// The shop's own use cases, where nothing is switched off.
    pub(super) shop: Option<Shop>,
}

#[derive(Debug)]
pub(super) struct Shop {
    pub(super) wallet: Wallet,
    pub(super) coupons: CouponDesk,
    pub(super) orders: OrderDesk,
}

/// A request of the load. Users are meant by their place on the stage.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) what: What,
    pub(super) user: UserId,
    pub(super) key: IdempotencyKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Charge,
    Coupon,
    Order,
}

impl Bench {
    pub(super) fn new(
        defence: Defence,
        shop: Shop,
        (database, locks, once): (Database, LockManager, Once),
        stage: Stage,
    ) -> Self {
        let shop = (defence == Defence::All).then_some(shop);
        Self { parts: defence.parts(), database, locks, once, stage, shop }
    }

    /// Does what a client asks for; a refusal is an answer like any other.
    pub(super) async fn serve(&self, request: &Request) -> Result<(), ShopError> {
        let done = match request.what {
            What::Charge => charge::charge(self, request.user, &request.key).await,
            What::Coupon => coupon::issue(self, request.user, &request.key).await,
            What::Order => order::place(self, request.user, &request.key).await,
        };
        match done {
            Err(ShopError::Refused(_)) => Ok(()),
            done => done,
        }
    }
}
