//! Outlets: a feed served as a headset with its markers, and decisions for other
//! programs.
//!
//! Outlets belong to the thread that made them (liblsl's safe binding is not `Send`):
//! make them where they are used.

use super::metadata::{self, plain};
use super::resolve::transport;
use super::{END_MARKER, MARKERS_SUFFIX, START_MARKER, local_clock};
use crate::marker::Marker;
use crate::signal::{Chunk, StreamInfo};
use crate::source::replay::{Paced, Speed, WallClock};
use crate::source::{Feed, Pull, Source, SourceError};
use crate::time::{LslTime, MAX_RATE_HZ, SampleIndex, SampleRate};
use ::lsl::{ChannelFormat, ExPushable, IRREGULAR_RATE, StreamOutlet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Seconds of data an outlet queues for a consumer that is slow.
const BUFFERED_SECS: i32 = 360;

/// How often a wait looks at the stop flag.
const LOOK: Duration = Duration::from_millis(50);

/// From the first data consumer to the first frame: a consumer that subscribed to
/// the markers first has by then been registered there too.
const SETTLE: Duration = Duration::from_millis(250);

/// An outlet of regular frames with explicit stamps.
pub struct SampleOutlet {
    outlet: StreamOutlet,
    frame: Vec<f32>,
    rate: SampleRate,
    origin: LslTime,
}

impl SampleOutlet {
    /// Announces a stream. Sample 0 is stamped as sent now until
    /// [`SampleOutlet::start`] says otherwise.
    pub fn new(info: &StreamInfo) -> Result<Self, SourceError> {
        let declared = metadata::write(info)?;
        let outlet = StreamOutlet::new(&declared, 0, BUFFERED_SECS).map_err(transport)?;
        let frame = Vec::with_capacity(info.n_channels());
        Ok(Self { outlet, frame, rate: info.rate, origin: local_clock() })
    }

    /// Fixes the stamp of sample 0.
    pub fn start(&mut self, origin: LslTime) {
        self.origin = origin;
    }

    /// Whether somebody receives.
    pub fn has_consumers(&self) -> bool {
        self.outlet.have_consumers()
    }

    /// Sends frames, stamped `origin + index / rate`, as one chunk.
    pub fn push(&mut self, chunk: &Chunk) -> Result<(), SourceError> {
        let n_frames = chunk.n_frames();
        for (k, frame) in chunk.samples().chunks_exact(chunk.n_channels()).enumerate() {
            self.frame.clear();
            self.frame.extend_from_slice(frame);
            let index = SampleIndex(chunk.first().0 + k as u64);
            let stamp = self.origin.0 + self.rate.secs(index);
            let is_last = k + 1 == n_frames;
            self.outlet.push_sample_ex(&self.frame, stamp, is_last).map_err(transport)?;
        }
        Ok(())
    }
}

/// An outlet of texts with explicit stamps.
pub struct MarkerOutlet {
    outlet: StreamOutlet,
}

impl MarkerOutlet {
    /// Announces a stream of texts, and whether what they are about is simulated.
    pub fn new(name: &str, source_id: &str, simulated: bool) -> Result<Self, SourceError> {
        let (name, source_id) = (plain(name), plain(source_id));
        let text = ChannelFormat::String;
        let mut declared =
            ::lsl::StreamInfo::new(&name, "Markers", 1, IRREGULAR_RATE, text, &source_id)
                .map_err(transport)?;
        let mut desc = declared.desc();
        metadata::write_origin(&mut desc, simulated);
        let outlet = StreamOutlet::new(&declared, 0, BUFFERED_SECS).map_err(transport)?;
        Ok(Self { outlet })
    }

    /// Sends a text.
    pub fn push(&mut self, text: &str, stamp: LslTime) -> Result<(), SourceError> {
        self.outlet.push_sample_ex(&vec![text], stamp.0, true).map_err(transport)
    }

    /// Whether somebody receives.
    pub fn has_consumers(&self) -> bool {
        self.outlet.have_consumers()
    }
}

/// Whom a served stream waits for before its first sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// A consumer of the data: it then receives everything from sample 0.
    Consumer,
    /// Nobody.
    Nobody,
}

