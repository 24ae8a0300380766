use std::{sync::Arc, time::Duration};

use http::{HeaderName, Method, StatusCode, Uri, request::Parts};
use tower::Layer;

use super::{IdempotencyService, Profile, ResponseClass, policy::Policy};
use crate::{Idempotency, Takeover};

/// Answers repeated requests with the stored response, by the header `Idempotency-Key`.
///
/// The handler runs in lease mode: its effects are its own, and it runs once for each key. Where they are all in the
/// database of the store, a handler that calls [`Request::transaction`](crate::Request::transaction) itself is
/// cheaper, and safe against crashes without a lease.
///
/// | request | answer, as `application/problem+json` |
/// |---|---|
/// | no key where one is [required](Self::required), or an unusable one | 400 |
/// | the first one is still at work | 409 with `Retry-After` |
/// | it is not known whether the first one took effect | 409 |
/// | another request under the same key | 422, or 400 by [`Profile::Stripe`] |
/// | a body over the [limit](Self::max_request) | 413 |
/// | a body that breaks off | 400 |
/// | the store is away | 503 with `Retry-After` |
/// | the response of the handler broke off | 500, and the key is unknown |
/// | a repeat | the first answer's status, [kept](Self::keep_header) headers and body, and `Idempotency-Replayed: true` |
/// | a repeat of what was answered with more than is kept | 500 with the first answer's status as `detail`, and `Idempotency-Replayed: true` |
///
/// Keys are scoped by tenant, method and path. Without a [tenant](Self::tenant) all users share them, so a service
/// with more than one user has to name it.
///
/// **Put the layer around the outermost router.** Within `Router::nest` it sees what is left of the path: to it
/// `/users/1/charge` and `/users/2/charge` are one `/charge`, and the second is answered with the response of the first.
/// Where it has to be within, [`target`](Self::target) tells it the whole.
///
/// # Bodies
///
/// A request without a key, or of a [method](Self::methods) that takes none, passes as it is: nothing is read or held.
///
/// The body of a request with a key is read frame by frame, hashed as it comes, and held until its end, because only
/// then is it known whether the request is the same as the first. It is refused with the first byte beyond
/// [`max_request`](Self::max_request), or before the first byte where its length is told; nothing is claimed then. The
/// handler gets it in one piece and without trailers.
///
/// A response is read until its end and stored before the client gets its first byte. One that takes more than
/// [`Settings::max_response`](crate::Settings::max_response), status and kept headers included, is held up to there;
/// then the key is done, and the client gets what was held and the rest as it streams. A repeat learns that the
/// request was carried out, and with which status. Trailers go to the first client and are not kept. A handler that
/// answers without end and slowly (server-sent events) is not for this layer: its client waits until the limit is
/// reached.
///
/// # Clients that go away
///
/// As long as the request's body is not whole nothing is claimed. From then on the work is not the client's to stop:
/// when the future of the response is dropped, it goes on on a task of its own, and a repeat gets its answer. So a
/// time limit belongs in front of the layer. One behind it stops the work half-way, and its 408 leaves the key
/// unknown. A panic of the handler goes through, and the key is as after a crash.
///
/// ```
/// use axum::{Router, http::request::Parts, routing::post};
/// use idempotency::{Idempotency, IdempotencyLayer};
///
/// async fn charge() -> &'static str {
///     "charged"
/// }
///
/// fn user_of(request: &Parts) -> String {
///     request.headers.get("x-user").and_then(|user| user.to_str().ok()).unwrap_or_default().to_owned()
/// }
///
/// let once = Idempotency::in_memory();
/// let app: Router = Router::new()
///     .route("/charges", post(charge))
///     .layer(IdempotencyLayer::new(once).required().tenant(user_of));
/// ```
#[derive(Debug)]
pub struct IdempotencyLayer<S> {
    once: Idempotency<S>,
    policy: Arc<Policy>,
}

impl<S> IdempotencyLayer<S> {
    /// Keeps keys and responses in `once`.
    pub fn new(once: Idempotency<S>) -> Self {
        Self { once, policy: Arc::default() }
    }

