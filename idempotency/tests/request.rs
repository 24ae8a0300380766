//! What makes a repeat, and how its answer is kept.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use idempotency::{
    BoxError, Codec, Event, Idempotency, IdempotencyError, MemoryStore, Payload, Raw, Request, Settings,
};
use serde_json::{Value, json};

/// Whether the request was answered from what was kept.
async fn replayed(request: Request<'_, MemoryStore>) -> Result<bool, IdempotencyError> {
    Ok(request.transaction(async |_| Ok::<_, IdempotencyError>(5)).await?.replayed())
}

fn charge<'a>(
    once: &'a Idempotency<MemoryStore>,
    body: &Value,
    excluded: &[&str],
) -> Request<'a, MemoryStore> {
    once.request("charge", "key").unwrap().fingerprint_excluding(body, excluded)
}

#[tokio::test]
async fn an_excluded_field_may_differ_between_repeats() {
    let once = Idempotency::in_memory();
    let first = json!({ "amount": 5, "meta": { "sent_at": 1 } });
    let later = json!({ "amount": 5, "meta": { "sent_at": 2 } });
    let other = json!({ "amount": 6, "meta": { "sent_at": 2 } });
    let excluded = ["meta.sent_at"];
    assert!(!replayed(charge(&once, &first, &excluded)).await.unwrap());
    assert!(replayed(charge(&once, &later, &excluded)).await.unwrap());
    let error = replayed(charge(&once, &other, &excluded)).await.unwrap_err();
    assert!(matches!(error, IdempotencyError::Mismatch));
}

#[tokio::test]
async fn a_changed_version_makes_no_mismatch() {
    let once = Idempotency::in_memory();
    let body = json!({ "amount": 5, "channel": "app" });
    assert!(!replayed(charge(&once, &body, &[])).await.unwrap());
    let excluding = charge(&once, &body, &["channel"]);
    assert!(matches!(replayed(excluding).await, Err(IdempotencyError::Mismatch)));
    let after_the_deployment = charge(&once, &body, &["channel"]).fingerprint_version(1);
    assert!(replayed(after_the_deployment).await.unwrap());
}

/// Keeps a number as its decimal digits, and nothing above 99.
struct Digits;

impl Codec<u32> for Digits {
    fn encode(&self, response: &u32) -> Result<Payload, BoxError> {
        if *response > 99 {
            return Err("too many digits".into());
        }
        Ok(Payload::from(response.to_string().into_bytes()))
    }

    fn decode(&self, payload: &Payload) -> Result<u32, BoxError> {
        Ok(std::str::from_utf8(payload.as_bytes())?.parse()?)
    }
}

#[tokio::test]
async fn a_codec_of_ones_own_keeps_and_reads_the_answer() {
    let once = Idempotency::in_memory();
    let ask = async |key: &str, answer: u32| {
        let request = once.request("count", key).unwrap().codec(Digits);
        request.transaction(async |_| Ok::<_, IdempotencyError>(answer)).await
    };
    let first = ask("key", 42).await.unwrap();
    assert_eq!(first.payload().as_bytes(), b"42");
    let repeat = ask("key", 7).await.unwrap();
    assert_eq!((repeat.replayed(), repeat.into_inner()), (true, 42));

    assert!(matches!(ask("other", 100).await, Err(IdempotencyError::Encode(_))));
    assert!(!ask("other", 1).await.unwrap().replayed());
}

#[tokio::test]
async fn bytes_are_kept_as_they_are() {
    let once = Idempotency::in_memory();
    let bytes: Vec<u8> = (0..=255).collect();
    for replayed in [false, true] {
        let request = once.request("bytes", "key").unwrap().codec(Raw);
        let answer = request.transaction(async |_| Ok::<_, IdempotencyError>(Payload::from(bytes.clone())));
        let outcome = answer.await.unwrap();
        assert_eq!(outcome.replayed(), replayed);
        assert_eq!(outcome.into_inner().as_bytes(), bytes);
    }
}

#[tokio::test]
async fn a_hook_sees_what_happens() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let settings = Settings::default().on_event(move |event, operation, row| {
        kept.lock().unwrap().push((event, operation.to_owned(), row.to_string()));
    });
    let once = Idempotency::with_settings(MemoryStore::default(), settings);
    let body = json!({ "amount": 5 });
    let failing = charge(&once, &body, &[]).transaction(async |_| Err::<u32, BoxError>("no".into()));
    failing.await.unwrap_err();
    for (body, replays) in [(5, Some(false)), (5, Some(true)), (6, None)] {
        let body = json!({ "amount": body });
        assert_eq!(replayed(charge(&once, &body, &[])).await.ok(), replays);
    }
    let seen = seen.lock().unwrap();
    let events: Vec<Event> = seen.iter().map(|(event, ..)| *event).collect();
    let expected = [Event::Started, Event::Failed, Event::Started, Event::Replayed, Event::Mismatch];
    assert_eq!(events, expected);
    assert!(seen.iter().all(|(_, operation, row)| operation == "charge" && *row == seen[0].2));
}