/// How to serve a feed.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Name of the data stream; the marker stream's is this and [`MARKERS_SUFFIX`].
    pub name: String,
    /// Identity of the data stream, and with [`MARKERS_SUFFIX`] of the marker stream.
    pub source_id: String,
    /// Times real time.
    pub speed: f64,
    /// Frames sent at once.
    pub chunk_frames: usize,
    /// Whom to wait for.
    pub wait: WaitFor,
    /// How long to stay after the last sample for consumers to take it.
    pub linger: Duration,
}

impl ServeOptions {
    /// Real time, chunks of about 20 ms, waiting for a consumer, staying two seconds;
    /// named as the stream, identified by its `source_id` or else by its name.
    pub fn new(info: &StreamInfo) -> Self {
        let id = if info.source_id.is_empty() { &info.name } else { &info.source_id };
        Self {
            name: info.name.clone(),
            source_id: id.clone(),
            speed: 1.0,
            chunk_frames: ((info.rate.hz().min(MAX_RATE_HZ) * 0.02) as usize).max(1),
            wait: WaitFor::Consumer,
            linger: Duration::from_secs(2),
        }
    }
}

/// What a serving came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Frames sent.
    pub n_frames: u64,
    /// Markers of the feed sent, not counting the start and end markers.
    pub n_markers: u64,
}

/// A feed as a headset on the network: one outlet of frames, one of markers.
///
/// Frame `k` is stamped `t0 + k / rate` and a marker `t0 + onset`, so whoever
/// receives both finds the markers where they were. [`START_MARKER`] is sent at `t0`,
/// [`END_MARKER`] after the last frame. At another speed than 1 the stamps still
/// advance at the nominal rate, away from the real time.
pub struct Board<F: Feed> {
    feed: Paced<F>,
    samples: SampleOutlet,
    markers: MarkerOutlet,
    options: ServeOptions,
}

impl<F: Feed> Board<F> {
    /// Announces both streams.
    ///
    /// # Panics
    /// If the speed is not positive or the chunk size zero.
    pub fn new(feed: F, options: ServeOptions) -> Result<Self, SourceError> {
        let mut info = feed.info().clone();
        info.name.clone_from(&options.name);
        info.source_id.clone_from(&options.source_id);
        let name = options.name.clone() + MARKERS_SUFFIX;
        let source_id = options.source_id.clone() + MARKERS_SUFFIX;
        let markers = MarkerOutlet::new(&name, &source_id, info.simulated)?;
        let samples = SampleOutlet::new(&info)?;
        let speed = Speed::RealTime(options.speed);
        let feed = Paced::new(feed, speed, options.chunk_frames, Box::<WallClock>::default());
        Ok(Self { feed, samples, markers, options })
    }

    /// Waits for consumers as the options say, then plays the feed to its end or until
    /// `stop` is set.
    pub fn run(mut self, stop: &AtomicBool) -> Result<Served, SourceError> {
        let mut served = Served::default();
        if self.options.wait == WaitFor::Consumer && !self.wait_for_consumer(stop) {
            return Ok(served);
        }
        let origin = local_clock();
        self.samples.start(origin);
        self.markers.push(START_MARKER, origin)?;
        let rate = self.feed.info().rate;
        let mut chunk = Chunk::new(self.feed.info().n_channels(), self.options.chunk_frames);
        let (mut markers, mut end) = (Vec::new(), SampleIndex(0));
        while !stop.load(Ordering::Relaxed) {
            let pull = self.feed.pull(&mut chunk, &mut markers, LOOK)?;
            // Markers first: they travel separately, and nobody should have decided
            // about their frames when they come.
            for marker in markers.drain(..) {
                self.send_marker(origin, &marker)?;
                served.n_markers += 1;
            }
            if pull == Pull::Ended {
                break;
            }
            if !chunk.is_empty() {
                self.samples.push(&chunk)?;
                served.n_frames += chunk.n_frames() as u64;
                end = chunk.end();
            }
        }
        self.markers.push(END_MARKER, LslTime(origin.0 + rate.secs(end)))?;
        self.linger(stop);
        Ok(served)
    }

