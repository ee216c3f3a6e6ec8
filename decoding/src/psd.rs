//! Power spectral density of a window ([`welch`]) and its mean over bands ([`bands`]).

pub mod bands;
pub mod welch;

/// Why a spectrum can't be planned: choose other lengths.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PsdError {
    /// Choose a segment of at least two samples that fits into the window.
    #[error("a segment of {segment_samples} samples is not between 2 and the window's {n_samples}")]
    BadSegment {
        /// The segment asked for.
        segment_samples: usize,
        /// The window's length.
        n_samples: usize,
    },
    /// Choose an overlap shorter than the segment.
    #[error("an overlap of {overlap_samples} samples is not below the segment's {segment_samples}")]
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
}

#[cfg(test)]
mod tests;