    /// Refuses requests without a key.
    #[must_use]
    pub fn required(self) -> Self {
        self.with(|policy| policy.required = true)
    }

    /// Keeps the keys of each user or account apart. It must come from what the request was authenticated by.
    #[must_use]
    pub fn tenant(self, tenant: impl Fn(&Parts) -> String + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.tenant = Arc::new(tenant))
    }

    /// Says what was asked for, if it is not the request's own URI: the path is part of what keeps keys apart, and path
    /// and query are part of the fingerprint.
    ///
    /// Needed within a router that takes a part of the path away, as `Router::nest` of axum does:
    ///
    /// ```
    /// use axum::{extract::OriginalUri, http::{Uri, request::Parts}};
    /// # use idempotency::{Idempotency, IdempotencyLayer};
    ///
    /// fn whole(request: &Parts) -> Uri {
    ///     request.extensions.get().map_or(&request.uri, |OriginalUri(uri)| uri).clone()
    /// }
    ///
    /// let layer = IdempotencyLayer::new(Idempotency::in_memory()).target(whole);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn target(self, target: impl Fn(&Parts) -> Uri + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.target = Arc::new(target))
    }

    /// Names a request for logs, metrics and [`Settings::on_event`](crate::Settings::on_event): by its method by default.
    ///
    /// There should be few names, and none that clients make up: the pattern of a route, not a path with ids in it.
    ///
    /// ```
    /// use axum::{extract::MatchedPath, http::request::Parts};
    /// # use idempotency::{Idempotency, IdempotencyLayer};
    ///
    /// fn route(request: &Parts) -> String {
    ///     request.extensions.get().map_or("other", MatchedPath::as_str).to_owned()
    /// }
    ///
    /// let layer = IdempotencyLayer::new(Idempotency::in_memory()).name(route);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn name(self, name: impl Fn(&Parts) -> String + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.name = Arc::new(name))
    }

    /// Says how a mismatch is answered: by the IETF draft by default.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        self.with(|policy| policy.profile = profile)
    }

    /// Sets the methods that take a key: POST and PATCH by default. Others pass as they are.
    #[must_use]
    pub fn methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.with(|policy| policy.methods = methods.into_iter().collect())
    }

    /// Keeps one more header with the response. `Set-Cookie` is not for keeping.
    #[must_use]
    pub fn keep_header(self, name: HeaderName) -> Self {
        self.with(|policy| policy.kept_headers.push(name))
    }

    /// Sets how many bytes the body of a request with a key may have: 1 MiB by default. So much is held in memory.
    #[must_use]
    pub fn max_request(self, bytes: usize) -> Self {
        self.with(|policy| policy.max_request = bytes)
    }

    /// Sets how soon others notice that a process crashed at work: after 30 seconds by default.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        self.with(|policy| policy.lease = lease)
    }

    /// Says what becomes of work whose process crashed: [quarantine](Takeover::Quarantine) by default.
    #[must_use]
    pub fn takeover(self, takeover: Takeover) -> Self {
        self.with(|policy| policy.takeover = takeover)
    }

    /// Says what each status means for its key: [`ResponseClass::of`] by default. A handler may say it of a single
    /// [response](ResponseClass).
    #[must_use]
    pub fn classify(self, classify: impl Fn(StatusCode) -> ResponseClass + Send + Sync + 'static) -> Self {
        self.with(|policy| policy.classify = Arc::new(classify))
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(Arc::make_mut(&mut self.policy));
        self
    }
}

impl<S, I> Layer<I> for IdempotencyLayer<S> {
    type Service = IdempotencyService<S, I>;

    fn layer(&self, inner: I) -> Self::Service {
        IdempotencyService::new(self.once.clone(), Arc::clone(&self.policy), inner)
    }
}

impl<S> Clone for IdempotencyLayer<S> {
    fn clone(&self) -> Self {
        Self { once: self.once.clone(), policy: Arc::clone(&self.policy) }
    }
}
