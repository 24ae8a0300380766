use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// The whole of MySQL's packet: its length, its number, the command.
const COM_PING: &[u8] = &[1, 0, 0, 0, 0x0e];
/// The same with a text: what sqlx says of a transaction that it did not commit itself.
const ROLLBACK: &[u8] = b"\x09\0\0\0\x03ROLLBACK";

/// Stands between a client and a server and counts how often the client speaks after the server has: round trips, as
/// long as one connection is used. What sqlx says to a connection which goes back to its pool is left out, a ROLLBACK
/// that finds nothing to undo and the question for a sign of life: no request waits for them.
#[derive(Debug)]
pub(crate) struct Turns {
    address: String,
    count: Arc<AtomicUsize>,
}

impl Turns {
    pub(crate) async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (count, server) = (Arc::new(AtomicUsize::new(0)), server.to_owned());
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let answered = Arc::new(AtomicBool::new(false));
                let (count, again) = (Arc::clone(&counted), Arc::clone(&answered));
                tokio::spawn(relay(from_client, to_server, move |bytes| {
                    if again.swap(false, Ordering::SeqCst) && bytes != COM_PING && bytes != ROLLBACK {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }));
                tokio::spawn(relay(from_server, to_client, move |_| {
                    answered.store(true, Ordering::SeqCst);
                }));
            }
        });
        Self { address, count }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// How many round trips there were so far.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, seen: impl Fn(&[u8])) {
    let mut buffer = vec![0; 65_536];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        seen(&buffer[..bytes]);
        if to.write_all(&buffer[..bytes]).await.is_err() {
            break;
        }
    }
}
