//! Inlets: streams of numbers as frames in our units, streams of markers as texts.
//! Time stamps are the sender's, raw.
//!
//! Not here: sample indices and lost frames ([`crate::source::lsl`]).

use super::Found;
use super::ffi::{Prober, RawInlet, Recovery, TextScratch};
use super::metadata::{self, Description};
use super::resolve::transport;
use crate::signal::{MAX_CHANNELS, StreamInfo};
use crate::source::SourceError;
use crate::sync::Probe;
use crate::text::InlineText;
use crate::time::{MAX_RATE_HZ, MIN_RATE_HZ};
use std::fmt::Write as _;
use std::time::Duration;

/// Seconds of data an inlet queues for us. Beyond it liblsl drops the oldest frames,
/// which the stamps then show.
const BUFFERED_SECS: i32 = 60;

/// Largest number of values pulled at once: bounds the buffer for `f64` formats.
const MAX_BATCH_VALUES: usize = 1 << 16;

/// Most values per second that are received: liblsl reserves five seconds of them.
const MAX_VALUES_PER_SEC: f64 = 1e8;

/// An inlet of a regular numeric stream.
pub struct DataInlet {
    raw: RawInlet,
    description: Description,
    /// Whether any channel needs a factor.
    scaled: bool,
    /// Where values that don't fit an `f32` are received; empty for those that do.
    wide: Vec<f64>,
}

impl DataInlet {
    /// Connects to a stream and reads its description, waiting at most `timeout`.
    /// Data are queued only after [`DataInlet::open`].
    pub fn new(found: &Found, timeout: Duration) -> Result<Self, SourceError> {
        refuse(found)?;
        let raw = connect(found)?;
        let xml = raw.prober().full_xml(timeout.as_secs_f64()).map_err(transport)?;
        let description = metadata::read(&xml)?;
        if description.info.n_channels() != found.n_channels {
            let what = "it declares two different numbers of channels".to_owned();
            return Err(SourceError::Unusable(what));
        }
        // The full description may say something else than the announcement.
        refuse_rate(description.info.rate.hz(), found.n_channels)?;
        let n_wide = if found.format.fits_f32() { 0 } else { batch_values(found.n_channels) };
        let scaled = description.scales.iter().any(|&s| s != 1.0);
        Ok(Self { raw, description, scaled, wide: vec![0.0; n_wide] })
    }

    /// Subscribes: frames sent from now on are received.
    pub fn open(&self, timeout: Duration) -> Result<(), SourceError> {
        self.raw.open(timeout.as_secs_f64()).map_err(transport)
    }

    /// The stream.
    pub fn info(&self) -> &StreamInfo {
        &self.description.info
    }

    /// Waits at most `timeout` for a frame, then takes what else is here; how many
    /// frames. `samples` holds as many frames as `stamps` has entries.
    ///
    /// `f32`, 8- and 16-bit values in our units are passed through untouched; others
    /// are scaled in `f64` and rounded once.
    ///
    /// Thread: acquisition. Allocation: none of ours.
    ///
    /// # Panics
    /// If `samples` is not `stamps.len()` whole frames.
    pub fn pull(
        &mut self,
        samples: &mut [f32],
        stamps: &mut [f64],
        timeout: Duration,
    ) -> Result<usize, SourceError> {
        let n_channels = self.description.scales.len();
        assert_eq!(samples.len(), stamps.len() * n_channels, "whole frames, one stamp each");
        if stamps.is_empty() {
            return Ok(0);
        }
        let n_frames = if self.wide.is_empty() {
            self.pull_narrow(samples, stamps, timeout)
        } else {
            self.pull_wide(samples, stamps, timeout)
        };
        n_frames.map_err(transport)
    }

    fn pull_narrow(
        &mut self,
        samples: &mut [f32],
        stamps: &mut [f64],
        timeout: Duration,
    ) -> Result<usize, ::lsl::Error> {
        let n_channels = self.description.scales.len();
        let mut n_frames = 0;
        if !timeout.is_zero() {
            let frame = &mut samples[..n_channels];
            let Some(stamp) = self.raw.wait_f32(frame, timeout.as_secs_f64())? else {
                return Ok(0);
            };
            stamps[0] = stamp;
            n_frames = 1;
        }
        n_frames +=
            self.raw.pull_f32(&mut samples[n_frames * n_channels..], &mut stamps[n_frames..])?;
        if self.scaled {
            for frame in samples[..n_frames * n_channels].chunks_exact_mut(n_channels) {
                for (value, scale) in frame.iter_mut().zip(&self.description.scales) {
                    // A channel in our units keeps its bits: a factor of 1 changes none.
                    *value = (f64::from(*value) * scale) as f32;
                }
            }
        }
        Ok(n_frames)
    }

    fn pull_wide(
        &mut self,
        samples: &mut [f32],
        stamps: &mut [f64],
        timeout: Duration,
    ) -> Result<usize, ::lsl::Error> {
        let n_channels = self.description.scales.len();
        let n_most = stamps.len().min(self.wide.len() / n_channels);
        let (wide, stamps) = (&mut self.wide[..n_most * n_channels], &mut stamps[..n_most]);
        let mut n_frames = 0;
        if !timeout.is_zero() {
            let frame = &mut wide[..n_channels];
            let Some(stamp) = self.raw.wait_f64(frame, timeout.as_secs_f64())? else {
                return Ok(0);
            };
            stamps[0] = stamp;
            n_frames = 1;
        }
        n_frames +=
            self.raw.pull_f64(&mut wide[n_frames * n_channels..], &mut stamps[n_frames..])?;
        let frames = wide[..n_frames * n_channels].chunks_exact(n_channels);
        for (frame, out) in frames.zip(samples.chunks_exact_mut(n_channels)) {
            for ((value, scale), out) in frame.iter().zip(&self.description.scales).zip(out) {
                *out = (value * scale) as f32;
            }
        }
        Ok(n_frames)
    }

