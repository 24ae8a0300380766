use interlock_tests::RedisServer;

use crate::contender::Name;
use crate::measure::{Contest, Spread, round_trip};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;
use crate::worker::{History, Job, JobKind, Worker};

const WORK: &str = "hand-over between two processes, p50";
const PROCESSES: usize = 2;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let server = RedisServer::private().await;
    let url = server.url();
    let job = |kind| Job {
        url: url.to_owned(),
        contender: Name::Interlock,
        millis: u64::try_from(effort.slice.as_millis()).expect("short"),
        kind,
    };
    let relay = &job(JobKind::Relay { tasks: 1 });
    let ping = &job(JobKind::Ping);
    let mut contest = Contest::default();
    // As many processes as take part in the hand-over, so that the server and the cores are as busy.
    contest.enter("PING, two processes", || async {
        let medians = Worker::run_together::<f64>(ping, PROCESSES).await.concat();
        Spread::of(medians).median
    });
    contest.enter("PING, one process", || async { round_trip(url, effort.slice).await.as_secs_f64() * 1e6 });
    contest.enter("hand-over", || async {
        let history = History::merge(Worker::run_together(relay, PROCESSES).await);
        history.median_crossing() as f64 / 1_000.0
    });
    let standings = contest.run(effort.rounds).await;
    let ratio = standings.ratio("hand-over", "PING, two processes");
    Findings {
        lines: vec![Line::new(WORK, Reach::at_most(1.7), ratio, "× a PING's p50")],
        comparisons: vec![Comparison::new(WORK, "µs", &standings)],
    }
}
