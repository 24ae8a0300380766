//! A TCP proxy with faults.

mod faults;
mod listener;
mod relay;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use faults::{Armed, Faults};

/// Stands between a client and a server on a loopback port of its own, and misbehaves as told.
///
/// It runs on its own thread, so that a busy or paused runtime of the test does not slow it. Dropping it closes the
/// port and every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one to `server` (`host:port`).
    #[must_use]
    pub fn to(server: &str) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let (faults, watched) = watch::channel(Faults::default());
        let server = server.to_owned();
        let for_thread = faults.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(listener::serve(listener, server, for_thread, watched));
        });
        Proxy { address, faults, thread: Some(thread) }
    }

    /// `127.0.0.1:port`, to put in a URL.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Holds back every chunk, in both directions, for this long from now on; a chunk that arrives meanwhile waits
    /// its turn.
    pub fn delay(&self, by: Duration) {
        self.faults.send_modify(|faults| faults.delay = by);
    }

    /// Closes all connections, with whatever is on the way. New ones are welcome.
    pub fn cut(&self) {
        self.faults.send_modify(|faults| faults.cuts += 1);
    }

    /// Lets nothing pass, in either direction, and closes nothing: half-open connections, old and new.
    pub fn freeze(&self) {
        self.faults.send_modify(|faults| faults.frozen = true);
    }

    /// Lets pass what was held up by [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.faults.send_modify(|faults| faults.frozen = false);
    }

    /// Lets nothing pass, ever again, over the connections that stand, and closes none of them: half-open, as after a
    /// crash of the machine between. New ones work.
    pub fn strand(&self) {
        self.faults.send_modify(|faults| faults.strandings += 1);
    }

    /// Refuses new connections; the old ones stay. Returns when the port is closed.
    pub fn refuse(&self) {
        self.faults.send_modify(|faults| faults.refusing = true);
        self.wait_until(|faults| !faults.listening);
    }

    /// Takes connections again after [`refuse`](Self::refuse). Returns when the port is open.
    pub fn accept(&self) {
        self.faults.send_modify(|faults| faults.refusing = false);
        self.wait_until(|faults| faults.listening);
    }

    /// Passes on, from now on, the `nth` request (1 is the next) whose bytes contain `needle`, and then closes its
    /// connection in place of the reply, once the server has carried it out.
    ///
    /// Replies to earlier requests that are still on the way in the same connection are lost too.
    pub fn drop_reply_to(&self, needle: impl Into<Vec<u8>>, nth: usize) {
        let armed = Armed { needle: needle.into(), countdown: nth };
        self.faults.send_modify(|faults| faults.armed = Some(armed));
    }

    /// Passes on the next `count` requests, over all connections, and then [freezes](Self::freeze): the last one reaches
    /// the server, and its reply stays here.
    pub fn freeze_after_requests(&self, count: usize) {
        self.faults.send_modify(|faults| faults.requests_left = Some(count.max(1)));
    }

    /// Closes the connection that carries the byte after the next `bytes` from the server, counted over all
    /// connections, in place of passing that byte on.
    pub fn cut_replies_after(&self, bytes: usize) {
        self.faults.send_modify(|faults| faults.reply_budget = Some(bytes));
    }

    /// How often [`drop_reply_to`](Self::drop_reply_to), [`cut_replies_after`](Self::cut_replies_after) or
    /// [`freeze_after_requests`](Self::freeze_after_requests) has struck, for a test to be sure that it tested something.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.faults.borrow().struck
    }

    /// How many connections are open through it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.faults.borrow().connections
    }

    /// Waits, in a blocking way, for what the proxy's thread does at once.
    fn wait_until(&self, done: impl Fn(&Faults) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(&self.faults.borrow()) {
            assert!(Instant::now() < deadline, "the proxy's thread does not answer");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.faults.send_modify(|faults| faults.closed = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
