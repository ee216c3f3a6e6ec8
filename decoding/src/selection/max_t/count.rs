//! Counting over permutations: some points at a time through all of them, so that the maps'
//! values of these points stay in the cache and their sums in the vector registers.
//!
//! Lanes are points, and each sums its maps in the order given: results depend neither on
//! the machine's vectors, nor on how many threads there are.
#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use super::tied;
use fearless_simd::{Level, dispatch};
use rayon::prelude::*;

/// Points side by side.
const WIDTH: usize = 32;

/// Permutations that are counted at a time: as many lists of terms are kept.
const BATCH: usize = 256;

type Row = [f64; WIDTH];

/// What is summed for one permutation: maps, each with its sign.
pub(super) type Terms = Vec<(usize, f64)>;

/// Student's statistic from a permutation's sums.
#[derive(Clone, Copy, Debug)]
pub(super) enum Statistic {
    /// Of the mean of `n` maps, all of which are summed.
    OneSample { n: f64 },
    /// Of the difference of means: those summed, `n_2`, less the others, `n_1`.
    TwoSamples { n_1: f64, n_2: f64 },
}

/// Maps, and what of them no permutation changes.
pub(super) struct Sums<'a> {
    pub(super) maps: &'a [Vec<f64>],
    pub(super) statistic: Statistic,
    /// `Σ v` of each point.
    pub(super) totals: Vec<f64>,
    /// `Σ v²` of each point.
    pub(super) squares: Vec<f64>,
}

/// What was counted.
pub(super) struct Counts {
    /// Of permutation 0, which is what was observed.
    pub(super) observed: Vec<f64>,
    /// Permutations whose statistic of the same point is as far from 0.
    pub(super) n_as_far: Vec<f64>,
    /// The largest magnitude of each permutation.
    pub(super) largest: Vec<f64>,
}

/// Some points of every map.
struct Block {
    rows: Vec<Row>,
    totals: Row,
    squares: Row,
    observed: Row,
    n_as_far: Row,
}

impl Sums<'_> {
    /// Counts over `n_permutations`, whose terms `draw` gives in turn.
    ///
    /// Thread: the caller's rayon pool, points side by side. Allocation: the maps once
    /// more, and the terms of some permutations.
    pub(super) fn count(&self, n_permutations: usize, draw: impl FnMut(usize) -> Terms) -> Counts {
        let n_points = self.totals.len();
        let mut blocks: Vec<Block> =
            (0..n_points).step_by(WIDTH).map(|first| self.block(first)).collect();
        let mut largest = Vec::with_capacity(n_permutations);
        let mut terms = (0..n_permutations).map(draw);
        while largest.len() < n_permutations {
            let batch: Vec<Terms> = terms.by_ref().take(BATCH).collect();
            let is_first = largest.is_empty();
            let none = || vec![0.0; batch.len()];
            let count = |mut largest: Vec<f64>, block: &mut Block| {
                dispatch!(Level::new(), _simd => {
                    block.count(self.statistic, &batch, is_first, &mut largest);
                });
                largest
            };
            // The largest is the same in any order.
            let found = blocks.par_iter_mut().fold(none, count).reduce(none, |mut a, b| {
                a.iter_mut().zip(&b).for_each(|(a, b)| *a = a.max(*b));
                a
            });
            largest.extend(found);
        }
        let all = |of: fn(&Block) -> &Row| {
            let mut values: Vec<f64> = blocks.iter().flat_map(of).copied().collect();
            values.truncate(n_points);
            values
        };
        Counts { observed: all(|b| &b.observed), n_as_far: all(|b| &b.n_as_far), largest }
    }

    /// The points from `first` on; what is missing of a last block is zero.
    fn block(&self, first: usize) -> Block {
        let row = |values: &Vec<f64>| {
            let mut row = [0.0; WIDTH];
            row.iter_mut().zip(&values[first..]).for_each(|(x, value)| *x = *value);
            row
        };
        Block {
            rows: self.maps.iter().map(row).collect(),
            totals: row(&self.totals),
            squares: row(&self.squares),
            observed: [0.0; WIDTH],
            n_as_far: [1.0; WIDTH],
        }
    }
}

impl Block {
    /// Counts a batch; the first one's first permutation is what was observed.
    #[inline(always)]
    fn count(
        &mut self,
        statistic: Statistic,
        batch: &[Terms],
        is_first: bool,
        largest: &mut [f64],
    ) {
        for (k, (terms, largest)) in batch.iter().zip(largest).enumerate() {
            let mut sums = [0.0; WIDTH];
            for (map, sign) in terms {
                let row = &self.rows[*map];
                for i in 0..WIDTH {
                    sums[i] += sign * row[i];
                }
            }
            let values = self.statistics(statistic, &sums);
            if is_first && k == 0 {
                self.observed = values;
            } else {
                let pairs = values.iter().zip(&self.observed).zip(&mut self.n_as_far);
                for ((value, observed), n) in pairs {
                    *n += if value.abs() >= tied(observed.abs()) { 1.0 } else { 0.0 };
                }
            }
            *largest = values.iter().fold(*largest, |m, t| m.max(t.abs()));
        }
    }

    #[inline(always)]
    fn statistics(&self, statistic: Statistic, sums: &Row) -> Row {
        let mut out = [0.0; WIDTH];
        for i in 0..WIDTH {
            let (sum, total, squares) = (sums[i], self.totals[i], self.squares[i]);
            out[i] = match statistic {
                Statistic::OneSample { n } => {
                    let spread = (squares - sum * sum / n) / (n - 1.0);
                    student(sum / n, spread / n, squares / (n * n))
                }
                Statistic::TwoSamples { n_1, n_2 } => {
                    let (of_first, of_second) = ((total - sum) / n_1, sum / n_2);
                    let within =
                        squares - n_1 * (of_first * of_first) - n_2 * (of_second * of_second);
                    let scale = n_1.recip() + n_2.recip();
                    let spread = within / (n_1 + n_2 - 2.0) * scale;
                    let size = squares / (n_1 + n_2 - 2.0) * scale;
                    student(of_second - of_first, spread, size)
                }
            };
        }
        out
    }
}

/// `difference / sqrt(variance)`; 0 where the variance is the rounding of `size`.
#[inline(always)]
fn student(difference: f64, variance: f64, size: f64) -> f64 {
    if variance > 1e-14 * size { difference / variance.sqrt() } else { 0.0 }
}
