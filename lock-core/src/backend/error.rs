use std::error::Error;
use std::sync::Arc;

/// What a backend met when it could not carry out a command. Cheap to clone: all waiters of a key may get the same one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    kind: BackendErrorKind,
    message: Arc<str>,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What kind of trouble a [`BackendError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BackendErrorKind {
    /// The server cannot be reached, or the connection broke. The command may or may not have been carried out.
    Unavailable,
    /// No reply came in time. The command may or may not have been carried out.
    TimedOut,
    /// The server refused the command, and will refuse it again.
    Rejected,
    /// The reply could not be understood.
    Protocol,
    /// This backend cannot do it, and never will.
    Unsupported,
}

impl BackendError {
    /// An error of the given kind; `message` must not hold secrets.
    pub fn new(kind: BackendErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: Arc::from(message.into()), source: None }
    }

    pub(crate) fn unsupported() -> Self {
        Self::new(BackendErrorKind::Unsupported, "the backend cannot do this")
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> BackendErrorKind {
        self.kind
    }

    /// Whether the same command may succeed when sent again.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, BackendErrorKind::Unavailable | BackendErrorKind::TimedOut)
    }
}
