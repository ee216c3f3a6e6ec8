//! Log-variances straight from a window's samples: only as many series are squared as
//! there are filters, not every pair of channels.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use crate::matrix::Matrix;
use crate::time_domain::log_power;
use crate::window::Planar;
use fearless_simd::{Level, dispatch};

/// Filters that share the samples they read.
const ROWS: usize = 4;

/// Samples side by side.
const WIDTH: usize = 8;

/// Spatial filters planned for the samples of windows of one length.
#[derive(Clone, Debug)]
pub struct CspWindows {
    filters: Matrix,
    n_samples: usize,
    /// Of some filters, `(ROWS, n_samples)` filled up to whole vectors.
    filtered: Vec<[[f64; WIDTH]; ROWS]>,
}

impl CspWindows {
    pub(super) fn new(filters: Matrix, n_samples: usize) -> Self {
        let filtered = vec![[[0.0; WIDTH]; ROWS]; n_samples.div_ceil(WIDTH)];
        Self { filters, n_samples, filtered }
    }

    /// Writes `ln` of the variance of each filter's series over `samples`
    /// `(n_channels, n_samples)`, mean removed, divided by the number of samples: up to
    /// rounding what [`CspRuntime::features_into`](super::CspRuntime::features_into)
    /// writes for the covariance [`scm`](crate::riemann::covariance::scm). A variance below
    /// the smallest normal number, or none at all, counts as that number.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `samples` or `features` has another size than planned.
    pub fn features_into(&mut self, samples: &Planar<'_>, features: &mut [f64]) {
        let shape = (samples.n_channels(), samples.n_samples());
        assert_eq!(shape, (self.filters.n_cols(), self.n_samples), "window of another plan");
        assert_eq!(features.len(), self.filters.n_rows(), "features of other filters");
        dispatch!(Level::new(), _simd => self.run(samples, features));
    }

    #[inline(always)]
    fn run(&mut self, samples: &Planar<'_>, features: &mut [f64]) {
        for (group, features) in features.chunks_mut(ROWS).enumerate() {
            // What is missing of a last group is done as its first filter, and not read.
            let row = |r: usize| if r < features.len() { group * ROWS + r } else { group * ROWS };
            let filters: [&[f64]; ROWS] = std::array::from_fn(|r| self.filters.row(row(r)));
            for (k, block) in self.filtered.iter_mut().enumerate() {
                *block = project(filters, samples, k * WIDTH);
            }
            for (r, feature) in features.iter_mut().enumerate() {
                *feature = log_power(self.variance(r));
            }
        }
    }

    /// The variance of one filter of a group.
    #[inline(always)]
    fn variance(&self, r: usize) -> f64 {
        let n = self.n_samples as f64;
        let rest = self.n_samples % WIDTH;
        let (whole, last) = self.filtered.split_at(self.n_samples / WIDTH);
        let last = last.first().map_or(&[][..], |block| &block[r][..rest]);
        let mut lanes = [0.0; WIDTH];
        for block in whole {
            for i in 0..WIDTH {
                lanes[i] += block[r][i];
            }
        }
        let mean = (lanes.iter().sum::<f64>() + last.iter().sum::<f64>()) / n;
        let mut lanes = [0.0; WIDTH];
        for block in whole {
            for i in 0..WIDTH {
                let x = block[r][i] - mean;
                lanes[i] += x * x;
            }
        }
        let last = last.iter().map(|x| (x - mean) * (x - mean));
        (lanes.iter().sum::<f64>() + last.sum::<f64>()) / n
    }
}

/// Some filters over some samples from `first` on.
#[inline(always)]
fn project(filters: [&[f64]; ROWS], samples: &Planar<'_>, first: usize) -> [[f64; WIDTH]; ROWS] {
    let mut sums = [[0.0; WIDTH]; ROWS];
    let n = WIDTH.min(samples.n_samples() - first);
    for c in 0..samples.n_channels() {
        let channel = &samples.channel(c)[first..][..n];
        let mut x = [0.0; WIDTH];
        if let Some(whole) = channel.first_chunk() {
            x = *whole;
        } else {
            x[..n].copy_from_slice(channel);
        }
        for (sums, filter) in sums.iter_mut().zip(filters) {
            let weight = filter[c];
            for i in 0..WIDTH {
                sums[i] += weight * x[i];
            }
        }
    }
    sums
}