    fn send_marker(&mut self, origin: LslTime, marker: &Marker) -> Result<(), SourceError> {
        self.markers.push(marker.text.as_str(), LslTime(origin.0 + marker.onset_secs))
    }

    /// Whether a consumer came before `stop` was set.
    fn wait_for_consumer(&self, stop: &AtomicBool) -> bool {
        while !stop.load(Ordering::Relaxed) {
            if self.samples.outlet.wait_for_consumers(LOOK.as_secs_f64()) {
                std::thread::sleep(SETTLE);
                return true;
            }
        }
        false
    }

    /// Stays until nobody listens any more, at most as long as the options say: an
    /// outlet that goes away takes with it what was not sent yet.
    fn linger(&self, stop: &AtomicBool) {
        let until = local_clock().0 + self.options.linger.as_secs_f64();
        let listened = || self.samples.has_consumers() || self.markers.has_consumers();
        while listened() && local_clock().0 < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
        }
    }
}

/// Decoder output for other programs: the posterior as one float32 channel per class,
/// labelled by class, and decisions as text markers on a second stream.
pub struct DecisionOutlet {
    posterior: StreamOutlet,
    decisions: MarkerOutlet,
    values: Vec<f32>,
}

impl DecisionOutlet {
    /// Announces both streams, `name` and `name` with [`MARKERS_SUFFIX`]. Decisions
    /// come when they come, so the rate is declared irregular. Both say whether the
    /// decisions are about simulated samples (`desc/simulated`, as data streams do).
    pub fn new<S: AsRef<str>>(
        name: &str,
        source_id: &str,
        classes: &[S],
        simulated: bool,
    ) -> Result<Self, SourceError> {
        let n_classes = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        let float = ChannelFormat::Float32;
        let (plain_name, plain_id) = (plain(name), plain(source_id));
        let mut declared = ::lsl::StreamInfo::new(
            &plain_name,
            "Posterior",
            n_classes,
            IRREGULAR_RATE,
            float,
            &plain_id,
        )
        .map_err(transport)?;
        let mut desc = declared.desc();
        metadata::write_origin(&mut desc, simulated);
        let mut channels = desc.append_child("channels");
        for class in classes {
            let mut channel = channels.append_child("channel");
            channel.append_child_value("label", &plain(class.as_ref()));
            channel.append_child_value("type", "Posterior");
            channel.append_child_value("unit", "probability");
        }
        let posterior = StreamOutlet::new(&declared, 0, BUFFERED_SECS).map_err(transport)?;
        let decisions = MarkerOutlet::new(
            &(name.to_owned() + MARKERS_SUFFIX),
            &(source_id.to_owned() + MARKERS_SUFFIX),
            simulated,
        )?;
        Ok(Self { posterior, decisions, values: vec![0.0; classes.len()] })
    }

    /// Whether somebody receives both streams.
    pub fn has_consumers(&self) -> bool {
        self.posterior.have_consumers() && self.decisions.has_consumers()
    }

    /// Sends a posterior, one probability per class. Allocation: none of ours.
    ///
    /// # Panics
    /// If there are not as many probabilities as classes.
    pub fn push_posterior(&mut self, posterior: &[f64], stamp: LslTime) -> Result<(), SourceError> {
        assert_eq!(posterior.len(), self.values.len(), "one probability per class");
        for (value, p) in self.values.iter_mut().zip(posterior) {
            *value = *p as f32;
        }
        self.posterior.push_sample_ex(&self.values, stamp.0, true).map_err(transport)
    }

    /// Sends a decision as text.
    pub fn push_decision(&mut self, class: &str, stamp: LslTime) -> Result<(), SourceError> {
        self.decisions.push(class, stamp)
    }
}
