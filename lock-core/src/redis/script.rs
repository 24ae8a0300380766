use std::sync::LazyLock;
use std::time::Duration;

use redis::{Cmd, Script};

use crate::backend::{AcquireRequest, CancelRequest, ReleaseRequest, RenewRequest};
use crate::key::LockKey;
use crate::redis::names::Names;

/// The text of a script and its hash.
pub(super) struct Text {
    text: &'static str,
    hash: LazyLock<String>,
}

macro_rules! text {
    ($name:ident: $($file:literal)+) => {
        static $name: Text = Text {
            text: concat!($(include_str!(concat!("lua/", $file))),+),
            hash: LazyLock::new(|| hash($name.text)),
        };
    };
}

/// A script that tells nodes something, for one server and for a cluster.
struct Variants {
    single: &'static Text,
    sharded: &'static Text,
}

macro_rules! variants {
    ($name:ident: $($first:literal)* / $($last:literal)+) => {
        static $name: Variants = {
            text!(SINGLE: "limits.lua" "publish.lua" $($first)* "common.lua" $($last)+);
            text!(SHARDED: "limits.lua" "publish_sharded.lua" $($first)* "common.lua" $($last)+);
            Variants { single: &SINGLE, sharded: &SHARDED }
        };
    };
}

variants!(ACQUIRE: "acquire_free.lua" / "verbs.lua" "acquire.lua");
variants!(RELEASE: "release_unwanted.lua" / "verbs.lua" "release.lua");
variants!(BATCH: "batch_alone.lua" "batch_quiet.lua" / "verbs.lua" "batch.lua");
variants!(CANCEL: / "cancel.lua");
text!(ACQUIRE_ALL: "acquire_all.lua");
text!(RENEW: "renew.lua");
text!(INSPECT: "inspect.lua");

impl Variants {
    fn of(&self, names: &Names) -> &'static Text {
        if names.is_sharded() { self.sharded } else { self.single }
    }
}

/// The texts of all scripts, to be loaded ahead.
pub(super) fn texts(names: &Names) -> Vec<&'static str> {
    let variants = [&ACQUIRE, &RELEASE, &BATCH, &CANCEL].map(|variants| variants.of(names).text);
    variants.into_iter().chain([ACQUIRE_ALL.text, RENEW.text]).collect()
}

fn hash(text: &str) -> String {
    Script::new(text).get_hash().to_owned()
}

/// A script with its keys and arguments.
pub(super) struct Invocation {
    text: &'static Text,
    keys: Vec<String>,
    args: Vec<String>,
    hands_over: bool,
}

impl Invocation {
    /// A key by which the right server is found: all have the same slot.
    pub(super) fn first_key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }
}

/// A script with its keys and arguments, whoever writes them.
pub(super) trait Call {
    fn script(&self) -> &'static Text;

    /// Whether the script is likely to tell a node of a grant.
    fn hands_over(&self) -> bool;

    /// The command that calls the script named by `verb` and `script`.
    fn command(&self, verb: &str, script: &str) -> Cmd;

    /// Calls the script by its hash, which is short.
    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script().hash)
    }

    /// Calls the script by its text, for a server that does not know the hash.
    fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script().text)
    }
}

impl Call for Invocation {
    fn script(&self) -> &'static Text {
        self.text
    }

    fn hands_over(&self) -> bool {
        self.hands_over
    }

    fn command(&self, verb: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(verb);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.args);
        command
    }
}

/// The script that a batch calls.
pub(super) fn batch(names: &Names) -> &'static Text {
    BATCH.of(names)
}

pub(super) fn acquire(names: &Names, request: &AcquireRequest) -> Invocation {
    invocation(
        ACQUIRE.of(names),
        names,
        &request.key,
        [
            request.ticket.to_string(),
            millis(request.lease),
            u8::from(request.wait).to_string(),
            request.block.max(1).to_string(),
        ],
    )
}

pub(super) fn acquire_all(names: &Names, requests: &[AcquireRequest]) -> Invocation {
    let block = requests.iter().map(|request| request.block).max().unwrap_or(1).max(1);
    let tickets = requests.iter().flat_map(|request| [request.ticket.to_string(), millis(request.lease)]);
    let keys = requests.iter().map(|request| names.of(request.key.as_str()));
    Invocation {
        text: &ACQUIRE_ALL,
        keys: keys.flat_map(|keys| [keys.owner, keys.waiters, keys.fence]).collect(),
        args: std::iter::once(block.to_string()).chain(tickets).collect(),
        hands_over: false,
    }
}

pub(super) fn release(names: &Names, request: &ReleaseRequest) -> Invocation {
    let [ticket, lease, block] = match &request.requeue {
        Some(requeue) => {
            [requeue.ticket.to_string(), millis(requeue.lease), requeue.block.max(1).to_string()]
        }
        None => [String::new(), String::new(), String::new()],
    };
    let args = [request.ticket.to_string(), ticket, lease, block];
    let released = invocation(RELEASE.of(names), names, &request.key, args);
    Invocation { hands_over: request.wanted, ..released }
}

pub(super) fn cancel(names: &Names, request: &CancelRequest) -> Invocation {
    invocation(CANCEL.of(names), names, &request.key, [request.ticket.to_string(), millis(request.lease)])
}

pub(super) fn inspect(names: &Names, key: &LockKey) -> Invocation {
    let keys = names.of(key.as_str());
    Invocation {
        text: &INSPECT,
        keys: vec![keys.owner, keys.waiters, keys.fence],
        args: Vec::new(),
        hands_over: false,
    }
}

pub(super) fn renew(names: &Names, requests: &[RenewRequest]) -> Invocation {
    Invocation {
        text: &RENEW,
        keys: requests.iter().map(|request| names.owner(request.key.as_str())).collect(),
        args: requests
            .iter()
            .flat_map(|request| [request.ticket.to_string(), millis(request.lease)])
            .collect(),
        hands_over: false,
    }
}

fn invocation<const N: usize>(
    text: &'static Text,
    names: &Names,
    key: &LockKey,
    args: [String; N],
) -> Invocation {
    let keys = names.of(key.as_str());
    let common = [names.channels(&keys.owner).into_owned(), key.as_str().to_owned()];
    Invocation {
        text,
        keys: vec![keys.owner, keys.waiters, keys.fence],
        args: common.into_iter().chain(args).collect(),
        hands_over: false,
    }
}

fn millis(lease: Duration) -> String {
    whole_millis(lease).to_string()
}

/// A lease in milliseconds, rounded down but at least one: the server must not count longer than asked.
pub(super) fn whole_millis(lease: Duration) -> u64 {
    u64::try_from(lease.as_millis()).unwrap_or(u64::MAX).max(1)
}
