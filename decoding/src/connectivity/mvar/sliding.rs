//! A model per hop, from products that are summed once per step.

use super::{MvarError, MvarView};
use crate::classifier::dot;
use crate::window::{Planar, WindowSpec};
use acquisition::time::SampleIndex;

/// Least-squares models of a sliding window, with a constant.
///
/// Time is cut into blocks of the window's step, at multiples of the step from sample 0.
/// Each block's products of the regression's columns are summed once; a hop adds the
/// blocks of its window, oldest first, and factorises the sum. So nothing drifts, and a
/// model depends on the window's samples alone, bit for bit, from whatever window the run
/// began. The first blocks of a window, as many as hold `order` samples, serve as past
/// only.
///
/// Summed products square the regression's condition number: the coefficients agree with
/// [`super::Estimator::LeastSquares`] on the same samples to about `1e-16` times that square.
///
/// Memory: `8 D²` bytes per block, `D = m (order + 1) + 1`.
#[derive(Clone, Debug)]
pub struct SlidingMvar {
    blocks: Blocks,
    solver: Solver,
}

impl SlidingMvar {
    /// Plans windows whose length is a multiple of their step.
    pub fn new(n_channels: usize, order: usize, window: WindowSpec) -> Result<Self, MvarError> {
        let blocks = Blocks::new(n_channels, order, window)?;
        Ok(Self { blocks, solver: Solver::new(n_channels, order) })
    }

    /// Forgets every block: call it where the samples of an index may change, as after a
    /// gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.blocks.restart();
    }

    /// The constants of the last model.
    pub fn intercept(&self) -> &[f64] {
        &self.solver.intercept
    }

    /// The model of the window that ends with sample `end`; `None` where its channels are
    /// not independent or not finite. Blocks that are not held are summed anew.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the window has another shape, or does not begin at a multiple of the step.
    pub fn slide(&mut self, end: SampleIndex, samples: Planar<'_>) -> Option<MvarView<'_>> {
        let products = self.blocks.sum(end, samples);
        self.solver.factor.copy_from_slice(products);
        self.solver.solve(self.blocks.n_observations()).then(|| self.solver.view())
    }
}

/// Products of the regressions' columns `[1, lag 1, ..., lag p, now]`, once per block.
#[derive(Clone, Debug)]
pub(in crate::connectivity) struct Blocks {
    n_channels: usize,
    order: usize,
    window: WindowSpec,
    n_past: usize,
    /// Products of one block after the other, lower triangles.
    ring: Vec<f64>,
    held: Vec<Option<u64>>,
    rows: Vec<f64>,
    sum: Vec<f64>,
}

impl Blocks {
    pub(in crate::connectivity) fn new(
        n_channels: usize,
        order: usize,
        window: WindowSpec,
    ) -> Result<Self, MvarError> {
        let WindowSpec { window_samples, step_samples } = window;
        if n_channels == 0 {
            return Err(MvarError::NoChannel);
        }
        if order == 0 {
            return Err(MvarError::NoOrder);
        }
        if step_samples == 0 || !window_samples.is_multiple_of(step_samples) {
            return Err(MvarError::UnevenWindow { window_samples, step_samples });
        }
        let n_past = order.div_ceil(step_samples);
        let n_blocks = (window_samples / step_samples).saturating_sub(n_past);
        let n_cols = n_channels * (order + 1) + 1;
        let n_observations = n_blocks * step_samples;
        if n_observations < n_cols {
            let needed = n_cols;
            return Err(MvarError::TooShort { n_observations, needed, order, n_channels });
        }
        Ok(Self {
            n_channels,
            order,
            window,
            n_past,
            ring: vec![0.0; n_blocks * n_cols * n_cols],
            held: vec![None; n_blocks],
            rows: vec![0.0; n_cols * step_samples],
            sum: vec![0.0; n_cols * n_cols],
        })
    }

    pub(in crate::connectivity) fn restart(&mut self) {
        self.held.fill(None);
    }

    /// Samples of a window that are predicted.
    pub(in crate::connectivity) fn n_observations(&self) -> usize {
        self.held.len() * self.window.step_samples
    }

