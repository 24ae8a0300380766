use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;
use http_body_util::LengthLimitError;
use tower::Service;

use super::{
    ResponseBody, ResponseClass,
    failure::HttpFailure,
    policy::Policy,
    problem::Problem,
    read::{Read, read},
    stored::{HttpCodec, Kept, StoredHttp},
};
use crate::{
    BoxError, Idempotency, IdempotencyKey, Outcome, Scope, Store,
    body_digest::{BodyDigest, BytesDigest},
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A request with a key, and all of its body.
pub(super) struct Keyed<Q> {
    key: IdempotencyKey,
    digest: BodyDigest,
    request: Request<Q>,
}

impl<Q> Keyed<Q>
where
    Q: Body<Error: Into<BoxError>> + From<Bytes>,
{
    /// Reads the body: what tells the request from another under the same key is known at its end only.
    pub(super) async fn read(
        request: Request<Q>,
        key: IdempotencyKey,
        policy: &Policy,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let mut digest = digest_of_target(&(policy.target)(&parts));
        let data = match read(body, policy.max_request, |data| digest.update(data)).await {
            Ok(Read::Whole { data, .. }) => data,
            Ok(Read::Cut { .. }) => return Err(Problem::request_too_large()),
            Err(error) => {
                return Err(if is_too_long(error.into().as_ref()) {
                    Problem::request_too_large()
                } else {
                    Problem::request_unreadable()
                });
            }
        };
        Ok(Self { key, digest: digest.finish(), request: Request::from_parts(parts, Q::from(data)) })
    }

    pub(super) async fn run<S, I, R>(
        self,
        once: Idempotency<S>,
        policy: Arc<Policy>,
        mut inner: I,
    ) -> Result<Response<ResponseBody<R>>, I::Error>
    where
        S: Store,
        I: Service<Request<Q>, Response = Response<R>>,
        R: Body,
    {
        let (parts, body) = self.request.into_parts();
        let operation = operation(&parts.method, &(policy.target)(&parts));
        let name = (policy.name)(&parts);
        let tenant = (policy.tenant)(&parts);
        let limit = once.inner.settings.max_response;
        let request = match once.request(&operation, self.key) {
            Ok(request) => {
                request.tenant(tenant).fingerprint_digest(self.digest).reported_as(&name).codec(HttpCodec)
            }
            Err(error) => return Ok(Problem::of(&error, policy.profile).into_response()),
        };
        // The first answer goes out as the service has made it; a replay has what was kept.
        let mut first = None;
        let leased = request.lease(policy.lease).takeover(policy.takeover);
        let outcome: Result<Outcome<Kept>, HttpFailure<R, I::Error>> = leased
            .run(async |_| {
                let response = inner.call(Request::from_parts(parts, body)).await;
                let response = response.map_err(HttpFailure::Service)?;
                let said = response.extensions().get().copied();
                let class = said.unwrap_or_else(|| (policy.classify)(response.status()));
                if class != ResponseClass::Kept {
                    return Err(HttpFailure::Response(class, response));
                }
                let (kept, response) = keep(response, &policy, limit).await.map_err(|_| HttpFailure::Body)?;
                first = Some(response);
                Ok(kept)
            })
            .await;
        match outcome {
            Ok(outcome) => Ok(first.unwrap_or_else(|| replay(outcome.into_inner()))),
            Err(HttpFailure::Response(_, response)) => Ok(response.map(ResponseBody::passed)),
            Err(HttpFailure::Service(error)) => Err(error),
            Err(HttpFailure::Body) => Ok(Problem::response_broken().into_response()),
            Err(HttpFailure::Idempotency(error)) => Ok(Problem::of(&error, policy.profile).into_response()),
        }
    }
}

/// Reads a response, up to what may be kept of it, and makes it anew for the client.
async fn keep<R: Body>(
    response: Response<R>,
    policy: &Policy,
    limit: usize,
) -> Result<(Kept, Response<ResponseBody<R>>), R::Error> {
    let (parts, body) = response.into_parts();
    let head = StoredHttp::head(parts.status, &parts.headers, &policy.kept_headers);
    let read = match limit.checked_sub(head.size()) {
        Some(room) => read(body, room, |_| ()).await?,
        None => Read::Cut { read: VecDeque::new(), rest: Box::pin(body) },
    };
    let kept = match &read {
        Read::Whole { data, .. } => Kept::Whole(head.with_body(data.clone())),
        Read::Cut { .. } => {
            tracing::warn!(limit, status = parts.status.as_u16(), "a response is too large to be kept");
            Kept::TooLarge(parts.status)
        }
    };
    Ok((kept, Response::from_parts(parts, ResponseBody::again(read))))
}

fn replay<R>(kept: Kept) -> Response<ResponseBody<R>> {
    let mut response = match kept {
        Kept::Whole(response) => response.into_response(),
        Kept::TooLarge(status) => Problem::response_too_large(status).into_response(),
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Whether a layer in front has found the body too long.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<LengthLimitError>)
}

/// Method and path; a path too long for a name is told apart by the fingerprint alone.
fn operation(method: &Method, target: &Uri) -> String {
    let operation = format!("{method} {}", target.path());
    match Scope::new(&operation, "") {
        Ok(_) => operation,
        Err(_) => method.to_string(),
    }
}

/// What is asked for, to be followed by the body: the target with its length before it.
fn digest_of_target(target: &Uri) -> BytesDigest {
    let target = target.path_and_query().map_or("", |target| target.as_str());
    let mut digest = BytesDigest::default();
    digest.update(&(target.len() as u64).to_be_bytes());
    digest.update(target.as_bytes());
    digest
}
