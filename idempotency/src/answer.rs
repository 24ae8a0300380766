use std::convert::Infallible;

use crate::{
    Codec, Failure, FailureClass, IdempotencyError, Outcome, Payload,
    store::{ClaimOutcome, Settlement, StoredResponse},
};

/// How many characters of a failure's message are stored.
const MAX_MESSAGE: usize = 1000;

/// What a request without the claim answers.
pub(crate) fn of_claim<T, E, C>(codec: &C, outcome: ClaimOutcome<Infallible>) -> Result<Outcome<T>, E>
where
    C: Codec<T>,
    E: Failure,
{
    match outcome {
        ClaimOutcome::Started(never) => match never {},
        ClaimOutcome::Replay(StoredResponse::Success(payload)) => match codec.decode(&payload) {
            Ok(response) => Ok(Outcome::new(response, payload, true)),
            Err(error) => Err(IdempotencyError::Decode(error).into()),
        },
        ClaimOutcome::Replay(StoredResponse::Refusal(payload)) => Err(E::from_refusal(&payload)
            .unwrap_or_else(|| {
                IdempotencyError::Decode("the error type does not read stored refusals".into()).into()
            })),
        ClaimOutcome::InFlight { retry_after } => Err(IdempotencyError::InFlight { retry_after }.into()),
        ClaimOutcome::Mismatch => Err(IdempotencyError::Mismatch.into()),
        ClaimOutcome::Unknown => Err(IdempotencyError::Unknown.into()),
    }
}

/// What a failure means that does not say: [`undone`] or [`unknown`].
type Unstated = fn(Option<String>) -> Settlement;

/// For work whose transaction undoes it.
pub(crate) fn undone(message: Option<String>) -> Settlement {
    Settlement::Failed { message }
}

/// For work that nothing undoes.
pub(crate) fn unknown(message: Option<String>) -> Settlement {
    Settlement::Unknown { message }
}

/// What the end of the work means: what to write into the row, and what to answer once it is written.
///
/// `None` for a settlement: the work did not begin, and the claim is to be undone as well.
pub(crate) fn of_work<T, E, C>(
    codec: &C,
    max_response: usize,
    unstated: Unstated,
    result: Result<T, E>,
) -> (Option<Settlement>, Result<Outcome<T>, E>)
where
    C: Codec<T>,
    E: Failure,
{
    let response = match result {
        Ok(response) => response,
        Err(error) => {
            let settlement = match error.class() {
                FailureClass::NotStarted => None,
                FailureClass::Refused(refusal) if refusal.as_bytes().len() > max_response => {
                    return not_stored(undone, too_large(&refusal, max_response));
                }
                FailureClass::Refused(refusal) => {
                    Some(Settlement::Completed(StoredResponse::Refusal(refusal)))
                }
                FailureClass::RolledBack => Some(undone(message(&error))),
                FailureClass::MaybeApplied => Some(unknown(message(&error))),
                FailureClass::Unstated => Some(unstated(message(&error))),
            };
            return (settlement, Err(error));
        }
    };
    match codec.encode(&response) {
        Ok(payload) if payload.as_bytes().len() > max_response => {
            not_stored(unstated, too_large(&payload, max_response))
        }
        Ok(payload) => (
            Some(Settlement::Completed(StoredResponse::Success(payload.clone()))),
            Ok(Outcome::new(response, payload, false)),
        ),
        Err(error) => not_stored(unstated, IdempotencyError::Encode(error)),
    }
}

fn not_stored<T, E: Failure>(
    settlement: Unstated,
    error: IdempotencyError,
) -> (Option<Settlement>, Result<Outcome<T>, E>) {
    (Some(settlement(Some(error.to_string()))), Err(error.into()))
}

fn too_large(payload: &Payload, limit: usize) -> IdempotencyError {
    IdempotencyError::ResponseTooLarge { size: payload.as_bytes().len(), limit }
}

fn message<E: Failure>(error: &E) -> Option<String> {
    // PostgreSQL takes every character in a text but NUL, and would refuse the whole row.
    error.message().map(|message| message.chars().filter(|c| *c != '\0').take(MAX_MESSAGE).collect())
}
