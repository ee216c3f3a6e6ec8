//! How a score grows with the amount of data: `score = a + b log10 n`.
//!
//! # Reference
//! The law that is fitted for consumer headsets by J. Xu et al., Alljoined-1.6M,
//! arXiv:2508.18571.

use super::Interval;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Draws of the bootstrap.
const N_RESAMPLES: usize = 2000;

/// A line through scores over the logarithm of the amount, by least squares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLinear {
    /// `a`: the score at an amount of 1.
    pub at_one: f64,
    /// `b`: what ten times the amount adds.
    pub per_tenfold: f64,
    /// 95 % interval of `b`, by bootstrap over subjects; `None` below two subjects.
    pub per_tenfold_interval: Option<Interval>,
}

/// Scores of one subject: `(amount, score)`, amounts above 0.
pub type SubjectCurve = Vec<(f64, f64)>;

impl LogLinear {
    /// Fits all subjects' points together; `None` where they have fewer than two amounts.
    ///
    /// The interval: whole subjects drawn with replacement, 2,000 times, percentiles,
    /// `ChaCha8` of `seed`. Batch: allocates.
    pub fn fit(subjects: &[SubjectCurve], seed: u64) -> Option<Self> {
        let (at_one, per_tenfold) = line(subjects.iter().flatten())?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut resampled = || {
            let drawn: Vec<_> =
                subjects.iter().map(|_| &subjects[rng.random_range(0..subjects.len())]).collect();
            line(drawn.into_iter().flatten()).map(|(_, slope)| slope)
        };
        let mut slopes: Vec<f64> = match subjects.len() {
            0 | 1 => Vec::new(),
            _ => (0..N_RESAMPLES).filter_map(|_| resampled()).collect(),
        };
        let per_tenfold_interval = Interval::of_resamples(&mut slopes);
        Some(Self { at_one, per_tenfold, per_tenfold_interval })
    }
}

/// Intercept and slope; `None` where all points have one amount.
fn line<'a>(points: impl Iterator<Item = &'a (f64, f64)> + Clone) -> Option<(f64, f64)> {
    let usable = points.filter(|(n, score)| *n > 0.0 && n.is_finite() && score.is_finite());
    let n = usable.clone().count() as f64;
    let mean_x = usable.clone().map(|(n, _)| n.log10()).sum::<f64>() / n;
    let mean_y = usable.clone().map(|(_, y)| y).sum::<f64>() / n;
    let (mut xx, mut xy) = (0.0, 0.0);
    for (amount, score) in usable {
        let x = amount.log10() - mean_x;
        xx += x * x;
        xy += x * (score - mean_y);
    }
    let slope = xy / xx;
    (xx > 0.0).then_some((mean_y - slope * mean_x, slope))
}
