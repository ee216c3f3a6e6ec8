//! The acquisition thread: source in, ring out.

use super::Shared;
use acquisition::marker::Marker;
use acquisition::ring::RingWriter;
use acquisition::signal::Chunk;
use acquisition::source::{Pull, Source, SourceError};
use anyhow::{Context as _, Result};
use std::time::Duration;

/// Longest wait for the source or the ring before looking whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// Markers one pull may bring before the list grows.
const MARKERS_PER_PULL: usize = 256;

/// What the thread owns.
pub struct Node {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// Where they go.
    pub writer: RingWriter,
    /// Frames per chunk at most.
    pub chunk_frames: usize,
}

impl Node {
    /// Pumps until the source ends, fails, nobody takes its frames or the session stops.
    /// The writer is dropped at the end, which ends the ring; a failure is known by then.
    ///
    /// Allocation: none per pull, beyond the source's own.
    pub fn run(mut self, shared: &Shared) -> Result<()> {
        let mut chunk = Chunk::new(self.source.info().n_channels(), self.chunk_frames);
        let mut markers = Vec::with_capacity(MARKERS_PER_PULL);
        let result = self.pump(&mut chunk, &mut markers, shared).context("the stream failed");
        if let Err(error) = &result {
            shared.failed(error);
        }
        shared.health.ended();
        result
    }

    fn pump(
        &mut self,
        chunk: &mut Chunk,
        markers: &mut Vec<Marker>,
        shared: &Shared,
    ) -> Result<(), SourceError> {
        while !shared.is_stopping() {
            markers.clear();
            let pull = self.source.pull(chunk, markers, PATIENCE)?;
            shared.health.arrived(chunk, shared.clock.nanos());
            self.hand_over(chunk, markers, shared);
            if pull == Pull::Ended || self.writer.is_abandoned() {
                break;
            }
        }
        Ok(())
    }

    /// Pushes until everything is stored or counted as dropped.
    fn hand_over(&mut self, chunk: &Chunk, markers: &[Marker], shared: &Shared) {
        let (mut n_frames, mut n_markers) = (0, 0);
        loop {
            let pushed = self.writer.push_rest(chunk, n_frames, &markers[n_markers..]);
            shared.health.pushed(&pushed);
            n_frames += pushed.n_frames;
            n_markers += pushed.n_markers;
            let is_done = n_frames == chunk.n_frames() && n_markers == markers.len();
            if is_done || shared.is_stopping() || self.writer.is_abandoned() {
                return;
            }
            self.writer.wait(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests;
