//! Channel algebra that is fitted to no class: re-references, Laplacians, interpolation
//! of bad channels, current source density.
//!
//! Each is a matrix over the channels of a frame, with labels on both sides
//! ([`ChannelMap`]); it is planned for the channels of a stream and then runs frame by
//! frame. It has no memory and no delay. What is fitted to classes is in
//! `spatial_filter`.
//!
//! | what | where |
//! |---|---|
//! | a reference subtracted in place, the short way | [`mod@reference`] |
//! | common average, linked, bipolar | [`ChannelMap`] |
//! | small and large Laplacian | [`laplacian`] |
//! | reference at infinity | [`rest`] |
//! | interpolation, current source density | [`spline`] |

mod channel_map;
pub mod laplacian;
pub mod reference;
pub mod rest;
pub mod spline;

pub use channel_map::{ChannelMap, ChannelMapper};

use crate::matrix::MatrixError;

/// Why a channel map can't be made, or does not fit a stream.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpatialError {
    /// Pass at least that many channels.
    #[error("{n_channels} channels are too few: at least {needed} are needed: name more of them")]
    TooFewChannels {
        /// Channels given.
        n_channels: usize,
        /// Channels needed.
        needed: usize,
    },
    /// Name only channels that are there; upper and lower case differ.
    #[error("there is no channel {label:?}: name channels of the recording")]
    UnknownChannel {
        /// The label asked for.
        label: String,
    },
    /// Give every channel a name of its own.
    #[error("two channels are called {label:?}: rename one or leave it out")]
    RepeatedChannel {
        /// The label that stands twice.
        label: String,
    },
    /// Pass one row of weights per output and one column per input.
    #[error(
        "weights of {n_rows} x {n_cols} where {n_outputs} x {n_inputs} are needed: pass as many as there are channels"
    )]
    WrongShape {
        /// Rows given.
        n_rows: usize,
        /// Columns given.
        n_cols: usize,
        /// Output channels.
        n_outputs: usize,
        /// Input channels.
        n_inputs: usize,
    },
    /// Look for NaN or infinite values among the weights or positions.
    #[error(transparent)]
    Weights(#[from] MatrixError),
    /// Name the electrode by the 10-10 system, or leave the channel out.
    #[error(
        "{label:?} is no electrode of the 10-10 system: its place is not known: leave it out, or rename it"
    )]
    UnknownElectrode {
        /// The label.
        label: String,
    },
    /// Record more electrodes, or keep those with fewer neighbours.
    #[error(
        "no electrode has its neighbours among the channels: take more channels, a larger reach or edges with fewer"
    )]
    NoNeighbours,
    /// Give each electrode a finite place that is not the centre of the sphere.
    #[error(
        "position {idx} is not finite or is the centre of the sphere: correct it or leave the channel out"
    )]
    BadPosition {
        /// Its index.
        idx: usize,
    },
    /// Choose a positive radius, stiffness and number of terms, and a regularisation of
    /// 0 or more.
    #[error("a spline of {what} is not possible: choose a positive number")]
    BadSpline {
        /// What is out of range.
        what: &'static str,
    },
    /// Give every electrode a place of its own, or regularise.
    #[error(
        "the equations are singular: look for two electrodes at one place, or a field of zeros"
    )]
    Singular,
}

/// The labels as strings, each of them once.
fn owned_labels(labels: &[impl AsRef<str>]) -> Result<Vec<String>, SpatialError> {
    let labels: Vec<String> = labels.iter().map(|l| l.as_ref().to_owned()).collect();
    let mut seen = std::collections::HashSet::new();
    match labels.iter().find(|label| !seen.insert(label.as_str())) {
        Some(label) => Err(SpatialError::RepeatedChannel { label: label.clone() }),
        None => Ok(labels),
    }
}

/// Where `label` stands.
fn position_of(labels: &[impl AsRef<str>], label: &str) -> Result<usize, SpatialError> {
    let found = labels.iter().position(|l| l.as_ref() == label);
    found.ok_or_else(|| SpatialError::UnknownChannel { label: label.to_owned() })
}

#[cfg(test)]
mod tests;
