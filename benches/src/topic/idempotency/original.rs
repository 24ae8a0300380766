use sqlx::query;

use super::desk::{Desk, charge};

/// The design to compare with: the key's row is committed as PROCESSING on a second connection, then the effect on the
/// first, then the row as COMPLETED on the second again.
pub(super) async fn charge_in_three_commits(desk: &Desk, key: u64) {
    let name = format!("key-{key}");
    let mut effect = desk.pool.begin().await.expect("a transaction");
    let mut keys = desk.pool.begin().await.expect("a transaction");
    let insert =
        query("INSERT INTO original_keys (idempotency_key, status) VALUES (?, 'PROCESSING')").bind(&name);
    insert.execute(&mut *keys).await.expect("a new key");
    keys.commit().await.expect("a commit");
    let entry = charge(&mut effect, key).await.expect("a charge");
    effect.commit().await.expect("a commit");
    let mut keys = desk.pool.begin().await.expect("a transaction");
    let update =
        query("UPDATE original_keys SET status = 'COMPLETED', response = ? WHERE idempotency_key = ?");
    update.bind(entry.to_string()).bind(&name).execute(&mut *keys).await.expect("our key");
    keys.commit().await.expect("a commit");
}
