//! The covariance of a sliding window, from sums over blocks.
//!
//! The frames are cut into blocks of one step, counted from the first frame pushed; each
//! block keeps its sums and its Gram matrix, and every hop adds the blocks of its window
//! anew, oldest first. So nothing drifts, and a window's covariance depends on nothing
//! but its own frames: any start at a multiple of the step gives the same bits.

#![expect(clippy::inline_always, reason = "the vector instructions are those of the caller")]

use super::{Estimator, estimator::shrink_by, ledoit_wolf_shrink, oas_shrink};
use faer::{MatMut, MatRef};
use fearless_simd::{Level, dispatch};
use std::ops::Range;
use std::slice::ChunksExact;

/// Covariance of the last `window_samples` frames, every `step_samples` frames.
///
/// `C = G/W - m mᵀ` with `G = Σ x xᵀ`, `m = Σ x / W`: mean removed per channel, divided
/// by `W`, as [`super::scm`]. It loses digits as `(mean / standard deviation)²` grows,
/// so it is for filtered frames. A window is whole blocks and a tail of `1..=S` frames,
/// the beginning of its newest block (`S` frames where the step divides the window).
///
/// Memory: `W/S` blocks of `n (n + 3) / 2` values, `n` the number of channels; `n + 1`
/// more each for [`Estimator::LedoitWolf`].
#[derive(Clone, Debug)]
pub struct SlidingCovariance {
    n_channels: usize,
    estimator: Estimator,
    window_samples: usize,
    step_samples: usize,
    tail_samples: usize,
    /// Whole blocks of a window before its tail, as a ring; each packed.
    blocks: Vec<f64>,
    n_whole: usize,
    /// The block that is being filled: its tail alone at a window's end.
    filling: Vec<f64>,
    /// Frames of `filling` that are not added yet, one after the other.
    pending: Vec<f64>,
    n_in_block: usize,
    /// Blocks filled since the start.
    n_filled: usize,
    total: Vec<f64>,
}

impl SlidingCovariance {
    /// Windows of `window_samples` every `step_samples` over frames of `n_channels`.
    ///
    /// # Panics
    /// If the step is 0 or longer than the window.
    pub fn new(n_channels: usize, window_samples: usize, step_samples: usize) -> Self {
        Self::of(Estimator::Scm, n_channels, window_samples, step_samples)
    }

    /// As [`SlidingCovariance::new`], with the sums that `estimator` needs for
    /// [`SlidingCovariance::estimate_into`].
    ///
    /// # Panics
    /// As [`SlidingCovariance::new`], or if `estimator` does not slide
    /// ([`Estimator::slides`]).
    pub fn of(
        estimator: Estimator,
        n_channels: usize,
        window_samples: usize,
        step_samples: usize,
    ) -> Self {
        assert!(estimator.slides(), "an estimator that sums over a window's frames");
        let possible = (1..=window_samples).contains(&step_samples);
        assert!(possible, "a step is at least one sample and at most one window");
        let n_whole = (window_samples - 1) / step_samples;
        let fourth = if estimator == Estimator::LedoitWolf { n_channels + 1 } else { 0 };
        let packed = vec![0.0; packed_len(n_channels) + fourth];
        Self {
            n_channels,
            estimator,
            window_samples,
            step_samples,
            tail_samples: window_samples - n_whole * step_samples,
            blocks: packed.repeat(n_whole),
            n_whole,
            filling: packed.clone(),
            pending: Vec::with_capacity(n_channels * step_samples),
            n_in_block: 0,
            n_filled: 0,
            total: packed,
        }
    }

