//! The live path of ASR: frames in, corrected frames out, a little later.

use super::shaping::ORDER;
use super::{Asr, AsrError, CleanerParams, Shaping, samples_of};
use crate::riemann::spd::EigenScratch;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{
    LltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use std::f64::consts::PI;
use std::fmt;

/// Smallest eigenvalue of the calibration's covariance, as a share of the largest, that
/// is told from zero.
const SMALLEST_SHARE: f64 = 1e-12;

/// Cleans a stream frame by frame.
///
/// Every `step` frames, the covariance `C = 1/N Σ x xᵀ` of the last window of shaped
/// frames (zeros before the first) is decomposed. Component `v` with power `λ` is kept where
/// `λ < ‖T v‖²`, or where keeping fewer would replace more than `max_removed_fraction`
/// of the dimensions. With `V_r` the others, the correction is
/// `R = I - V_r (V_rᵀ U⁻¹ V_r)⁻¹ V_rᵀ U⁻¹`, the same as asrpy's
/// `M (V_keptᵀ M)⁺ Vᵀ` with `M² = U`; from one correction to the next the output blends over
/// along half a cosine.
///
/// The correction at a frame is that of the window which ends `lookahead` frames later:
/// frame `k` comes out at the latest when frame `k + delay_samples()` has come in, in
/// pieces of one step. Output frames are exactly the input frames, in order, none left out;
/// any chunking of the input gives the same bits.
///
/// Memory: about 12 matrices of `n_channels²`, the shaped window and one step of frames. The
/// eigen-decomposition of every step costs `O(n_channels³)`: at 306 channels choose a step
/// of a third of a second.
///
/// As asrpy's `asr_process` with `mem_splits=1`, filter and window starting from rest. It
/// leaves the last step as it is, and starts the filter in the state after the
/// whole recording, which a stream does not know.
#[derive(Clone)]
pub struct AsrCleaner {
    window_samples: usize,
    lookahead_samples: usize,
    step_samples: usize,
    /// Components from this one on may be replaced.
    first_removable: usize,
    shaping: Shaping,
    thresholds: Mat<f64>,
    inverse: Mat<f64>,
    state: State,
    scratch: Scratch,
}

/// What the past leaves behind.
#[derive(Clone)]
struct State {
    filter: Vec<f64>,
    /// Shaped frames of the last window, as a ring of columns.
    window: Mat<f64>,
    /// Frames that came in, and those at the last correction.
    n_seen: usize,
    n_corrected: usize,
    /// Raw frames that have not come out, one after the other.
    waiting: Vec<f64>,
    correction: Mat<f64>,
    is_correcting: bool,
}

/// Space to compute in, and what comes out.
struct Scratch {
    frame: Vec<f64>,
    shaped: Vec<f64>,
    covariance: Mat<f64>,
    projected: Mat<f64>,
    removed: Mat<f64>,
    weighted: Mat<f64>,
    small: Mat<f64>,
    next: Mat<f64>,
    before: Mat<f64>,
    after: Mat<f64>,
    out: Vec<f64>,
    eigen: EigenScratch,
    memory: MemBuffer,
}

impl fmt::Debug for AsrCleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsrCleaner")
            .field("n_channels", &self.n_channels())
            .field("delay_samples", &self.delay_samples())
            .finish_non_exhaustive()
    }
}

impl AsrCleaner {
    pub(super) fn new(asr: &Asr, params: CleanerParams) -> Result<Self, AsrError> {
        let window_samples = samples_of(asr.window_secs, asr.rate);
        asr.check()?;
        params.check(asr.window_secs)?;
        let CleanerParams { lookahead_secs, step_samples, max_removed_fraction } = params;
        if step_samples > window_samples {
            let (name, value) = ("a step", step_samples as f64);
            return Err(AsrError::BadParam { name, value, range: "1 sample to one window" });
        }
        let lookahead_samples = samples_of(lookahead_secs, asr.rate);
        let covariance = asr.covariance.to_faer();
        let n = covariance.nrows();
        let mut eigen = EigenScratch::new(n);
        let largest = eigen.values(covariance.as_ref())?.last().copied().unwrap_or(0.0);
        if largest.is_nan() || largest <= 0.0 {
            return Err(AsrError::Flat);
        }
        let mut inverse = Mat::zeros(n, n);
        let reciprocal = |x: f64| x.max(SMALLEST_SHARE * largest).recip();
        eigen.apply_into(covariance.as_ref(), reciprocal, inverse.as_mut())?;
        let max_removed = (n as f64 * max_removed_fraction).round_ties_even() as usize;
        Ok(Self {
            window_samples,
            lookahead_samples,
            step_samples,
            // The components are counted from 1, and the first that is below the limit stays.
            first_removable: (n - max_removed.min(n)).saturating_sub(1),
            shaping: asr.shaping.clone(),
            thresholds: asr.thresholds.to_faer(),
            inverse,
            state: State::new(n, window_samples, lookahead_samples + step_samples),
            scratch: Scratch::new(n, step_samples),
        })
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.thresholds.nrows()
    }

