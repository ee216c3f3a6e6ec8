//! Power spectral density of a window, by averaged periodograms ([`welch`]), orthogonal
//! tapers ([`multitaper`], [`dpss`]) or an autoregressive model ([`burg`]); what is read
//! off it: powers and entropy of bands ([`bands`]), a 1/f background and the peaks on it
//! ([`specparam`]).

pub mod bands;
pub mod burg;
pub mod dpss;
pub mod multitaper;
pub mod specparam;
pub mod welch;

/// Why a spectrum can't be planned: choose other lengths.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PsdError {
    /// Choose a segment of at least two samples that fits into the window.
    #[error(
        "a segment of {segment_samples} samples is not between 2 and the window's {n_samples}: choose another, or a longer window"
    )]
    BadSegment {
        /// The segment asked for.
        segment_samples: usize,
        /// The window's length.
        n_samples: usize,
    },
    /// Choose an overlap shorter than the segment.
    #[error(
        "an overlap of {overlap_samples} samples is not below the segment's {segment_samples}: choose a smaller one"
    )]
    BadOverlap {
        /// The overlap asked for.
        overlap_samples: usize,
        /// The segment.
        segment_samples: usize,
    },
    /// Choose longer segments, or another band below half the sampling rate.
    #[error(
        "no frequency of the spectrum lies in {low_hz}-{high_hz} Hz: choose longer segments or another band"
    )]
    EmptyBand {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// Choose a bandwidth of at least one bin and below the rate, or a longer window.
    #[error(
        "a half-bandwidth of {half_bandwidth} bins and {n_tapers} tapers don't fit {n_samples} samples: choose a bandwidth of at least one bin and below the rate, or a longer window"
    )]
    BadBandwidth {
        /// The half-bandwidth in bins, `NW`.
        half_bandwidth: f64,
        /// The tapers that would be.
        n_tapers: usize,
        /// The window's length.
        n_samples: usize,
    },
    /// Choose an order from 1 to less than the samples it is estimated from.
    #[error(
        "an order of {order} is not between 1 and {n_samples} samples, exclusive: choose another or a longer window"
    )]
    BadOrder {
        /// The order asked for.
        order: usize,
        /// The samples, or points of the transform.
        n_samples: usize,
    },
}

#[cfg(test)]
mod tests;
