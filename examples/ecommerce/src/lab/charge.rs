use idempotency::IdempotencyKey;

use super::bench::Bench;
use super::defence::Writing;
use super::stage::AMOUNT;
use super::turn::Turn;
use crate::error::{ErrorCode, ShopError};
use crate::model::UserId;
use crate::store::users::{self, NewBalance, UserRow};
use crate::store::{Conn, lab};
use crate::usecase::charge::Charge;

/// Charges a balance behind the bench's defence.
pub(super) async fn charge(bench: &Bench, user: UserId, key: &IdempotencyKey) -> Result<(), ShopError> {
    let charge = Charge { user_id: user, amount: AMOUNT };
    if let Some(shop) = &bench.shop {
        return shop.wallet.charge(charge, key).await.map(drop);
    }
    let turn = Turn::take(&bench.locks, bench.parts.locking, &format!("balance:user:{user}"), key).await?;
    let charged = bench.tried("charge", || charge_once(bench, charge, key, &turn)).await;
    turn.end().await;
    charged
}

async fn charge_once(
    bench: &Bench,
    charge: Charge,
    key: &IdempotencyKey,
    turn: &Turn,
) -> Result<(), ShopError> {
    // As programs do that load an object, change it and save it: on SQLite, a transaction that begins as a writer
    // would let nobody read in between.
    let read = {
        let mut reader = bench.database.reader().await?;
        users::find(&mut reader.conn(), charge.user_id).await?.ok_or(ErrorCode::UserNotFound)?
    };
    let work = async |conn: &mut Conn<'_>| {
        write(conn, &read, bench.parts.writing).await?;
        turn.before_commit().await;
        Ok(())
    };
    bench.effect("demo-charge", key, &charge, work).await
}

async fn write(conn: &mut Conn<'_>, read: &UserRow, writing: Writing) -> Result<(), ShopError> {
    let balance = read.balance + AMOUNT.won();
    match writing {
        Writing::Blind => lab::overwrite_balance(conn, read.id, balance).await?,
        Writing::Guarded => users::give_back(conn, read.id, AMOUNT.won()).await?,
        Writing::Checked => {
            if !users::set_balance(conn, read, NewBalance { balance, fence: read.fence }).await? {
                return Err(ShopError::VersionConflict);
            }
        }
    }
    Ok(())
}
