//! Connectivity of a sliding window, from segments that are transformed once.

use super::epochs::{Transform, check_channels};
use super::fourier::{Fourier, freqs_hz, hann};
use super::lines::{Lines, WIDTH};
use super::reduce::{Recipe, Reduce, Worker, n_pairs_below};
use super::{ConnectivityError, ConnectivitySpec, Measure};
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use serde::{Deserialize, Serialize};

/// The segments of a window, which are its observations: segment `m` covers the samples
/// `m*D .. m*D + L` of the window; a rest too short for a segment is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segments {
    /// Length `L`.
    pub length_samples: usize,
    /// Step `D` from one to the next.
    pub step_samples: usize,
}

impl Segments {
    /// Segments of half a second, overlapping by about half: the step is the multiple of
    /// the window's that is nearest to half a segment, so that each hop of the window
    /// brings exactly one new segment.
    pub fn half_second(window: WindowSpec, rate: SampleRate) -> Self {
        let length_samples = (0.5 * rate.hz()).round_ties_even() as usize;
        let hops = (0.5 * length_samples as f64 / window.step_samples as f64).round_ties_even();
        Self { length_samples, step_samples: (hops as usize).max(1) * window.step_samples }
    }

    /// How many lie in a window of `n_samples`.
    pub fn count(self, n_samples: usize) -> Result<usize, ConnectivityError> {
        if self.length_samples < 2 || self.length_samples > n_samples {
            let segment_samples = self.length_samples;
            return Err(ConnectivityError::BadSegment { segment_samples, n_samples });
        }
        if self.step_samples == 0 {
            return Err(ConnectivityError::NoStep);
        }
        Ok((n_samples - self.length_samples) / self.step_samples + 1)
    }
}

/// Connectivity between all channels over the segments of each window.
///
/// Each segment's own mean is removed, a symmetric Hann window applied (as
/// mne-connectivity's mode `fourier` on the segments as epochs), and the sums over
/// segments are added anew for every window, oldest segment first: nothing drifts, and
/// the values depend on the window's samples alone, bit for bit, from whatever window
/// the run began.
///
/// Where the window's step divides the segments' step, a segment that two windows share
/// is transformed once: a hop costs one segment. Otherwise windows share no segment, and
/// each hop transforms all of its own.
///
/// Memory: `128 * n_blocks * n_frequencies * n_slots` bytes, `n_blocks = n_channels / 4`,
/// `n_slots` the segments that begin in a window at any of its steps; twice that where
/// phase locking is asked for.
#[derive(Clone)]
pub struct SlidingConnectivity {
    window: WindowSpec,
    segments: Segments,
    fourier: Fourier,
    recipe: Recipe,
    freqs_hz: Vec<f64>,
    ring: Lines,
    units: Option<Lines>,
    /// First sample of the segment that each slot holds.
    held: Vec<Option<u64>>,
    order: Vec<usize>,
    worker: Worker,
    values: Vec<f64>,
}

impl std::fmt::Debug for SlidingConnectivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlidingConnectivity")
            .field("window", &self.window)
            .field("segments", &self.segments)
            .field("recipe", &self.recipe)
            .finish_non_exhaustive()
    }
}

impl SlidingConnectivity {
    /// Plans windows of `n_channels`.
    pub fn new(
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        segments: Segments,
        spec: &ConnectivitySpec,
    ) -> Result<Self, ConnectivityError> {
        check_channels(n_channels)?;
        let n_segments = segments.count(window.window_samples)?;
        spec.check_observations(n_segments)?;
        let all_hz = freqs_hz(segments.length_samples, rate);
        let selection = spec.select(&all_hz)?;
        let (recipe, freqs_hz) = (selection.recipe(), selection.freqs_hz(&all_hz));
        let fourier = Fourier::new(vec![hann(segments.length_samples)], selection.bins);
        let n_slots = (n_segments - 1) * slots_per_segment(window, segments).unwrap_or(1) + 1;
        let ring = Lines::zeros(n_channels, recipe.n_cells(), n_slots, 1);
        let n_pairs = n_pairs_below(n_channels);
        Ok(Self {
            window,
            segments,
            fourier,
            freqs_hz,
            units: recipe.has_phasors().then(|| ring.clone()),
            ring,
            held: vec![None; n_slots],
            order: vec![0; n_segments],
            worker: Worker::new(n_channels, n_pairs, &recipe),
            values: vec![0.0; recipe.n_maps() * n_pairs],
            recipe,
        })
    }

