use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use parking_lot::RwLock;
use redis::{ErrorKind, RedisError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::backend::{BackendError, BackendErrorKind, BackendEvent, BackendEvents};
use crate::redis::cluster::link::{Link, Told};
use crate::redis::cluster::topology::Address;
use crate::redis::cluster::{Cluster, Slot};
use crate::redis::error;
use crate::redis::names::Names;
use crate::redis::server::trouble;
use crate::ticket::NodeId;

/// Silent connections are tried so often.
const PING_EVERY: Duration = Duration::from_secs(5);
const RETRY_FIRST: Duration = Duration::from_millis(10);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Listens for one node, until it is dropped: on its own channel at some primary, and on its channel of each slot in
/// which it has ever had to wait, at the primary of that slot.
///
/// Only waiting needs the channel of a slot, so keys that nobody waits for cost no subscription. There, the number of
/// receivers that a publish answers tells whether a node is alive, as it does on a single server.
pub(in crate::redis) struct ClusterEvents {
    inbox: mpsc::UnboundedSender<Told>,
    standing: Arc<RwLock<HashSet<Slot>>>,
    first: watch::Receiver<Option<Result<(), BackendError>>>,
    task: AbortHandle,
}

impl ClusterEvents {
    pub(in crate::redis) fn start(
        cluster: &Arc<Cluster>,
        names: Names,
        node: NodeId,
        events: Arc<dyn BackendEvents>,
    ) -> Self {
        let (inbox, told) = mpsc::unbounded_channel();
        let (outcome, first) = watch::channel(None);
        let standing = Arc::<RwLock<HashSet<Slot>>>::default();
        let listener = Listener {
            names,
            node,
            events,
            inbox: inbox.clone(),
            outcome,
            standing: Arc::clone(&standing),
            places: HashMap::new(),
            links: HashMap::new(),
            home: None,
            waiting: HashMap::new(),
            connected: false,
            number: 0,
            cluster: Arc::clone(cluster),
        };
        Self { inbox, standing, first, task: cluster.runtime.spawn(listener.run(told)).abort_handle() }
    }

    /// Whether messages about keys of `slot` arrive.
    pub(in crate::redis) fn hears(&self, slot: Slot) -> bool {
        self.standing.read().contains(&slot)
    }

    /// Waits until messages about keys of `slot` arrive, for at most `limit`.
    pub(in crate::redis) fn listen(
        &self,
        slot: Slot,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (done, heard) = oneshot::channel();
        let _ = self.inbox.send(Told::Listen { slot, done });
        async move {
            // Without, a waiter polls: it was told that events may be missed.
            let _ = timeout(limit, heard).await;
        }
    }

    /// What the first attempt to listen came to.
    pub(in crate::redis) fn first(&self) -> impl Future<Output = Result<(), BackendError>> + use<> {
        let mut first = self.first.clone();
        async move {
            match first.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
                Err(_) => {
                    Err(BackendError::new(BackendErrorKind::Unavailable, "the subscription was closed"))
                }
            }
        }
    }
}

impl Drop for ClusterEvents {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Listener {
    cluster: Arc<Cluster>,
    names: Names,
    node: NodeId,
    events: Arc<dyn BackendEvents>,
    /// For the links to tell what happened to them.
    inbox: mpsc::UnboundedSender<Told>,
    outcome: watch::Sender<Option<Result<(), BackendError>>>,
    /// The slots whose subscription stands, for [`ClusterEvents::hears`].
    standing: Arc<RwLock<HashSet<Slot>>>,
    /// Every slot that is to be heard of, and where its subscription stands.
    places: HashMap<Slot, Option<Address>>,
    links: HashMap<Address, Link>,
    /// Where the node's own channel stands.
    home: Option<Address>,
    waiting: HashMap<Slot, Vec<oneshot::Sender<()>>>,
    connected: bool,
    number: u64,
}

/// Its task may end with its runtime while the node goes on: whoever waits polls from then on.
impl Drop for Listener {
    fn drop(&mut self) {
        self.standing.write().clear();
        self.disconnected();
    }
}

impl Listener {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Told>) {
        let mut changed = self.cluster.changed.subscribe();
        let mut pause = RETRY_FIRST;
        let mut ping_at = Instant::now() + PING_EVERY;
        loop {
            changed.mark_unchanged();
            let next = match self.settle().await {
                Ok(()) => {
                    pause = RETRY_FIRST;
                    self.stands();
                    ping_at
                }
                Err(error) => {
                    self.fails(error);
                    self.cluster.refresh_soon();
                    pause = RETRY_MAX.min(pause * 2);
                    ping_at.min(Instant::now() + pause)
                }
            };
            let woken = {
                let timer = pin!(sleep_until(next));
                let moved = pin!(changed.changed());
                match select(pin!(inbox.recv()), select(timer, moved)).await {
                    Either::Left((Some(told), _)) => Some(told),
                    // The backend is gone.
                    Either::Left((None, _)) => return,
                    Either::Right(_) => None,
                }
            };
            // As much at once as there is, before anything is sent.
            for told in woken.into_iter().chain(std::iter::from_fn(|| inbox.try_recv().ok())) {
                self.take(told);
            }
            if Instant::now() >= ping_at {
                self.ping().await;
                // A node that hands its slots over in good order closes no connection.
                self.cluster.refresh_soon();
                ping_at = Instant::now() + PING_EVERY;
            }
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Listen { slot, done } => match self.places.entry(slot).or_default() {
                Some(_) => drop(done.send(())),
                None => self.waiting.entry(slot).or_default().push(done),
            },
            Told::Wanted(key) => {
                let slot = Slot::of(&self.names.owner(key.as_str()));
                self.places.entry(slot).or_default();
            }
            Told::Broken { link } => self.lose(link),
            Told::Gone { link: number, channel } => {
                let slot = Slot::of(&channel);
                let here = self.places.get(&slot).cloned().flatten();
                let link = here.as_ref().and_then(|address| self.links.get(address));
                if link.is_some_and(|link| link.number == number) {
                    self.forget(slot);
                    self.disconnected();
                    self.cluster.refresh_soon();
                }
            }
        }
    }

