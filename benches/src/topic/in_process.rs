use crate::contender::{Interlock, MutexMap};
use crate::load::{Keys, Spin};
use crate::measure::Contest;
use crate::report::{Comparison, Findings, Line, Reach};
use crate::topic::Effort;

const WORK: &str = "in-process backend, uncontended";
const KEYS: usize = 1_000;

pub(crate) async fn measure(effort: &Effort) -> Findings {
    let interlock = &Interlock::in_process();
    let mutexes = &MutexMap::default();
    let load = Spin { tasks: 1, keys: Keys::ManyEach(KEYS), time: effort.slice };
    let mut contest = Contest::default();
    contest.enter("interlock", || async { 1e9 / load.run(interlock).await.rate() });
    contest.enter("map of mutexes", || async { 1e9 / load.run(mutexes).await.rate() });
    let standings = contest.run(effort.rounds).await;
    let ratio = standings.ratio("interlock", "map of mutexes");
    let times = "× a sharded map of tokio mutexes";
    Findings {
        lines: vec![Line::new(WORK, Reach::at_most(3.0), ratio, times)],
        comparisons: vec![Comparison::new(WORK, "ns", &standings)],
    }
}