    /// The frequencies that are used, ascending.
    pub fn freqs_hz(&self) -> &[f64] {
        &self.freqs_hz
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.ring.n_channels()
    }

    /// Number of bands, or of frequencies where each stands by itself.
    pub fn n_bands(&self) -> usize {
        self.recipe.n_bands()
    }

    /// Forgets every segment: call it where the samples of an index may change, as after
    /// a gap.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn restart(&mut self) {
        self.held.fill(None);
    }

    /// The window whose last sample is `end`: `(n_measures, n_bands, n_pairs)`. Segments
    /// that an earlier window held are not looked at again.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `samples` are not of the planned shape.
    pub fn slide(&mut self, end: SampleIndex, samples: Planar<'_>) -> &[f64] {
        let length = self.window.window_samples;
        let shape = (samples.n_channels(), samples.n_samples());
        assert_eq!(shape, (self.n_channels(), length), "window of another plan");
        let start = (end.0 + 1).saturating_sub(length as u64);
        let shared = slots_per_segment(self.window, self.segments);
        if shared.is_none() {
            self.restart();
        }
        for m in 0..self.order.len() {
            let offset = m * self.segments.step_samples;
            let slot = match shared {
                Some(_) => {
                    (start + offset as u64) / self.window.step_samples as u64
                        % self.held.len() as u64
                }
                None => m as u64,
            };
            self.order[m] = slot as usize;
            self.hold(slot as usize, start + offset as u64, samples, offset);
        }
        self.reduce();
        &self.values
    }

    /// One window by itself, as [`SlidingConnectivity::slide`] but without memory of
    /// other windows: the same values, bit for bit.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `samples` are not of the planned shape.
    pub fn run(&mut self, samples: Planar<'_>) -> &[f64] {
        self.restart();
        self.slide(SampleIndex(self.window.window_samples as u64 - 1), samples);
        self.restart();
        &self.values
    }

    /// The last window's values, `(n_measures, n_bands, n_pairs)`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The pairs of one measure and band of the last window.
    ///
    /// # Panics
    /// If the plan holds no such measure or band.
    pub fn pairs(&self, measure: Measure, band_idx: usize) -> &[f64] {
        let m = self.recipe.measures.iter().position(|known| *known == measure);
        let m = m.expect("a measure of the plan");
        assert!(band_idx < self.n_bands(), "a band of the plan");
        let n_pairs = n_pairs_below(self.n_channels());
        &self.values[(m * self.n_bands() + band_idx) * n_pairs..][..n_pairs]
    }

    /// Sees to it that `slot` holds the segment that begins at `start`, which is
    /// `offset` samples into the window.
    fn hold(&mut self, slot: usize, start: u64, samples: Planar<'_>, offset: usize) {
        if self.held[slot] == Some(start) {
            return;
        }
        let place = (slot, self.ring.n_observations());
        for c in 0..self.ring.n_channels() {
            let segment = &samples.channel(c)[offset..][..self.fourier.n_samples()];
            self.fourier.run(segment, c % WIDTH, place, self.ring.block_mut(c / WIDTH));
        }
        if let Some(units) = &mut self.units {
            units.unit_observation_from(&self.ring, slot);
        }
        self.held[slot] = Some(start);
    }

    fn reduce(&mut self) {
        Reduce {
            lines: &self.ring,
            units: self.units.as_ref().unwrap_or(&self.ring),
            order: &self.order,
            blocks: 0..self.ring.n_blocks(),
            recipe: &self.recipe,
            worker: &mut self.worker,
            out: &mut self.values,
        }
        .run();
    }
}

/// Windows' steps per segments' step, where that is a whole number.
fn slots_per_segment(window: WindowSpec, segments: Segments) -> Option<usize> {
    let divides = segments.step_samples.is_multiple_of(window.step_samples);
    divides.then(|| segments.step_samples / window.step_samples)
}
