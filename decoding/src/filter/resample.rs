//! Another rate, causally: `up` zeros-stuffed, low-passed, every `down`-th kept, without
//! ever computing what is thrown away.
//!
//! ```text
//! y[m] = Σ_j h[p + j up] x[i - j],   i = ⌊m down / up⌋,   p = m down mod up
//! ```
//! Ticks are samples of the common rate `up * from`: input `i` stands at tick `i up`, output
//! `m` at tick `m down`. Output `m` is made as soon as input `i` is there, and needs no later
//! one. It shows the signal as it was `(n_taps - 1) / 2` ticks before: that is the group
//! delay, the same at all frequencies.
//!
//! # Anti-aliasing
//! [`Resampler::plan`] low-passes at half the lower of both rates (-6 dB there) with
//! `20 max(up, down) + 1` taps under a Kaiser taper of 5 and a gain of `up`: the design of
//! `scipy.signal.resample_poly`. Its delay is ten samples of the lower rate. What lies
//! 0.1 times the lower rate beyond the edge is 50 dB down; what lies nearer folds back in part.
//!
//! The output is `scipy.signal.upfirdn(h, x, up, down)` from a start at rest.
//!
//! # Reference
//! P. P. Vaidyanathan, *Multirate Systems and Filter Banks*, Prentice Hall, 1993, 4.3.

use super::fir::check_taps;
use super::fir::design::{Taper, windowed};
use super::fir::history::History;
use super::{Band, FilterError};
use crate::integer::gcd;
use acquisition::time::SampleRate;

/// Largest factor of a ratio.
pub const MAX_FACTOR: usize = 100_000;

/// Output samples per input sample, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    up: usize,
    down: usize,
}

impl Ratio {
    /// `up / down`, reduced.
    pub fn new(up: usize, down: usize) -> Result<Self, FilterError> {
        let divisor = gcd(up, down).max(1);
        let (up, down) = (up / divisor, down / divisor);
        if (1..=MAX_FACTOR).contains(&up) && (1..=MAX_FACTOR).contains(&down) {
            Ok(Self { up, down })
        } else {
            Err(FilterError::BadRatio { up, down })
        }
    }

    /// The ratio of two rates, if it is one of integers to the last digits of an `f64`: its
    /// first convergent that near.
    pub fn between(from: SampleRate, to: SampleRate) -> Result<Self, FilterError> {
        let wanted = to.hz() / from.hz();
        let none = FilterError::NoRatio { from_hz: from.hz(), to_hz: to.hz() };
        let (mut older, mut newer) = ([0.0, 1.0], [1.0, 0.0]);
        let mut rest = wanted;
        loop {
            let whole = rest.floor();
            let next = [whole * newer[0] + older[0], whole * newer[1] + older[1]];
            if next[0] > MAX_FACTOR as f64 || next[1] > MAX_FACTOR as f64 {
                return Err(none);
            }
            if (next[0] / next[1] / wanted - 1.0).abs() < 1e-14 {
                return Self::new(next[0] as usize, next[1] as usize).map_err(|_| none);
            }
            (older, newer, rest) = (newer, next, (rest - whole).recip());
        }
    }

    /// Factor of interpolation.
    pub fn up(self) -> usize {
        self.up
    }

    /// Factor of decimation.
    pub fn down(self) -> usize {
        self.down
    }
}

/// A polyphase filter over all channels of a stream, with its state: the newest
/// `2 ⌈n_taps / up⌉` input frames, and where the next output lies.
///
/// A sample that is not finite spoils its channel for as long as the taps reach.
#[derive(Clone, Debug)]
pub struct Resampler {
    ratio: Ratio,
    n_taps: usize,
    /// The taps of each phase, last first, padded to equal length.
    branches: Vec<f64>,
    branch_len: usize,
    history: History,
    /// Ticks from the next input to the next output.
    tick: usize,
}

impl Resampler {
    /// A resampler at rest, with the anti-aliasing filter described above.
    #[expect(clippy::missing_panics_doc, reason = "2 Hz is a rate")]
    pub fn plan(ratio: Ratio, n_channels: usize) -> Result<Self, FilterError> {
        let most = ratio.up.max(ratio.down);
        if most == 1 {
            return Self::with_taps(ratio, &[1.0], n_channels);
        }
        // Half of a rate of 2 is 1: the edge is the share `1 / most` of it.
        let rate = SampleRate::new(2.0).expect("2 Hz is a rate");
        let band = Band::Lowpass { edge_hz: 1.0 / most as f64 };
        let mut taps = windowed(20 * most + 1, band, Taper::Kaiser { beta: 5.0 }, rate)?;
        for h in &mut taps {
            *h *= ratio.up as f64;
        }
        Self::with_taps(ratio, &taps, n_channels)
    }

