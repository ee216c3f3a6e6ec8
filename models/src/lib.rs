//! Trained models on disk.
//!
//! A [`checkpoint::Model`] holds everything a decision depends on: preprocessing,
//! geometry, weights, class and channel names, rate. It is *not* a pipeline
//! description to be fitted, and nothing in it is code.

pub mod checkpoint;
pub mod session;
