use crate::model::context::Context;
use crate::model::fault::Fault;
use crate::model::message::{Body, Command, Event, Message, Reply, Unsent};
use crate::model::mutation::Mutation;
use crate::model::network::Network;
use crate::model::node::{Node, Subscription};
use crate::model::phase::Phase;
use crate::model::server::Server;
use crate::model::settings::Settings;
use crate::model::ticket::Ticket;
use crate::model::ticks::{FROZEN, LATE, SUBSCRIPTION, TOKENS_PER_TICK};
use crate::model::tokens::Tokens;
use crate::model::unconfirmed::Unconfirmed;

/// Everything there is at one moment. All times and tokens are counted from now, so that the same situation at
/// another time is the same state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct System {
    pub(super) nodes: Vec<Node>,
    pub(super) server: Server,
    pub(super) network: Network,
    pub(super) extensions_left: u8,
    pub(super) leavers_left: u8,
    pub(super) faults_left: u8,
    /// The last token that any guard had, for as long as somebody holds one that is not above it; it is only looked at.
    shown: Option<i16>,
    /// Whether every guard had a token above those before it while the server kept its data.
    pub(super) tokens_grew: bool,
    /// The server has lost its data: there may be two owners for as long as a lease.
    pub(super) data_lost: bool,
    /// A message was lost, a node cut off or crashed: what nobody knows of ends with its lease.
    pub(super) message_lost: bool,
}

