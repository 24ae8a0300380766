//! What `{:?}` shows: no key, no tenant, no response, no password.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{fmt::Debug, time::Duration};

use idempotency::{BoxError, Idempotency, IdempotencyKey, MySqlStore, Payload, Scope};
use lock_core::LockManager;
use sqlx::MySqlPool;

#[track_caller]
fn shows_no_secret(thing: &impl Debug) {
    for text in [format!("{thing:?}"), format!("{thing:#?}")] {
        assert!(!text.to_lowercase().contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn of_what_is_asked_and_answered() {
    let once = Idempotency::in_memory();
    let request =
        || once.request("charge", "SecretKey").unwrap().tenant("SecretTenant").fingerprint(&"SecretBody");
    shows_no_secret(&request());
    shows_no_secret(&request().lease(Duration::from_secs(9)));
    shows_no_secret(&IdempotencyKey::new("SecretKey").unwrap());
    shows_no_secret(&Scope::new("charge", "SecretTenant").unwrap());
    shows_no_secret(&Payload::from(b"SecretResponse".to_vec()));
    let outcome = request().transaction(async |_| Ok::<_, BoxError>("SecretResponse".to_owned())).await;
    shows_no_secret(&outcome.unwrap());
    let refused = once.request("charge", "SecretKey").unwrap().tenant("SecretTenant").fingerprint(&"another");
    let refused = refused.transaction(async |_| Ok::<_, BoxError>(String::new())).await.unwrap_err();
    shows_no_secret(&refused);
    shows_no_secret(&once);
}

#[tokio::test]
async fn of_a_store_with_a_password() {
    let pool = MySqlPool::connect_lazy("mysql://shop:SecretPassword@127.0.0.1:1/shop").unwrap();
    let once = Idempotency::mysql(pool.clone());
    shows_no_secret(&once);
    shows_no_secret(&MySqlStore::new(pool));
    shows_no_secret(&once.admin());
    let locks = LockManager::in_process();
    let request = once.request("charge", "SecretKey").unwrap().tenant("SecretTenant");
    shows_no_secret(&request.locked(locks.lock("balance:user:1")));
}
