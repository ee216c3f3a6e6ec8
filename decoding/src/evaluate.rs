//! Evaluation: what a decoder's decisions are worth.
//!
//! [`labels`] turns cues into the truth of samples and windows, [`score`] compares
//! decisions with it, [`null`] says what chance and the paradigm's timing would have
//! scored, and [`running`] does the first two while a session runs; none of them knows
//! how a decision came about. [`pseudo_online`] drives the engine over recordings.

pub mod labels;
pub mod null;
pub mod pseudo_online;
pub mod running;
pub mod score;
pub mod subject;
