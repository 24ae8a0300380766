//! The header `Idempotency-Key` in front of an axum router.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode, header, request::Parts},
    response::IntoResponse,
    routing::{get, post},
};
use idempotency::{Idempotency, IdempotencyLayer, MemoryStore, Profile, Settings};
use tower::ServiceExt;

type Runs = Arc<AtomicU32>;

struct App {
    router: Router,
    runs: Runs,
}

fn user_of(request: &Parts) -> String {
    request.headers.get("x-user").and_then(|user| user.to_str().ok()).unwrap_or_default().to_owned()
}

impl App {
    fn new(change: impl FnOnce(IdempotencyLayer<MemoryStore>) -> IdempotencyLayer<MemoryStore>) -> Self {
        let runs = Runs::default();
        let settings = Settings::default().wait(Duration::ZERO).max_response(100);
        let once = Idempotency::with_settings(MemoryStore::default(), settings);
        let layer = change(IdempotencyLayer::new(once).tenant(user_of));
        let router = Router::new()
            .route("/charges", get(list).post(charge))
            .route("/status/{status}", post(status))
            .route("/slow", post(async || tokio::time::sleep(Duration::from_secs(60)).await))
            .layer(layer)
            .with_state(Arc::clone(&runs));
        Self { router, runs }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn post(&self, path: &str, key: &str, body: &str) -> Answer {
        Answer::of(self.send(with_key(path, key, body)).await).await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

fn with_key(path: &str, key: &str, body: &str) -> Request<Body> {
    Request::post(path).header("Idempotency-Key", key).body(Body::from(body.to_owned())).unwrap()
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    fn replayed(&self) -> bool {
        self.headers.contains_key("idempotency-replayed")
    }

    /// The last part of the problem's type.
    fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }
}

async fn list() -> &'static str {
    "charges"
}

async fn charge(State(runs): State<Runs>, body: Bytes) -> impl IntoResponse {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    let headers = [(header::LOCATION, "/charges/1"), (header::SET_COOKIE, "session=secret")];
    (StatusCode::CREATED, headers, format!("run {run} of {} bytes", body.len()))
}

async fn status(
    State(runs): State<Runs>,
    axum::extract::Path(status): axum::extract::Path<u16>,
) -> (StatusCode, String) {
    (StatusCode::from_u16(status).unwrap(), format!("run {}", runs.fetch_add(1, Ordering::SeqCst) + 1))
}

#[tokio::test]
async fn a_repeat_has_status_kept_headers_and_body_of_the_first() {
    let app = App::new(|layer| layer);
    let first = app.post("/charges", "key", "body").await;
    let again = app.post("/charges", "\"key\"", "body").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.replayed(), again.replayed()), (false, true));
    assert_eq!((&first.body[..], &again.body[..]), (&b"run 1 of 4 bytes"[..], &b"run 1 of 4 bytes"[..]));
    assert_eq!(again.headers[header::LOCATION], "/charges/1");
    assert_eq!(again.headers[header::CONTENT_TYPE], first.headers[header::CONTENT_TYPE]);
    assert!(first.headers.contains_key(header::SET_COOKIE), "the first client gets its cookie");
    assert!(!again.headers.contains_key(header::SET_COOKIE), "nobody else does");
    assert_eq!(app.runs(), 1);
}

#[tokio::test]
async fn without_a_key_a_request_passes_unless_one_is_required() {
    let app = App::new(|layer| layer);
    let open = app.send(Request::post("/charges").body(Body::empty()).unwrap()).await;
    assert_eq!(open.status(), StatusCode::CREATED);
    let app = App::new(IdempotencyLayer::required);
    let refused = Answer::of(app.send(Request::post("/charges").body(Body::empty()).unwrap()).await).await;
    assert_eq!((refused.status, refused.problem().as_str()), (400, "key-missing"));
    let read = app.send(Request::get("/charges").body(Body::empty()).unwrap()).await;
    assert_eq!(read.status(), StatusCode::OK, "a method that is idempotent by itself needs none");
    assert_eq!(app.runs(), 0);
}

#[tokio::test]
async fn an_unusable_key_is_refused() {
    let app = App::new(|layer| layer);
    for key in ["", "a b", "\"open", &"k".repeat(256)] {
        let refused = app.post("/charges", key, "").await;
        assert_eq!((refused.status, refused.problem().as_str()), (400, "key-invalid"), "{key}");
    }
    assert_eq!(app.runs(), 0);
}

#[tokio::test]
async fn another_request_under_the_key_is_refused_by_profile() {
    for (profile, status) in [(Profile::Ietf, 422), (Profile::Stripe, 400)] {
        let app = App::new(|layer| layer.profile(profile));
        app.post("/charges", "key", "body").await;
        for (path, body) in [("/charges", "other"), ("/charges?dry=1", "body")] {
            let refused = app.post(path, "key", body).await;
            assert_eq!((refused.status, refused.problem().as_str()), (status, "mismatch"));
        }
        assert_eq!(app.runs(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_told_with_a_time() {
    let app = App::new(|layer| layer);
    let first = app.send(with_key("/slow", "key", ""));
    let twin = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        app.post("/slow", "key", "").await
    };
    let (first, twin) = tokio::join!(first, twin);
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!((twin.status, twin.problem().as_str()), (409, "in-flight"));
    assert!(twin.headers[header::RETRY_AFTER].to_str().unwrap().parse::<u32>().unwrap() >= 1);
}

#[tokio::test]
async fn tenants_and_paths_have_keys_of_their_own() {
    let app = App::new(|layer| layer);
    for user in ["ann", "bob"] {
        let mut request = with_key("/charges", "key", "body");
        request.headers_mut().insert("x-user", user.parse().unwrap());
        assert!(!Answer::of(app.send(request).await).await.replayed());
    }
    assert_eq!(app.post("/status/200", "key", "body").await.status, 200);
    assert_eq!(app.runs(), 3);
}

#[tokio::test]
async fn what_did_not_start_is_not_kept_and_the_rest_is() {
    let app = App::new(|layer| layer);
    for (status, kept) in [(503, false), (429, false), (401, false), (404, true), (402, true), (500, true)] {
        let path = format!("/status/{status}");
        let first = app.post(&path, "key", "").await;
        let again = app.post(&path, "key", "").await;
        assert_eq!((first.status, again.status), (status, status));
        assert_eq!((again.replayed(), first.body == again.body), (kept, kept), "{status}");
    }
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused() {
    let app = App::new(|layer| layer.max_request(4));
    let refused = app.post("/charges", "key", "12345").await;
    assert_eq!((refused.status, refused.problem().as_str()), (413, "request-too-large"));
    assert_eq!(app.post("/charges", "key", "1234").await.status, 201);
}
