use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A relay to a server that counts how often a client speaks after it was answered.
///
/// It goes on as long as this lives.
#[derive(Debug)]
pub struct RoundTrips {
    address: String,
    trips: Arc<AtomicUsize>,
    relay: JoinHandle<()>,
}

impl RoundTrips {
    /// Opens a relay to `server` (`host:port`).
    pub async fn to(server: &str) -> RoundTrips {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let trips = Arc::new(AtomicUsize::new(0));
        let (server, counter) = (server.to_owned(), Arc::clone(&trips));
        let relay = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server listens");
                tokio::spawn(relay(client, server, Arc::clone(&counter)));
            }
        });
        RoundTrips { address, trips, relay }
    }

    /// Where clients connect, as `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many there were, over all connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.trips.load(Ordering::SeqCst)
    }
}

impl Drop for RoundTrips {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, trips: Arc<AtomicUsize>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut waiting = false;
    loop {
        let passed = tokio::select! {
            Ok(length @ 1..) = client.read(&mut asked) => {
                if !waiting {
                    trips.fetch_add(1, Ordering::SeqCst);
                }
                waiting = true;
                server.write_all(&asked[..length]).await
            }
            Ok(length @ 1..) = server.read(&mut answered) => {
                waiting = false;
                client.write_all(&answered[..length]).await
            }
            else => return,
        };
        if passed.is_err() {
            return;
        }
    }
}
