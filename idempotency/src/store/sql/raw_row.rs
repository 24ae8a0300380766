use std::time::Duration;

use crate::{
    Fingerprint, KeyId, Payload, StoreError, StoreErrorKind,
    store::{Owner, Record, State, StoredResponse, StuckKey},
};

/// A row as the databases return it, before it is known to make sense.
pub(crate) struct RawRow {
    pub(crate) owner: Vec<u8>,
    pub(crate) epoch: i64,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) fingerprint_version: i64,
    pub(crate) status: String,
    pub(crate) lease_left_ms: Option<i64>,
    pub(crate) expires_in_ms: i64,
    pub(crate) response_kind: Option<String>,
    pub(crate) response_payload: Option<Vec<u8>>,
}

impl RawRow {
    pub(crate) fn read(self) -> Result<Record, StoreError> {
        let state = match self.status.as_str() {
            "PROCESSING" => State::Processing {
                lease_left: self
                    .lease_left_ms
                    .map(|left| Duration::from_millis(u64::try_from(left).unwrap_or(0))),
            },
            "COMPLETED" => {
                let payload =
                    Payload::from(self.response_payload.ok_or_else(|| corrupt("response_payload"))?);
                State::Completed(match self.response_kind.as_deref() {
                    Some("SUCCESS") => StoredResponse::Success(payload),
                    Some("REFUSAL") => StoredResponse::Refusal(payload),
                    _ => return Err(corrupt("response_kind")),
                })
            }
            "FAILED" => State::Failed,
            "UNKNOWN" => State::Unknown,
            _ => return Err(corrupt("status")),
        };
        Ok(Record {
            owner: Owner::from_bytes(self.owner.try_into().map_err(|_| corrupt("owner"))?),
            epoch: self.epoch.try_into().map_err(|_| corrupt("epoch"))?,
            fingerprint: Fingerprint::from_parts(
                self.fingerprint_version.try_into().map_err(|_| corrupt("fingerprint_version"))?,
                self.fingerprint.try_into().map_err(|_| corrupt("fingerprint"))?,
            ),
            state,
            expires_in: Duration::from_millis(u64::try_from(self.expires_in_ms).unwrap_or(0)),
        })
    }
}

/// A row of the list of stuck keys, before it is known to make sense.
pub(crate) struct RawStuck {
    pub(crate) id: Vec<u8>,
    pub(crate) key: String,
    pub(crate) tenant: String,
    pub(crate) operation: String,
    pub(crate) epoch: i64,
    pub(crate) status: String,
    pub(crate) idle_ms: i64,
    pub(crate) message: Option<String>,
}

impl RawStuck {
    pub(crate) fn read(self) -> Result<StuckKey, StoreError> {
        Ok(StuckKey {
            id: KeyId::from_bytes(self.id.try_into().map_err(|_| corrupt("id"))?),
            key: self.key,
            tenant: self.tenant,
            operation: self.operation,
            epoch: self.epoch.try_into().map_err(|_| corrupt("epoch"))?,
            unknown: self.status == "UNKNOWN",
            idle: Duration::from_millis(u64::try_from(self.idle_ms).unwrap_or(0)),
            message: self.message,
        })
    }
}

fn corrupt(column: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, format!("column {column}"))
}
