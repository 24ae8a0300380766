//! The header `Idempotency-Key` in front of an axum router.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, OriginalUri, Path, State},
    http::{HeaderMap, Request, Response, StatusCode, Uri, header, request::Parts},
    response::IntoResponse,
    routing::{get, post},
};
use idempotency::{Idempotency, IdempotencyLayer, MemoryStore, Profile, ResponseClass, Settings};
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

async fn status(State(runs): State<Runs>, Path(status): Path<u16>) -> (StatusCode, String) {
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
    for (status, kept) in [(409, false), (429, false), (401, false), (404, true), (402, true), (500, true)] {
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

#[tokio::test]
async fn what_may_have_been_applied_never_runs_again() {
    for status in [408, 502, 503, 504] {
        let app = App::new(|layer| layer);
        let path = format!("/status/{status}");
        assert_eq!(app.post(&path, "key", "").await.status, status);
        for _ in 0..2 {
            let again = app.post(&path, "key", "").await;
            assert_eq!((again.status, again.problem().as_str()), (409, "outcome-unknown"));
        }
        assert_eq!(app.runs(), 1);
    }
}

#[tokio::test]
async fn a_response_may_say_what_it_means_for_its_key() {
    let runs = Runs::default();
    let counted = Arc::clone(&runs);
    let busy = async move || {
        counted.fetch_add(1, Ordering::SeqCst);
        (StatusCode::SERVICE_UNAVAILABLE, Extension(ResponseClass::NotStarted))
    };
    let app = Router::new().route("/", post(busy)).layer(IdempotencyLayer::new(Idempotency::in_memory()));
    for _ in 0..2 {
        assert_eq!(app.clone().oneshot(with_key("/", "key", "")).await.unwrap().status(), 503);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

fn whole(request: &Parts) -> Uri {
    request.extensions.get().map_or(&request.uri, |OriginalUri(uri)| uri).clone()
}

fn route(request: &Parts) -> String {
    request.extensions.get().map_or("other", MatchedPath::as_str).to_owned()
}

#[tokio::test]
async fn a_nested_router_keeps_its_targets_apart() {
    let charge = async |Path(user): Path<String>| user;
    let once = Idempotency::in_memory();
    let layer = IdempotencyLayer::new(once.clone()).target(whole);
    let users = Router::new().route("/charge", post(charge)).layer(layer);
    let app = Router::new().nest("/users/{user}", users);
    for (replayed, user) in [(false, "1"), (false, "2"), (true, "1"), (true, "2")] {
        let path = format!("/users/{user}/charge");
        let answer = Answer::of(app.clone().oneshot(with_key(&path, "key", "5")).await.unwrap()).await;
        assert_eq!((answer.replayed(), answer.body.as_ref()), (replayed, user.as_bytes()));
        assert!(once.admin().find(&format!("POST {path}"), "", "key").await.unwrap().is_some());
    }
    // Paths too long for the table are told apart by what is asked for.
    for (status, user) in [(200, "1"), (422, "2")] {
        let path = format!("/users/{}/charge", user.repeat(300));
        let answer = app.clone().oneshot(with_key(&path, "key", "5")).await.unwrap();
        assert_eq!(answer.status(), status);
    }
    // The query is no part of the name, but of what is asked for.
    let path = "/users/1/charge?amount=7";
    let other = Answer::of(app.oneshot(with_key(path, "key", "5")).await.unwrap()).await;
    assert_eq!((other.status, other.problem().as_str()), (422, "mismatch"));
}

#[tokio::test]
async fn clients_do_not_choose_what_requests_are_called() {
    for (named, expected) in [(false, "POST"), (true, "/users/{user}/charge")] {
        let names = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&names);
        let settings =
            Settings::default().on_event(move |_, name, _| seen.lock().unwrap().push(name.to_owned()));
        let layer = IdempotencyLayer::new(Idempotency::with_settings(MemoryStore::default(), settings));
        let layer = if named { layer.name(route) } else { layer };
        let app = Router::new().route("/users/{user}/charge", post(async || "charged")).layer(layer);
        for user in ["1", "2", "2"] {
            let request = with_key(&format!("/users/{user}/charge"), "key", "");
            assert_eq!(app.clone().oneshot(request).await.unwrap().status(), 200);
        }
        assert_eq!(*names.lock().unwrap(), [expected; 3]);
    }
}
