use sqlx::{Error, Row, mysql::MySqlRow};

use crate::store::sql::{RawRow, RawStuck};

pub(super) fn read(row: &MySqlRow) -> Result<RawRow, Error> {
    Ok(RawRow {
        owner: row.try_get("owner")?,
        epoch: row.try_get::<u32, _>("epoch")?.into(),
        fingerprint: row.try_get("fingerprint")?,
        fingerprint_version: row.try_get::<u16, _>("fingerprint_version")?.into(),
        status: row.try_get("status")?,
        lease_left_ms: row.try_get("lease_left")?,
        expires_in_ms: row.try_get("expires_in")?,
        response_kind: row.try_get("response_kind")?,
        response_payload: row.try_get("response_payload")?,
    })
}

pub(super) fn read_stuck(row: &MySqlRow) -> Result<RawStuck, Error> {
    Ok(RawStuck {
        id: row.try_get("id")?,
        key: row.try_get("idempotency_key")?,
        tenant: row.try_get("tenant")?,
        operation: row.try_get("operation")?,
        epoch: row.try_get::<u32, _>("epoch")?.into(),
        status: row.try_get("status")?,
        idle_ms: row.try_get("idle")?,
        message: row.try_get("error_message")?,
    })
}
