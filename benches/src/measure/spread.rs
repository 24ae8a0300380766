use std::fmt;

/// The median of some samples and the range that the middle half of them lies in.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// Half of the samples are smaller.
    pub median: f64,
    /// A quarter of the samples is smaller.
    pub low: f64,
    /// A quarter of the samples is larger.
    pub high: f64,
}

impl Spread {
    /// The spread of at least one sample.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Self {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        assert!(!samples.is_empty(), "nothing was measured");
        samples.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

/// Two decimals below 10, none above 100: more would be noise.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.median.abs() {
            ..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        let Self { median, low, high } = self;
        write!(f, "{median:.digits$}")?;
        if low < high {
            write!(f, " ({low:.digits$}–{high:.digits$})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_stray_sample() {
        let spread = Spread::of([3.0, 1.0, 2.0, 1_000.0, 4.0]);
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
        assert_eq!(spread.to_string(), "3.00 (2.00–4.00)");
        assert_eq!(Spread::of([949.0]).to_string(), "949");
    }
}
