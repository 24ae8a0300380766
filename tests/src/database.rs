//! An empty database for one test.

use std::time::Duration;

/// A database that no other test uses; it goes with its server, or when dropped if the server goes on.
#[derive(Debug)]
pub struct Database {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) authority: String,
    pub(crate) drop: Option<DropDatabase>,
}

/// How to remove a database from a server that outlives the tests.
pub(crate) type DropDatabase = fn(url: &str, name: &str);

impl Database {
    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `host:port` of the server, for a [`Proxy`](crate::Proxy).
    #[must_use]
    pub fn address(&self) -> &str {
        &self.authority
    }

    /// The URL for clients that connect through `proxy`.
    #[must_use]
    pub fn url_through(&self, proxy: &crate::Proxy) -> String {
        self.url.replacen(&self.authority, &proxy.address(), 1)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(drop) = self.drop else { return };
        let (url, name) = (self.url.clone(), self.name.clone());
        let (done, wait) = std::sync::mpsc::channel();
        // A thread of its own: there may be a runtime on this one, and the test may be panicking.
        std::thread::spawn(move || {
            drop(&url, &name);
            let _ = done.send(());
        });
        // A server that does not answer any more must not hold up the tests.
        let _ = wait.recv_timeout(Duration::from_secs(10));
    }
}
