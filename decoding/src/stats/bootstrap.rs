//! Bootstrap intervals: 2,000 resamples, percentile, `ChaCha8` with seed 0, so that
//! the same scores give the same interval everywhere.

use crate::metric::nmcc::nmcc_of_counts;
use crate::stats::{Interval, mean};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Number of resamples behind an interval.
pub const N_RESAMPLES: usize = 2000;
/// Seed of the generator.
pub const SEED: u64 = 0;
/// Fewest blocks that fit beside each other for [`CountRows::nmcc_interval`] to be
/// given: resampling fewer understates the spread grossly.
pub const MIN_BLOCKS: usize = 5;

/// 95 % interval of the mean by resampling `values` (one per subject) with
/// replacement. `None` for fewer than two values.
///
/// # Reference
/// B. Efron, R. J. Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
pub fn mean_interval(values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut drawn = vec![0.0; values.len()];
    let mut means = Vec::with_capacity(N_RESAMPLES);
    for _ in 0..N_RESAMPLES {
        drawn.fill_with(|| values[rng.random_range(0..values.len())]);
        means.extend(mean(&drawn));
    }
    Interval::of_resamples(&mut means)
}

/// Confusion counts in time order, one row of `n_classes^2` counts per window (or per
/// few windows), in runs: what a moving-block bootstrap resamples.
#[derive(Clone, Debug)]
pub struct CountRows {
    n_classes: usize,
    cells: Vec<u32>,
    /// Row at which each run ends.
    run_ends: Vec<usize>,
}

impl CountRows {
    /// No rows yet.
    pub fn new(n_classes: usize) -> Self {
        Self { n_classes, cells: Vec::new(), run_ends: Vec::new() }
    }

    /// Appends an empty row and returns it, to be counted into.
    pub fn push_row(&mut self) -> &mut [u32] {
        let start = self.cells.len();
        self.cells.resize(start + self.n_cells(), 0);
        &mut self.cells[start..]
    }

    /// The latest row, if there is one.
    pub fn last_row(&mut self) -> Option<&mut [u32]> {
        let start = self.cells.len().checked_sub(self.n_cells())?;
        Some(&mut self.cells[start..])
    }

    /// Ends the current run: no block reaches over this place.
    pub fn end_run(&mut self) {
        let n = self.n_rows();
        if self.run_ends.last().copied().unwrap_or(0) < n {
            self.run_ends.push(n);
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.cells.len() / self.n_cells()
    }

    /// Adds neighbours of a run to each other, so that half as many rows remain (a
    /// run's odd last row stays by itself).
    pub fn fold_pairs(&mut self) {
        let mut folded = Self::new(self.n_classes);
        for (start, end) in self.runs() {
            let n_cells = self.n_cells();
            for pair in self.cells[start * n_cells..end * n_cells].chunks(2 * n_cells) {
                let row = folded.push_row();
                for one in pair.chunks(n_cells) {
                    add(row, one);
                }
            }
            folded.end_run();
        }
        // A run that had not ended has not ended now.
        if self.run_ends.last() != Some(&self.n_rows()) {
            folded.run_ends.pop();
        }
        *self = folded;
    }

    /// 95 % interval of the nMCC by a moving-block bootstrap: resamples are made of
    /// `round(n_rows / block_rows)` whole blocks of `block_rows` neighbouring rows,
    /// drawn with replacement from all places where a block lies within one run (a run
    /// shorter than a block is one block). Neighbouring windows overlap, so that single
    /// windows would give far too narrow an interval.
    ///
    /// The interval is somewhat too narrow, as percentile intervals of short series are:
    /// of 1,000 simulated sessions of three minutes whose decisions know nothing (task
    /// and idle of 4 s, windows of 2 s), 92 % held 0.5 with idle and 90 % without.
    ///
    /// `None` below [`MIN_BLOCKS`] blocks. Allocates one row per place; time grows with
    /// `2000 * n_rows / block_rows * n_classes^2` additions.
    ///
    /// # Reference
    /// H. R. Künsch (1989), doi:10.1214/aos/1176347265.
    pub fn nmcc_interval(&self, block_rows: usize) -> Option<Interval> {
        self.interval_of(block_rows, |counts| nmcc_of_counts(self.n_classes, counts))
    }

    /// The same for any `statistic` of the pooled counts, `(n_classes, n_classes)` row
    /// after row. Every statistic sees the same resamples.
    pub fn interval_of(
        &self,
        block_rows: usize,
        statistic: impl Fn(&[u64]) -> f64,
    ) -> Option<Interval> {
        let block_rows = block_rows.max(1);
        let n_blocks = (self.n_rows() + block_rows / 2) / block_rows;
        if n_blocks < MIN_BLOCKS {
            return None;
        }
        let (n_cells, blocks) = (self.n_cells(), self.block_sums(block_rows));
        let n_places = blocks.len() / n_cells;
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut sums = vec![0_u64; n_cells];
        let mut resamples = Vec::with_capacity(N_RESAMPLES);
        for _ in 0..N_RESAMPLES {
            sums.fill(0);
            for _ in 0..n_blocks {
                let place = rng.random_range(0..n_places) * n_cells;
                for (sum, count) in sums.iter_mut().zip(&blocks[place..place + n_cells]) {
                    *sum += u64::from(*count);
                }
            }
            resamples.push(statistic(&sums));
        }
        Interval::of_resamples(&mut resamples)
    }

    /// Sums of the rows of every block: a row per place, moved on by one row each.
    fn block_sums(&self, block_rows: usize) -> Vec<u32> {
        let n_cells = self.n_cells();
        let mut blocks = Vec::with_capacity(self.cells.len());
        let mut sum = vec![0; n_cells];
        for (start, end) in self.runs() {
            sum.fill(0);
            let first_full = (start + block_rows).min(end);
            for row in start..end {
                add(&mut sum, &self.cells[row * n_cells..][..n_cells]);
                if row >= start + block_rows {
                    let left = (row - block_rows) * n_cells;
                    for (s, c) in sum.iter_mut().zip(&self.cells[left..][..n_cells]) {
                        *s -= c;
                    }
                }
                if row + 1 >= first_full {
                    blocks.extend_from_slice(&sum);
                }
            }
        }
        blocks
    }

    /// First and past-the-last row of each run, the open one included.
    fn runs(&self) -> Vec<(usize, usize)> {
        let mut ends = self.run_ends.clone();
        if ends.last().copied().unwrap_or(0) < self.n_rows() {
            ends.push(self.n_rows());
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends.iter().copied()).collect()
    }

    fn n_cells(&self) -> usize {
        // At least one, so that a configuration without classes divides nothing by zero.
        (self.n_classes * self.n_classes).max(1)
    }
}

fn add(sum: &mut [u32], counts: &[u32]) {
    for (s, c) in sum.iter_mut().zip(counts) {
        *s += c;
    }
}
