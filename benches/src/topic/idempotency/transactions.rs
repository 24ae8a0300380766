use std::time::Duration;

use idempotency::{Idempotency, MySqlStore};
use interlock_tests::SlowFlushes;

use super::desk::{Desk, rate};
use super::flush;
use super::original::charge_in_three_commits;
use crate::measure::{Contest, Spread, Standings};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

/// The loads by name.
struct Names {
    one: &'static str,
    many: &'static str,
    one_untested: &'static str,
    many_untested: &'static str,
}

const AS_IT_IS: Names = Names {
    one: "a charge with a key, 1 connection",
    many: "a charge with a key, 16 connections",
    one_untested: "the same, idle connections untested, 1 connection",
    many_untested: "the same, idle connections untested, 16 connections",
};

const SLOW: Names = Names {
    one: "a charge with a key, flushes of 2 ms, 1 connection",
    many: "a charge with a key, flushes of 2 ms, 16 connections",
    one_untested: "the same, flushes of 2 ms, idle connections untested, 1 connection",
    many_untested: "the same, flushes of 2 ms, idle connections untested, 16 connections",
};

/// What the bounds were set for.
const FLUSH: Duration = Duration::from_millis(2);

const LEFT_OUT: &str = "left out, charges with flushes of 2 ms";

const PLAIN: &str = "without a key";
const KEYED: &str = "interlock";
const UNTESTED: &str = "interlock, untested";
const ORIGINAL: &str = "three commits";

pub(super) async fn measure(effort: &Effort) -> Findings {
    let before = flush::millis();
    let mut findings = charges(&AS_IT_IS, None, effort).await;
    // Others may write to the disk for a while.
    let after = flush::millis();
    let flush = if after.low < before.low { after } else { before };
    let longer = flush::lacks(flush, FLUSH);
    let mut flushes = vec![("as the disk is", flush)];
    match SlowFlushes::by(longer) {
        Ok(slow) => {
            flushes.push(("longer by", Spread::of([longer.as_secs_f64() * 1e3])));
            findings.add(charges(&SLOW, Some(&slow), effort).await);
        }
        Err(why) => eprintln!("{LEFT_OUT}: {why}"),
    }
    findings.comparisons.insert(0, Comparison::of("a flush of 4 KiB", "ms", flushes));
    findings
}

/// Charges on a disk as it is, or on one whose flushes take longer.
async fn charges(names: &Names, slow: Option<&SlowFlushes>, effort: &Effort) -> Findings {
    let open = async |connections| match slow {
        Some(slow) => Desk::slow(connections, slow).await,
        None => Desk::open(connections).await,
    };
    // A second connection for the original's second commit.
    let desk = &open(2).await;
    let (once, untested) = (&desk.once(), &desk.untested());
    let mut contest = contest(desk, [once, untested], 1, effort);
    contest.enter(ORIGINAL, || rate(1, effort.slice, || charge_in_three_commits(desk, desk.key())));
    let one = contest.run(effort.rounds).await;
    desk.settle().await;
    // A charge waits for a flush.
    if slow.is_some() && one.of(PLAIN).median > 1.0 / FLUSH.as_secs_f64() {
        eprintln!("{LEFT_OUT}: they take less; is the data in memory, or was the disk busy before?");
        return Findings::default();
    }

    let desk = &open(16).await;
    let (once, untested) = (&desk.once(), &desk.untested());
    let many = self::contest(desk, [once, untested], 16, effort).run(effort.rounds).await;
    desk.settle().await;

    let line = |work, standings: &Standings, reach, name, base, unit| {
        Line::new(work, Reach::at_least(reach), standings.ratio(name, base), unit)
    };
    let (without, commits) = ("× the same without a key", "× three commits on two connections");
    let &Names { one: work, many: work_of_many, one_untested, many_untested } = names;
    Findings {
        lines: vec![
            line(work, &one, 0.85, KEYED, PLAIN, without),
            line(work_of_many, &many, 0.7, KEYED, PLAIN, without),
            line(work, &one, 2.5, KEYED, ORIGINAL, commits),
            line(one_untested, &one, 0.85, UNTESTED, PLAIN, without),
            line(many_untested, &many, 0.7, UNTESTED, PLAIN, without),
            line(one_untested, &one, 2.5, UNTESTED, ORIGINAL, commits),
        ],
        comparisons: vec![
            Comparison::new(work, "charges/s", &one),
            Comparison::new(work_of_many, "charges/s", &many),
        ],
    }
}

/// Charges without a key, with one, and with one on connections that nobody has tested.
fn contest<'a>(
    desk: &'a Desk,
    [once, untested]: [&'a Idempotency<MySqlStore>; 2],
    tasks: usize,
    effort: &'a Effort,
) -> Contest<'a> {
    let mut contest = Contest::default();
    contest.enter(PLAIN, move || rate(tasks, effort.slice, || desk.plain()));
    for (name, once) in [(KEYED, once), (UNTESTED, untested)] {
        let keyed = move || async move { assert!(!desk.keyed(once, desk.key()).await) };
        contest.enter(name, move || rate(tasks, effort.slice, keyed));
    }
    contest
}
