//! Whether a channel is what random subsets of the others say it is.

use super::BadChannelError;
use super::robust::median_in_place;
use crate::spatial::spline::SphericalSpline;
use acquisition::time::SampleRate;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

/// Prediction by random subsets: each channel is interpolated from each subset by
/// spherical splines ([`SphericalSpline::default`]), and the median of these over the subsets
/// is correlated with the channel, window by window. The default is PREP's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RansacParams {
    /// Number of subsets.
    pub n_subsets: usize,
    /// Share of the usable channels in a subset.
    pub subset_fraction: f64,
    /// Length of a window.
    pub window_secs: f64,
    /// Correlation below which a window is not predicted.
    pub min_correlation: f64,
    /// Share of windows not predicted from above which a channel is bad.
    pub max_bad_windows: f64,
    /// Where the subsets come from: the same seed gives the same subsets.
    pub seed: u64,
}

impl Default for RansacParams {
    fn default() -> Self {
        Self {
            n_subsets: 50,
            subset_fraction: 0.25,
            window_secs: 5.0,
            min_correlation: 0.75,
            max_bad_windows: 0.4,
            seed: 435_656,
        }
    }
}

impl RansacParams {
    pub(super) fn subset_size(&self, n_channels: usize) -> usize {
        (self.subset_fraction * n_channels as f64).round_ties_even() as usize
    }

    /// Subsets of `n_subset` among `n_channels`, each channel at most once in each.
    pub(super) fn subsets(
        &self,
        n_channels: usize,
        n_subset: usize,
    ) -> Result<Vec<Vec<usize>>, BadChannelError> {
        if n_subset <= 3 || n_channels <= n_subset {
            return Err(BadChannelError::TooFewChannels { n_channels, subset: n_subset.max(4) });
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let subset = |_| index::sample(&mut rng, n_channels, n_subset).into_vec();
        Ok((0..self.n_subsets).map(subset).collect())
    }
}

/// The correlation of each channel with its prediction, window by window.
pub(super) fn correlations(
    params: &RansacParams,
    rate: SampleRate,
    rows: &[&[f64]],
    places: &[[f64; 3]],
    subsets: &[Vec<usize>],
) -> Result<Vec<Vec<f64>>, BadChannelError> {
    let spline = SphericalSpline::default();
    let weights = subsets
        .iter()
        .map(|subset| {
            let from: Vec<_> = subset.iter().map(|k| places[*k]).collect();
            spline.weights(&from, places)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let window = (params.window_secs * rate.hz()) as usize;
    let n_windows = (rows[0].len() - window).div_ceil(window);
    let of_channel = |channel: usize| {
        let mut correlations = Vec::with_capacity(n_windows);
        let mut predictions = vec![vec![0.0; window]; subsets.len()];
        let (mut values, mut medians) = (vec![0.0; subsets.len()], vec![0.0; window]);
        for w in 0..n_windows {
            let span = w * window..(w + 1) * window;
            for ((out, subset), weights) in predictions.iter_mut().zip(subsets).zip(&weights) {
                out.fill(0.0);
                for (from, weight) in subset.iter().zip(weights.row(channel).iter()) {
                    let row = &rows[*from][span.clone()];
                    out.iter_mut().zip(row).for_each(|(y, x)| *y += weight * x);
                }
            }
            for (t, middle) in medians.iter_mut().enumerate() {
                values.iter_mut().zip(&predictions).for_each(|(v, p)| *v = p[t]);
                *middle = median_in_place(&mut values);
            }
            correlations.push(correlation(&rows[channel][span], &medians));
        }
        correlations
    };
    Ok((0..rows.len()).into_par_iter().map(of_channel).collect())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    ab / (aa * bb).sqrt()
}