    /// Forgets every frame. The next frame pushed is the first of a block and of a
    /// window: its index must be a multiple of the step for the blocks to stay where an
    /// uninterrupted run has them.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.pending.clear();
        self.filling.fill(0.0);
        self.n_in_block = 0;
        self.n_filled = 0;
    }

    /// Takes the next frame, one value per channel.
    ///
    /// Thread: decoding thread. Allocation: none. Frames are added up once or twice per
    /// block; the others are copied.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn push_frame(&mut self, frame: &[f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        if self.n_in_block == self.step_samples {
            self.keep_block();
        }
        self.pending.extend_from_slice(frame);
        self.n_in_block += 1;
        if self.n_in_block == self.tail_samples || self.n_in_block == self.step_samples {
            add_frames(&mut self.filling, &self.pending, self.n_channels);
            self.pending.clear();
        }
    }

    /// Whether the frame just pushed is the last of a window.
    pub fn is_window_end(&self) -> bool {
        self.n_in_block == self.tail_samples && self.n_filled >= self.n_whole
    }

    /// Writes the covariance of the window that ends at the frame just pushed into both
    /// triangles of `out` `(n_channels, n_channels)`.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If no window ends here ([`SlidingCovariance::is_window_end`]), or `out` is of
    /// another size.
    pub fn covariance_into(&mut self, mut out: MatMut<'_, f64>) {
        assert!(self.is_window_end(), "no window ends at this frame");
        assert_eq!(out.shape(), (self.n_channels, self.n_channels), "matrix of another size");
        self.add_up_window();
        let per_frame = 1.0 / self.window_samples as f64;
        let (means, mut gram) = self.total.split_at_mut(self.n_channels);
        for mean in means.iter_mut() {
            *mean *= per_frame;
        }
        for j in 0..self.n_channels {
            let (column, rest) = gram.split_at_mut(self.n_channels - j);
            let mean = means[j];
            for ((c, g), m) in
                out.as_mut().col_mut(j).iter_mut().skip(j).zip(column).zip(&means[j..])
            {
                *c = *g * per_frame - mean * m;
            }
            gram = rest;
        }
        super::mirror_lower(out);
    }

    /// Writes the window's covariance by the estimator planned for, as
    /// [`SlidingCovariance::covariance_into`]; returns its shrinkage.
    ///
    /// Ledoit and Wolf's `Σ_t ‖x_t - m‖⁴` comes from `Σ ‖x‖⁴`, `Σ ‖x‖² x` and the sums
    /// above.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// As [`SlidingCovariance::covariance_into`].
    pub fn estimate_into(&mut self, mut out: MatMut<'_, f64>) -> f64 {
        let n_samples = self.window_samples;
        self.covariance_into(out.as_mut());
        match self.estimator {
            Estimator::Oas => oas_shrink(out, n_samples),
            Estimator::LedoitWolf => {
                let quartic = self.quartic(out.as_ref());
                ledoit_wolf_shrink(out, quartic, n_samples)
            }
            Estimator::Shrunk { shrinkage } => {
                shrink_by(out, shrinkage);
                shrinkage
            }
            Estimator::Scm | Estimator::SchaeferStrimmer => 0.0,
        }
    }

    /// `Σ_t ‖x_t - m‖⁴` of the window whose covariance is `cov`, with means in `total`.
    fn quartic(&self, cov: MatRef<'_, f64>) -> f64 {
        let n = self.window_samples as f64;
        let means = &self.total[..self.n_channels];
        let (cubes, quartic) = self.total[packed_len(self.n_channels)..].split_at(self.n_channels);
        let mean_square: f64 = means.iter().map(|m| m * m).sum();
        let trace: f64 = (0..self.n_channels).map(|i| cov[(i, i)]).sum();
        let spread: f64 = (0..self.n_channels)
            .map(|j| means[j] * cov.col(j).iter().zip(means).map(|(c, m)| c * m).sum::<f64>())
            .sum();
        let skew: f64 = means.iter().zip(cubes).map(|(m, c)| m * c).sum();
        // With G = n (C + m mᵀ): Σ‖x‖⁴ - 4 mᵀΣ‖x‖²x + 4 mᵀG m + 2‖m‖² tr G - 3 n ‖m‖⁴.
        quartic[0] - 4.0 * skew
            + n * (4.0 * spread + 2.0 * mean_square * trace + 3.0 * mean_square * mean_square)
    }

    /// Moves the block that is full into the ring.
    fn keep_block(&mut self) {
        if self.n_whole > 0 {
            let at = self.n_filled % self.n_whole * self.filling.len();
            self.blocks[at..][..self.filling.len()].copy_from_slice(&self.filling);
        }
        self.filling.fill(0.0);
        self.n_in_block = 0;
        self.n_filled += 1;
    }

    /// Whole blocks from the oldest to the newest, then the tail.
    fn add_up_window(&mut self) {
        self.total.fill(0.0);
        let oldest = self.n_filled % self.n_whole.max(1) * self.filling.len();
        let (newer, older) = self.blocks.split_at(oldest);
        let whole = older.chunks_exact(self.filling.len().max(1));
        for block in whole.chain(newer.chunks_exact(self.filling.len().max(1))) {
            add(&mut self.total, block);
        }
        add(&mut self.total, &self.filling);
    }
}

