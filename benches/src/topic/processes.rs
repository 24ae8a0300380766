use std::cell::RefCell;

use interlock_tests::RedisServer;

use crate::contender::Name;
use crate::measure::{Contest, Spread};
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;
use crate::worker::{History, Job, JobKind, Worker};

const WORK: &str = "4 processes × 16 tasks, one hot key, empty section";
const PROCESSES: usize = 4;
const TASKS: usize = 16;
/// Longer than other samples: peers that poll have few turns.
const SLICES: u32 = 4;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let server = RedisServer::private().await;
    let shares = &RefCell::new(Vec::new());
    let mut contest = Contest::default();
    for name in [Name::Interlock].into_iter().chain(Name::PEERS) {
        let job = job(server.url(), name, effort);
        contest.enter(name.text(), move || {
            let job = job.clone();
            async move {
                let history = History::merge(Worker::run_together(&job, PROCESSES).await);
                if name == Name::Interlock {
                    shares.borrow_mut().push(history.least_share());
                }
                history.hand_overs() as f64 * 1_000.0 / job.millis as f64
            }
        });
    }
    let standings = contest.run(effort.rounds.div_ceil(3)).await;

    let best = Name::PEERS
        .into_iter()
        .max_by(|a, b| {
            let rate = |name: &Name| standings.of(name.text()).median;
            rate(a).total_cmp(&rate(b))
        })
        .expect("there are peers");
    let rate = standings.ratio(Name::Interlock.text(), best.text());
    let share = Spread::of(shares.borrow().iter().copied());
    let least = "of its fair share for the process that got least";
    Findings {
        lines: vec![
            Line::new(WORK, Reach::at_least(10.0), rate, "× the best peer"),
            Line::new(WORK, Reach::at_least(0.5), share, least),
        ],
        comparisons: vec![Comparison::new(WORK, "hand-overs/s", &standings)],
    }
}

fn job(url: &str, contender: Name, effort: &Effort) -> Job {
    Job {
        url: url.to_owned(),
        contender,
        millis: u64::try_from((effort.slice * SLICES).as_millis()).expect("short"),
        kind: JobKind::Relay { tasks: TASKS, section: 0 },
    }
}
