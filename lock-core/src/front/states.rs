use tokio::time::Instant;

use crate::front::key_state::KeyState;
use crate::key::LockKey;
use crate::key_table::{Entry, KeyTable};

/// All keys that this node owns, asks for or waits for.
#[derive(Default)]
pub(crate) struct States {
    table: KeyTable<KeyState>,
}

/// Not later than the moment at which any key of a shard has to be looked at.
#[derive(Default)]
pub(crate) struct Due(Option<Instant>);

impl Entry for KeyState {
    type Summary = Due;

    fn is_idle(&self) -> bool {
        self.is_vacant()
    }
}

impl States {
    /// Changes the state of one key; answers also when somebody has to look at it again, unless somebody will look at a
    /// key of its shard before.
    pub(crate) fn with<R>(
        &self,
        key: &LockKey,
        change: impl FnOnce(&LockKey, &mut KeyState) -> R,
    ) -> (R, Option<Instant>) {
        self.table.with(key, |key, state, due| {
            let result = change(key, state);
            let at = state.due();
            (result, at.filter(|at| due.note(*at)))
        })
    }

    /// Visits every key.
    pub(crate) fn for_each(&self, visit: impl FnMut(&LockKey, &mut KeyState)) {
        self.visit_if(|_| true, visit);
    }

    /// Visits the keys of those shards where something is due, and answers when the next thing will be.
    pub(crate) fn for_each_due(
        &self,
        now: Instant,
        visit: impl FnMut(&LockKey, &mut KeyState),
    ) -> Option<Instant> {
        self.visit_if(|due| due.is_some_and(|due| due <= now), visit)
    }

    /// Visits the keys of those shards whose due moment is `wanted`, and answers when the next thing will be due.
    fn visit_if(
        &self,
        wanted: impl Fn(Option<Instant>) -> bool,
        mut visit: impl FnMut(&LockKey, &mut KeyState),
    ) -> Option<Instant> {
        let mut next = Due::default();
        self.table.for_each_if(
            |due| {
                let is_wanted = wanted(due.0);
                if is_wanted {
                    due.0 = None;
                }
                is_wanted
            },
            |key, state, due| {
                visit(key, state);
                due.note_any(state.due());
            },
            |due| next.note_any(due.0),
        );
        next.0
    }
}

impl Due {
    fn note_any(&mut self, at: Option<Instant>) {
        if let Some(at) = at {
            self.note(at);
        }
    }

    /// Notes it, and answers whether it is earlier than what was noted before.
    fn note(&mut self, at: Instant) -> bool {
        let is_earlier = self.0.is_none_or(|noted| at < noted);
        if is_earlier {
            self.0 = Some(at);
        }
        is_earlier
    }
}
