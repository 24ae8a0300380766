//! Taking and refusing connections.

use std::net::TcpListener as BoundListener;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::faults::Faults;
use super::relay::relay;

/// Serves until told to close; ends every connection with it.
pub(super) async fn serve(
    bound: BoundListener,
    server: String,
    faults: watch::Sender<Faults>,
    mut told: watch::Receiver<Faults>,
) {
    let address = bound.local_addr().expect("it is bound");
    bound.set_nonblocking(true).expect("a socket");
    let mut listener = Some(TcpListener::from_std(bound).expect("a listening socket"));
    let mut relays = JoinSet::new();
    loop {
        let (closed, refusing) = {
            let told = told.borrow_and_update();
            (told.closed, told.refusing)
        };
        if closed {
            return;
        }
        if refusing {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("our port is still free"));
        }
        report(&faults, |faults| &mut faults.listening, listener.is_some());
        report(&faults, |faults| &mut faults.connections, relays.len());
        tokio::select! {
            _ = told.changed() => {}
            Some(_) = relays.join_next() => {}
            Ok((client, _)) = accept(listener.as_ref()) => {
                relays.spawn(relay(client, server.clone(), faults.clone()));
            }
        }
    }
}

async fn accept(
    listener: Option<&TcpListener>,
) -> std::io::Result<(tokio::net::TcpStream, std::net::SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Writes a value only if it is news, so that reporting does not wake the reporter for ever.
fn report<T: PartialEq>(faults: &watch::Sender<Faults>, field: fn(&mut Faults) -> &mut T, value: T) {
    faults.send_if_modified(|faults| {
        let field = field(faults);
        let news = *field != value;
        if news {
            *field = value;
        }
        news
    });
}
