//! Commands that travel together to Redis: in order, whoever looks at their replies, and with the tokens that are left.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use interlock_tests::{RedisServer, eventually, unique_name};
use lock_core::{
    AcquireReply, AcquireRequest, BackendEvent, BackendEvents, CancelRequest, FencingToken, Grant,
    LockBackend, LockKey, LockManager, NodeId, RedisBackend, ReleaseReply, ReleaseRequest, Requeue, Ticket,
};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Far above anything that is waited for here: what takes longer hangs.
const SOON: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(30);
const BLOCK: u32 = 32;

/// A node that speaks to the backend itself.
struct Node {
    id: NodeId,
    attempts: u64,
}

impl Node {
    fn new() -> Self {
        Self { id: NodeId::random(), attempts: 0 }
    }

    fn ticket(&mut self) -> Ticket {
        self.attempts += 1;
        Ticket { node: self.id, attempt: self.attempts }
    }
}

fn ask(key: &LockKey, ticket: Ticket) -> AcquireRequest {
    AcquireRequest::new(key.clone(), ticket, LEASE).wait(false).block(BLOCK)
}

/// A release by an owner that has used the first token of its grant.
fn give_back(key: &LockKey, ticket: Ticket, grant: &Grant) -> ReleaseRequest {
    ReleaseRequest::new(key.clone(), ticket, grant.token).spare(grant.block - 1)
}

fn granted(reply: AcquireReply) -> Grant {
    match reply {
        AcquireReply::Granted(grant) => grant,
        AcquireReply::Busy { .. } => panic!("the key is busy"),
    }
}

async fn backend() -> (RedisBackend, MultiplexedConnection, String) {
    let redis = RedisServer::shared().await;
    let prefix = format!("{}:", unique_name("batch"));
    let backend = RedisBackend::connect(redis.url(), &prefix).await.unwrap();
    (backend, redis.connection().await, prefix)
}

/// Passes on what happens to the tickets of a node.
struct Heard(UnboundedSender<BackendEvent>);

impl BackendEvents for Heard {
    fn deliver(&self, event: BackendEvent) {
        let _ = self.0.send(event);
    }
}

/// What a node hears, once it does.
async fn listen(backend: &RedisBackend, node: &Node) -> UnboundedReceiver<BackendEvent> {
    let (heard, mut events) = unbounded_channel();
    backend.attach(node.id, Arc::new(Heard(heard)));
    let connected = timeout(SOON, events.recv()).await.unwrap();
    assert!(matches!(connected, Some(BackendEvent::Connected)), "{connected:?}");
    events
}

