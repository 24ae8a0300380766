//! One connection through a proxy.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::faults::Faults;

/// Passes bytes between `client` and a new connection to `server` until both are done or it is cut.
pub(super) async fn relay(client: TcpStream, server: String, faults: watch::Sender<Faults>) {
    let mut told = faults.subscribe();
    let (cuts, strandings) = {
        let told = told.borrow();
        (told.cuts, told.strandings)
    };
    let losing_replies = AtomicBool::new(false);
    let pass = async {
        let server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::try_join!(
            requests(from_client, to_server, &faults, &losing_replies),
            replies(from_server, to_client, &faults, &losing_replies),
        )
    };
    let mut pass = std::pin::pin!(pass);
    tokio::select! {
        _ = &mut pass => return,
        _ = told.wait_for(|told| told.cuts != cuts || told.strandings != strandings) => {}
    }
    if told.borrow().cuts == cuts {
        // Both sockets stay open, and nobody reads them.
        let _ = told.wait_for(|told| told.cuts != cuts).await;
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    faults: &watch::Sender<Faults>,
    losing_replies: &AtomicBool,
) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    // The end of what has passed, where a needle may have begun; too short to hold one, so that none is counted twice.
    let mut tail = Vec::new();
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        hold(faults).await;
        faults.send_modify(Faults::count_request);
        tail.extend_from_slice(&chunk[..length]);
        let mut strikes = false;
        let mut needle = 0;
        faults.send_if_modified(|faults| {
            needle = faults.armed.as_ref().map_or(0, |armed| armed.needle.len());
            strikes = faults.strikes(&tail);
            strikes
        });
        tail.drain(..tail.len() - tail.len().min(needle.saturating_sub(1)));
        if strikes {
            losing_replies.store(true, Ordering::Relaxed);
            to.write_all(&chunk[..length]).await?;
            // The server carries out what it has been sent, then sees the end and closes its side: only then are we
            // sure that the request has taken effect.
            return to.shutdown().await;
        }
        to.write_all(&chunk[..length]).await?;
    }
}

async fn replies(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    faults: &watch::Sender<Faults>,
    losing_replies: &AtomicBool,
) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        hold(faults).await;
        if losing_replies.load(Ordering::Relaxed) {
            continue;
        }
        let mut cut = None;
        faults.send_if_modified(|faults| {
            cut = faults.cut_within(length);
            cut.is_some()
        });
        match cut {
            None => to.write_all(&chunk[..length]).await?,
            Some(last) => {
                to.write_all(&chunk[..last]).await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }
}

/// Waits out the delay and the frost.
async fn hold(faults: &watch::Sender<Faults>) {
    let delay = faults.borrow().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let mut told = faults.subscribe();
    // Fails only when the proxy is gone, and then this is about to be dropped.
    let _ = told.wait_for(|told| !told.frozen).await;
}
