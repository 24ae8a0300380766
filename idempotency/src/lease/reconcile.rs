use crate::{
    Codec, IdempotencyError, KeyId, Payload,
    store::{Settlement, StoredResponse},
};

/// Work that ended without anybody knowing how, for a hook to find out about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownWork {
    /// The key's row.
    pub id: KeyId,
    /// How often the work was begun.
    pub epoch: u32,
}

/// What a hook has found out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// The effect took place: this is its response, for this request and for its repeats.
    Applied(T),
    /// It did not, and will not: the answer is no, for this request and for its repeats. The refusal is what
    /// [`FailureClass::Refused`](crate::FailureClass::Refused) would have stored; the error is made from it by
    /// [`Failure::from_refusal`](crate::Failure::from_refusal).
    Refused(Payload),
    /// It did not: the work may run.
    NotApplied,
    /// Nobody can tell yet.
    StillUnknown,
}

impl<T> Reconciled<T> {
    /// What to write into the key's row; `None` while nobody can tell.
    pub(super) fn settlement<C: Codec<T>>(
        &self,
        codec: &C,
        limit: usize,
    ) -> Result<Option<Settlement>, IdempotencyError> {
        let response = match self {
            Self::Applied(response) => {
                StoredResponse::Success(codec.encode(response).map_err(IdempotencyError::Encode)?)
            }
            Self::Refused(refusal) => StoredResponse::Refusal(refusal.clone()),
            Self::NotApplied => return Ok(Some(Settlement::Failed { message: None })),
            Self::StillUnknown => return Ok(None),
        };
        match response.payload().as_bytes().len() {
            size if size > limit => Err(IdempotencyError::ResponseTooLarge { size, limit }),
            _ => Ok(Some(Settlement::Completed(response))),
        }
    }
}
