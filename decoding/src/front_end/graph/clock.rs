//! When the frames of a node come, and how windows of the stream lie on them.
//!
//! Frame `m` of a node stands at the stream's sample `m * down / up`, counted from the
//! stream's beginning: after a gap the places are the same as without.

use crate::filter::FilterError;
use crate::filter::resample::Ratio;
use crate::front_end::PlanError;
use crate::integer::gcd;
use crate::window::WindowSpec;
use acquisition::time::{SampleIndex, SampleRate};

/// The rate of a node, as a multiple of the stream's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// That of the stream.
    stream: SampleRate,
    rate: SampleRate,
    up: u64,
    down: u64,
    /// Windows whose length and step are multiples of this lie on whole frames, here and at
    /// every rate on the way.
    multiple: u64,
    max_frames: usize,
}

/// A rate above the stream's by more than this brings nothing but cost.
const MAX_UP: f64 = 16.0;

impl Clock {
    /// The stream's own.
    pub fn new(rate: SampleRate) -> Self {
        Self { stream: rate, rate, up: 1, down: 1, multiple: 1, max_frames: 1 }
    }

    /// That of frames which are resampled by `ratio`.
    pub fn resampled(self, ratio: Ratio) -> Result<Self, PlanError> {
        let (up, down) = (ratio.up() as u64, ratio.down() as u64);
        let bad = FilterError::BadRatio { up: ratio.up(), down: ratio.down() };
        // Factors are at most 100,000 each: two of them fit.
        let both = Ratio::new((self.up * up) as usize, (self.down * down) as usize)?;
        let hz = self.stream.hz() * both.up() as f64 / both.down() as f64;
        let rate = SampleRate::new(hz).map_err(|_| bad)?;
        if hz > MAX_UP * self.stream.hz() {
            let (rate_hz, resampled_hz) = (self.stream.hz(), hz);
            return Err(PlanError::ResampledTooFar { rate_hz, resampled_hz });
        }
        let max_frames = (self.max_frames * ratio.up()).div_ceil(ratio.down());
        let (up, down) = (both.up() as u64, both.down() as u64);
        let divisor = gcd(self.multiple as usize, both.down()) as u64;
        let multiple = (self.multiple / divisor).saturating_mul(down);
        Ok(Self { stream: self.stream, rate, up, down, multiple, max_frames })
    }

    /// The rate of the frames.
    pub fn rate(self) -> SampleRate {
        self.rate
    }

    /// Most frames that one of the stream's brings.
    pub fn max_frames(self) -> usize {
        self.max_frames
    }

    /// The stream's windows on these frames.
    pub fn window(self, window: WindowSpec) -> Result<WindowSpec, PlanError> {
        let WindowSpec { window_samples, step_samples } = window;
        match (self.whole(window_samples), self.whole(step_samples)) {
            (Some(window_samples), Some(step_samples)) if window_samples >= 2 => {
                Ok(WindowSpec { window_samples, step_samples })
            }
            _ => {
                let (rate_hz, resampled_hz) = (self.stream.hz(), self.rate.hz());
                // As many as hold two frames, rounded up to a multiple.
                let least = (2 * self.down).div_ceil(self.up).next_multiple_of(self.multiple);
                Err(PlanError::ResampledWindow {
                    window_samples,
                    step_samples,
                    rate_hz,
                    resampled_hz,
                    multiple: self.multiple,
                    least,
                })
            }
        }
    }

    /// So many of its frames in the stream's samples, rounded up.
    pub fn in_stream(self, n_frames: usize) -> u64 {
        (n_frames as u64 * self.down).div_ceil(self.up)
    }

    /// So many of the stream's samples in its own, where that is a whole number.
    fn whole(self, n_samples: usize) -> Option<usize> {
        let n_samples = n_samples as u64;
        let is_whole = n_samples.is_multiple_of(self.multiple);
        is_whole.then(|| (n_samples / self.down * self.up) as usize)
    }

    /// The last of its frames in a window that ends with the stream's sample `end`, of
    /// windows that [`Clock::window`] allows.
    pub fn end(self, end: SampleIndex) -> SampleIndex {
        // Windows end before a multiple of `down`, or are batch code's, which ask for no end.
        SampleIndex((((end.0 + 1) / self.down) * self.up).saturating_sub(1))
    }
}

/// The first output that does not stand before the input `first_input`, and the ticks from
/// that to it ([`crate::filter::resample`]).
pub(super) fn first_output(ratio: Ratio, first_input: u64) -> (u64, usize) {
    let (up, down) = (ratio.up() as u128, ratio.down() as u128);
    let tick = u128::from(first_input) * up;
    let output = tick.div_ceil(down);
    (u64::try_from(output).unwrap_or(u64::MAX), (output * down - tick) as usize)
}
