//! The part of a session that comes before the decoder: select channels, filter
//! causally, lay windows, compute the features that the decoders ask for.
//!
//! Several decoders share one front end: the filtered signal and each window's
//! covariance are computed once. It is *not* a decoder and knows no classes.
//!
//! # Where windows lie
//! On a grid of the absolute sample index: window `k` starts at `k*S`. After a gap the
//! filter starts anew with the first frame, as at a recording's start, and the first
//! window starts at the next multiple of `S`; no window spans a gap.
//!
//! # Samples that are not finite
//! The filter would carry a NaN for ever, so it is fed the channel's last finite value
//! instead, and every window that holds such a sample is reported as unusable.

pub mod band_power;
pub mod batch;

use self::band_power::BandPower;
use crate::filter::FilterError;
use crate::filter::butterworth;
use crate::filter::sos::{Section, SosFilter};
use crate::psd::PsdError;
use crate::riemann::covariance::{SlidingCovariance, oas_shrink};
use crate::window::{Feature, Features, Planar, Window, WindowError, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use faer::Mat;
use serde::{Deserialize, Serialize};

/// The front end as written in a configuration or a model file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEndSpec {
    /// Prototype order of the Butterworth band-pass; it has as many sections.
    pub filter_order: usize,
    /// Lower edge (-3 dB) in hertz.
    pub low_hz: f64,
    /// Upper edge (-3 dB) in hertz.
    pub high_hz: f64,
    /// Window length in seconds.
    pub window_secs: f64,
    /// Window step in seconds.
    pub step_secs: f64,
}

impl Default for FrontEndSpec {
    /// 8-30 Hz of order 4, windows of 2 s every 0.1 s.
    fn default() -> Self {
        Self { filter_order: 4, low_hz: 8.0, high_hz: 30.0, window_secs: 2.0, step_secs: 0.1 }
    }
}

/// Why a front end can't be built: change the configuration or the channels.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Choose a band that fits the rate.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Choose other lengths.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// Select at least one channel.
    #[error("no channel is selected: name the channels to decode from")]
    NoChannels,
    /// Choose a longer window, or a pipeline without band power.
    #[error(transparent)]
    Bands(#[from] PsdError),
}

impl FrontEndSpec {
    /// The band-pass as second-order sections for `rate`.
    pub fn sections(&self, rate: SampleRate) -> Result<Vec<Section>, FilterError> {
        butterworth::bandpass(self.filter_order, self.low_hz, self.high_hz, rate)
    }

    /// Window length and step in samples at `rate`.
    pub fn window(&self, rate: SampleRate) -> Result<WindowSpec, WindowError> {
        WindowSpec::from_secs(self.window_secs, self.step_secs, rate)
    }
}

/// What a frame completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// No window ends here.
    Nothing,
    /// A window ends here; [`FrontEnd::window`] computes it.
    Window,
    /// A window ends here, but holds samples that are not finite.
    Unusable,
}

/// The planned front end, with its state.
pub struct FrontEnd {
    picks: Vec<usize>,
    spec: WindowSpec,
    filter: SosFilter,
    frame: Vec<f64>,
    history: History,
    /// Index of the frame expected next; `None` before the first one.
    next: Option<SampleIndex>,
    /// Whether the next frame is the first one after a start or a gap.
    fresh: bool,
    /// First index of the grid that windows of the current stretch may start at.
    grid_start: u64,
    /// Index after the last sample that was not finite.
    sound_from: u64,
    extract: Extract,
}

impl FrontEnd {
    /// Plans the front end. `picks` are the stream's channels to decode from, in the
    /// decoder's order.
    pub fn plan(
        spec: &FrontEndSpec,
        rate: SampleRate,
        picks: Vec<usize>,
        wanted: &[Feature],
    ) -> Result<Self, PlanError> {
        if picks.is_empty() {
            return Err(PlanError::NoChannels);
        }
        let n_channels = picks.len();
        let window = spec.window(rate)?;
        Ok(Self {
            filter: SosFilter::new(spec.sections(rate)?, n_channels),
            frame: vec![0.0; n_channels],
            history: History::new(n_channels, window.window_samples),
            next: None,
            fresh: true,
            grid_start: 0,
            sound_from: 0,
            extract: Extract::plan(n_channels, window, rate, wanted)?,
            spec: window,
            picks,
        })
    }