impl System {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            nodes: settings.callers.iter().map(|callers| Node::new(*callers)).collect(),
            server: Server::new(settings.callers.len()),
            network: Network::default(),
            extensions_left: settings.extensions,
            leavers_left: settings.leavers,
            faults_left: settings.faults,
            shown: None,
            tokens_grew: true,
            data_lost: false,
            message_lost: false,
        }
    }

    pub(super) fn node(&self, node: u8) -> &Node {
        &self.nodes[usize::from(node)]
    }

    pub(super) fn node_mut(&mut self, node: u8) -> &mut Node {
        &mut self.nodes[usize::from(node)]
    }

    pub(super) fn numbered(&self) -> impl Iterator<Item = (u8, &Node)> {
        (0..).zip(&self.nodes)
    }

    /// Whether something has to happen before time goes on.
    pub(super) fn is_urgent(&self) -> bool {
        self.nodes.iter().any(Node::is_due)
            || self.network.iter().any(|message| message.late == 0 && self.can_arrive(message))
    }

    /// Whether anything is left that time moves.
    pub(super) fn is_busy(&self) -> bool {
        !self.network.is_empty() || self.server.owner.is_some() || self.nodes.iter().any(Node::is_busy)
    }

    pub(super) fn can_arrive(&self, message: &Message) -> bool {
        message.is_command() || self.node(message.node).acts()
    }

    /// The releases that what a node asks may travel with.
    pub(super) fn unsent(&self, node: u8) -> Vec<Unsent> {
        let gathered = self.network.distinct().filter_map(|message| message.unsent(node));
        let due = self.node(node).unconfirmed.iter().filter_map(Unconfirmed::unsent);
        let mut releases: Vec<_> = gathered.chain(due).collect();
        releases.sort_unstable();
        releases.dedup();
        releases
    }

    /// Lets a node take a step and sends what follows from it.
    pub(super) fn step(
        &mut self,
        settings: &Settings,
        node: u8,
        step: impl FnOnce(&mut Node, &mut Context<'_>),
    ) {
        self.step_with(settings, node, None, step);
    }

    /// The same; what the node asks travels with a release, if any.
    pub(super) fn step_with(
        &mut self,
        settings: &Settings,
        node: u8,
        with: Option<Unsent>,
        step: impl FnOnce(&mut Node, &mut Context<'_>),
    ) {
        let fresh = self.fresh_ticket(settings, node);
        let mut cx = Context { settings, fresh, sent: Vec::new(), begun: None };
        step(self.node_mut(node), &mut cx);
        if let Some(token) = cx.begun {
            self.tokens_grew &= self.shown.is_none_or(|shown| token > shown);
            self.shown = self.shown.max(Some(token)).filter(|_| !self.data_lost);
        }
        for mut command in cx.sent {
            if let (Command::Acquire { ticket: new }, Some(release)) = (command, with)
                && self.network.take_unsent(node, release)
            {
                command = Command::TakeAgain { old: release.ticket, new, rest: release.rest };
            }
            self.network.send(node, Body::Command(command), 0);
        }
    }

    /// A message reaches whom it is for.
    pub(super) fn deliver(&mut self, settings: &Settings, message: &Message) {
        if !self.network.take(message) {
            return;
        }
        match message.body {
            Body::Command(command) => {
                let mut events = Vec::new();
                let reply =
                    self.server.execute(settings, command, &mut |node, event| events.push((node, event)));
                self.reply(message.node, reply, message.age);
                for (node, event) in events {
                    self.publish(node, event);
                }
            }
            Body::Reply(reply) => {
                self.step(settings, message.node, |node, cx| {
                    node.replied(cx, reply, message.age);
                });
            }
            Body::Event(event) => {
                self.step(settings, message.node, |node, cx| {
                    node.told(cx, event, message.age);
                });
            }
        }
    }

    fn reply(&mut self, node: u8, reply: Reply, age: i8) {
        if !self.node(node).crashed {
            self.network.send(node, Body::Reply(reply), age);
        }
    }

    fn publish(&mut self, node: u8, event: Event) {
        if self.server.subscribed[usize::from(node)] && !self.node(node).crashed {
            self.network.send(node, Body::Event(event), 0);
        }
    }

    /// The smallest ticket of the node that nobody knows of: which one it is makes no difference.
    fn fresh_ticket(&self, settings: &Settings, node: u8) -> Ticket {
        let known = |ticket: Ticket| {
            let here = self.node(node);
            here.phase.ticket() == Some(ticket)
                || here.unconfirmed.iter().any(|sent| sent.ticket == ticket)
                || self.server.owner.as_ref().is_some_and(|owner| owner.ticket == ticket)
                || self.server.queue.contains(&ticket)
                || self.network.iter().any(|message| message.tickets().contains(&Some(ticket)))
        };
        let mut ticket = Ticket { node, attempt: 0 };
        while !settings.is(Mutation::TicketReused) && known(ticket) {
            ticket.attempt += 1;
        }
        ticket
    }

    /// The subscription of a node is found broken, or stands again.
    pub(super) fn subscription_moves(&mut self, settings: &Settings, node: u8) {
        self.step(settings, node, |node, cx| node.subscription_moves(cx));
        self.server.subscribed[usize::from(node)] = self.node(node).subscription == Subscription::Stands;
    }

    pub(super) fn suffer(&mut self, fault: &Fault) {
        self.faults_left -= 1;
        match *fault {
            Fault::Lose(message) => {
                self.network.take(&message);
                self.message_lost = true;
            }
            Fault::Duplicate(message) => self.network.insert(message),
            Fault::Delay(message) => {
                self.network.take(&message);
                self.network.insert(Message { late: LATE, ..message });
            }
            Fault::Crash { node, noticed } => {
                *self.node_mut(node) = Node { crashed: true, ..Node::new(0) };
                self.server.subscribed[usize::from(node)] &= !noticed;
                self.network.retain(|message| message.is_command() || message.node != node);
                self.message_lost = true;
            }
            Fault::Freeze { node } => self.node_mut(node).frozen = FROZEN,
            Fault::Cut { node } => {
                self.node_mut(node).subscription = Subscription::Broken(SUBSCRIPTION);
                self.server.subscribed[usize::from(node)] = false;
                self.network
                    .retain(|message| message.node != node || !matches!(message.body, Body::Event(_)));
                self.message_lost = true;
            }
            Fault::Forget => {
                self.server.forget();
                self.data_lost = true;
            }
        }
    }

    pub(super) fn tick(&mut self, settings: &Settings) {
        // A counter that does not follow the clock stands still.
        let tokens = if settings.is(Mutation::TokensFromCounter) { 0 } else { TOKENS_PER_TICK };
        for node in &mut self.nodes {
            node.tick(tokens);
        }
        self.server.tick(tokens);
        self.shown = self.shown.map(|shown| shown - tokens);
        self.network.tick(tokens);
    }

    /// The tokens that somebody may still use, and whether a ticket may go on with them.
    fn tokens_in_hand(&self) -> Vec<(Tokens, bool)> {
        let mut held = Vec::new();
        for message in self.network.iter() {
            let may_ask = self.node(message.node).may_ask();
            held.extend(message.tokens().map(|tokens| (tokens, may_ask || message.is_command())));
        }
        for node in &self.nodes {
            let owned = match &node.phase {
                Phase::Owned(ownership) => ownership.tokens.rest(),
                _ => None,
            };
            let kept = node.unconfirmed.iter().filter_map(|sent| sent.rest);
            held.extend(owned.into_iter().chain(kept).map(|tokens| (tokens, node.may_ask())));
        }
        held
    }

    /// Drops what no step will ever look at again.
    pub(super) fn tidy(&mut self) {
        for node in 0..self.nodes.len() {
            if !self.nodes[node].may_ask() {
                self.network.forget_rests(node);
                self.nodes[node].unconfirmed.iter_mut().for_each(|sent| sent.rest = None);
            }
        }
        let held = self.tokens_in_hand();
        self.server.tidy(|last| held.iter().any(|(tokens, goes_on)| *goes_on && tokens.last == last));
        self.shown = self.shown.filter(|shown| {
            !self.server.is_past(*shown) || held.iter().any(|(tokens, _)| tokens.first <= *shown)
        });
        if !self.is_busy() {
            // Nobody comes to ask, and the queue's own time runs out.
            self.server.queue.clear();
        }
        for node in 0..self.nodes.len() {
            let token_on_its_way = self.network.iter().any(|message| {
                usize::from(message.node) == node
                    && matches!(
                        message.body,
                        Body::Reply(Reply::Granted { .. }) | Body::Event(Event::Granted(_))
                    )
            });
            let node = &mut self.nodes[node];
            if !token_on_its_way && !matches!(node.phase, Phase::Owned(_)) && self.server.tokens_grew {
                node.shown = None;
            }
        }
    }
}
