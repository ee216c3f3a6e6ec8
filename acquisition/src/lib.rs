//! Streams of samples: the vocabulary of mindloop, the sources that produce
//! samples, and the bounded hand-over to the thread that decodes them.
//!
//! This package is *not* about files (`datasets`), features or decisions
//! (`decoding`). It depends on no other package of the workspace, so every word
//! below means the same everywhere.
//!
//! # Glossary
//! - **channel**: one electrode or sensor. **frame**: one value per channel, taken
//!   at one instant. **sample**: one value of one channel; a *sample index* counts
//!   frames from the first one of a stream.
//! - **stream**: an endless sequence of frames at a nominal rate ([`signal::StreamInfo`]).
//!   **recording**: a finite one ([`signal::Recording`]).
//! - **feed**: something frames can be read from without waiting ([`source::Feed`]:
//!   a file, the simulator). **source**: something frames *arrive* from
//!   ([`source::Source`]: an LSL inlet, a paced feed).
//! - **marker**: a text at an instant. **cue**: a marker that starts a task of a class.
//!
//! # Units and shapes
//! Samples are `f32` in microvolts, femtotesla or femtotesla per centimetre
//! ([`signal::Unit`]), converted once, in the source. Matrices are
//! `(n_channels, n_samples)`; only [`signal::Chunk`] and the ring transport whole
//! frames one after the other, because that is the order in which they arrive.
//!
//! # Clocks
//! | clock | type | origin | who reads it |
//! |---|---|---|---|
//! | sample index | [`time::SampleIndex`] | first frame of the stream, lost frames counted | everybody: the primary clock |
//! | stream seconds | `f64`, names end in `_secs` | sample 0 | markers, cues, labels |
//! | LSL time | [`time::LslTime`] | the machine's monotonic LSL clock | sources and `sync` only |
//!
//! # Threads
//! A source is pulled by one thread, which owns the writing end of the ring; the
//! decoding thread owns the reading end. Two threads are started here, both by the
//! LSL code and both off the path of the data:
//! | thread | what it does | until |
//! |---|---|---|
//! | `ml-lsl-clock` | probes senders' clocks, looks who came back | its source is dropped |
//! | `ml-lsl-drop` | destroys an inlet that liblsl may hang on | it is destroyed |

pub mod health;
#[cfg(feature = "lsl")]
pub mod lsl;
pub mod marker;
pub mod montage;
pub mod ring;
pub mod signal;
pub mod source;
pub mod sync;
pub mod text;
pub mod time;
