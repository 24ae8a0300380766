//! What workers write down, a line each.

use std::collections::HashMap;

/// One line. Times are those of [`clock::now`](super::clock::now).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A caller asks for a key, and is to be answered by `until`.
    Ask { caller: &'a str, key: &'a str, at: u64, until: u64 },
    /// It has a guard, which was held after `at`.
    Guard { caller: &'a str, token: u64, at: u64 },
    /// It gets no guard, or one that was lost before anybody looked.
    Nothing { caller: &'a str, why: &'a str, at: u64 },
    /// Its guard was held after `at`.
    Held { caller: &'a str, at: u64 },
    /// It sends a write.
    Write { caller: &'a str, number: u64, at: u64 },
    /// The store has answered.
    Wrote { caller: &'a str, number: u64, at: u64, taken: bool },
}

impl Line<'_> {
    pub(super) fn to_text(self) -> String {
        match self {
            Line::Ask { caller, key, at, until } => format!("ask {caller} {at} {key} {until}\n"),
            Line::Guard { caller, token, at } => format!("guard {caller} {at} {token}\n"),
            Line::Nothing { caller, why, at } => format!("nothing {caller} {at} {why}\n"),
            Line::Held { caller, at } => format!("held {caller} {at}\n"),
            Line::Write { caller, number, at } => format!("write {caller} {at} {number}\n"),
            Line::Wrote { caller, number, at, taken } => {
                format!("wrote {caller} {at} {number} {}\n", if taken { "taken" } else { "refused" })
            }
        }
    }

    fn parse(line: &str) -> Option<Line<'_>> {
        let mut words = line.split(' ');
        let (verb, caller, at) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
        Some(match verb {
            "ask" => Line::Ask { caller, at, key: words.next()?, until: words.next()?.parse().ok()? },
            "guard" => Line::Guard { caller, at, token: words.next()?.parse().ok()? },
            "nothing" => Line::Nothing { caller, at, why: words.next()? },
            "held" => Line::Held { caller, at },
            "write" => Line::Write { caller, at, number: words.next()?.parse().ok()? },
            "wrote" => {
                let number = words.next()?.parse().ok()?;
                Line::Wrote { caller, at, number, taken: words.next()? == "taken" }
            }
            _ => return None,
        })
    }
}

/// All that one caller did.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) name: String,
    /// The process it belongs to: which of all that were started.
    pub(super) process: usize,
    pub(super) key: String,
    pub(super) asked: u64,
    pub(super) until: u64,
    /// When it was answered, whatever the answer.
    pub(super) answered: Option<u64>,
    pub(super) why_not: Option<String>,
    pub(super) guard: Option<Guard>,
    pub(super) writes: Vec<Write>,
}

/// A guard was live at least from `from` to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) token: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) number: u64,
    pub(super) sent: u64,
    /// When the store answered, and whether it took the write; none when the process ended before.
    pub(super) answer: Option<(u64, bool)>,
}

/// Reads what one process wrote. The last line of a process that was killed may be cut off: it does not count.
pub(super) fn read(process: usize, text: &str) -> Result<Vec<Caller>, String> {
    let mut callers: Vec<Caller> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for text in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let line = Line::parse(text).ok_or_else(|| format!("a worker says {text:?}"))?;
        if let Line::Ask { caller: name, key, at, until } = line {
            places.insert(name, callers.len());
            let (name, key) = (name.to_owned(), key.to_owned());
            callers.push(Caller { name, process, key, asked: at, until, ..Caller::default() });
            continue;
        }
        let (Line::Guard { caller, .. }
        | Line::Nothing { caller, .. }
        | Line::Held { caller, .. }
        | Line::Write { caller, .. }
        | Line::Wrote { caller, .. }
        | Line::Ask { caller, .. }) = line;
        let place = places.get(caller).ok_or_else(|| format!("nobody asked before {text:?}"))?;
        note(&mut callers[*place], line);
    }
    Ok(callers)
}

fn note(caller: &mut Caller, line: Line<'_>) {
    match line {
        Line::Ask { .. } => {}
        Line::Guard { token, at, .. } => {
            caller.answered = Some(at);
            caller.guard = Some(Guard { token, from: at, to: at });
        }
        Line::Nothing { why, at, .. } => {
            caller.answered = Some(at);
            caller.why_not = Some(why.to_owned());
        }
        Line::Held { at, .. } => {
            if let Some(guard) = &mut caller.guard {
                guard.to = at;
            }
        }
        Line::Write { number, at, .. } => caller.writes.push(Write { number, sent: at, answer: None }),
        Line::Wrote { number, at, taken, .. } => {
            if let Some(write) = caller.writes.iter_mut().find(|write| write.number == number) {
                write.answer = Some((at, taken));
            }
        }
    }
}
