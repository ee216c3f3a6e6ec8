//! Power over time and frequency: wavelets ([`morlet`]), and its change against a
//! baseline ([`baseline`]), class by class ([`event_related`]).

pub mod baseline;
pub mod event_related;
pub mod morlet;

/// Why power over time and frequency can't be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TimeFrequencyError {
    /// Name at least one frequency, all above 0 and below half the rate, and at least a
    /// tenth of a cycle.
    #[error(
        "a wavelet of {n_cycles} cycles at {freq_hz} Hz can't be sampled at {rate_hz} Hz: choose frequencies above 0 and below half the rate, and cycles of 0.1 or more"
    )]
    BadFrequency {
        /// The frequency, NaN where none is named.
        freq_hz: f64,
        /// The cycles.
        n_cycles: f64,
        /// The rate.
        rate_hz: f64,
    },
    /// Choose longer epochs or a higher frequency, or fewer cycles.
    #[error(
        "the wavelet at {freq_hz} Hz has {wavelet_samples} samples, the signal {n_samples}: choose longer epochs, a higher frequency or fewer cycles"
    )]
    TooShort {
        /// The frequency.
        freq_hz: f64,
        /// The wavelet's length.
        wavelet_samples: usize,
        /// The signal's length.
        n_samples: usize,
    },
    /// Plan for the epochs' length.
    #[error(
        "epochs of {n_samples} samples, but a plan for {planned_samples}: plan for their length"
    )]
    OtherLength {
        /// The plan's length.
        planned_samples: usize,
        /// The epochs'.
        n_samples: usize,
    },
    /// Choose a baseline inside the epoch.
    #[error(
        "the baseline from {start} to {end} is empty or not inside {n_samples} samples: choose samples of the epoch"
    )]
    BadBaseline {
        /// Its first sample.
        start: usize,
        /// The sample after its last.
        end: usize,
        /// The epoch's length.
        n_samples: usize,
    },
    /// Choose a class that occurs.
    #[error("no epoch is of class {class}: choose a class that occurs in the epochs")]
    NoEpochs {
        /// The class asked for.
        class: u8,
    },
    /// Clean or leave out the epochs first.
    #[error("epoch {epoch} holds a sample that is not finite: clean it or leave it out")]
    NotFinite {
        /// The epoch, counted from 0.
        epoch: usize,
    },
}

#[cfg(test)]
mod tests;
