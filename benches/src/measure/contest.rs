use futures_util::future::LocalBoxFuture;

use crate::measure::Spread;

type Probe<'a> = Box<dyn Fn() -> LocalBoxFuture<'a, f64> + 'a>;

/// Several probes measured in turn, round after round, so that whatever else the machine does meets all of them.
#[derive(Default)]
pub struct Contest<'a> {
    probes: Vec<(&'static str, Probe<'a>)>,
}

/// The samples of a [`Contest`]: one for each probe and round.
#[derive(Debug)]
pub struct Standings {
    samples: Vec<(&'static str, Vec<f64>)>,
}

impl<'a> Contest<'a> {
    /// Adds a probe, which answers one sample.
    pub fn enter<F: Future<Output = f64> + 'a>(&mut self, name: &'static str, probe: impl Fn() -> F + 'a) {
        self.probes.push((name, Box::new(move || Box::pin(probe()) as LocalBoxFuture<'a, f64>)));
    }

    /// Runs all rounds; every second one in the opposite order. One round before them is not counted.
    pub async fn run(self, rounds: usize) -> Standings {
        let mut samples: Vec<_> =
            self.probes.iter().map(|(name, _)| (*name, Vec::with_capacity(rounds))).collect();
        for round in 0..=rounds {
            let mut order: Vec<usize> = (0..self.probes.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let sample = self.probes[index].1().await;
                if round > 0 {
                    samples[index].1.push(sample);
                }
            }
            eprint!(".");
        }
        eprintln!();
        Standings { samples }
    }
}

impl Standings {
    /// What was measured of one probe.
    #[must_use]
    pub fn of(&self, name: &str) -> Spread {
        Spread::of(self.samples(name).iter().copied())
    }

    /// One probe over another, round by round.
    #[must_use]
    pub fn ratio(&self, name: &str, base: &str) -> Spread {
        let pairs = self.samples(name).iter().zip(self.samples(base));
        Spread::of(pairs.map(|(sample, base)| sample / base))
    }

    /// All probes in the order they were entered.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, Spread)> {
        self.samples.iter().map(|(name, samples)| (*name, Spread::of(samples.iter().copied())))
    }

    fn samples(&self, name: &str) -> &[f64] {
        let found = self.samples.iter().find(|(entered, _)| *entered == name);
        &found.unwrap_or_else(|| panic!("{name} did not take part")).1
    }
}
