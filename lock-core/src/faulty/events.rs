use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::backend::{BackendEvent, BackendEvents};
use crate::faulty::owners::Owners;
use crate::ticket::NodeId;

/// The events of all nodes, which may be lost.
#[derive(Default)]
pub(super) struct EventLines {
    pub(super) owners: Owners,
    lost: AtomicBool,
    nodes: Mutex<HashMap<NodeId, Arc<dyn BackendEvents>>>,
}

impl EventLines {
    /// What the inner backend is to deliver the events of `node` to.
    pub(super) fn attach(
        self: &Arc<Self>,
        node: NodeId,
        events: Arc<dyn BackendEvents>,
    ) -> Arc<dyn BackendEvents> {
        self.nodes.lock().insert(node, Arc::clone(&events));
        Arc::new(EventLine { lines: Arc::clone(self), events })
    }

    pub(super) fn detach(&self, node: NodeId) {
        self.nodes.lock().remove(&node);
    }

    pub(super) fn lose(&self, lost: bool) {
        self.lost.store(lost, Ordering::Release);
    }

    pub(super) fn tell_all(&self, event: &BackendEvent) {
        let nodes: Vec<_> = self.nodes.lock().values().map(Arc::clone).collect();
        for node in nodes {
            node.deliver(event.clone());
        }
    }
}

/// The way of the events to one node.
struct EventLine {
    lines: Arc<EventLines>,
    events: Arc<dyn BackendEvents>,
}

impl BackendEvents for EventLine {
    fn deliver(&self, event: BackendEvent) {
        if let BackendEvent::Granted { key, ticket, .. } = &event {
            self.lines.owners.note(key, *ticket);
        }
        if !self.lines.lost.load(Ordering::Acquire) {
            self.events.deliver(event);
        }
    }
}
