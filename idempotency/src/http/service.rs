use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::Service;

use super::{
    ResponseClass,
    failure::HttpFailure,
    key_header,
    policy::Policy,
    problem::Problem,
    stored::{HttpCodec, StoredHttp},
};
use crate::{BoxError, Idempotency, IdempotencyKey, Outcome, Scope, Store};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The service that [`IdempotencyLayer`](super::IdempotencyLayer) makes.
#[derive(Debug)]
pub struct IdempotencyService<S, I> {
    once: Idempotency<S>,
    policy: Arc<Policy>,
    inner: I,
}

impl<S, I> IdempotencyService<S, I> {
    pub(super) fn new(once: Idempotency<S>, policy: Arc<Policy>, inner: I) -> Self {
        Self { once, policy, inner }
    }
}

impl<S, I: Clone> Clone for IdempotencyService<S, I> {
    fn clone(&self) -> Self {
        Self::new(self.once.clone(), Arc::clone(&self.policy), self.inner.clone())
    }
}

impl<S, I, Q, R> Service<Request<Q>> for IdempotencyService<S, I>
where
    S: Store,
    I: Service<Request<Q>, Response = Response<R>, Error: Send, Future: Send> + Clone + Send + 'static,
    Q: Body<Data: Send, Error: Into<BoxError>> + From<Bytes> + Send + 'static,
    R: Body<Data: Send, Error: Into<BoxError>> + From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = I::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, I::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        if !self.policy.methods.contains(request.method()) {
            return Box::pin(self.inner.call(request));
        }
        let key = match key_header::read(request.headers()) {
            Ok(Some(key)) => key,
            Ok(None) if self.policy.required => return answer(Problem::key_missing()),
            Ok(None) => return Box::pin(self.inner.call(request)),
            Err(error) => return answer(Problem::key_invalid(error)),
        };
        // The clone that was polled ready is the one to call.
        let spare = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, spare);
        Box::pin(run(self.once.clone(), Arc::clone(&self.policy), inner, request, key))
    }
}

fn answer<B, E>(problem: Problem) -> Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>>
where
    B: From<Bytes> + Send + 'static,
    E: Send + 'static,
{
    Box::pin(std::future::ready(Ok(problem.into_response())))
}

async fn run<S, I, Q, R>(
    once: Idempotency<S>,
    policy: Arc<Policy>,
    mut inner: I,
    request: Request<Q>,
    key: IdempotencyKey,
) -> Result<Response<R>, I::Error>
where
    S: Store,
    I: Service<Request<Q>, Response = Response<R>>,
    Q: Body<Error: Into<BoxError>> + From<Bytes>,
    R: Body<Error: Into<BoxError>> + From<Bytes>,
{
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, policy.max_request).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return Ok(Problem::request_too_large().into_response());
        }
        Err(_) => return Ok(Problem::request_unreadable().into_response()),
    };
    let (operation, fingerprint) = (operation(&parts), fingerprint(&parts, &body));
    let tenant = (policy.tenant)(&parts);
    let max_response = once.inner.settings.max_response;
    // The first answer goes out with all its headers; a replay has those that were kept.
    let mut headers = None;

    let request = match once.request(&operation, key) {
        Ok(request) => request.tenant(tenant).fingerprint_bytes(&fingerprint).codec(HttpCodec),
        Err(error) => return Ok(Problem::of(&error, policy.profile).into_response()),
    };
    let leased = request.lease(policy.lease).takeover(policy.takeover);
    let outcome: Result<Outcome<StoredHttp>, HttpFailure<R, I::Error>> = leased
        .run(async |_| {
            let response = inner.call(Request::from_parts(parts, Q::from(body))).await;
            let response = response.map_err(HttpFailure::Service)?;
            let class = (policy.classify)(response.status());
            if class != ResponseClass::Kept {
                return Err(HttpFailure::Response(class, response));
            }
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, max_response).collect().await.map_err(|_| HttpFailure::Body)?;
            let stored = StoredHttp::of(parts.status, &parts.headers, &policy.kept_headers, body.to_bytes());
            headers = Some(parts.headers);
            Ok(stored)
        })
        .await;
    match outcome {
        Ok(outcome) => {
            let replayed = outcome.replayed();
            let mut response = outcome.into_inner().into_response();
            if let Some(headers) = headers.filter(|_| !replayed) {
                *response.headers_mut() = headers;
            }
            if replayed {
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            }
            Ok(response)
        }
        Err(HttpFailure::Response(_, response)) => Ok(response),
        Err(HttpFailure::Service(error)) => Err(error),
        Err(HttpFailure::Body) => Ok(Problem::response_unreadable().into_response()),
        Err(HttpFailure::Idempotency(error)) => Ok(Problem::of(&error, policy.profile).into_response()),
    }
}

/// Method and path; a path too long for a name is told apart by the fingerprint alone.
fn operation(parts: &Parts) -> String {
    let operation = format!("{} {}", parts.method, parts.uri.path());
    match Scope::new(&operation, "") {
        Ok(_) => operation,
        Err(_) => parts.method.to_string(),
    }
}

/// What is asked for, each part with its length before it.
fn fingerprint(parts: &Parts, body: &Bytes) -> Vec<u8> {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut bytes = Vec::with_capacity(target.len() + body.len() + 8);
    bytes.extend_from_slice(&(target.len() as u64).to_be_bytes());
    bytes.extend_from_slice(target.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}
