//! Second-order sections: the filter every stream passes, one frame at a time.
//!
//! It only runs sections; [`super::butterworth`], [`super::chebyshev`] and
//! [`super::notch`] design them.

mod kernel;

use acquisition::time::SampleRate;
use fearless_simd::{Level, dispatch};
use kernel::TILE;
use realfft::num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// One biquad, `H(z) = (b0 + b1/z + b2/z²) / (1 + a1/z + a2/z²)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Numerator `b0, b1, b2`.
    pub b: [f64; 3],
    /// Denominator `a1, a2`; `a0` is 1.
    pub a: [f64; 2],
}

impl Section {
    /// Whether both poles lie inside the unit circle, by the triangle of Jury's
    /// criterion, and every coefficient is finite.
    pub fn is_stable(&self) -> bool {
        let [a1, a2] = self.a;
        self.b.iter().all(|b| b.is_finite()) && a2.abs() < 1.0 && a1.abs() < 1.0 + a2
    }

    /// Steady state for a constant input of 1: the delays after the transient.
    fn unit_step_state(&self) -> [f64; 2] {
        let ([b0, b1, b2], [a1, a2]) = (self.b, self.a);
        let (c1, c2) = (b1 - a1 * b0, b2 - a2 * b0);
        let first = (c1 + c2) / (1.0 + a1 + a2);
        [first, (1.0 + a1) * first - c1]
    }

    /// Output for a constant input of 1, after the transient.
    fn gain_at_0_hz(&self) -> f64 {
        self.b.iter().sum::<f64>() / (1.0 + self.a[0] + self.a[1])
    }
}

/// A cascade of sections over all channels of a stream, with its state.
///
/// Transposed direct form II, in the operation order of SciPy's `sosfilt`:
/// `y = b0 x + s0;  s0 = b1 x - a1 y + s1;  s1 = b2 x - a2 y`.
/// Channels are independent, and many are filtered at a time: the state is laid out
/// `[tile][section][delay][channel]` in tiles of 32 channels, the last one filled up. A
/// NaN that gets in stays in the state of its channel until [`SosFilter::start_at`].
#[derive(Clone, Debug)]
pub struct SosFilter {
    sections: Vec<Section>,
    n_channels: usize,
    state: Vec<f64>,
    between: kernel::Between,
}

impl SosFilter {
    /// A filter at rest for `n_channels` channels. No sections: the identity.
    pub fn new(sections: Vec<Section>, n_channels: usize) -> Self {
        let n_tiles = n_channels.div_ceil(TILE);
        let state = vec![0.0; n_tiles * sections.len() * 2 * TILE];
        Self { sections, n_channels, state, between: kernel::between() }
    }

    /// The sections, first to last.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Sets the state as if `frame` had been coming in for ever, so that a stream's
    /// offset makes no transient: SciPy's `sosfilt_zi` times the first sample.
    /// The frame itself is not consumed; pass it to `process_frame` next.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn start_at(&mut self, frame: &[f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        let tile_len = (self.sections.len() * 2 * TILE).max(1);
        for (tile, frame) in self.state.chunks_exact_mut(tile_len).zip(frame.chunks(TILE)) {
            let mut gain = 1.0;
            for (section, state) in self.sections.iter().zip(tile.chunks_exact_mut(2 * TILE)) {
                let unit = section.unit_step_state();
                let (first, second) = state.split_at_mut(TILE);
                for ((s0, s1), x) in first.iter_mut().zip(second).zip(frame) {
                    *s0 = gain * unit[0] * x;
                    *s1 = gain * unit[1] * x;
                }
                gain *= section.gain_at_0_hz();
            }
        }
    }

    /// Sets the state to rest, as if zeros had been coming in for ever.
    ///
    /// Thread: any. Allocation: none.
    pub fn reset(&mut self) {
        self.state.fill(0.0);
    }

    /// Filters one frame in place: `n_channels` values, one per channel.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn process_frame(&mut self, frame: &mut [f64]) {
        assert_eq!(frame.len(), self.n_channels, "frame of another stream");
        self.process_frames(frame);
    }

    /// Filters whole frames that stand one after the other, to the bit as one by one, but
    /// faster: the state of a block of channels is loaded once for many frames.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `frames` is no multiple of `n_channels` values.
    pub fn process_frames(&mut self, frames: &mut [f64]) {
        if self.n_channels == 0 {
            assert!(frames.is_empty(), "frames of another stream");
            return;
        }
        assert_eq!(frames.len() % self.n_channels, 0, "a frame is cut short");
        if self.sections.is_empty() {
            return;
        }
        let Self { sections, n_channels, state, between } = self;
        let run = kernel::Run { sections, state, between, frames, n_channels: *n_channels };
        dispatch!(Level::new(), simd => run.all(simd));
    }

    /// Group delay in samples at `freq_hz`, see [`group_delay_samples`].
    pub fn group_delay_samples(&self, freq_hz: f64, rate: SampleRate) -> f64 {
        group_delay_samples(&self.sections, freq_hz, rate)
    }
}

/// Group delay of a cascade at `freq_hz`, in samples: how late the envelope of a
/// narrow-band signal comes out.
///
/// `-dφ/dω = Σ_sections Re(B'(z)/B(z)) - Re(A'(z)/A(z))` with `z = e^(-iω)`,
/// `ω = 2π f / rate` and `P'(z) = Σ_k k p_k z^k`. Where a zero lies on the unit circle
/// at this very frequency the delay has no meaning and the result is NaN.
pub fn group_delay_samples(sections: &[Section], freq_hz: f64, rate: SampleRate) -> f64 {
    let z = Complex64::cis(-std::f64::consts::TAU * freq_hz / rate.hz());
    let delay = |p: [f64; 3]| {
        let value = p[0] + z * (p[1] + z * p[2]);
        let slope = z * (p[1] + z * 2.0 * p[2]);
        (slope / value).re
    };
    sections.iter().map(|s| delay(s.b) - delay([1.0, s.a[0], s.a[1]])).sum()
}
