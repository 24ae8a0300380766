use crate::model::message::{Body, Command, Message, Unsent};

/// Everything that is on its way, in no order: what was sent first may arrive last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Network {
    /// Sorted, so that two orders of sending are one state.
    messages: Vec<Message>,
}

impl Network {
    pub(super) fn send(&mut self, node: u8, body: Body, age: i8) {
        self.insert(Message { node, body, age, late: 0 });
    }

    pub(super) fn insert(&mut self, message: Message) {
        let place = self.messages.partition_point(|other| *other <= message);
        self.messages.insert(place, message);
    }

    pub(super) fn take(&mut self, message: &Message) -> bool {
        match self.messages.binary_search(message) {
            Ok(place) => {
                self.messages.remove(place);
                true
            }
            Err(_) => false,
        }
    }

    /// Takes back a release that was not sent yet.
    pub(super) fn take_unsent(&mut self, node: u8, release: Unsent) -> bool {
        let found = self.messages.iter().position(|message| message.unsent(node) == Some(release));
        found.map(|place| self.messages.remove(place)).is_some()
    }

    /// Nothing that a node sends will join its releases.
    pub(super) fn forget_rests(&mut self, node: usize) {
        for message in self.messages.iter_mut().filter(|message| usize::from(message.node) == node) {
            if let Body::Command(Command::Release { rest, .. }) = &mut message.body {
                *rest = None;
            }
        }
        self.messages.sort_unstable();
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Message) -> bool) {
        self.messages.retain(keep);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// Every message once, even if several equal ones are on their way.
    pub(super) fn distinct(&self) -> impl Iterator<Item = &Message> {
        self.messages.chunk_by(|a, b| a == b).filter_map(<[Message]>::first)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn tick(&mut self, tokens: i16) {
        for message in &mut self.messages {
            message.tick(tokens);
        }
        self.messages.sort_unstable();
    }
}