    /// The products of a window, the lower triangle row after row.
    pub(in crate::connectivity) fn sum(&mut self, end: SampleIndex, samples: Planar<'_>) -> &[f64] {
        let WindowSpec { window_samples, step_samples } = self.window;
        assert_eq!(samples.n_channels(), self.n_channels, "the planned channels");
        assert_eq!(samples.n_samples(), window_samples, "the planned window");
        let start = (end.0 + 1).checked_sub(window_samples as u64).expect("a whole window");
        assert_eq!(start % step_samples as u64, 0, "a window that begins with a block");
        let first = start / step_samples as u64;
        self.sum.fill(0.0);
        for at in self.n_past..window_samples / step_samples {
            let block = first + at as u64;
            let slot = (block % self.held.len() as u64) as usize;
            if self.held[slot] != Some(block) {
                self.sum_block(slot, at * step_samples, samples);
                self.held[slot] = Some(block);
            }
            let products = self.ring.chunks_exact(self.sum.len()).nth(slot).expect("a slot");
            self.sum.iter_mut().zip(products).for_each(|(sum, x)| *sum += x);
        }
        &self.sum
    }

    /// Products of the block whose first sample is `at` in the window.
    fn sum_block(&mut self, slot: usize, at: usize, samples: Planar<'_>) {
        let (step, m) = (self.window.step_samples, self.n_channels);
        let n_cols = m * (self.order + 1) + 1;
        for (col, row) in self.rows.chunks_exact_mut(step).enumerate() {
            match col.checked_sub(1) {
                None => row.fill(1.0),
                Some(col) => {
                    let lag = (col / m + 1) % (self.order + 1);
                    row.copy_from_slice(&samples.channel(col % m)[at - lag..][..step]);
                }
            }
        }
        let products = &mut self.ring[slot * n_cols * n_cols..][..n_cols * n_cols];
        for (i, a) in self.rows.chunks_exact(step).enumerate() {
            for (j, b) in self.rows.chunks_exact(step).enumerate().take(i + 1) {
                products[i * n_cols + j] = dot(a, b);
            }
        }
    }
}

/// Least squares by the root of the products.
#[derive(Clone, Debug)]
pub(in crate::connectivity) struct Solver {
    n_channels: usize,
    /// The products, `(n_cols, n_cols)`, and their root after [`Self::solve`].
    pub(in crate::connectivity) factor: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: Vec<f64>,
    noise: Vec<f64>,
}

impl Solver {
    pub(in crate::connectivity) fn new(n_channels: usize, order: usize) -> Self {
        let n_cols = n_channels * (order + 1) + 1;
        Self {
            n_channels,
            factor: vec![0.0; n_cols * n_cols],
            coefficients: vec![0.0; n_channels * n_channels * order],
            intercept: vec![0.0; n_channels],
            noise: vec![0.0; n_channels * n_channels],
        }
    }

    pub(in crate::connectivity) fn view(&self) -> MvarView<'_> {
        MvarView::new(self.n_channels, &self.coefficients, &self.noise)
    }

    /// Regressors of a channel.
    pub(in crate::connectivity) fn n_regressors(&self) -> usize {
        self.coefficients.len() / self.n_channels + 1
    }

    /// Solves for the model of the products in `factor`; whether there is one. The
    /// regressors' root is then the beginning of the factor's rows.
    pub(in crate::connectivity) fn solve(&mut self, n_observations: usize) -> bool {
        let (m, d) = (self.n_channels, self.n_regressors());
        let n_cols = d + m;
        if !cholesky(&mut self.factor, n_cols) {
            return false;
        }
        let n = n_observations as f64;
        for to in 0..m {
            let (above, row) = self.factor.split_at_mut((d + to) * n_cols);
            let row = &mut row[..n_cols];
            for other in 0..=to {
                let products = if other == to {
                    dot(&row[d..=d + to], &row[d..=d + to])
                } else {
                    let other = &above[(d + other) * n_cols..][d..=d + other];
                    dot(&row[d..][..other.len()], other)
                };
                self.noise[to * m + other] = products / n;
                self.noise[other * m + to] = products / n;
            }
        }
        for to in 0..m {
            let (above, row) = self.factor.split_at_mut((d + to) * n_cols);
            // B = L_y L_z^-1, from the last regressor to the first.
            for col in (0..d).rev() {
                let pivot = &above[col * n_cols..][..=col];
                let value = row[col] / pivot[col];
                row[..col].iter_mut().zip(pivot).for_each(|(x, l)| *x -= value * l);
                row[col] = value;
            }
            self.intercept[to] = row[0];
            self.coefficients[to * (d - 1)..][..d - 1].copy_from_slice(&row[1..d]);
        }
        true
    }
}

/// The lower triangular root in place; whether there is one.
fn cholesky(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        let (above, row) = a.split_at_mut(i * n);
        let row = &mut row[..n];
        for j in 0..i {
            let other = &above[j * n..][..=j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let whole = row[i];
        let left = whole - dot(&row[..i], &row[..i]);
        if left.is_nan() || left <= 1e-13 * whole {
            return false;
        }
        row[i] = left.sqrt();
    }
    true
}
