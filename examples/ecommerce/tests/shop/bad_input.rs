use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Answer, Backing, Shop};

const CHARGE: &str = "/api/users/1/balance/charge";

async fn charge_with(shop: &Shop, body: &Value) -> Answer {
    shop.post(CHARGE, body).await
}

#[tokio::test]
async fn an_amount_that_is_none_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    let amounts = [
        json!(0),
        json!(-1),
        json!("100"),
        json!(1.5),
        json!(null),
        json!(9_223_372_036_854_775_808_u64),
        json!(1e300),
        json!([]),
    ];
    for amount in amounts {
        let answer = charge_with(&shop, &json!({ "amount": amount, "idempotencyKey": "k" })).await;
        answer.is_refused(400, "U002");
    }
    charge_with(&shop, &json!({ "idempotencyKey": "k" })).await.is_refused(400, "U002");
    assert_eq!(shop.balance(1).await, 100_000_000);
}

#[tokio::test]
async fn a_balance_that_would_not_fit_is_refused() {
    for backing in [Backing::embedded(), Backing::servers().await] {
        let shop = Shop::open(&backing).await;
        shop.charge(1, i64::MAX, "too much").await.is_refused(400, "COMMON002");
        shop.charge(1, i64::MAX, "too-much").await.is_refused(400, "U002");
        assert_eq!(shop.balance(1).await, 100_000_000);
        let most = 1_000_000_000_000_000;
        assert_eq!(shop.charge(1, most - 100_000_000, "to-the-brim").await.ok()["balance"], most);
        shop.charge(1, 1, "one-more").await.is_refused(400, "U002");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_with_a_message_that_says_why() {
    let shop = Shop::open(&Backing::embedded()).await;
    let keys = [
        (json!(null), "missing"),
        (json!(""), "empty"),
        (json!("x".repeat(256)), "255"),
        (json!("a\nb"), "ASCII"),
        (json!("a\u{0}b"), "ASCII"),
        (json!("schlüssel"), "ASCII"),
        (json!(7), "string"),
    ];
    for (key, reason) in keys {
        let answer = charge_with(&shop, &json!({ "amount": 1, "idempotencyKey": key })).await;
        answer.is_refused(400, "COMMON002");
        assert!(answer.json()["message"].as_str().unwrap().contains(reason), "{}", answer.json());
    }
    let answer = charge_with(&shop, &json!({ "amount": 1 })).await;
    answer.is_refused(400, "COMMON002");
    assert!(answer.json()["message"].as_str().unwrap().contains("missing"));
    charge_with(&shop, &json!({ "amount": 1, "idempotencyKey": "x".repeat(255) })).await.ok();
}

#[tokio::test]
async fn a_key_in_the_header_serves_and_must_not_contradict_the_body() {
    let shop = Shop::open(&Backing::embedded()).await;
    let with_header = |header: &str, body: Value| {
        shop.send(shop.request(Method::POST, CHARGE).header("Idempotency-Key", header).json(&body))
    };
    let first = with_header("from-header", json!({ "amount": 5 })).await;
    first.ok();
    let again = with_header("from-header", json!({ "amount": 5, "idempotencyKey": "from-header" })).await;
    assert_eq!(again.body, first.body);
    with_header("one", json!({ "amount": 5, "idempotencyKey": "other" })).await.is_refused(400, "COMMON002");
    with_header("", json!({ "amount": 5 })).await.is_refused(400, "COMMON002");
    assert_eq!(shop.balance(1).await, 100_000_005);
}

#[tokio::test]
async fn a_user_that_is_none_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    for id in ["0", "-1", "154", "9223372036854775807"] {
        shop.get(&format!("/api/users/{id}")).await.is_refused(404, "U001");
        shop.get(&format!("/api/users/{id}/balance")).await.is_refused(404, "U001");
        let body = json!({ "amount": 1, "idempotencyKey": format!("user{id}") });
        shop.post(&format!("/api/users/{id}/balance/charge"), &body).await.is_refused(404, "U001");
    }
    for id in ["x", "1.5", "9223372036854775808", "%00"] {
        shop.get(&format!("/api/users/{id}")).await.is_refused(400, "COMMON002");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let shop = Shop::open_with(&Backing::embedded(), &["--body-limit", "1000"]).await;
    let send = |content_type: Option<&'static str>, body: String| {
        let mut request = shop.request(Method::POST, CHARGE).body(body);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        shop.send(request)
    };
    let good = r#"{"amount":1,"idempotencyKey":"k"}"#;
    let json = Some("application/json");
    for bad in ["", "{", "[]", "null", "\"text\"", r#"{"amount":1,}"#, "\u{0}"] {
        send(json, bad.to_owned()).await.is_refused(400, "COMMON002");
    }
    send(None, good.to_owned()).await.is_refused(415, "COMMON007");
    send(Some("text/plain"), good.to_owned()).await.is_refused(415, "COMMON007");
    let long = format!(r#"{{"amount":1,"idempotencyKey":"k","note":"{}"}}"#, "x".repeat(1000));
    send(json, long).await.is_refused(413, "COMMON006");
    send(Some("application/json; charset=utf-8"), good.to_owned()).await.ok();
}

/// An array with the members of an object in their order is no object either.
#[tokio::test]
async fn a_body_that_is_no_object_is_refused_on_every_route_that_takes_one() {
    let shop = Shop::open(&Backing::embedded()).await;
    let bodies = [
        "[]",
        "[1]",
        r#"[5,"a-key"]"#,
        "[1,1]",
        "[1,1,1]",
        r#"[1,"a-key"]"#,
        r#"[1,[{"productId":1,"quantity":1}],null,"a-key"]"#,
        r#"[{"userId":1}]"#,
        "1",
        "-1.5",
        "\"text\"",
        "true",
        "null",
    ];
    let description = shop.get("/openapi.json").await.ok();
    let mut routes = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            if route.get("requestBody").is_none() {
                continue;
            }
            routes += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            for body in bodies {
                let request = shop.request(method.clone(), &path.replace("{id}", "1"));
                let request =
                    request.header("Idempotency-Key", "a-key").header(CONTENT_TYPE, "application/json");
                let answer = shop.send(request.body(body)).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (400, "COMMON002"),
                    "{method} {path} {body}"
                );
            }
        }
    }
    assert!(routes >= 8, "{routes} routes take a body");
    for path in ["/api/orders", "/api/orders/complete"] {
        let order = json!({ "userId": 1, "items": [[1, 1]], "idempotencyKey": "a-key" });
        shop.post(path, &order).await.is_refused(400, "COMMON002");
    }
}