/// Values of a packed block: the sum per channel, then the columns of the Gram matrix's
/// lower triangle, one after the other.
fn packed_len(n_channels: usize) -> usize {
    n_channels + n_channels * (n_channels + 1) / 2
}

fn add(total: &mut [f64], block: &[f64]) {
    for (t, b) in total.iter_mut().zip(block) {
        *t += b;
    }
}

/// Adds frames to a packed block, four at a time so that each sum is loaded and stored
/// once per four products.
fn add_frames(packed: &mut [f64], frames: &[f64], n_channels: usize) {
    if n_channels == 0 {
        return;
    }
    let (packed, fourth) = packed.split_at_mut(packed_len(n_channels));
    let (sums, gram) = packed.split_at_mut(n_channels);
    add_fourth(fourth, frames, n_channels);
    for frame in frames.chunks_exact(n_channels) {
        add(sums, frame);
    }
    let quads = frames.chunks_exact(4 * n_channels);
    let rest = quads.remainder();
    dispatch!(Level::new(), _simd => add_quads(gram, &quads, n_channels));
    for frame in rest.chunks_exact(n_channels) {
        add_one(gram, frame);
    }
}

/// Columns and rows of a tile of the Gram matrix that stays in the fastest cache while all
/// frames are added to it.
const TILE: [usize; 2] = [16, 192];

/// Adds frames in fours: to each element in their order, tile after tile.
#[inline(always)]
fn add_quads(gram: &mut [f64], quads: &ChunksExact<'_, f64>, n: usize) {
    for first_column in (0..n).step_by(TILE[0]) {
        let columns = first_column..(first_column + TILE[0]).min(n);
        for first_row in (first_column..n).step_by(TILE[1]) {
            let rows = first_row..(first_row + TILE[1]).min(n);
            for quad in quads.clone() {
                add_four(gram, quad, n, columns.clone(), rows.clone());
            }
        }
    }
}

/// Adds `‖x‖² x`, and `‖x‖⁴` behind it, where they are asked for.
fn add_fourth(fourth: &mut [f64], frames: &[f64], n_channels: usize) {
    let Some((quartic, cubes)) = fourth.split_last_mut() else { return };
    for frame in frames.chunks_exact(n_channels) {
        let square: f64 = frame.iter().map(|x| x * x).sum();
        cubes.iter_mut().zip(frame).for_each(|(c, x)| *c += square * x);
        *quartic += square * square;
    }
}

/// Adds four frames to a tile.
#[inline(always)]
fn add_four(gram: &mut [f64], quad: &[f64], n: usize, columns: Range<usize>, rows: Range<usize>) {
    let (ab, cd) = quad.split_at(2 * n);
    let ((a, b), (c, d)) = (ab.split_at(n), cd.split_at(n));
    for j in columns {
        let rows = rows.start.max(j)..rows.end;
        if rows.is_empty() {
            continue;
        }
        // Column `j` begins with the diagonal, after `n + (n - 1) + ..` of `j` columns.
        let start = j * n - j * j.saturating_sub(1) / 2;
        let column = &mut gram[start + rows.start - j..start + rows.end - j];
        let (aj, bj, cj, dj) = (a[j], b[j], c[j], d[j]);
        let (a, b, c, d) = (&a[rows.clone()], &b[rows.clone()], &c[rows.clone()], &d[rows]);
        for ((((g, a), b), c), d) in column.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *g += (aj * a + bj * b) + (cj * c + dj * d);
        }
    }
}

fn add_one(mut gram: &mut [f64], frame: &[f64]) {
    for j in 0..frame.len() {
        let (column, rest) = gram.split_at_mut(frame.len() - j);
        let frame = &frame[j..];
        for (g, x) in column.iter_mut().zip(frame) {
            *g += frame[0] * x;
        }
        gram = rest;
    }
}
