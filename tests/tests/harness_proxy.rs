//! The proxy of the harness: each fault does what it says, and nothing else.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use interlock_tests::{Proxy, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);
const A_MOMENT: Duration = Duration::from_millis(100);

/// A server that answers what it is sent and remembers it.
struct Echo {
    address: String,
    heard: tokio::sync::watch::Receiver<Vec<u8>>,
}

impl Echo {
    async fn start() -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (hear, heard) = tokio::sync::watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let hear = hear.clone();
                tokio::spawn(async move {
                    let mut chunk = [0; 1024];
                    while let Ok(length @ 1..) = client.read(&mut chunk).await {
                        hear.send_modify(|heard| heard.extend_from_slice(&chunk[..length]));
                        let _ = client.write_all(&chunk[..length]).await;
                    }
                });
            }
        });
        Echo { address, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8(self.heard.borrow().clone()).unwrap()
    }
}

/// Sends `request` and reads a reply of the same length, or what comes before the end.
async fn ask(client: &mut TcpStream, request: &str) -> String {
    let _ = client.write_all(request.as_bytes()).await;
    let mut reply = vec![0; request.len()];
    let mut length = 0;
    while length < reply.len() {
        match timeout(SOON, client.read(&mut reply[length..])).await.unwrap() {
            Ok(more @ 1..) => length += more,
            _ => break,
        }
    }
    String::from_utf8_lossy(&reply[..length]).into_owned()
}

async fn is_cut(client: &mut TcpStream) -> bool {
    matches!(timeout(SOON, client.read(&mut [0; 1])).await.unwrap(), Ok(0) | Err(_))
}

async fn proxied() -> (Echo, Proxy, TcpStream) {
    let echo = Echo::start().await;
    let proxy = Proxy::to(&echo.address);
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    (echo, proxy, client)
}

#[tokio::test]
async fn passes_bytes_both_ways() {
    let (echo, _proxy, mut client) = proxied().await;
    assert_eq!(ask(&mut client, "hello").await, "hello");
    assert_eq!(echo.heard(), "hello");
}

#[tokio::test]
async fn delays_each_direction() {
    let (_echo, proxy, mut client) = proxied().await;
    proxy.delay(A_MOMENT);
    let begun = Instant::now();
    assert_eq!(ask(&mut client, "hello").await, "hello");
    assert!(begun.elapsed() >= 2 * A_MOMENT);
}

#[tokio::test]
async fn cuts_what_is_open_and_takes_what_is_new() {
    let (_echo, proxy, mut client) = proxied().await;
    assert_eq!(ask(&mut client, "one").await, "one");
    proxy.cut();
    assert!(is_cut(&mut client).await);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, "two").await, "two");
}

#[tokio::test]
async fn counts_its_connections() {
    let (_echo, proxy, client) = proxied().await;
    eventually("one is open", SOON, async || proxy.connections() == 1).await;
    drop(client);
    eventually("none is open", SOON, async || proxy.connections() == 0).await;
}

#[tokio::test]
async fn a_frozen_connection_is_open_and_silent() {
    let (echo, proxy, mut client) = proxied().await;
    proxy.freeze();
    assert!(timeout(A_MOMENT, ask(&mut client, "hello")).await.is_err());
    assert_eq!(echo.heard(), "");
    proxy.thaw();
    let mut reply = [0; 5];
    client.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"hello");
}

#[tokio::test]
async fn refuses_new_connections_and_keeps_the_old() {
    let (_echo, proxy, mut client) = proxied().await;
    assert_eq!(ask(&mut client, "one").await, "one");
    proxy.refuse();
    TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(ask(&mut client, "two").await, "two");
    proxy.accept();
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, "three").await, "three");
}

#[tokio::test]
async fn drops_the_reply_to_the_nth_request_which_the_server_has_carried_out() {
    let (echo, proxy, mut client) = proxied().await;
    proxy.drop_reply_to("PAY", 2);
    assert_eq!(ask(&mut client, "PAY 1;").await, "PAY 1;");
    assert_eq!(ask(&mut client, "LOOK;").await, "LOOK;");
    assert_eq!(proxy.struck(), 0);
    assert_eq!(ask(&mut client, "PAY 2;").await, "");
    assert_eq!(echo.heard(), "PAY 1;LOOK;PAY 2;");
    assert_eq!(proxy.struck(), 1);

    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut client, "PAY 3;").await, "PAY 3;");
}

#[tokio::test]
async fn finds_a_request_that_comes_in_pieces_and_counts_it_once() {
    let (echo, proxy, mut client) = proxied().await;
    proxy.drop_reply_to("PAY", 2);
    for piece in ["P", "A", "Y", " ", "P", "A"] {
        assert_eq!(ask(&mut client, piece).await, piece);
    }
    assert_eq!(ask(&mut client, "Y").await, "");
    assert_eq!(echo.heard(), "PAY PAY");
}

#[tokio::test]
async fn cuts_replies_after_a_number_of_bytes() {
    let (echo, proxy, mut client) = proxied().await;
    proxy.cut_replies_after(7);
    assert_eq!(ask(&mut client, "hello").await, "hello");
    assert_eq!(ask(&mut client, "hello").await, "he");
    assert_eq!(echo.heard(), "hellohello");
    assert_eq!(proxy.struck(), 1);
}

#[tokio::test]
async fn closes_everything_when_dropped() {
    let (_echo, proxy, mut client) = proxied().await;
    assert_eq!(ask(&mut client, "hello").await, "hello");
    let address = proxy.address();
    drop(proxy);
    assert!(is_cut(&mut client).await);
    TcpStream::connect(address).await.unwrap_err();
}