#[tokio::test]
async fn a_body_with_more_after_it_or_a_member_twice_is_refused() {
    let shop = Shop::open(&Backing::embedded()).await;
    for body in [
        r#"{"amount":1,"idempotencyKey":"k"}{}"#,
        r#"{"amount":1,"idempotencyKey":"k"} x"#,
        r#"{"amount":1,"amount":2,"idempotencyKey":"k"}"#,
        r#"{"amount":1,"idempotencyKey":"k","idempotencyKey":"l"}"#,
    ] {
        let request = shop.request(Method::POST, CHARGE).header(CONTENT_TYPE, "application/json");
        shop.send(request.body(body)).await.is_refused(400, "COMMON002");
    }
    assert_eq!(shop.balance(1).await, 100_000_000);
}

#[tokio::test]
async fn a_wrong_method_and_a_wrong_path_are_answered_in_the_same_form() {
    let shop = Shop::open(&Backing::embedded()).await;
    for (method, path) in
        [(Method::DELETE, "/api/users/1"), (Method::GET, CHARGE), (Method::POST, "/healthz")]
    {
        let answer = shop.send(shop.request(method, path)).await;
        answer.is_refused(405, "COMMON005");
        assert!(answer.headers.contains_key("allow"));
    }
    for path in ["/", "/api", "/api/nothing", "/api/users/1/balance/charge/more"] {
        shop.get(path).await.is_refused(404, "COMMON003");
    }
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let shop = Shop::open(&Backing::embedded()).await;
    let fresh = shop.get("/healthz").await;
    assert_eq!(fresh.headers["x-request-id"].len(), 36);
    let own = shop.send(shop.request(Method::GET, "/api/users/1").header("x-request-id", "mine-1")).await;
    assert_eq!(own.headers["x-request-id"], "mine-1");
    let forged = shop.send(shop.request(Method::GET, "/api/users/1").header("x-request-id", "a b")).await;
    assert_eq!(forged.headers["x-request-id"].len(), 36);
}