    /// Window length and step in samples.
    pub fn spec(&self) -> WindowSpec {
        self.spec
    }

    /// Number of channels decoded from.
    pub fn n_channels(&self) -> usize {
        self.picks.len()
    }

    /// Index of the frame it expects next.
    pub fn next(&self) -> SampleIndex {
        self.next.unwrap_or_default()
    }

    /// Prepares for a run of frames that begins at `first`. Where that does not follow
    /// the frame before, everything starts anew; the number of missing frames is
    /// returned, unless there is nothing before the first frame of all.
    pub fn follow(&mut self, first: SampleIndex) -> Option<u64> {
        if self.next == Some(first) {
            return None;
        }
        let expected = self.next();
        let is_start = self.next.is_none() && first.0 == 0;
        self.restart(first);
        (!is_start).then(|| first.0.saturating_sub(expected.0))
    }

    /// Starts anew at `at`, as at a recording's first sample.
    fn restart(&mut self, at: SampleIndex) {
        let step = self.spec.step_samples as u64;
        self.next = Some(at);
        self.fresh = true;
        self.grid_start = at.0.div_ceil(step) * step;
        self.sound_from = 0;
        self.history.clear();
        self.extract.restart();
    }

    /// Takes the next frame of the stream, all its channels in stream units.
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn push_frame(&mut self, frame: &[f32]) -> Completed {
        let at = self.next().0;
        for (value, &pick) in self.frame.iter_mut().zip(&self.picks) {
            let sample = f64::from(frame[pick]);
            if sample.is_finite() {
                *value = sample;
            } else {
                self.sound_from = at + 1;
                if self.fresh {
                    *value = 0.0;
                }
            }
        }
        self.filter_frame(at)
    }

    /// Filters the picked frame into history and sums. `self.frame` keeps the
    /// unfiltered values, the last finite ones of each channel.
    fn filter_frame(&mut self, at: u64) -> Completed {
        if self.fresh {
            self.filter.start_at(&self.frame);
            self.fresh = false;
        }
        self.next = Some(SampleIndex(at + 1));
        let filtered = self.history.slot();
        filtered.copy_from_slice(&self.frame);
        self.filter.process_frame(filtered);
        if at < self.grid_start {
            return Completed::Nothing;
        }
        self.extract.push_frame(filtered);
        self.history.commit();
        self.completed(at)
    }

    /// Whether a window ends with the next frame.
    pub fn window_ends_next(&self) -> bool {
        self.ends_window(self.next().0)
    }

    fn ends_window(&self, at: u64) -> bool {
        let (length, step) = (self.spec.window_samples as u64, self.spec.step_samples as u64);
        let since_grid = (at + 1).saturating_sub(self.grid_start);
        since_grid >= length && (since_grid - length).is_multiple_of(step)
    }

    /// What the frame at index `at` completed.
    fn completed(&self, at: u64) -> Completed {
        if !self.ends_window(at) {
            Completed::Nothing
        } else if self.sound_from + self.spec.window_samples as u64 > at + 1 {
            Completed::Unusable
        } else {
            Completed::Window
        }
    }

    /// The window that ends with the frame just pushed, with its features; `None` where
    /// a feature does not exist (every channel constant). Call it once, and only where
    /// [`FrontEnd::push_frame`] said [`Completed::Window`].
    ///
    /// Thread: decoding thread. Allocation: none.
    pub fn window(&mut self) -> Option<Window<'_>> {
        let end = SampleIndex(self.next().0.checked_sub(1)?);
        let samples = self.history.newest(self.spec.window_samples);
        let features = self.extract.features(samples)?;
        Some(Window { end, samples, features })
    }
}

