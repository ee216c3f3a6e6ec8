//! The session: one engine for live streams, replays and evaluation.

pub mod engine;
pub mod event;
