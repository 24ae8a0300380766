//! A service behind the layer, and bodies that do as they are told.

#![allow(clippy::panic, clippy::unwrap_used)]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, Request, Response, header},
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use idempotency::{BoxError, Idempotency, IdempotencyLayer, MemoryStore, Record, Settings};
use tower::{Layer, ServiceExt, service_fn};

/// Of both bodies, in bytes.
pub const LIMIT: usize = 100;

/// A service that notes what it is sent, behind the layer.
pub struct App {
    once: Idempotency<MemoryStore>,
    layer: IdempotencyLayer<MemoryStore>,
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

type Answer = dyn Fn(&Seen) -> Response<Body> + Send + Sync;

/// What has come to the service: of a body without end the first three frames.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub frames: usize,
    pub data: Vec<u8>,
    pub trailers: Option<HeaderMap>,
    pub exact: Option<u64>,
}

impl App {
    pub fn answering(answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static) -> Self {
        Self::with_layer(|layer| layer, answer)
    }

    pub fn with_layer(
        change: impl FnOnce(IdempotencyLayer<MemoryStore>) -> IdempotencyLayer<MemoryStore>,
        answer: impl Fn(&Seen) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        // The status and the count of headers of a response take five bytes.
        let settings = Settings::default().wait(Duration::ZERO).max_response(LIMIT + 5);
        let once = Idempotency::with_settings(MemoryStore::default(), settings);
        let layer = change(IdempotencyLayer::new(once.clone()).max_request(LIMIT));
        Self { once, layer, answer: Arc::new(answer), seen: Arc::default() }
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        let (answer, seen) = (Arc::clone(&self.answer), Arc::clone(&self.seen));
        let service = service_fn(move |request: Request<Body>| {
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            async move {
                let request = Seen::of(request).await;
                seen.lock().unwrap().push(request.clone());
                Ok::<_, Infallible>(answer(&request))
            }
        });
        self.layer.layer(service).oneshot(request).await.unwrap().map(Body::new)
    }

    pub fn runs(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The last request that has come to the service.
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    pub async fn row(&self) -> Option<Record> {
        self.once.admin().find("POST /", "", "key").await.unwrap()
    }

    /// A body that is not run, and after which the key is as unused as before.
    pub async fn is_refused(&self, body: impl Into<Body>, (status, kind): (u16, &str)) {
        let refused = self.send(request(Method::POST, Some("key"), body)).await;
        assert_eq!(problem(refused).await, (status, kind.to_owned()));
        assert_eq!(self.runs(), 0);
        assert!(self.row().await.is_none());
    }

    pub async fn is_replayed_as(&self, status: u16, kind: &str) {
        let again = self.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        assert_eq!(problem(again).await, (status, kind.to_owned()));
    }
}

impl Seen {
    async fn of(request: Request<Body>) -> Self {
        let mut body = request.into_body();
        let exact = http_body::Body::size_hint(&body).exact();
        let mut seen = Self { exact, ..Self::default() };
        while seen.frames < 3 || exact.is_some() {
            let Some(frame) = body.frame().await else { break };
            seen.frames += 1;
            match frame.unwrap().into_data() {
                Ok(data) => seen.data.extend(data),
                Err(frame) => seen.trailers = frame.into_trailers().ok(),
            }
        }
        seen
    }
}

pub fn request(method: Method, key: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    if let Some(key) = key {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    request
}

/// Status and last part of the type of a problem.
pub async fn problem(response: Response<Body>) -> (u16, String) {
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["status"], status);
    (status, problem["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned())
}

pub fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static("\"1\""))])
}

/// A body frame by frame.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    frames: Vec<Bytes>,
    endless: Option<usize>,
    trailed: bool,
    broken: bool,
    told: Option<u64>,
    polled: Polled,
}

/// How many frames of data a body was asked for.
#[derive(Debug, Clone, Default)]
pub struct Polled(Arc<AtomicUsize>);

impl Polled {
    pub fn frames(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Frames {
    pub fn of(frames: &[&str]) -> Self {
        let frames = frames.iter().rev().map(|data| Bytes::copy_from_slice(data.as_bytes()));
        Self { frames: frames.collect(), ..Self::default() }
    }

    /// Frames of so many bytes without end.
    pub fn endless(bytes: usize) -> Self {
        Self { endless: Some(bytes), ..Self::default() }
    }

    /// Ends with trailers.
    pub fn trailed(self) -> Self {
        Self { trailed: true, ..self }
    }

    /// Ends with an error.
    pub fn broken(self) -> Self {
        Self { broken: true, ..self }
    }

    /// Says how many bytes it has.
    pub fn told(self, bytes: u64) -> Self {
        Self { told: Some(bytes), ..self }
    }

    pub fn counted(self) -> (Self, Polled) {
        let polled = self.polled.clone();
        (self, polled)
    }
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let endless = self.endless.map(|bytes| Bytes::from(vec![b'x'; bytes]));
        Poll::Ready(if let Some(data) = self.frames.pop().or(endless) {
            self.polled.0.fetch_add(1, Ordering::SeqCst);
            Some(Ok(Frame::data(data)))
        } else if std::mem::take(&mut self.trailed) {
            Some(Ok(Frame::trailers(trailers())))
        } else if std::mem::take(&mut self.broken) {
            Some(Err("it broke off".into()))
        } else {
            None
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.told.map(SizeHint::with_exact).unwrap_or_default()
    }
}

impl From<Frames> for Body {
    fn from(frames: Frames) -> Self {
        Self::new(frames)
    }
}
