use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::Service;

use super::{ResponseBody, detached::Detached, key_header, keyed::Keyed, policy::Policy, problem::Problem};
use crate::{BoxError, Idempotency, Store};

type Answer<R, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<R>>, E>> + Send>>;

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
    R: Body<Data: Send, Error: Send> + Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = I::Error;
    type Future = Answer<R, I::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        if !self.policy.methods.contains(request.method()) {
            return pass(self.inner.call(request));
        }
        let key = match key_header::read(request.headers()) {
            Ok(Some(key)) => key,
            Ok(None) if self.policy.required => return answer(Problem::key_missing()),
            Ok(None) => return pass(self.inner.call(request)),
            Err(error) => return answer(Problem::key_invalid(error)),
        };
        // The clone that was polled ready is the one to call.
        let spare = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, spare);
        let (once, policy) = (self.once.clone(), Arc::clone(&self.policy));
        Box::pin(async move {
            match Keyed::read(request, key, &policy).await {
                // From here on it is not the client's to stop.
                Ok(keyed) => Detached::new(keyed.run(once, policy, inner)).await,
                Err(problem) => Ok(problem.into_response()),
            }
        })
    }
}

/// Lets a request through as it is.
fn pass<F, R, E>(response: F) -> Answer<R, E>
where
    F: Future<Output = Result<Response<R>, E>> + Send + 'static,
{
    Box::pin(async move { Ok(response.await?.map(ResponseBody::passed)) })
}

fn answer<R, E>(problem: Problem) -> Answer<R, E>
where
    R: Send + 'static,
    E: Send + 'static,
{
    Box::pin(std::future::ready(Ok(problem.into_response())))
}
