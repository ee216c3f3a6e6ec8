//! From samples to decisions to scores: pure functions and state machines.
//!
//! Nothing here reads a clock, spawns a thread, opens a file or draws from a global
//! generator: time, randomness and samples are arguments. That is what makes a live
//! session, a replay and an evaluation the same computation.
//!
//! # The path of a sample
//! ```text
//! frame ─ conditioning (select, filter) ─ window + features ─ Decoder ─ Event
//!         └──────────── front_end::FrontEnd ─────────────┘   └ session::Engine ┘
//! ```
//!
//! # Conventions
//! Shapes are `(n_channels, n_samples)`. Samples come in as `f32`; filter state,
//! covariances and everything after are `f64`. Class 0 is idle, tasks follow from 1.

pub mod adaptation;
pub mod artifact;
pub mod classifier;
pub mod connectivity;
pub mod decoder;
pub mod evaluate;
pub mod filter;
pub mod front_end;
mod integer;
pub mod matrix;
pub mod metric;
pub mod offline;
pub mod pipeline;
pub mod psd;
pub mod riemann;
pub mod selection;
pub mod session;
pub mod spatial;
pub mod spatial_filter;
pub mod stats;
pub mod time_domain;
pub mod time_frequency;
pub mod window;
