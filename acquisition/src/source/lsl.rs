//! Streams from Lab Streaming Layer as a [`Source`]: frames with their indices, and
//! the markers of a second stream on the same time axis.
//!
//! **Sample 0** is the first frame received after the inlet subscribed; the marker
//! inlet subscribes before the data inlet, so a sender that waits for a data consumer
//! loses no marker either. **Indices** come from [`Dejitter`]. **Markers** are
//! corrected by both senders' clock offsets and placed on the data's time axis. Two
//! senders on one machine share its clock: where their measured offsets agree within
//! the measurement's own bound, the difference is taken to be exactly zero.
//!
//! A sender that goes away and comes back with its `source_id` is found again by
//! liblsl; if it came back as something else (rate, channels, their order), a pull
//! fails with [`SourceError::Changed`]. A served recording ends with
//! [`END_MARKER`], after which pulls return [`Pull::Ended`]; one that ends without a
//! frame has no time axis, and its markers are not given.
//!
//! # Threads
//! Pulls happen on the caller's thread. A thread of the source's own, `ml-lsl-clock`,
//! watches the clocks and the identity of the senders and publishes what it finds
//! through atomics; it ends when the source is dropped.

mod watch;

use super::{Pull, Source, SourceError};
use crate::health::Health;
use crate::lsl::inlet::{DataInlet, MarkerInlet};
use crate::lsl::resolve::{self, Found, Query};
use crate::lsl::{END_MARKER, MARKERS_SUFFIX, local_clock};
use crate::marker::Marker;
use crate::signal::{Chunk, StreamInfo};
use crate::sync::Dejitter;
use crate::text::InlineText;
use crate::time::SampleIndex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use watch::Watch;

/// How long to look for a companion marker stream.
const COMPANION_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a pull looks again while frames await a verdict.
const VERDICT_LOOK: Duration = Duration::from_millis(5);

/// Stream seconds of frames held at most between the network and the caller.
const STAGED_SECS: f64 = 1.0;

/// Markers held at most until the first frame gives them an onset.
const MAX_EARLY_MARKERS: usize = 1024;

/// Markers taken from the network by one pull at most: a flood of them must not keep
/// frames waiting. The others wait for the next pull.
const MAX_MARKERS_PER_PULL: usize = 256;

/// Without data for this long after the end marker the stream has ended, even if
/// frames before the end are missing.
const END_SECS: f64 = 1.0;

/// Onsets are rounded to this many parts of a second. A clock that counts from the
/// machine's start holds instants to some nanoseconds only; rounding gives back the
/// decimal fraction that a sender added to its clock.
const ONSET_PARTS: f64 = 1e7;

/// Where markers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Markers {
    /// From nowhere.
    None,
    /// From the stream whose `source_id`, or name where there is none, is the data
    /// stream's with [`MARKERS_SUFFIX`], if there is such a stream.
    Companion,
    /// From the stream this query finds; it must be there.
    Query(Query),
}

/// What to receive.
#[derive(Clone, Debug)]
pub struct LslOptions {
    /// The data stream.
    pub stream: Query,
    /// Its markers.
    pub markers: Markers,
    /// How long to wait for streams to answer.
    pub timeout: Duration,
}

/// An LSL data stream and its markers.
pub struct LslSource {
    data: DataInlet,
    markers: Option<MarkerInlet>,
    watch: Watch,
    health: Arc<Health>,
    dejitter: Dejitter,
    staged: Staged,
    /// Markers that came before the first frame: text and stamp.
    early: VecDeque<(InlineText, f64)>,
    /// Index at which a served stream said it ends.
    end: Option<u64>,
    ended: bool,
    /// When data came last, or, before the first frame, the end marker.
    last_data_secs: f64,
}

/// Frames received and not handed out yet.
struct Staged {
    n_channels: usize,
    samples: Vec<f32>,
    stamps: Vec<f64>,
    n_frames: usize,
    /// Whether they wait for the verdict over a jump.
    on_hold: bool,
}

