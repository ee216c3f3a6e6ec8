//! Granger causality of a sliding window, from products that are summed once per step.

use super::explained::Explained;
use super::{Degrees, Scope};
use crate::connectivity::mvar::{Blocks, MvarError, MvarView, Solver};
use crate::window::{Planar, WindowSpec};
use acquisition::time::SampleIndex;

/// Causality in time between all channels of each window, with a constant.
///
/// The products of the regressions' columns are those of
/// [`SlidingMvar`](crate::connectivity::mvar::SlidingMvar): summed once per step, added
/// per hop, so that nothing drifts and a window's values depend on its samples alone, bit
/// for bit, from any start. The regressions of a pair take its products out of those of
/// all. A hop costs a root of `m (p + 1) + 1` columns, of `m` channels and `p` lags; for
/// [`Scope::Pairwise`] `m² / 2` roots of `2 p + 3`.
///
/// Values agree with [`GrangerSpec`](super::GrangerSpec) on the same samples to about
/// `1e-16` times the square of the regression's condition number.
#[derive(Clone, Debug)]
pub struct SlidingGranger {
    n_channels: usize,
    order: usize,
    scope: Scope,
    blocks: Blocks,
    solver: Solver,
    explained: Explained,
    values: Vec<f64>,
}

impl SlidingGranger {
    /// Plans windows whose length is a multiple of their step.
    pub fn new(
        n_channels: usize,
        order: usize,
        window: WindowSpec,
        scope: Scope,
    ) -> Result<Self, MvarError> {
        let blocks = Blocks::new(n_channels, order, window)?;
        let n_together = match scope {
            Scope::Conditional => n_channels,
            Scope::Pairwise => 2,
        };
        Ok(Self {
            n_channels,
            order,
            scope,
            blocks,
            solver: Solver::new(n_together, order),
            explained: Explained::new(n_together, order),
            values: vec![0.0; n_channels * n_channels],
        })
    }

    /// Forgets every block: call it where the samples of an index may change, as after a
    /// gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.blocks.restart();
    }

    /// What a test of a value needs.
    pub fn degrees(&self) -> Degrees {
        Degrees {
            n_observations: self.blocks.n_observations(),
            n_regressors: self.solver.n_regressors(),
            order: self.order,
        }
    }

    /// The values of the window that ends with sample `end`, `(to, from)`, 0 where both
    /// are one channel; `None` where its channels are not independent or not finite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If the window has another shape, or does not begin at a multiple of the step.
    pub fn slide(&mut self, end: SampleIndex, samples: Planar<'_>) -> Option<&[f64]> {
        let n = self.blocks.n_observations();
        let products = self.blocks.sum(end, samples);
        let d = self.solver.n_regressors();
        match self.scope {
            Scope::Conditional => {
                self.solver.factor.copy_from_slice(products);
                if !self.solver.solve(n) {
                    return None;
                }
                let (lower, shape) = (&self.solver.factor, (d, d + self.n_channels));
                self.explained.values_into(lower, shape, (self.solver.view(), n), &mut self.values);
            }
            Scope::Pairwise => {
                let m = self.n_channels;
                for i in 1..m {
                    for j in 0..i {
                        of_pair(products, (m, [i, j]), self.order, &mut self.solver.factor);
                        if !self.solver.solve(n) {
                            return None;
                        }
                        let (lower, model) = (&self.solver.factor, (self.solver.view(), n));
                        let mut pair = [0.0; 4];
                        self.explained.values_into(lower, (d, d + 2), model, &mut pair);
                        (self.values[i * m + j], self.values[j * m + i]) = (pair[1], pair[2]);
                    }
                }
            }
        }
        Some(&self.values)
    }

    /// The model behind the last window's values, of all channels for
    /// [`Scope::Conditional`], for [`SpectralGranger`](super::SpectralGranger) and the
    /// like; `None` for [`Scope::Pairwise`], which has one per pair.
    pub fn model(&self) -> Option<MvarView<'_>> {
        (self.scope == Scope::Conditional).then(|| self.solver.view())
    }
}

/// The products of two channels' columns, lower triangle, among those of all.
fn of_pair(products: &[f64], (m, channels): (usize, [usize; 2]), order: usize, out: &mut [f64]) {
    let (n_cols, n_pair) = (m * (order + 1) + 1, 2 * (order + 1) + 1);
    let column = |col: usize| match col.checked_sub(1) {
        None => 0,
        Some(col) => 1 + col / 2 * m + channels[col % 2],
    };
    for i in 0..n_pair {
        for j in 0..=i {
            let (a, b) = (column(i), column(j));
            out[i * n_pair + j] = products[a.max(b) * n_cols + a.min(b)];
        }
    }
}