    /// How many frames must come in after a frame, at most, before it comes out: the
    /// lookahead and one step, less one.
    pub fn delay_samples(&self) -> usize {
        self.lookahead_samples + self.step_samples - 1
    }

    /// Forgets every frame, those included that have not come out.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        let state = &mut self.state;
        state.filter.fill(0.0);
        state.window.fill(0.0);
        state.waiting.clear();
        (state.n_seen, state.n_corrected, state.is_correcting) = (0, 0, false);
        set_identity(state.correction.as_mut());
    }

    /// Takes the next frame, in the unit of the calibration, and gives the frames that are
    /// ready, one after the other: mostly none, then a step of them.
    ///
    /// A frame that is not finite counts as zero in the window and comes out as it is.
    ///
    /// Thread: decoding thread. Allocation: none after the first correction.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn push_frame(&mut self, frame: &[f64]) -> &[f64] {
        assert_eq!(frame.len(), self.n_channels(), "frame of another stream");
        self.state.waiting.extend_from_slice(frame);
        let is_finite = frame.iter().all(|x| x.is_finite());
        let usable = |x: &f64| if is_finite { *x } else { 0.0 };
        self.scratch.frame.iter_mut().zip(frame).for_each(|(y, x)| *y = usable(x));
        let (state, scratch) = (&mut self.state, &mut self.scratch);
        self.shaping.process_frame(&mut state.filter, &scratch.frame, &mut scratch.shaped);
        let column = state.window.col_mut(state.n_seen % self.window_samples);
        column.iter_mut().zip(&scratch.shaped).for_each(|(y, x)| *y = *x);
        state.n_seen += 1;
        scratch.out.clear();
        // The first frame has a correction of its own, as in asrpy.
        if state.n_seen == 1 || state.n_seen.is_multiple_of(self.step_samples) {
            self.correct();
        }
        &self.scratch.out
    }

    /// Cleans a whole recording `(n_channels, n_samples)` in place, from the start, with
    /// zeros after its end, and forgets it.
    ///
    /// Thread: any. Allocation: as [`AsrCleaner::push_frame`], and one frame.
    ///
    /// # Panics
    /// If `samples` has not `n_channels` rows.
    pub fn clean(&mut self, mut samples: MatMut<'_, f64>) {
        let (n, n_samples) = samples.shape();
        self.restart();
        let mut frame = vec![0.0; n];
        let mut n_out = 0;
        for t in 0..n_samples + self.delay_samples() {
            if t < n_samples {
                frame.iter_mut().zip(samples.as_ref().col(t).iter()).for_each(|(y, x)| *y = *x);
            } else {
                frame.fill(0.0);
            }
            for ready in self.push_frame(&frame).chunks_exact(n) {
                if n_out < n_samples {
                    samples
                        .as_mut()
                        .col_mut(n_out)
                        .iter_mut()
                        .zip(ready)
                        .for_each(|(y, x)| *y = *x);
                }
                n_out += 1;
            }
        }
        self.restart();
    }

    /// Finds the correction of the last window, and lets out the frames that waited for it.
    fn correct(&mut self) {
        let is_correcting = self.find_correction();
        let n = self.n_channels();
        let (state, scratch) = (&mut self.state, &mut self.scratch);
        let first = state.n_corrected.saturating_sub(self.lookahead_samples);
        let end = state.n_seen.saturating_sub(self.lookahead_samples);
        let n_ready = end - first;
        let ready = &state.waiting[..n_ready * n];
        scratch.out.extend_from_slice(ready);
        if is_correcting || state.is_correcting {
            let ready = MatRef::from_column_major_slice(ready, n, n_ready);
            let mut before = scratch.before.as_mut().subcols_mut(0, n_ready);
            let mut after = scratch.after.as_mut().subcols_mut(0, n_ready);
            matmul(before.as_mut(), Accum::Replace, &state.correction, ready, 1.0, Par::Seq);
            matmul(after.as_mut(), Accum::Replace, &scratch.next, ready, 1.0, Par::Seq);
            let (before, after) = (before.as_ref(), after.as_ref());
            let length = (state.n_seen - state.n_corrected) as f64;
            let offset = first + self.lookahead_samples - state.n_corrected;
            for (k, frame) in scratch.out.chunks_exact_mut(n).enumerate() {
                if frame.iter().any(|x| !x.is_finite()) {
                    continue;
                }
                let share = 0.5 * (1.0 - (PI * (offset + k + 1) as f64 / length).cos());
                let blended = before.col(k).iter().zip(after.col(k).iter());
                for (y, (b, a)) in frame.iter_mut().zip(blended) {
                    *y = share * a + (1.0 - share) * b;
                }
            }
        }
        state.waiting.drain(..n_ready * n);
        std::mem::swap(&mut state.correction, &mut scratch.next);
        state.is_correcting = is_correcting;
        state.n_corrected = state.n_seen;
    }

    /// Writes the correction into `scratch.next`; whether it is more than the identity.
    fn find_correction(&mut self) -> bool {
        let scratch = &mut self.scratch;
        set_identity(scratch.next.as_mut());
        triangular::matmul(
            scratch.covariance.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            self.state.window.as_ref(),
            BlockStructure::Rectangular,
            self.state.window.transpose(),
            BlockStructure::Rectangular,
            (self.window_samples as f64).recip(),
            Par::Seq,
        );
        // Nothing is corrected where the window overflows: its frames are no signal.
        let Ok((values, vectors)) = scratch.eigen.decompose(scratch.covariance.as_ref()) else {
            return false;
        };
        matmul(
            scratch.projected.as_mut(),
            Accum::Replace,
            &self.thresholds,
            vectors,
            1.0,
            Par::Seq,
        );
        let mut n_removed = 0;
        for (j, value) in values.iter().enumerate().skip(self.first_removable) {
            let limit: f64 = scratch.projected.col(j).iter().map(|x| x * x).sum();
            if *value >= limit {
                scratch.removed.col_mut(n_removed).copy_from(vectors.col(j));
                n_removed += 1;
            }
        }
        n_removed > 0 && scratch.leave_out(n_removed, self.inverse.as_ref())
    }
}