impl Staged {
    fn new(info: &StreamInfo) -> Self {
        let capacity = ((info.rate.hz() * STAGED_SECS).ceil() as usize).max(256);
        Self {
            n_channels: info.n_channels(),
            samples: vec![0.0; capacity * info.n_channels()],
            stamps: vec![0.0; capacity],
            n_frames: 0,
            on_hold: false,
        }
    }

    /// Removes the oldest frames.
    fn consume(&mut self, n_frames: usize) {
        self.samples.copy_within(n_frames * self.n_channels..self.n_frames * self.n_channels, 0);
        self.stamps.copy_within(n_frames..self.n_frames, 0);
        self.n_frames -= n_frames;
    }
}

impl LslSource {
    /// Finds the streams, reads their descriptions and clocks, and subscribes.
    /// Losses, recoveries and drops are counted in `health`.
    pub fn open(options: &LslOptions, health: Arc<Health>) -> Result<Self, SourceError> {
        let found = resolve::resolve_one(&options.stream, options.timeout)?;
        Self::open_found(&found, &options.markers, options.timeout, health)
    }

    /// [`LslSource::open`] for a stream that was found already.
    pub fn open_found(
        found: &Found,
        markers: &Markers,
        timeout: Duration,
        health: Arc<Health>,
    ) -> Result<Self, SourceError> {
        let data = DataInlet::new(found, timeout)?;
        let markers = match find_markers(found, markers, timeout)? {
            Some(found) => Some(MarkerInlet::new(&found)?),
            None => None,
        };
        let watch = Watch::start(found, &data, markers.as_ref(), Arc::clone(&health), timeout)?;
        if let Some(markers) = &markers {
            markers.open(timeout)?;
        }
        data.open(timeout)?;
        Ok(Self {
            dejitter: Dejitter::new(data.info().rate),
            staged: Staged::new(data.info()),
            data,
            markers,
            watch,
            health,
            early: VecDeque::with_capacity(MAX_EARLY_MARKERS + 1),
            end: None,
            ended: false,
            last_data_secs: local_clock().0,
        })
    }

    /// Whether markers are received.
    pub fn has_markers(&self) -> bool {
        self.markers.is_some()
    }

    /// The stream's true rate, as its stamps show it.
    pub fn fitted_rate_hz(&self) -> f64 {
        self.dejitter.fitted_rate_hz()
    }

    /// Takes what the network has into the stage.
    fn fill(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let staged = &mut self.staged;
        let wait = match (staged.n_frames, staged.on_hold) {
            (0, _) => timeout,
            (_, true) => timeout.min(VERDICT_LOOK),
            (_, false) => Duration::ZERO,
        };
        let from = staged.n_frames;
        let samples = &mut staged.samples[from * staged.n_channels..];
        let n_frames = self.data.pull(samples, &mut staged.stamps[from..], wait)?;
        staged.n_frames += n_frames;
        if n_frames > 0 {
            self.last_data_secs = local_clock().0;
            self.watch.data_at(self.last_data_secs);
        }
        Ok(())
    }

    /// Moves frames whose indices are known from the stage to the caller.
    fn hand_out(&mut self, chunk: &mut Chunk) {
        let staged = &mut self.staged;
        let stamps = &staged.stamps[..staged.n_frames];
        let accepted = self.dejitter.accept(stamps, chunk.capacity(), local_clock().0);
        chunk.restart(accepted.first);
        chunk.extend(&staged.samples[..accepted.n_frames * staged.n_channels]);
        staged.on_hold = staged.n_frames > 0 && accepted.n_frames == 0;
        staged.consume(accepted.n_frames);
        self.health.lost(accepted.n_missing);
        if accepted.clock_reset {
            self.health.clock_was_reset();
        }
    }

