//! Trained models on disk.
//!
//! A [`checkpoint::Model`] holds everything a decision depends on: preprocessing,
//! geometry, weights, class and channel names, rate. It is *not* a pipeline
//! description to be fitted, and nothing in it is code.
//!
//! With the feature `neural`, which is on by default, there are networks too: [`net`]
//! describes and computes them, [`backend`] says where.

#[cfg(feature = "neural")]
pub mod backend;
pub mod checkpoint;
#[cfg(feature = "neural")]
pub mod decoder;
#[cfg(feature = "neural")]
pub mod export;
#[cfg(feature = "neural")]
pub mod import;
#[cfg(feature = "neural")]
pub mod net;
#[cfg(feature = "neural")]
pub mod random;
pub mod session;
#[cfg(feature = "neural")]
pub mod train;
#[cfg(feature = "neural")]
pub mod verify;
#[cfg(feature = "neural")]
pub mod weights;