/// The newest filtered samples, each channel contiguous: a linear buffer that is
/// copied down when it is full, so that a window is always one slice per channel.
#[derive(Debug)]
struct History {
    n_channels: usize,
    keep: usize,
    stride: usize,
    len: usize,
    data: Vec<f64>,
    slot: Vec<f64>,
}

impl History {
    fn new(n_channels: usize, keep: usize) -> Self {
        let stride = keep * 2;
        let data = vec![0.0; n_channels * stride];
        Self { n_channels, keep, stride, len: 0, data, slot: vec![0.0; n_channels] }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Room for one frame, to be filled before [`History::commit`].
    fn slot(&mut self) -> &mut [f64] {
        &mut self.slot
    }

    /// Appends the slot's frame.
    fn commit(&mut self) {
        if self.len == self.stride {
            let from = self.stride - self.keep;
            for channel in self.data.chunks_exact_mut(self.stride) {
                channel.copy_within(from.., 0);
            }
            self.len = self.keep;
        }
        for (channel, &value) in self.data.chunks_exact_mut(self.stride).zip(&self.slot) {
            channel[self.len] = value;
        }
        self.len += 1;
    }

    fn newest(&self, n_samples: usize) -> Planar<'_> {
        let from = self.len - n_samples;
        Planar::new(&self.data[from..], self.n_channels, self.stride, n_samples)
    }
}

/// Computes the planned features.
struct Extract {
    n_samples: usize,
    sliding: Option<SlidingCovariance>,
    wants_covariance: bool,
    wants_log_variance: bool,
    bands: Option<BandPower>,
    features: Features,
}

impl Extract {
    fn plan(
        n_channels: usize,
        window: WindowSpec,
        rate: SampleRate,
        wanted: &[Feature],
    ) -> Result<Self, PlanError> {
        let wants = |feature| wanted.contains(&feature);
        let n_samples = window.window_samples;
        let second_order = wants(Feature::Covariance) || wants(Feature::LogVariance);
        let mut bands = None;
        if wants(Feature::BandPower) {
            bands = Some(BandPower::new(n_samples, rate)?);
        }
        let n_powers = bands.as_ref().map_or(0, |_| n_channels * BandPower::N_BANDS);
        Ok(Self {
            n_samples,
            sliding: second_order
                .then(|| SlidingCovariance::new(n_channels, n_samples, window.step_samples)),
            wants_covariance: wants(Feature::Covariance),
            wants_log_variance: wants(Feature::LogVariance),
            bands,
            features: Features {
                covariance: Mat::zeros(n_channels, n_channels),
                log_variance: vec![0.0; n_channels],
                band_power: vec![0.0; n_powers],
            },
        })
    }

    fn restart(&mut self) {
        if let Some(sliding) = &mut self.sliding {
            sliding.restart();
        }
    }

    fn push_frame(&mut self, filtered: &[f64]) {
        if let Some(sliding) = &mut self.sliding {
            sliding.push_frame(filtered);
        }
    }

    fn features(&mut self, samples: Planar<'_>) -> Option<&Features> {
        if let Some(sliding) = &mut self.sliding {
            sliding.covariance_into(self.features.covariance.as_mut());
            self.second_order()?;
        }
        if let Some(bands) = &mut self.bands {
            bands.log_power_into(samples, &mut self.features.band_power);
            if !self.features.band_power.iter().all(|p| p.is_finite()) {
                return None;
            }
        }
        Some(&self.features)
    }

    /// Log-variances and shrinkage from the plain covariance.
    fn second_order(&mut self) -> Option<()> {
        let covariance = &mut self.features.covariance;
        let n_channels = covariance.nrows();
        let total: f64 = (0..n_channels).map(|c| covariance[(c, c)]).sum();
        if !(total.is_finite() && total > 0.0) {
            return None;
        }
        if self.wants_log_variance {
            for (c, value) in self.features.log_variance.iter_mut().enumerate() {
                *value = covariance[(c, c)].max(f64::MIN_POSITIVE).ln();
            }
        }
        if self.wants_covariance {
            oas_shrink(covariance.as_mut(), self.n_samples);
        }
        Some(())
    }
}