    /// Brings subscriptions to where the slots are now.
    async fn settle(&mut self) -> Result<(), RedisError> {
        let topology = self.cluster.topology();
        let home = self.home.clone().filter(|home| self.links.contains_key(home));
        if home.is_none() {
            let primaries = topology.primaries();
            // Any will do; not all nodes at the same.
            let start = fastrand::usize(..primaries.len().max(1));
            let mut failure = trouble(ErrorKind::ClusterConnectionNotFound, "the cluster has no primary");
            for index in 0..primaries.len() {
                let address = primaries[(start + index) % primaries.len()].clone();
                let channel = self.names.channel(self.node);
                match self.send(&address, "SUBSCRIBE", &[channel]).await {
                    Ok(()) => {
                        self.home = Some(address);
                        break;
                    }
                    Err(error) => failure = error,
                }
            }
            if self.home.is_none() {
                return Err(failure);
            }
        }
        let mut missing: HashMap<Address, Vec<Slot>> = HashMap::new();
        let mut uncovered = false;
        let places: Vec<_> = self.places.iter().map(|(slot, place)| (*slot, place.clone())).collect();
        for (slot, place) in places {
            match topology.primary(slot) {
                Some(primary) if place.as_ref() == Some(primary) => {}
                Some(primary) => {
                    if let Some(link) = place.as_ref().and_then(|place| self.links.get(place)) {
                        // What stays subscribed at a replica would be heard twice.
                        let channel = self.names.slot_channel(slot, self.node);
                        let _ = link.send("SUNSUBSCRIBE", &channel).await;
                        self.forget(slot);
                        // Whoever gave a key back there in the meantime found nobody listening.
                        self.disconnected();
                    }
                    missing.entry(primary.clone()).or_default().push(slot);
                }
                None => uncovered = true,
            }
        }
        let mut result = if uncovered {
            Err(trouble(ErrorKind::ClusterConnectionNotFound, "a slot has no primary"))
        } else {
            Ok(())
        };
        for (address, slots) in missing {
            let channels: Vec<_> =
                slots.iter().map(|slot| self.names.slot_channel(*slot, self.node)).collect();
            match self.send(&address, "SSUBSCRIBE", &channels).await {
                Ok(()) => {
                    for slot in slots {
                        self.places.insert(slot, Some(address.clone()));
                        self.standing.write().insert(slot);
                        for done in self.waiting.remove(&slot).into_iter().flatten() {
                            let _ = done.send(());
                        }
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        let (places, home) = (&self.places, &self.home);
        self.links.retain(|address, _| {
            home.as_ref() == Some(address) || places.values().any(|place| place.as_ref() == Some(address))
        });
        result
    }

    /// Sends one command for each channel to the node at `address`.
    async fn send(
        &mut self,
        address: &Address,
        command: &str,
        channels: &[String],
    ) -> Result<(), RedisError> {
        if !self.links.contains_key(address) {
            let server = self.cluster.server(address);
            self.number += 1;
            let clock = Arc::clone(self.cluster.node(address).clock());
            let (events, inbox) = (Arc::clone(&self.events), self.inbox.clone());
            let link = Link::open(server, self.number, clock, events, inbox).await?;
            self.links.insert(address.clone(), link);
        }
        let Some(link) = self.links.get(address) else {
            return Ok(());
        };
        let number = link.number;
        let replies = join_all(channels.iter().map(|channel| link.send(command, channel))).await;
        let result: Result<(), RedisError> = replies.into_iter().collect();
        if result.as_ref().is_err_and(RedisError::is_io_error) {
            self.lose(number);
        }
        result
    }

    async fn ping(&mut self) {
        let pings = self.links.values().map(|link| async { (!link.is_alive().await).then_some(link.number) });
        for number in join_all(pings).await.into_iter().flatten() {
            self.lose(number);
        }
    }

    /// The link of this number is gone.
    fn lose(&mut self, number: u64) {
        let address = self.links.iter().find(|(_, link)| link.number == number);
        let Some(address) = address.map(|(address, _)| address.clone()) else {
            return;
        };
        self.links.remove(&address);
        let slots: Vec<_> = self
            .places
            .iter()
            .filter(|(_, place)| place.as_ref() == Some(&address))
            .map(|(slot, _)| *slot)
            .collect();
        for slot in slots {
            self.forget(slot);
        }
        self.home = self.home.take().filter(|home| *home != address);
        self.disconnected();
        self.cluster.refresh_soon();
    }

    fn forget(&mut self, slot: Slot) {
        self.places.insert(slot, None);
        self.standing.write().remove(&slot);
    }

    fn stands(&mut self) {
        if !self.connected {
            self.connected = true;
            self.events.deliver(BackendEvent::Connected);
        }
        self.outcome.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(Ok(()));
            }
            is_first
        });
    }

    fn fails(&mut self, error: RedisError) {
        let error = error::command(error);
        tracing::debug!(error = &error as &dyn std::error::Error, "no subscription for lock events yet");
        self.disconnected();
        self.outcome.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                *first = Some(Err(error));
            }
            is_first
        });
    }

    fn disconnected(&mut self) {
        if std::mem::take(&mut self.connected) {
            tracing::warn!(
                "the connection for lock events broke; waiting callers poll until it stands again"
            );
            self.events.deliver(BackendEvent::Disconnected);
        }
    }
}