    /// A way to ask for the sender's clock from another thread.
    pub fn clock(&self) -> RemoteClock {
        RemoteClock(self.raw.prober())
    }
}

/// Refuses what can't be used before anything is allocated for it: liblsl reserves
/// memory for seconds of data when an inlet is made.
fn refuse(found: &Found) -> Result<(), SourceError> {
    let Found { format, n_channels, rate_hz, .. } = *found;
    let what = if !format.is_numeric() {
        format!("its values are {}, not numbers", format.name())
    } else if !(1..=MAX_CHANNELS).contains(&n_channels) {
        format!("it declares {n_channels} channels")
    } else {
        return refuse_rate(rate_hz, n_channels);
    };
    Err(SourceError::Unusable(what))
}

/// Refuses rates that are none, and those that make too much data or next to none.
fn refuse_rate(rate_hz: f64, n_channels: usize) -> Result<(), SourceError> {
    let what = if !(rate_hz > 0.0 && rate_hz.is_finite()) {
        "it has no regular sampling rate".to_owned()
    } else if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate_hz)
        || rate_hz * n_channels as f64 > MAX_VALUES_PER_SEC
    {
        format!("it declares {rate_hz} Hz on {n_channels} channels")
    } else {
        return Ok(());
    };
    Err(SourceError::Unusable(what))
}

/// Values in a batch of whole frames.
fn batch_values(n_channels: usize) -> usize {
    (MAX_BATCH_VALUES / n_channels).max(1) * n_channels
}

/// The clock of a stream's sender, as probed by liblsl.
#[derive(Clone)]
pub struct RemoteClock(Prober);

impl RemoteClock {
    /// The newest probe, with the instant on the sender's clock at which it was made;
    /// waits for the first at most `timeout`. New ones come about every two seconds.
    pub fn probe(&self, timeout: Duration) -> Result<(Probe, f64), SourceError> {
        self.0.probe(timeout.as_secs_f64()).map_err(transport)
    }

    /// Whether the sender went away and came back since the last call.
    pub fn was_recovered(&self) -> bool {
        self.0.was_recovered()
    }
}

/// The description of a stream as its sender gives it now.
pub fn describe(found: &Found, timeout: Duration) -> Result<Description, SourceError> {
    refuse(found)?;
    let raw = connect(found)?;
    let xml = raw.prober().full_xml(timeout.as_secs_f64()).map_err(transport)?;
    metadata::read(&xml)
}

/// An inlet of a marker stream: texts, or numbers written as texts. Of several
/// channels the first one counts.
pub struct MarkerInlet {
    raw: RawInlet,
    host: String,
    values: Values,
}

/// How a marker stream's values arrive.
enum Values {
    Texts(TextScratch),
    Numbers(Vec<f64>),
}

impl MarkerInlet {
    /// Connects to a stream. Markers are queued only after [`MarkerInlet::open`].
    pub fn new(found: &Found) -> Result<Self, SourceError> {
        if !(1..=MAX_CHANNELS).contains(&found.n_channels) {
            let what = format!("its marker stream declares {} channels", found.n_channels);
            return Err(SourceError::Unusable(what));
        }
        let values = if found.format.is_numeric() {
            Values::Numbers(vec![0.0; found.n_channels])
        } else {
            Values::Texts(TextScratch::new(found.n_channels))
        };
        Ok(Self { raw: connect(found)?, host: found.host.clone(), values })
    }

    /// Subscribes: markers sent from now on are received.
    pub fn open(&self, timeout: Duration) -> Result<(), SourceError> {
        self.raw.open(timeout.as_secs_f64()).map_err(transport)
    }

    /// The machine the markers come from.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A marker, if one is here: its text and its stamp on the sender's clock.
    ///
    /// Thread: acquisition. Allocation: by liblsl, per text.
    pub fn pull(&mut self) -> Result<Option<(InlineText, f64)>, SourceError> {
        match &mut self.values {
            Values::Texts(scratch) => self.raw.pull_text(scratch).map_err(transport),
            Values::Numbers(sample) => {
                let stamp = self.raw.wait_f64(sample, 0.0).map_err(transport)?;
                Ok(stamp.map(|stamp| (number_text(sample[0]), stamp)))
            }
        }
    }

    /// A way to ask for the sender's clock from another thread.
    pub fn clock(&self) -> RemoteClock {
        RemoteClock(self.raw.prober())
    }
}

/// A number as markers write it: decimal, without a fraction where there is none.
fn number_text(value: f64) -> InlineText {
    let mut text = Digits { bytes: [0; 32], len: 0 };
    // 32 bytes hold any number `{}` prints below 10^15; a longer one is cut.
    let _ = write!(text, "{value}");
    InlineText::new(std::str::from_utf8(&text.bytes[..text.len]).unwrap_or_default())
}

/// A short text on the stack.
struct Digits {
    bytes: [u8; 32],
    len: usize,
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let n = text.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        if n < text.len() { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// An inlet that looks for its sender again if it can be told from others.
fn connect(found: &Found) -> Result<RawInlet, SourceError> {
    let recovery = if found.source_id.is_empty() { Recovery::GiveUp } else { Recovery::Reconnect };
    RawInlet::new(&found.raw, found.n_channels, BUFFERED_SECS, recovery).map_err(transport)
}
