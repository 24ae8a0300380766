//! The closure form compiles where people use it: in an axum handler and in a spawned task.

#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use support::{CHARGE, Charge, ChargeError, Charged, Shop};

async fn charge(State(shop): State<Arc<Shop>>, Json(charge): Json<Charge>) -> Result<Vec<u8>, StatusCode> {
    let note = String::from("a local that the work borrows");
    let outcome = shop
        .once
        .request("charge", "key-1")
        .map_err(|_| StatusCode::BAD_REQUEST)?
        .tenant(charge.user)
        .fingerprint(&charge)
        .transaction(async |tx| {
            sqlx::query("UPDATE users SET balance = balance + ? WHERE id = ?")
                .bind(charge.amount)
                .bind(charge.user)
                .execute(&mut **tx)
                .await?;
            let charged = shop.effect(tx, &charge).await?;
            assert!(!note.is_empty());
            Ok::<_, ChargeError>(charged)
        })
        .await
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(outcome.into_payload().as_bytes().to_vec())
}

#[tokio::test]
async fn in_a_handler() {
    let shop = Arc::new(Shop::open().await);
    let _: Router = Router::new().route("/", post(charge)).with_state(Arc::clone(&shop));
    let answer = charge(State(Arc::clone(&shop)), Json(CHARGE)).await.unwrap();
    assert_eq!(answer, charge(State(shop), Json(CHARGE)).await.unwrap());
}

#[tokio::test]
async fn in_a_task() {
    let shop = Arc::new(Shop::open().await);
    let task = tokio::spawn(async move {
        let amount = 7;
        shop.once
            .request("charge", "key-1")?
            .transaction(async |tx| {
                sqlx::query("UPDATE users SET balance = ?").bind(amount).execute(&mut **tx).await?;
                Ok::<_, ChargeError>(Charged { balance: amount })
            })
            .await
    });
    assert_eq!(task.await.unwrap().unwrap().into_inner().balance, 7);
}

#[tokio::test]
async fn leased_work_in_a_task() {
    let shop = Arc::new(Shop::open().await);
    let task = tokio::spawn(async move {
        let amount = 7;
        let request = shop.once.request("pay", "key-1")?.lease(std::time::Duration::from_secs(30));
        let paid = request.run(async |lease| {
            tokio::task::yield_now().await;
            assert_eq!(lease.epoch(), 1);
            Ok::<_, ChargeError>(Charged { balance: amount })
        });
        paid.await
    });
    assert_eq!(task.await.unwrap().unwrap().into_inner().balance, 7);
}
