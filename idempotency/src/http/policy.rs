use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderName, Method, StatusCode, Uri, header, request::Parts};

use super::ResponseClass;
use crate::Takeover;

/// How a mismatch is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Profile {
    /// With 422, by the IETF draft.
    #[default]
    Ietf,
    /// With 400, as Stripe does.
    Stripe,
}

/// What the layer has been told.
#[derive(Clone)]
pub(super) struct Policy {
    pub(super) required: bool,
    pub(super) profile: Profile,
    pub(super) methods: Vec<Method>,
    pub(super) kept_headers: Vec<HeaderName>,
    pub(super) max_request: usize,
    pub(super) lease: Duration,
    pub(super) takeover: Takeover,
    pub(super) target: Arc<dyn Fn(&Parts) -> Uri + Send + Sync>,
    pub(super) name: Arc<dyn Fn(&Parts) -> String + Send + Sync>,
    pub(super) tenant: Arc<dyn Fn(&Parts) -> String + Send + Sync>,
    pub(super) classify: Arc<dyn Fn(StatusCode) -> ResponseClass + Send + Sync>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            required: false,
            profile: Profile::default(),
            methods: vec![Method::POST, Method::PATCH],
            kept_headers: vec![
                header::CONTENT_TYPE,
                header::CONTENT_LANGUAGE,
                header::CONTENT_ENCODING,
                header::CONTENT_LOCATION,
                header::LOCATION,
                header::ETAG,
                header::LAST_MODIFIED,
                header::LINK,
            ],
            max_request: 1 << 20,
            lease: Duration::from_secs(30),
            takeover: Takeover::default(),
            target: Arc::new(|request| request.uri.clone()),
            name: Arc::new(|request| request.method.to_string()),
            tenant: Arc::new(|_| String::new()),
            classify: Arc::new(ResponseClass::of),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("required", &self.required)
            .field("profile", &self.profile)
            .field("methods", &self.methods)
            .field("lease", &self.lease)
            .field("takeover", &self.takeover)
            .finish_non_exhaustive()
    }
}
