//! Where frames come from.
//!
//! Two seams, because two different promises are made:
//! - a [`Feed`] hands out the next frames at once, whenever it is asked: a file
//!   reader, a recording in memory, the simulator. Evaluation reads feeds directly.
//! - a [`Source`] is *waited for*: an LSL inlet, or a feed paced to real time
//!   ([`replay`]). Live sessions pull sources.
//!
//! The sample index is the source's duty: it counts lost frames, and a chunk never
//! spans a gap, so everything downstream sees a jump of the index and nothing else.

#[cfg(feature = "lsl")]
pub mod lsl;
pub mod replay;
pub mod synthetic;

use crate::marker::Marker;
use crate::signal::{Chunk, StreamInfo};
use std::time::Duration;

/// A supply of frames that never waits.
pub trait Feed: Send {
    /// Description of the stream; constant.
    fn info(&self) -> &StreamInfo;

    /// Restarts `chunk` at the next frame's index and fills it with up to
    /// `chunk.capacity()` consecutive frames; appends the markers whose onset lies
    /// before the chunk's end and that were not handed out yet. Returns `false` when
    /// no frame is left (`chunk` is then empty); the first such call appends all
    /// markers that are left, those behind the last frame.
    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError>;
}

impl<F: Feed + ?Sized> Feed for Box<F> {
    fn info(&self) -> &StreamInfo {
        (**self).info()
    }

    fn read(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>) -> Result<bool, SourceError> {
        (**self).read(chunk, markers)
    }
}

/// What a pull brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// At least one frame or marker.
    Data,
    /// Nothing within the timeout; the stream may still be alive.
    Idle,
    /// The stream is over: this pull brought its last markers, if any, and no frame;
    /// no pull will bring anything again.
    Ended,
}

/// A stream of frames that arrive in their own time.
pub trait Source: Send {
    /// Description of the stream; constant for the source's life.
    fn info(&self) -> &StreamInfo;

    /// Waits at most `timeout`; restarts `chunk` at the index of the first frame that
    /// arrived and fills it with consecutive frames; appends markers that arrived.
    ///
    /// Thread: the acquisition thread. Allocation: none after the first frames, but
    /// for what the transport's own library does.
    fn pull(
        &mut self,
        chunk: &mut Chunk,
        markers: &mut Vec<Marker>,
        timeout: Duration,
    ) -> Result<Pull, SourceError>;
}

/// Why a source has nothing more to give.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No stream answered the query: check the device, then resolve again.
    #[error("no stream answered within {secs:.0} s: {query}")]
    NotFound {
        /// What was asked for.
        query: String,
        /// How long.
        secs: f64,
    },
    /// Several streams match: narrow the query.
    #[error("{n_found} streams match, narrow the query (by source_id): {query}")]
    Ambiguous {
        /// What was asked for.
        query: String,
        /// How many answered.
        n_found: usize,
    },
    /// The stream can't be used as it is: fix its declaration, then start again.
    #[error("stream can't be used: {0}")]
    Unusable(String),
    /// The stream came back as something else: stop the session, rebuild the plan.
    #[error("stream changed while it was read: {0}")]
    Changed(String),
    /// The transport broke: rebuild the source.
    #[error("transport failed: {0}")]
    Transport(String),
    /// The file behind a feed could not be read on: what came before is sound.
    #[error("reading failed: {0}")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}
