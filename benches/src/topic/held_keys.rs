use interlock_tests::RedisServer;

use crate::contender::Name;
use crate::measure::Spread;
use crate::report::{Findings, Line, Reach};
use crate::topic::Effort;
use crate::worker::{HeldReport, Job, JobKind, Worker};

const WORK: &str = "100,000 held keys, renewed";
const KEYS: usize = 100_000;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let server = RedisServer::private().await;
    // A process of its own, so that its memory and its processor time are those of the keys.
    let mut worker = Worker::spawn(&Job {
        url: server.url().to_owned(),
        contender: Name::Interlock,
        millis: u64::try_from(effort.held.as_millis()).expect("short"),
        kind: JobKind::Held { keys: KEYS },
    });
    let reports: Vec<HeldReport> = worker.read().await;
    let report = reports.first().expect("a worker that did not fail");
    let lost = Spread::of([report.lost as f64]);
    let bytes = Spread::of([report.bytes_per_key]);
    let share = Spread::of([report.cpu_share * 100.0]);
    Findings {
        lines: vec![
            Line::new(WORK, Reach::at_most(0.0), lost, "leases lost"),
            Line::new(WORK, Reach::at_most(1_024.0), bytes, "bytes a key in the process"),
            Line::new(WORK, Reach::at_most(10.0), share, "% of one core"),
        ],
        comparisons: Vec::new(),
    }
}
