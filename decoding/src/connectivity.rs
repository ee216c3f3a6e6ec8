//! How channels go together: coherence and phase measures over epochs, over time and
//! sliding, envelopes, autoregressive models with their directed measures, and what graphs
//! of these look like.
//!
//! # One engine for the spectral measures
//! Epochs, the segments of a window, or the samples of a wavelet transform are
//! *observations* of a spectrum. One pass over them sums, for each pair of channels and
//! each frequency, what the asked-for [`Measure`]s need of the cross-spectrum
//! `S = X conj(Y)` and nothing else; the measures are then formed at each frequency and
//! averaged over bands.
//!
//! | over | function or type |
//! |---|---|
//! | epochs (Fourier, multitaper; or wavelets, at each time) | [`EpochConnectivity`] |
//! | the samples of one epoch or window (wavelets) | [`TimeConnectivity`] |
//! | segments of a sliding window, updated per hop | [`SlidingConnectivity`], [`NodeStrength`] |
//!
//! [`EnvelopeCorrelation`] compares amplitudes instead of phases, [`SlidingEnvelope`] per
//! hop; [`symmetric_orthogonal`] takes what all channels share out of all of them first.
//!
//! [`mvar`] fits vector autoregressions, to a window or sliding; [`directed`] and
//! [`granger`] measure who drives whom by them. [`graph`] describes a whole matrix of any
//! of these, [`surrogate`] says which of its values are more than chance.
//!
//! # Conventions
//! Pairs are those of the lower triangle, row after row: `(1,0), (2,0), (2,1), (3,0) ...`,
//! the channel with the higher index first ([`pair_idx`]). `X` is the first channel's
//! spectrum. All measures are free of the samples' unit. A pair with a channel without
//! any power has the value 0 wherever a power or a magnitude divides.

pub mod directed;
mod envelope;
mod epochs;
mod fourier;
pub mod granger;
pub mod graph;
mod lines;
mod map;
mod measure;
pub mod mvar;
mod reduce;
mod selection;
mod sliding;
mod strength;
pub mod surrogate;
mod symmetric;
mod tally;
mod time;
mod wavelet;

pub use self::envelope::{Envelope, EnvelopeCorrelation, Orthogonalisation, SlidingEnvelope};
pub use self::epochs::EpochConnectivity;
pub use self::map::ConnectivityMap;
pub use self::measure::Measure;
pub use self::selection::{BandEdges, ConnectivitySpec, Resolution};
pub use self::sliding::{Segments, SlidingConnectivity};
pub use self::strength::NodeStrength;
pub use self::symmetric::symmetric_orthogonal;
pub use self::time::TimeConnectivity;

/// Why connectivity can't be planned or computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ConnectivityError {
    /// Choose at least two channels.
    #[error("{n_channels} channel makes no pair: choose at least two channels")]
    TooFewChannels {
        /// Channels given.
        n_channels: usize,
    },
    /// Name at least one measure.
    #[error("no measure is asked for: name at least one")]
    NoMeasure,
    /// Choose longer segments or epochs, or another band below half the sampling rate.
    #[error(
        "no frequency lies in {low_hz}-{high_hz} Hz: choose longer segments or another band below half the rate"
    )]
    EmptyBand {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// The phase slope needs two frequencies strictly inside a band: widen the band or
    /// choose longer segments. Single frequencies have no slope.
    #[error(
        "the phase slope needs two frequencies strictly inside {low_hz}-{high_hz} Hz: widen the band or choose longer segments"
    )]
    NarrowBand {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// Choose segments of at least two samples that fit into the window.
    #[error(
        "a segment of {segment_samples} samples is not between 2 and the window's {n_samples}: choose another, or a longer window"
    )]
    BadSegment {
        /// The segment asked for.
        segment_samples: usize,
        /// The window's length.
        n_samples: usize,
    },
    /// Choose a step of at least one sample.
    #[error("segments that start every 0 samples never end: choose a step of at least one sample")]
    NoStep,
    /// Leave the epoch out, or repair it.
    #[error("epoch {epoch}, channel {channel}: a sample is not finite; leave the epoch out")]
    NotFinite {
        /// Its place.
        epoch: usize,
        /// Its place.
        channel: usize,
    },
    /// Leave the channel out: it has no phase and no power.
    #[error("channel {channel} is constant in every epoch: leave it out")]
    ConstantChannel {
        /// Its place.
        channel: usize,
    },
    /// Plan for the shape of the data.
    #[error(
        "epochs of {given:?} channels and samples do not fit the plan's {planned:?}: plan for their shape"
    )]
    OtherShape {
        /// Channels and samples planned.
        planned: (usize, usize),
        /// Channels and samples given.
        given: (usize, usize),
    },
    /// Choose a bandwidth of at least one and fewer than all frequencies of the spectrum.
    #[error(
        "a bandwidth of {bandwidth_hz} Hz is not between one frequency and all of an epoch of {n_samples} samples: choose another"
    )]
    BadBandwidth {
        /// The bandwidth asked for.
        bandwidth_hz: f64,
        /// The epoch's length.
        n_samples: usize,
    },
    /// Give a longer window, or fewer channels.
    #[error(
        "{n_samples} samples can't hold {n_channels} orthogonal channels: give a longer window or fewer channels"
    )]
    TooFewSamples {
        /// Channels given.
        n_channels: usize,
        /// Samples given.
        n_samples: usize,
    },
    /// Leave out channels that are combinations of others, or project them onto as many
    /// components as are independent.
    #[error(
        "the channels are not independent, as after an average reference: leave some out or project them"
    )]
    DependentChannels,
    /// Leave out near copies of other channels.
    #[error("still no orthogonal channels after {n_rounds} rounds: leave out near copies")]
    NoConvergence {
        /// Rounds done.
        n_rounds: usize,
    },
    /// Choose fewer cycles, a frequency between 0 and half the rate, or longer epochs.
    #[error(
        "a wavelet of {n_cycles} cycles at {freq_hz} Hz does not fit {n_samples} samples: choose fewer cycles, a frequency below half the rate, or longer epochs"
    )]
    BadWavelet {
        /// Its frequency.
        freq_hz: f64,
        /// Its cycles.
        n_cycles: f64,
        /// The epoch's length.
        n_samples: usize,
    },
    /// Give more epochs or a longer window, or choose another measure.
    #[error("{measure:?} needs {needed} observations, not {n_observations}: give more of them")]
    TooFewObservations {
        /// The measure.
        measure: Measure,
        /// Epochs, segments or samples given.
        n_observations: usize,
        /// How many it takes.
        needed: usize,
    },
}

/// Where the pair of two channels stands among all pairs.
///
/// # Panics
/// If the channels are the same.
pub fn pair_idx(channel: usize, other: usize) -> usize {
    assert_ne!(channel, other, "a pair has two channels");
    reduce::n_pairs_below(channel.max(other)) + channel.min(other)
}

/// Number of pairs of `n_channels` channels.
pub fn n_pairs(n_channels: usize) -> usize {
    reduce::n_pairs_below(n_channels)
}

#[cfg(test)]
mod tests;
