use std::{sync::Arc, time::Duration};

#[cfg(feature = "cache")]
use crate::cache::Bounds;
use crate::{Event, KeyId, observe::Hook};

/// What holds for each request that does not say otherwise.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) wait: Duration,
    pub(crate) max_response: usize,
    pub(crate) hook: Option<Hook>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<u64>,
    #[cfg(feature = "cache")]
    pub(crate) cache_entries: u64,
}

impl Settings {
    /// Sets how long a response is replayed, from the time that it is given: 24 hours by default, and ten years at most.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl.min(MAX_TTL);
        self
    }

    /// Sets how long a repeat waits for a request in flight before it is told so: 5 seconds by default.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sets how many bytes a response may have: 1 MiB by default, and 16 MiB - 1 is the most that a table
    /// holds.
    #[must_use]
    pub fn max_response(mut self, bytes: usize) -> Self {
        self.max_response = bytes.min(MEDIUMBLOB);
        self
    }

    /// Calls `hook` with each event, the operation and the key's row: none by default. In place of the operation a
    /// request over HTTP has the name that the layer gives it (`IdempotencyLayer::name`).
    ///
    /// It runs within the request, so it should be quick, and must not panic.
    ///
    /// ```
    /// use idempotency::{Event, Settings};
    ///
    /// let settings = Settings::default().on_event(|event, operation, row| {
    ///     if event == Event::Unknown {
    ///         eprintln!("nobody knows whether {operation} {row} took effect");
    ///     }
    /// });
    /// # let _ = settings;
    /// ```
    #[must_use]
    pub fn on_event(mut self, hook: impl Fn(Event, &str, &KeyId) + Send + Sync + 'static) -> Self {
        self.hook = Some(Hook(Arc::new(hook)));
        self
    }
}

#[cfg(feature = "cache")]
impl Settings {
    /// Keeps responses in memory, at most `bytes` of them, so that a repeat asks nobody: none by default.
    ///
    /// Each counts for 200 bytes more than it has. [`cache_entries`](Self::cache_entries) bounds their number, too.
    ///
    /// A response is kept as long as its key lives; a key that somebody changes by hand in the table is answered from
    /// here all the same.
    #[must_use]
    pub fn cache(mut self, bytes: u64) -> Self {
        self.cache = Some(bytes);
        self
    }

    /// Sets how many responses [`cache`](Self::cache) keeps at most, however small they are: 100,000 by default.
    ///
    /// To hold both bounds at once, a small response counts for its share of the bytes: with 64 MiB and 1,000
    /// responses each counts for 66 KiB at least.
    #[must_use]
    pub fn cache_entries(mut self, entries: u64) -> Self {
        self.cache_entries = entries;
        self
    }

    pub(crate) fn cache_bounds(&self) -> Option<Bounds> {
        self.cache.map(|bytes| Bounds { bytes, entries: self.cache_entries })
    }
}

/// The longest that a response is kept: within what every store's clock counts.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The size of the largest response that a row holds.
const MEDIUMBLOB: usize = (1 << 24) - 1;

impl Default for Settings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(24 * 60 * 60),
            wait: Duration::from_secs(5),
            max_response: 1 << 20,
            hook: None,
            #[cfg(feature = "cache")]
            cache: None,
            #[cfg(feature = "cache")]
            cache_entries: 100_000,
        }
    }
}
