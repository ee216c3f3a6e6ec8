//! The engine: chunks of frames in, events out. A pure state machine that live
//! sessions, replays and evaluation drive alike, which is why their decisions are the
//! same bit for bit, whatever the chunking.
//!
//! It is *not* a thread, reads no clock (the caller's is an argument) and keeps no
//! past decision.

use crate::decoder::Decoder;
use crate::front_end::{Completed, FrontEnd};
use crate::session::event::{Decision, Event, Posterior, TooManyClasses};
use acquisition::signal::Chunk;
use acquisition::time::SampleIndex;

/// What the engine says: which decoder, what happened, and how long it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output {
    /// Position of the decoder among those the engine was made with.
    pub decoder_idx: usize,
    /// What happened.
    pub event: Event,
    /// For a decision: nanoseconds from the arrival of the window's last frame to the
    /// posterior (its filtering, the features, this decoder). Else 0.
    pub took_nanos: u64,
}

/// A planned session: one front end, one or more decoders that share it.
pub struct Engine {
    front_end: FrontEnd,
    n_stream_channels: usize,
    decoders: Vec<(Box<dyn Decoder>, Posterior)>,
}

impl Engine {
    /// An engine for streams of `n_stream_channels` that feeds every decoder from one
    /// front end.
    pub fn new(
        front_end: FrontEnd,
        n_stream_channels: usize,
        decoders: Vec<Box<dyn Decoder>>,
    ) -> Result<Self, TooManyClasses> {
        let with_posterior = |decoder: Box<dyn Decoder>| {
            let posterior = Posterior::zeros(decoder.n_classes())?;
            Ok((decoder, posterior))
        };
        let decoders = decoders.into_iter().map(with_posterior).collect::<Result<_, _>>()?;
        Ok(Self { front_end, n_stream_channels, decoders })
    }

    /// Takes a chunk; calls `sink` for everything that happened, in order. A chunk that
    /// does not follow the one before is a gap: it is reported and everything starts
    /// anew there. `now_nanos` is any monotonic clock; it is read only around decisions.
    ///
    /// Thread: decoding thread. Allocation: none after the first window.
    ///
    /// # Panics
    /// If the chunk has another number of channels than the engine was made for.
    pub fn push(
        &mut self,
        chunk: &Chunk,
        mut now_nanos: impl FnMut() -> u64,
        mut sink: impl FnMut(Output),
    ) {
        assert_eq!(chunk.n_channels(), self.n_stream_channels, "the plan is for another stream");
        if chunk.is_empty() {
            return;
        }
        if let Some(n_missing) = self.front_end.follow(chunk.first()) {
            self.tell_all(Event::Discontinuity { at: chunk.first(), n_missing }, &mut sink);
        }
        for frame in chunk.samples().chunks_exact(self.n_stream_channels) {
            self.push_frame(frame, &mut now_nanos, &mut sink);
        }
    }

    fn tell_all(&self, event: Event, sink: &mut impl FnMut(Output)) {
        for decoder_idx in 0..self.decoders.len() {
            sink(Output { decoder_idx, event, took_nanos: 0 });
        }
    }

    fn push_frame(
        &mut self,
        frame: &[f32],
        now_nanos: &mut impl FnMut() -> u64,
        sink: &mut impl FnMut(Output),
    ) {
        let end = self.front_end.next();
        let ends_window = self.front_end.window_ends_next();
        let start = if ends_window { now_nanos() } else { 0 };
        match self.front_end.push_frame(frame) {
            Completed::Nothing => {}
            Completed::Unusable => self.tell_all(Event::Unusable { end }, sink),
            Completed::Window => self.decide(end, start, now_nanos, sink),
        }
    }

    /// Lets every decoder decide on the window that ends at `end`.
    fn decide(
        &mut self,
        end: SampleIndex,
        start: u64,
        now_nanos: &mut impl FnMut() -> u64,
        sink: &mut impl FnMut(Output),
    ) {
        let Some(window) = self.front_end.window() else {
            self.tell_all(Event::Unusable { end }, sink);
            return;
        };
        let mut before = now_nanos();
        let shared = before.saturating_sub(start);
        for (decoder_idx, (decoder, posterior)) in self.decoders.iter_mut().enumerate() {
            decoder.decide(&window, posterior.as_mut_slice());
            let after = now_nanos();
            let took_nanos = shared + after.saturating_sub(before);
            before = after;
            let finite = posterior.as_slice().iter().all(|p| p.is_finite());
            let decision = Event::Decision(Decision { end, posterior: *posterior });
            let event = if finite { decision } else { Event::Unusable { end } };
            sink(Output { decoder_idx, event, took_nanos });
        }
    }
}
