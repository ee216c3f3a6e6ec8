//! The decoding thread: ring in, events out.

use super::{Listener, Shared};
use acquisition::marker::Marker;
use acquisition::ring::{RingReader, RingWriter};
use acquisition::signal::Chunk;
use decoding::session::engine::{Engine, Output};
use decoding::session::event::Event;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest sleep before looking whether to stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// Markers that may wait beside one chunk before the list grows: all the ring holds.
const MARKERS: usize = super::RING_MARKERS;

/// What the thread owns.
pub struct Node {
    /// What decides.
    pub engine: Engine,
    /// Where frames come from.
    pub reader: RingReader,
    /// Channels of the stream.
    pub n_channels: usize,
    /// Who hears the events.
    pub listeners: Vec<Listener>,
    /// The raw frames' way to the screen.
    pub frames_to_screen: Option<RingWriter>,
    /// Frames per chunk at most.
    pub chunk_frames: usize,
}

impl Node {
    /// Decodes until the ring ends or the session stops.
    ///
    /// Allocation: none after the first window.
    pub fn run(mut self, shared: &Shared) {
        let mut chunk = Chunk::new(self.n_channels, self.chunk_frames);
        let mut markers = Vec::with_capacity(MARKERS);
        while !(shared.is_stopping() || self.reader.is_ended()) {
            if self.reader.wait(PATIENCE) {
                self.step(&mut chunk, &mut markers, shared);
            }
        }
        shared.decoded_all.store(true, Ordering::Release);
    }

    /// Takes one chunk through engine and listeners.
    fn step(&mut self, chunk: &mut Chunk, markers: &mut Vec<Marker>, shared: &Shared) {
        self.reader.pop(chunk, markers);
        shared.backlog_frames.store(self.reader.len() as u64, Ordering::Relaxed);
        let tell = |output: Output| {
            for listener in &self.listeners {
                listener.tell(output, shared);
            }
        };
        for marker in markers.drain(..) {
            let event = Event::Marker(marker);
            tell(Output { decoder_idx: 0, event, took_nanos: 0 });
        }
        self.engine.push(chunk, || shared.clock.nanos(), tell);
        if let Some(screen) = &mut self.frames_to_screen {
            let pushed = screen.push(chunk, &[]);
            shared.undrawn_frames.fetch_add(pushed.n_frames_dropped as u64, Ordering::Relaxed);
        }
    }
}