/// The next grant that is heard of, which must be to this ticket.
async fn grant_to(ticket: Ticket, events: &mut UnboundedReceiver<BackendEvent>) -> Grant {
    loop {
        match timeout(SOON, events.recv()).await.expect("a grant") {
            Some(BackendEvent::Granted { ticket: granted, grant, .. }) => {
                assert_eq!(granted, ticket);
                return grant;
            }
            Some(BackendEvent::Wanted { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// How often the server has run the commands whose names begin so.
async fn calls(connection: &mut MultiplexedConnection, name: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(connection).await.unwrap();
    let beginning = format!("cmdstat_{name}");
    let calls = |line: &str| line.split_once("calls=")?.1.split_once(',')?.0.parse::<u64>().ok();
    stats.lines().filter(|line| line.starts_with(&beginning)).filter_map(calls).sum()
}

/// What a server is asked, by all its clients, in order.
struct Asked(Lines<BufReader<TcpStream>>);

impl Asked {
    async fn of(redis: &RedisServer) -> Self {
        let mut stream = TcpStream::connect(redis.address()).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(timeout(SOON, lines.next_line()).await.unwrap().unwrap().unwrap(), "+OK");
        Self(lines)
    }

    /// The next command with `argument`, and the one before it over the same connection, if there was one meanwhile.
    async fn before(&mut self, argument: &str) -> Option<String> {
        let mut earlier: Vec<(String, String)> = Vec::new();
        loop {
            // +1700000000.123456 [0 127.0.0.1:50000] "GET" "k"
            let line = timeout(SOON, self.0.next_line()).await.expect("the command").unwrap().unwrap();
            let (client, command) = line.split_once('[').and_then(|(_, line)| line.split_once("] ")).unwrap();
            if command.contains(&format!("\"{argument}\"")) && !client.ends_with("lua") {
                return earlier.into_iter().rev().find_map(|(by, command)| (by == client).then_some(command));
            }
            earlier.push((client.to_owned(), command.to_owned()));
        }
    }
}

#[tokio::test]
async fn a_key_taken_again_at_once_costs_one_command_and_goes_on_with_its_tokens() {
    const TURNS: u64 = 320;
    let redis = RedisServer::private().await;
    let mut connection = redis.connection().await;
    let locks = LockManager::redis(redis.url()).await.unwrap();
    let mut last = locks.lock("k").acquire().await.unwrap().token();
    let (scripts, clock) = (calls(&mut connection, "eval").await, calls(&mut connection, "time").await);
    for _ in 0..TURNS {
        // The guard before was dropped in this very moment.
        let token = locks.lock("k").acquire().await.unwrap().token();
        assert!(token > last, "{token} after {last}");
        last = token;
    }
    let commands = calls(&mut connection, "eval").await - scripts;
    assert!(commands <= TURNS + 1, "{commands} commands for {TURNS} turns");
    // A script that makes fresh tokens looks at the clock.
    let blocks = calls(&mut connection, "time").await - clock;
    assert!(blocks <= TURNS / u64::from(BLOCK) + 2, "{blocks} blocks of tokens for {TURNS} turns");

    let elsewhere = LockManager::redis(redis.url()).await.unwrap();
    let token = elsewhere.lock("k").wait(SOON).acquire().await.unwrap().token();
    assert!(token > last, "{token} of another node after {last}");
}

#[tokio::test]
async fn tokens_that_are_left_are_not_used_when_another_had_the_key_in_between() {
    let (backend, ..) = backend().await;
    let (key, mut node, mut other) = (LockKey::new("k").unwrap(), Node::new(), Node::new());
    let first = node.ticket();
    let grant = granted(backend.acquire(ask(&key, first)).await.unwrap());
    // Somebody frees the key by force, and has it for a moment.
    backend.release(ReleaseRequest::new(key.clone(), first, grant.token)).await.unwrap();
    let theirs = other.ticket();
    let between = granted(backend.acquire(ask(&key, theirs)).await.unwrap());
    assert!(between.token.get() >= grant.token.get() + u64::from(BLOCK));
    backend.release(give_back(&key, theirs, &between)).await.unwrap();

    let released = backend.release(give_back(&key, first, &grant));
    let asked = backend.acquire(ask(&key, node.ticket()));
    let after = granted(asked.await.unwrap());
    assert!(matches!(released.await, Ok(ReleaseReply::Lost)));
    assert!(after.token.get() >= between.token.get() + u64::from(BLOCK), "{after:?} after {between:?}");
}

#[tokio::test]
async fn tokens_that_are_left_are_not_used_when_the_ticket_has_lost_the_key_in_between() {
    let (backend, ..) = backend().await;
    let (mut node, mut other) = (Node::new(), Node::new());
    // Alone, and among others.
    for keys in [1, 3] {
        let mut owned = Vec::new();
        for key in 0..keys {
            let (key, ticket) = (LockKey::new(format!("k:{keys}:{key}")).unwrap(), node.ticket());
            let late = granted(backend.acquire(ask(&key, ticket)).await.unwrap());
            // Its lease is over, another has its turn, and then a second command of the same ticket is carried out.
            backend.release(ReleaseRequest::new(key.clone(), ticket, late.token)).await.unwrap();
            let theirs = other.ticket();
            let between = granted(backend.acquire(ask(&key, theirs)).await.unwrap());
            backend.release(give_back(&key, theirs, &between)).await.unwrap();
            let again = granted(backend.acquire(ask(&key, ticket)).await.unwrap());
            assert!(again.token > between.token && between.token > late.token);
            owned.push((key, ticket, late, again));
        }
        // The node gives back what it was told of first, and another of its callers asks at once.
        let replies: Vec<_> = owned
            .iter()
            .map(|(key, ticket, late, _)| {
                let released = backend.release(give_back(key, *ticket, late));
                (released, backend.acquire(ask(key, node.ticket())))
            })
            .collect();
        for ((released, asked), (key, _, _, again)) in replies.into_iter().zip(&owned) {
            assert!(matches!(released.await, Ok(ReleaseReply::Released)));
            let after = granted(asked.await.unwrap());
            assert!(after.token > again.token, "{key}: {after:?} after {again:?}");
        }
    }
}

#[tokio::test]
async fn tokens_that_are_left_go_to_the_same_node_only() {
    let (backend, ..) = backend().await;
    let (key, mut node, mut other) = (LockKey::new("k").unwrap(), Node::new(), Node::new());
    let first = node.ticket();
    let grant = granted(backend.acquire(ask(&key, first)).await.unwrap());

    let released = backend.release(give_back(&key, first, &grant));
    let theirs = granted(backend.acquire(ask(&key, other.ticket())).await.unwrap());
    assert!(matches!(released.await, Ok(ReleaseReply::Released)));
    assert!(theirs.token.get() >= grant.token.get() + u64::from(BLOCK), "{theirs:?} after {grant:?}");
}

#[tokio::test]
async fn many_keys_go_on_with_their_tokens_in_one_batch() {
    const KEYS: usize = 8;
    let (backend, ..) = backend().await;
    let mut node = Node::new();
    let keys: Vec<LockKey> = (0..KEYS).map(|key| LockKey::new(format!("k:{key}")).unwrap()).collect();
    let mut owned = Vec::new();
    for key in &keys {
        let ticket = node.ticket();
        owned.push((key, ticket, granted(backend.acquire(ask(key, ticket)).await.unwrap())));
    }
    // One of them has no tokens left, and one is not asked for again.
    let (spent, given_up) = (2, 5);
    owned[spent].2.block = 1;
    let mut replies = Vec::new();
    for (position, (key, ticket, grant)) in owned.iter().enumerate() {
        let released = backend.release(give_back(key, *ticket, grant));
        let asked = (position != given_up).then(|| backend.acquire(ask(key, node.ticket())));
        replies.push((released, asked));
    }
    for (position, (released, asked)) in replies.into_iter().enumerate() {
        assert!(matches!(released.await, Ok(ReleaseReply::Released)), "key {position}");
        let Some(asked) = asked else {
            continue;
        };
        let (before, after) = (owned[position].2, granted(asked.await.unwrap()));
        let rest = (after.token.get(), after.block) == (before.token.get() + 1, BLOCK - 1);
        assert_eq!(rest, position != spent, "key {position}: {after:?} after {before:?}");
        assert!(after.token > before.token);
    }
    let free = granted(backend.acquire(ask(&keys[given_up], node.ticket())).await.unwrap());
    assert!(free.token.get() >= owned[given_up].2.token.get() + u64::from(BLOCK));
}

#[tokio::test]
async fn commands_are_sent_whether_or_not_anybody_looks_at_their_replies() {
    let (backend, mut connection, prefix) = backend().await;
    let mut node = Node::new();
    let mut unread = Vec::new();
    for number in 0..6 {
        let key = LockKey::new(format!("k:{number}")).unwrap();
        let reply = backend.acquire(ask(&key, node.ticket()));
        // Every second reply is dropped, the others are kept and never polled.
        if number % 2 == 0 {
            unread.push(reply);
        } else {
            drop(reply);
        }
        eventually("the key is owned", SOON, async || {
            connection.exists::<_, bool>(format!("{prefix}k:{number}")).await.unwrap()
        })
        .await;
    }
    for reply in unread {
        granted(reply.await.unwrap());
    }
}

#[tokio::test]
async fn commands_about_one_key_keep_their_order() {
    let (backend, ..) = backend().await;
    let (key, mut node) = (LockKey::new("k").unwrap(), Node::new());
    let tickets: Vec<Ticket> = (0..4).map(|_| node.ticket()).collect();
    let mut replies = Vec::new();
    for ticket in &tickets {
        let asked = backend.acquire(ask(&key, *ticket));
        let released =
            backend.release(ReleaseRequest::new(key.clone(), *ticket, FencingToken::new(u64::MAX)));
        replies.push((asked, released));
    }
    // One that is sent by itself stays behind those that travel together.
    let left = backend.acquire(ask(&key, node.ticket()));
    let cancelled = backend.cancel(CancelRequest::new(
        key.clone(),
        Ticket { attempt: node.attempts, ..tickets[0] },
        LEASE,
    ));
    let last = backend.acquire(ask(&key, node.ticket()));
    let mut token = None;
    for (asked, released) in replies {
        // The later reply first: nobody has to look for the others to come.
        assert!(matches!(released.await, Ok(ReleaseReply::Released)));
        let grant = granted(asked.await.unwrap());
        assert!(token.replace(grant.token).is_none_or(|before| grant.token > before));
    }
    granted(left.await.unwrap());
    cancelled.await.unwrap();
    granted(last.await.unwrap());
}

#[tokio::test]
async fn a_key_taken_again_while_another_node_queues_goes_there_first() {
    const DIRECT_LEASE: Duration = Duration::from_secs(2);
    let (here, mut connection, prefix) = backend().await;
    let there = RedisBackend::connect(RedisServer::shared().await.url(), &prefix).await.unwrap();
    let (key, mut node, mut other) = (LockKey::new("k").unwrap(), Node::new(), Node::new());
    let (mut ours, mut theirs) = (listen(&here, &node).await, listen(&there, &other).await);
    let helper = |name| format!("{{{prefix}k}}:{name}");
    let first = node.ticket();
    let grant = granted(here.acquire(ask(&key, first)).await.unwrap());
    let queued = other.ticket();
    assert!(matches!(there.acquire(ask(&key, queued).wait(true)).await, Ok(AcquireReply::Busy { .. })));
    // The server's clock was set back.
    let ahead = grant.token.get() + 3_600_000_000;
    connection.set::<_, _, ()>(helper("fence"), ahead).await.unwrap();
    // The queue is old.
    connection.pexpire::<_, ()>(helper("waiters"), 60_000).await.unwrap();

    let again = node.ticket();
    let released = here.release(give_back(&key, first, &grant).wanted(true));
    let asked = here.acquire(ask(&key, again).wait(true));
    assert!(matches!(released.await, Ok(ReleaseReply::Released)));
    match asked.await.unwrap() {
        AcquireReply::Busy { remaining } => assert!(remaining <= DIRECT_LEASE, "{remaining:?}"),
        AcquireReply::Granted(grant) => panic!("{grant:?} although another node came first"),
    }
    let grant = grant_to(queued, &mut theirs).await;
    assert!(grant.wanted && grant.lease <= DIRECT_LEASE, "{grant:?}");
    assert_eq!(grant.token.get(), ahead + 1);
    let fence: u64 = connection.get(helper("fence")).await.unwrap();
    assert_eq!(fence, ahead + u64::from(grant.block));
    assert_eq!(connection.zcard::<_, u64>(helper("waiters")).await.unwrap(), 1);
    let kept: i64 = connection.pttl(helper("waiters")).await.unwrap();
    assert!(kept > 60_000, "the queue is kept for {kept} ms");

    // And back, with nobody who queues after that.
    let released = there.release(give_back(&key, queued, &grant).wanted(true));
    assert!(matches!(released.await, Ok(ReleaseReply::Released)));
    let back = grant_to(again, &mut ours).await;
    assert!(!back.wanted && back.token.get() == fence + 1, "{back:?}");
}

#[tokio::test]
async fn a_key_taken_again_behind_the_dead_is_granted_at_once() {
    let (backend, mut connection, prefix) = backend().await;
    let (key, mut node, mut dead) = (LockKey::new("k").unwrap(), Node::new(), Node::new());
    let mut events = listen(&backend, &node).await;
    let first = node.ticket();
    let grant = granted(backend.acquire(ask(&key, first)).await.unwrap());
    for _ in 0..2 {
        // A node that nobody listens for.
        let queued = backend.acquire(ask(&key, dead.ticket()).wait(true)).await;
        assert!(matches!(queued, Ok(AcquireReply::Busy { .. })));
    }
    let second = node.ticket();
    let released = backend.release(give_back(&key, first, &grant).wanted(true));
    let after = granted(backend.acquire(ask(&key, second).wait(true)).await.unwrap());
    assert!(matches!(released.await, Ok(ReleaseReply::Released)));
    assert!(after.token > grant.token && after.lease > Duration::from_secs(2), "{after:?}");

    // A ticket that queues already is that of a command that comes twice.
    let third = node.ticket();
    let queued = backend.acquire(ask(&key, third).wait(true)).await;
    assert!(matches!(queued, Ok(AcquireReply::Busy { .. })));
    let released = backend.release(give_back(&key, second, &after).wanted(true));
    let last = granted(backend.acquire(ask(&key, third).wait(true)).await.unwrap());
    assert!(matches!(released.await, Ok(ReleaseReply::Released)));
    assert!(last.token > after.token && last.lease > Duration::from_secs(2), "{last:?}");
    let left: u64 = connection.zcard(format!("{{{prefix}k}}:waiters")).await.unwrap();
    assert_eq!(left, 0);
    while let Ok(event) = events.try_recv() {
        assert!(matches!(event, BackendEvent::Wanted { .. }), "{event:?} of what was answered");
    }
}

/// Behind it, so that the server writes to the next owner before it answers the last one.
#[tokio::test]
async fn a_release_goes_behind_a_ping_where_others_queue() {
    let redis = RedisServer::private().await;
    let backend = RedisBackend::connect(redis.url(), "").await.unwrap();
    let (key, mut node) = (LockKey::new("k").unwrap(), Node::new());
    let mut asked = Asked::of(&redis).await;
    for (wanted, again) in [(true, false), (true, true), (false, false), (false, true)] {
        let (ticket, next) = (node.ticket(), node.ticket());
        let grant = granted(backend.acquire(ask(&key, ticket)).await.unwrap());
        let mut release = give_back(&key, ticket, &grant).wanted(wanted);
        if again {
            release = release.requeue(Requeue { ticket: next, lease: LEASE, block: BLOCK });
        }
        backend.release(release).await.unwrap();
        // The acquire and then the release.
        asked.before(&ticket.to_string()).await;
        let before = asked.before(&ticket.to_string()).await;
        let ping = before.as_deref().is_some_and(|command| command.eq_ignore_ascii_case("\"ping\""));
        assert_eq!(ping, wanted, "{before:?} before a release that is wanted: {wanted}, again: {again}");
        backend.release(ReleaseRequest::new(key.clone(), next, grant.token)).await.unwrap();
    }
}
