//! The table `mock_gateway`.

use super::conn::on;
use super::{Conn, StoreError};
use crate::gateway::{GatewayPayment, Verdict};

const APPROVED: &str = "APPROVED";
const DECLINED: &str = "DECLINED";

/// Writes what was decided; the first decision stands.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn insert(
    conn: &mut Conn<'_>,
    payment: &GatewayPayment,
    verdict: Verdict,
) -> Result<(), StoreError> {
    let outcome = match verdict {
        Verdict::Approved => APPROVED,
        Verdict::Declined => DECLINED,
    };
    let written = on!(conn, c => sqlx::query(include_str!("sql/insert_mock_payment.sql"))
        .bind(&payment.payment_id)
        .bind(payment.amount)
        .bind(outcome)
        .execute(c)
        .await
        .map(drop));
    match written {
        Err(error) if error.is_duplicate() => Ok(()),
        written => written,
    }
}

/// What was decided, if anything.
///
/// # Errors
///
/// [`StoreError`] when the database does not answer.
pub async fn find(conn: &mut Conn<'_>, payment_id: &str) -> Result<Option<Verdict>, StoreError> {
    let sql = "SELECT outcome FROM mock_gateway WHERE payment_id = ?";
    let outcome: Option<String> =
        on!(conn, c => sqlx::query_scalar(sql).bind(payment_id).fetch_optional(c).await)?;
    Ok(outcome.map(|outcome| if outcome == APPROVED { Verdict::Approved } else { Verdict::Declined }))
}