impl State {
    fn new(n: usize, window_samples: usize, n_waiting: usize) -> Self {
        Self {
            filter: vec![0.0; ORDER * n],
            window: Mat::zeros(n, window_samples),
            n_seen: 0,
            n_corrected: 0,
            waiting: Vec::with_capacity(n * n_waiting),
            correction: Mat::identity(n, n),
            is_correcting: false,
        }
    }
}

impl Scratch {
    fn new(n: usize, step: usize) -> Self {
        let square = || Mat::zeros(n, n);
        let need = cholesky_in_place_scratch::<f64>(n, Par::Seq, faer::Spec::default());
        Self {
            frame: vec![0.0; n],
            shaped: vec![0.0; n],
            covariance: square(),
            projected: square(),
            removed: square(),
            weighted: square(),
            small: square(),
            next: Mat::identity(n, n),
            before: Mat::zeros(n, step),
            after: Mat::zeros(n, step),
            out: Vec::with_capacity(n * step),
            eigen: EigenScratch::new(n),
            memory: MemBuffer::new(need),
        }
    }

    /// `I - A (Aᵀ U⁻¹ A)⁻¹ Aᵀ U⁻¹` for the first columns `A` of `removed`, into `next`.
    fn leave_out(&mut self, n_removed: usize, inverse: MatRef<'_, f64>) -> bool {
        let (removed, weighted) = (
            self.removed.as_mut().subcols_mut(0, n_removed),
            self.weighted.as_mut().subcols_mut(0, n_removed),
        );
        let (mut removed, mut weighted) = (removed, weighted);
        matmul(weighted.as_mut(), Accum::Replace, inverse, removed.as_ref(), 1.0, Par::Seq);
        let mut small = self.small.as_mut().submatrix_mut(0, 0, n_removed, n_removed);
        let (left, right) = (removed.as_ref().transpose(), weighted.as_ref());
        matmul(small.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
        let factored = cholesky_in_place(
            small.as_mut(),
            LltRegularization::default(),
            Par::Seq,
            MemStack::new(&mut self.memory),
            faer::Spec::default(),
        );
        if factored.is_err() {
            return false;
        }
        let factor = small.as_ref();
        solve_lower_triangular_in_place(factor, removed.as_mut().transpose_mut(), Par::Seq);
        solve_lower_triangular_in_place(factor, weighted.as_mut().transpose_mut(), Par::Seq);
        let (left, right) = (removed.as_ref(), weighted.as_ref().transpose());
        matmul(self.next.as_mut(), Accum::Add, left, right, -1.0, Par::Seq);
        true
    }
}

impl Clone for Scratch {
    /// Space of the same size: nothing in it outlives a call but what comes out.
    fn clone(&self) -> Self {
        let mut scratch = Self::new(self.covariance.nrows(), self.before.ncols());
        scratch.out.extend_from_slice(&self.out);
        scratch
    }
}

fn set_identity(mut a: MatMut<'_, f64>) {
    a.fill(0.0);
    a.diagonal_mut().fill(1.0);
}
