//! Recordings as supplies of frames, and the pacing that turns any supply into a
//! stream that arrives in its own time.
//!
//! Not here: reading files (`datasets`), serving over LSL ([`crate::lsl::outlet`],
//! which uses the same clocks).

use super::{Feed, Pull, Source, SourceError};
use crate::marker::Marker;
use crate::signal::{Chunk, Recording, StreamInfo};
use crate::time::SampleIndex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What to do at the end of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Stop.
    Once,
    /// Start again; indices and onsets go on counting.
    Forever,
}

/// A cursor over a recording in memory. Gaps become jumps of the index.
///
/// Markers behind the last frame come with the call that returns `false`. A recording
/// that repeats has no such call: there they would lie within the next round, and are
/// left out.
#[derive(Clone, Debug)]
pub struct RecordingFeed {
    recording: Arc<Recording>,
    repeat: Repeat,
    /// Next column of the samples.
    column: usize,
    /// Next gap, by position.
    gap: usize,
    /// Next marker, by position.
    marker: usize,
    /// Index of the next frame within this round.
    index: u64,
    /// Index of this round's first frame.
    base: u64,
}

impl RecordingFeed {
    /// A feed from the recording's first frame. Markers are expected in time order,
    /// as a recording promises.
    pub fn new(recording: Arc<Recording>, repeat: Repeat) -> Self {
        Self { recording, repeat, column: 0, gap: 0, marker: 0, index: 0, base: 0 }
    }

    /// Passes the gaps that begin here; frames up to the next one.
    fn frames_before_gap(&mut self) -> usize {
        let n_left = self.recording.n_samples() - self.column;
        while let Some(gap) = self.recording.gaps.get(self.gap) {
            if gap.at.0 > self.index {
                return n_left.min((gap.at.0 - self.index) as usize);
            }
            self.index += gap.n_missing;
            self.gap += 1;
        }
        n_left
    }

    /// Goes back to the start if frames are wanted again; whether there are frames.
    fn rewind(&mut self) -> bool {
        let is_over = self.column == self.recording.n_samples();
        if is_over && self.repeat == Repeat::Forever && self.column > 0 {
            self.base += self.index;
            (self.column, self.gap, self.marker, self.index) = (0, 0, 0, 0);
        }
        self.column < self.recording.n_samples()
    }

    /// Appends the markers of this round that begin before `end_secs` of it.
    fn hand_out_markers(&mut self, end_secs: f64, markers: &mut Vec<Marker>) {
        let base_secs = self.recording.info.rate.secs(SampleIndex(self.base));
        while let Some(marker) = self.recording.markers.get(self.marker)
            && marker.onset_secs < end_secs
        {
            markers.push(Marker { onset_secs: marker.onset_secs + base_secs, ..*marker });
            self.marker += 1;
        }
    }
}

impl Feed for RecordingFeed {
    fn info(&self) -> &StreamInfo {
        &self.recording.info
    }

    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        let has_frames = self.rewind();
        let n_frames = self.frames_before_gap().min(chunk.capacity());
        chunk.restart(SampleIndex(self.base + self.index));
        if !has_frames {
            self.hand_out_markers(f64::INFINITY, markers);
            return Ok(false);
        }
        let recording = Arc::clone(&self.recording);
        for column in self.column..self.column + n_frames {
            chunk.push_frame(recording.samples.column(column).iter().copied());
        }
        self.column += n_frames;
        self.index += n_frames as u64;
        self.hand_out_markers(recording.info.rate.secs(SampleIndex(self.index)), markers);
        Ok(true)
    }
}

/// How fast a feed is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was recorded; 1 is real time.
    RealTime(f64),
    /// As fast as it is pulled.
    Max,
}

/// A clock that can be waited on. Two exist: the machine's ([`WallClock`]), and the
/// simulated ones of tests, in which waiting takes no time.
pub trait Clock: Send {
    /// Time since some fixed instant; never goes back.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);
}

/// The machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct WallClock(Instant);

impl Default for WallClock {
    /// A clock that starts now. This is the package's one use of `Instant`: a feed
    /// can only be paced against time that really passes.
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A feed played as a source.
///
/// At [`Speed::RealTime`] frames come in chunks of a fixed size, each once its last
/// frame is due: frame `k` is due `k / (rate * speed)` after the first pull. What is
/// pulled late is delivered at once, so no error accumulates. At [`Speed::Max`] each
/// pull fills the caller's chunk.
pub struct Paced<F: Feed> {
    feed: F,
    speed: Speed,
    clock: Box<dyn Clock>,
    started: Option<Duration>,
    /// The chunk that waits for its instant, and the frames of it already handed out.
    ahead: Chunk,
    n_taken: usize,
    ahead_markers: Vec<Marker>,
}

impl<F: Feed> Paced<F> {
    /// Plays `feed` in chunks of `chunk_frames`.
    ///
    /// # Panics
    /// If `chunk_frames` is zero or the speed is not positive and finite.
    pub fn new(feed: F, speed: Speed, chunk_frames: usize, clock: Box<dyn Clock>) -> Self {
        if let Speed::RealTime(factor) = speed {
            assert!(factor.is_finite() && factor > 0.0, "speed must be positive, not {factor}");
        }
        let ahead = Chunk::new(feed.info().n_channels(), chunk_frames);
        let ahead_markers = Vec::with_capacity(64);
        Self { feed, speed, clock, started: None, ahead, n_taken: 0, ahead_markers }
    }

    /// Waits until the chunk ahead is due, at most `timeout`; whether it is.
    fn wait_until_due(&mut self, factor: f64, timeout: Duration) -> bool {
        let now = self.clock.now();
        let started = *self.started.get_or_insert(now);
        let secs = self.feed.info().rate.secs(self.ahead.end()) / factor;
        // A crawling speed puts the instant beyond what a duration can hold: never.
        let due =
            started.saturating_add(Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX));
        let wait = due.saturating_sub(now);
        if wait.is_zero() {
            return true;
        }
        self.clock.sleep(wait.min(timeout));
        wait <= timeout
    }

    /// Hands out as much of the chunk ahead as fits.
    fn hand_out(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) {
        chunk.restart(SampleIndex(self.ahead.first().0 + self.n_taken as u64));
        let n_frames = chunk.capacity().min(self.ahead.n_frames() - self.n_taken);
        let n_channels = self.ahead.n_channels();
        let from = self.n_taken * n_channels;
        chunk.extend(&self.ahead.samples()[from..from + n_frames * n_channels]);
        self.n_taken += n_frames;
        markers.append(&mut self.ahead_markers);
    }
}

impl<F: Feed> Source for Paced<F> {
    fn info(&self) -> &StreamInfo {
        self.feed.info()
    }

    fn pull(
        &mut self,
        chunk: &mut Chunk,
        markers: &mut Vec<Marker>,
        timeout: Duration,
    ) -> Result<Pull, SourceError> {
        let Speed::RealTime(factor) = self.speed else {
            let is_data = self.feed.read(chunk, markers)?;
            return Ok(if is_data { Pull::Data } else { Pull::Ended });
        };
        if self.n_taken == self.ahead.n_frames() {
            self.n_taken = 0;
            if !self.feed.read(&mut self.ahead, &mut self.ahead_markers)? {
                chunk.restart(self.ahead.first());
                markers.append(&mut self.ahead_markers);
                return Ok(Pull::Ended);
            }
        }
        if !self.wait_until_due(factor, timeout) {
            chunk.restart(self.ahead.first());
            return Ok(Pull::Idle);
        }
        self.hand_out(chunk, markers);
        Ok(Pull::Data)
    }
}

#[cfg(test)]
mod tests;