    /// A resampler at rest with a filter of the caller's, at `up` times the input's rate
    /// and with a gain of `up`. Its delay is stated for linear phase.
    pub fn with_taps(ratio: Ratio, taps: &[f64], n_channels: usize) -> Result<Self, FilterError> {
        check_taps(taps)?;
        let branch_len = taps.len().div_ceil(ratio.up);
        let mut branches = vec![0.0; ratio.up * branch_len];
        for (k, h) in taps.iter().enumerate() {
            let (phase, back) = (k % ratio.up, k / ratio.up);
            branches[phase * branch_len + branch_len - 1 - back] = *h;
        }
        let history = History::new(branch_len, n_channels);
        Ok(Self { ratio, n_taps: taps.len(), branches, branch_len, history, tick: 0 })
    }

    /// Output samples per input sample.
    pub fn ratio(&self) -> Ratio {
        self.ratio
    }

    /// Number of values in a frame.
    pub fn n_channels(&self) -> usize {
        self.history.n_channels()
    }

    /// Group delay in input samples: how much older the signal in an output is than the
    /// output's place on the time axis.
    pub fn delay_input_samples(&self) -> f64 {
        (self.n_taps - 1) as f64 / 2.0 / self.ratio.up as f64
    }

    /// The newest input that output `output_idx` (counted from the start) is made of, and
    /// with whose arrival it is there.
    pub fn newest_input(&self, output_idx: u64) -> u64 {
        let tick = u128::from(output_idx) * self.ratio.down as u128;
        (tick / self.ratio.up as u128) as u64
    }

    /// Where output `output_idx` shows the signal, in input samples from input 0: its own
    /// place less the delay.
    pub fn input_position(&self, output_idx: u64) -> f64 {
        let (newest, up) = (self.newest_input(output_idx), self.ratio.up as u64);
        let tick = u128::from(output_idx) * self.ratio.down as u128;
        let phase = (tick - u128::from(newest) * u128::from(up)) as f64;
        newest as f64 + phase / up as f64 - self.delay_input_samples()
    }

    /// How many frames come out when the next `n_inputs` have gone in.
    pub fn n_outputs(&self, n_inputs: usize) -> usize {
        (n_inputs * self.ratio.up).saturating_sub(self.tick).div_ceil(self.ratio.down)
    }

    /// Starts anew at rest, as if zeros had been coming in for ever: the next input is
    /// number 0, and so is the next output.
    ///
    /// Thread: any. Allocation: none.
    pub fn reset(&mut self) {
        self.history.reset();
        self.tick = 0;
    }

    /// Starts anew as if `frame` had been coming in for ever; it is not consumed. The
    /// phases of a designed filter have gains that differ by up to some thousandths, so a
    /// constant comes out as constant as that.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values.
    pub fn start_at(&mut self, frame: &[f64]) {
        self.history.fill(frame);
        self.tick = 0;
    }

    /// The same, but the next output lies `ticks` after the next input: where the outputs'
    /// places on the time axis are given, and the input begins between two of them.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If `frame` has not `n_channels` values, or an output would lie before the first one.
    pub fn start_between(&mut self, frame: &[f64], ticks: usize) {
        assert!(ticks < self.ratio.down, "an output is left out");
        self.start_at(frame);
        self.tick = ticks;
    }

    /// Takes whole input frames that stand one after the other, and writes the output
    /// frames that they complete; the number of frames written is returned.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If `input` is no multiple of `n_channels` values, or `output` holds fewer frames than
    /// [`Resampler::n_outputs`].
    pub fn process_frames(&mut self, input: &[f64], output: &mut [f64]) -> usize {
        let n_channels = self.n_channels();
        if n_channels == 0 {
            assert!(input.is_empty(), "frames of another stream");
            return 0;
        }
        assert_eq!(input.len() % n_channels, 0, "a frame is cut short");
        let n_outputs = self.n_outputs(input.len() / n_channels);
        assert!(output.len() >= n_outputs * n_channels, "no room for {n_outputs} frames");
        let mut places = output.chunks_exact_mut(n_channels);
        for frame in input.chunks_exact(n_channels) {
            self.history.push(frame);
            while self.tick < self.ratio.up {
                let branch = &self.branches[self.tick * self.branch_len..][..self.branch_len];
                let place = places.next().expect("the frames were counted above");
                self.history.weigh(branch, place);
                self.tick += self.ratio.down;
            }
            self.tick -= self.ratio.up;
        }
        n_outputs
    }
}
