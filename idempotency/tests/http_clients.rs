//! Clients that go away, and servers that are asked over a socket: the layer in front of an axum server.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract,
    http::{Request, Response, StatusCode},
    middleware::{Next, from_fn},
    routing::post,
};
use http_body_util::{BodyExt, Channel};
use idempotency::{BoxError, Idempotency, IdempotencyLayer, MemoryStore, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tower::ServiceExt;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A handler that begins and ends when it is told to.
struct App {
    once: Idempotency<MemoryStore>,
    router: Router,
    work: Arc<Work>,
}

#[derive(Default)]
struct Work {
    begun: Notify,
    may_end: Notify,
    /// That the server waits for no answer any more, with or without one.
    left: Notify,
    runs: AtomicU32,
}

/// Tells when it goes.
struct Leaving(Arc<Work>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.left.notify_one();
    }
}

impl App {
    fn new() -> Self {
        let once = Idempotency::with_settings(MemoryStore::default(), Settings::default().wait(PATIENCE));
        let work = Arc::new(Work::default());
        let (handler, in_front) = (Arc::clone(&work), Arc::clone(&work));
        let charge = async move || {
            let run = handler.runs.fetch_add(1, Ordering::SeqCst) + 1;
            handler.begun.notify_one();
            handler.may_end.notified().await;
            format!("run {run}")
        };
        let router = Router::new()
            .route("/charges", post(charge))
            .route("/panics", post(async || -> () { panic!("as it was told to") }))
            .layer(IdempotencyLayer::new(once.clone()))
            .layer(from_fn(move |request: extract::Request, next: Next| {
                let leaving = Leaving(Arc::clone(&in_front));
                async move {
                    let _leaving = leaving;
                    next.run(request).await
                }
            }));
        Self { once, router, work }
    }

    async fn send(&self, path: &str, body: Body) -> Response<Body> {
        let request = Request::post(path).header("Idempotency-Key", "key").body(body).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Checks that the work that goes on by itself ends, and that a repeat is answered with what it came to.
    async fn goes_on(&self) {
        self.work.may_end.notify_one();
        let again = self.send("/charges", Body::empty()).await;
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        assert_eq!(again.into_body().collect().await.unwrap().to_bytes(), "run 1");
        assert_eq!(self.work.runs.load(Ordering::SeqCst), 1);
    }

    async fn serve(&self) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        TcpStream::connect(address).await.unwrap()
    }
}

#[tokio::test]
async fn work_goes_on_when_its_request_is_dropped() {
    let app = App::new();
    {
        let mut first = pin!(app.send("/charges", Body::empty()));
        tokio::select! {
            _ = &mut first => panic!("the work has not been told to end"),
            () = app.work.begun.notified() => {}
        }
    }
    app.goes_on().await;
}

#[tokio::test]
async fn work_goes_on_when_the_client_hangs_up() {
    let app = App::new();
    let mut client = app.serve().await;
    client
        .write_all(b"POST /charges HTTP/1.1\r\nHost: a\r\nIdempotency-Key: key\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    app.work.begun.notified().await;
    drop(client);
    app.work.left.notified().await;
    app.goes_on().await;
}

#[tokio::test]
async fn a_client_that_goes_away_before_its_request_is_whole_leaves_the_key_unused() {
    let app = App::new();
    let (mut sender, body) = Channel::<axum::body::Bytes, BoxError>::new(4);
    {
        let mut first = pin!(app.send("/charges", Body::new(body)));
        tokio::select! {
            _ = &mut first => panic!("the body has not come to its end"),
            () = async {
                sender.send_data("half of it".into()).await.unwrap();
                // Once the other side has taken it there is room again.
                while sender.capacity() < sender.max_capacity() {
                    tokio::task::yield_now().await;
                }
            } => {}
        }
    }
    assert!(sender.send_data("the rest".into()).await.is_err(), "nobody reads on");
    assert!(app.once.admin().find("POST /charges", "", "key").await.unwrap().is_none());
    assert_eq!(app.work.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_reaches_the_server_and_leaves_the_key_at_work() {
    let app = Arc::new(App::new());
    let task = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.send("/panics", Body::empty()).await }
    });
    assert!(task.await.unwrap_err().is_panic());
    let row = app.once.admin().find("POST /panics", "", "key").await.unwrap().unwrap();
    assert!(matches!(row.state, idempotency::State::Processing { .. }), "{row:?}");
}

#[tokio::test]
async fn a_request_whose_content_length_is_too_large_is_answered_before_its_body() {
    let app = App::new();
    let mut client = app.serve().await;
    client
        .write_all(
            b"POST /charges HTTP/1.1\r\nHost: a\r\nIdempotency-Key: key\r\nContent-Length: 1073741824\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(app.work.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_repeat_over_a_socket_has_its_length() {
    let app = App::new();
    for replayed in [false, true] {
        app.work.may_end.notify_one();
        let mut client = app.serve().await;
        client
            .write_all(b"POST /charges HTTP/1.1\r\nHost: a\r\nIdempotency-Key: key\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nrun 1"), "{answer}");
        assert!(answer.contains("\r\ncontent-length: 5\r\n"), "{answer}");
        assert_eq!(answer.contains("\r\nidempotency-replayed: true\r\n"), replayed, "{answer}");
    }
}

#[tokio::test]
async fn work_that_a_time_limit_within_the_layer_stops_is_unknown() {
    let app = App::new();
    let slow = tower::service_fn(async |_: Request<Body>| {
        let stopped = tokio::time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
        let status = if stopped.is_err() { StatusCode::REQUEST_TIMEOUT } else { StatusCode::OK };
        Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(Body::empty()).unwrap())
    });
    let service = tower::Layer::layer(&IdempotencyLayer::new(app.once.clone()), slow);
    for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT] {
        let request = Request::post("/").header("Idempotency-Key", "key").body(Body::empty()).unwrap();
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    }
}
