//! What went right and wrong between the device and the decoder, as counters that
//! any thread may read. Every frame or marker that is dropped, lost or late is
//! counted here and shown; nothing else in this package keeps such numbers.
//!
//! There is *no clock* here: instants are handed in as nanoseconds of one monotonic
//! clock of the caller's choice, the same for all calls.
//!
//! | counter | who counts |
//! |---|---|
//! | received, chunks, NaN samples, last arrival | the acquisition thread, per pull |
//! | lost frames, recoveries, clock resets, failed probes | the source |
//! | dropped frames and markers | the acquisition thread, from [`crate::ring::Pushed`] |
//! | late markers | whoever finds a marker's instant already decided |

mod rate;

pub use rate::RateMeter;

use crate::ring::Pushed;
use crate::signal::Chunk;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Without data for this long a stream is stale.
pub const STALE_AFTER_SECS: f64 = 1.0;

/// Counters of one stream, shared by reference ([`std::sync::Arc`]) between threads.
/// Each is exact; two of them read together may be from neighbouring instants.
#[derive(Debug, Default)]
pub struct Health {
    received: AtomicU64,
    chunks: AtomicU64,
    nan_samples: AtomicU64,
    last_arrival_nanos: AtomicU64,
    lost: AtomicU64,
    recoveries: AtomicU64,
    clock_resets: AtomicU64,
    failed_probes: AtomicU64,
    dropped: AtomicU64,
    dropped_markers: AtomicU64,
    late_markers: AtomicU64,
    ended: AtomicBool,
}

impl Health {
    /// Counts a chunk that arrived at `now_nanos`, its frames and its NaN samples.
    ///
    /// Thread: acquisition. Allocation, locks: none.
    pub fn arrived(&self, chunk: &Chunk, now_nanos: u64) {
        if chunk.is_empty() {
            return;
        }
        let n_nan = chunk.samples().iter().filter(|x| x.is_nan()).count();
        self.received.fetch_add(chunk.n_frames() as u64, Relaxed);
        self.chunks.fetch_add(1, Relaxed);
        self.nan_samples.fetch_add(n_nan as u64, Relaxed);
        // Zero means "never"; an arrival at the clock's very origin moves by 1 ns.
        self.last_arrival_nanos.store(now_nanos.max(1), Relaxed);
    }

    /// Counts what the ring dropped. Thread: acquisition. Allocation, locks: none.
    pub fn pushed(&self, pushed: &Pushed) {
        self.dropped.fetch_add(pushed.n_frames_dropped as u64, Relaxed);
        self.dropped_markers.fetch_add(pushed.n_markers_dropped as u64, Relaxed);
    }

    /// Counts frames that never reached the source.
    pub fn lost(&self, n_frames: u64) {
        self.lost.fetch_add(n_frames, Relaxed);
    }

    /// Counts markers that were dropped for want of room.
    pub fn dropped_markers(&self, n: u64) {
        self.dropped_markers.fetch_add(n, Relaxed);
    }

    /// Counts a return of the sender after it was gone.
    pub fn recovered(&self) {
        self.recoveries.fetch_add(1, Relaxed);
    }

    /// Counts a step of the sender's clock that no loss explains.
    pub fn clock_was_reset(&self) {
        self.clock_resets.fetch_add(1, Relaxed);
    }

    /// Counts a clock probe without an answer.
    pub fn probe_failed(&self) {
        self.failed_probes.fetch_add(1, Relaxed);
    }

    /// Counts markers whose instant had been decided before they came.
    pub fn late_markers(&self, n: u64) {
        self.late_markers.fetch_add(n, Relaxed);
    }

    /// Notes that the stream is over.
    pub fn ended(&self) {
        self.ended.store(true, Relaxed);
    }

    /// All counters. Any thread; no allocation.
    pub fn snapshot(&self) -> HealthSnapshot {
        HealthSnapshot {
            n_received: self.received.load(Relaxed),
            n_chunks: self.chunks.load(Relaxed),
            n_nan_samples: self.nan_samples.load(Relaxed),
            last_arrival_nanos: match self.last_arrival_nanos.load(Relaxed) {
                0 => None,
                nanos => Some(nanos),
            },
            n_lost: self.lost.load(Relaxed),
            n_recoveries: self.recoveries.load(Relaxed),
            n_clock_resets: self.clock_resets.load(Relaxed),
            n_failed_probes: self.failed_probes.load(Relaxed),
            n_dropped: self.dropped.load(Relaxed),
            n_dropped_markers: self.dropped_markers.load(Relaxed),
            n_late_markers: self.late_markers.load(Relaxed),
            ended: self.ended.load(Relaxed),
        }
    }
}

/// The counters at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthSnapshot {
    /// Frames that arrived.
    pub n_received: u64,
    /// Chunks they came in.
    pub n_chunks: u64,
    /// Samples (of single channels) among them that were NaN.
    pub n_nan_samples: u64,
    /// When the last chunk arrived, on the caller's clock.
    pub last_arrival_nanos: Option<u64>,
    /// Frames that never reached the source: the sum of the index's jumps.
    pub n_lost: u64,
    /// Times the sender came back.
    pub n_recoveries: u64,
    /// Steps of the sender's clock that no loss explains.
    pub n_clock_resets: u64,
    /// Clock probes without an answer.
    pub n_failed_probes: u64,
    /// Frames the ring had no room for.
    pub n_dropped: u64,
    /// Markers no queue had room for.
    pub n_dropped_markers: u64,
    /// Markers whose instant had been decided before they came.
    pub n_late_markers: u64,
    /// Whether the stream is over.
    pub ended: bool,
}

/// Whether a stream lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Liveness {
    /// No frame has come yet.
    Waiting,
    /// Frames come.
    Live,
    /// None has come for longer than [`STALE_AFTER_SECS`]; it may come back.
    Stale {
        /// For how long.
        secs: f64,
    },
    /// The stream is over.
    Ended,
}

impl HealthSnapshot {
    /// Whether the stream lives, seen from `now_nanos` of the same clock.
    pub fn liveness(&self, now_nanos: u64) -> Liveness {
        let Some(last) = self.last_arrival_nanos else {
            return if self.ended { Liveness::Ended } else { Liveness::Waiting };
        };
        let secs = now_nanos.saturating_sub(last) as f64 * 1e-9;
        match self.ended {
            true => Liveness::Ended,
            false if secs > STALE_AFTER_SECS => Liveness::Stale { secs },
            false => Liveness::Live,
        }
    }
}

/// How old the oldest of `n_frames` waiting frames is, in seconds of stream time.
pub fn backlog_secs(n_frames: usize, rate_hz: f64) -> f64 {
    n_frames as f64 / rate_hz
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SampleIndex;

    #[test]
    fn a_stream_waits_lives_stales_and_ends() {
        let health = Health::default();
        let mut chunk = Chunk::new(1, 4);
        assert_eq!(health.snapshot().liveness(5), Liveness::Waiting);
        chunk.restart(SampleIndex(0));
        chunk.extend(&[1.0, f32::NAN]);
        health.arrived(&chunk, 2_000_000_000);
        let snapshot = health.snapshot();
        assert_eq!((snapshot.n_received, snapshot.n_nan_samples, snapshot.n_chunks), (2, 1, 1));
        assert_eq!(snapshot.liveness(3_000_000_000), Liveness::Live);
        assert_eq!(snapshot.liveness(4_000_000_000), Liveness::Stale { secs: 2.0 });
        health.ended();
        assert_eq!(health.snapshot().liveness(9_000_000_000), Liveness::Ended);
    }
}
