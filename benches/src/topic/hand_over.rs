use interlock_tests::RedisServer;

use crate::contender::Name;
use crate::measure::{Contest, Spread, Standings, round_trip};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;
use crate::worker::{History, Job, JobKind, Worker};

const EMPTY: &str = "hand-over between two processes, p50";
const SHORT: &str = "hand-over between two processes after sections of 1 ms, p50";
const UNIT: &str = "× a PING's p50";
const PROCESSES: usize = 2;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let server = RedisServer::private().await;
    let url = server.url();
    let mut findings = Findings::default();
    for (work, section) in [(EMPTY, 0), (SHORT, 1)] {
        let standings = contest(effort, url, section).await;
        let ratio = standings.ratio("hand-over", "PING, two processes");
        findings.lines.push(Line::new(work, Reach::at_most(1.7), ratio, UNIT));
        findings.comparisons.push(Comparison::new(work, "µs", &standings));
    }
    findings
}

/// Sections of so many milliseconds, beside a `PING` in the same rhythm.
async fn contest(effort: &Effort, url: &str, section: u64) -> Standings {
    let job = |kind| Job {
        url: url.to_owned(),
        contender: Name::Interlock,
        millis: u64::try_from(effort.slice.as_millis()).expect("short"),
        kind,
    };
    let relay = &job(JobKind::Relay { tasks: 1, section });
    let ping = &job(JobKind::Ping { pause: section });
    let message = |from: &str, to: &str| {
        job(JobKind::Message { from: from.to_owned(), to: to.to_owned(), pause: section })
    };
    let messages = &[message("a", "b"), message("b", "a")];
    let mut contest = Contest::default();
    // As many processes as take part in the hand-over, so that the server and the cores are as busy.
    contest.enter("PING, two processes", || async {
        let medians = Worker::run_together::<f64>(ping, PROCESSES).await.concat();
        Spread::of(medians).median
    });
    if section == 0 {
        contest
            .enter("PING, one process", || async { round_trip(url, effort.slice).await.as_secs_f64() * 1e6 });
    }
    contest.enter("message between two processes, no lock", || async {
        let history = History::merge(Worker::run_all(messages).await);
        history.median_crossing() as f64 / 1_000.0
    });
    contest.enter("hand-over", || async {
        let history = History::merge(Worker::run_together(relay, PROCESSES).await);
        history.median_crossing() as f64 / 1_000.0
    });
    contest.run(effort.rounds).await
}