    /// Appends markers that arrived, those first that waited for the first frame; whether
    /// there were any.
    fn pull_markers(&mut self, out: &mut Vec<Marker>) -> Result<bool, SourceError> {
        let n_before = out.len();
        if self.dejitter.next() > SampleIndex(0) {
            while let Some((text, stamp)) = self.early.pop_front() {
                self.place(text, stamp, out);
            }
        }
        for _ in 0..MAX_MARKERS_PER_PULL {
            let Some(inlet) = &mut self.markers else { break };
            let Some((text, stamp)) = inlet.pull()? else { break };
            self.place(text, stamp, out);
        }
        Ok(out.len() > n_before)
    }

    /// Places a marker on the time axis, or keeps it until there is one.
    fn place(&mut self, text: InlineText, stamp_secs: f64, out: &mut Vec<Marker>) {
        let stamp = stamp_secs + self.watch.marker_shift_secs();
        let Some(onset_secs) = self.dejitter.onset_secs(stamp) else {
            self.keep_early(text, stamp_secs);
            return;
        };
        let onset_secs = (onset_secs * ONSET_PARTS).round() / ONSET_PARTS;
        if text.as_str() == END_MARKER {
            self.end = Some(self.data.info().rate.samples(onset_secs).max(0) as u64);
        }
        out.push(Marker { onset_secs, duration_secs: 0.0, text });
    }

    /// Keeps a marker until there is a time axis. There may never be one: an end marker
    /// before any frame ends the stream at 0, unless frames that it overtook come.
    fn keep_early(&mut self, text: InlineText, stamp_secs: f64) {
        let is_end = self.end.is_none() && text.as_str() == END_MARKER;
        if is_end {
            self.end = Some(0);
            self.last_data_secs = local_clock().0;
        }
        if is_end || self.early.len() < MAX_EARLY_MARKERS {
            self.early.push_back((text, stamp_secs));
        } else {
            self.health.dropped_markers(1);
        }
    }

    /// Whether the stream said it ends and everything before that is through.
    fn is_over(&self) -> bool {
        let Some(end) = self.end else { return false };
        let is_silent = local_clock().0 - self.last_data_secs > END_SECS;
        // The marker of an end at 0 may have overtaken frames: those are waited for.
        let is_through = end > 0 && self.dejitter.next() >= SampleIndex(end);
        self.staged.n_frames == 0 && (is_through || is_silent)
    }
}

impl Source for LslSource {
    fn info(&self) -> &StreamInfo {
        self.data.info()
    }

    fn pull(
        &mut self,
        chunk: &mut Chunk,
        markers: &mut Vec<Marker>,
        timeout: Duration,
    ) -> Result<Pull, SourceError> {
        chunk.restart(self.dejitter.next());
        if self.ended {
            return Ok(Pull::Ended);
        }
        if let Some(what) = self.watch.changed() {
            return Err(SourceError::Changed(what.to_owned()));
        }
        self.fill(timeout)?;
        self.hand_out(chunk);
        // After the data: a marker sent before a frame has then most likely arrived.
        let is_data = self.pull_markers(markers)? || !chunk.is_empty();
        self.ended = self.is_over();
        Ok(if is_data { Pull::Data } else { Pull::Idle })
    }
}

/// The marker stream of a data stream.
fn find_markers(
    found: &Found,
    markers: &Markers,
    timeout: Duration,
) -> Result<Option<Found>, SourceError> {
    let companion = match markers {
        Markers::None => return Ok(None),
        Markers::Query(query) => return resolve::resolve_one(query, timeout).map(Some),
        Markers::Companion if found.source_id.is_empty() => {
            Query::property("name", &(found.name.clone() + MARKERS_SUFFIX))
        }
        Markers::Companion => {
            Query::property("source_id", &(found.source_id.clone() + MARKERS_SUFFIX))
        }
    };
    // A name that no query can express has no companion either.
    let Ok(query) = companion else { return Ok(None) };
    let companions = resolve::resolve_first(&query, timeout.min(COMPANION_TIMEOUT))?;
    resolve::only(&query, companions)
}

#[cfg(test)]
mod tests;
