//! Why a front end can't be built.

use crate::artifact::asr::AsrError;
use crate::artifact::eog_regression::EogError;
use crate::connectivity::ConnectivityError;
use crate::filter::FilterError;
use crate::psd::PsdError;
use crate::riemann::covariance::CovarianceError;
use crate::spatial::SpatialError;
use crate::spatial_filter::augmented::AugmentedError;
use crate::spatial_filter::cca::CcaError;
use crate::window::WindowError;
use acquisition::text::printable;

/// Why a front end can't be built: change the configuration or the channels.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Choose a band that fits the rate.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Choose other lengths.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// Select at least one channel.
    #[error("no channel is selected: name the channels to decode from")]
    NoChannels,
    /// Choose a longer window, or a pipeline without band power.
    #[error(transparent)]
    Bands(#[from] PsdError),
    /// Choose a longer window or an estimator that shrinks.
    #[error(transparent)]
    Covariance(#[from] CovarianceError),
    /// Choose a longer window, another order or another lag.
    #[error(transparent)]
    Augmented(#[from] AugmentedError),
    /// Choose more channels, other bands or a longer window.
    #[error(transparent)]
    Connectivity(#[from] ConnectivityError),
    /// Choose other frequencies, fewer harmonics or a longer window.
    #[error(transparent)]
    Cca(#[from] CcaError),
    /// Name electrodes of the 10-10 system, or leave the spatial step out.
    #[error(transparent)]
    Spatial(#[from] SpatialError),
    /// Choose a window and a step that are multiples, or another rate.
    #[error(
        "windows of {window_samples} samples every {step_samples} at {rate_hz} Hz are no whole numbers of samples at {resampled_hz} Hz: resample to another rate, or choose a window of at least {least} samples and a step that are multiples of {multiple} samples"
    )]
    ResampledWindow {
        /// Samples of a window.
        window_samples: usize,
        /// From one window to the next.
        step_samples: usize,
        /// The stream's rate.
        rate_hz: f64,
        /// The rate that is resampled to.
        resampled_hz: f64,
        /// What both must be multiples of.
        multiple: u64,
        /// The shortest window.
        least: u64,
    },
    /// Choose a lower rate.
    #[error(
        "resampling from {rate_hz} Hz to {resampled_hz} Hz brings nothing that is not there: choose at most sixteen times the rate"
    )]
    ResampledTooFar {
        /// The rate before.
        rate_hz: f64,
        /// The rate asked for.
        resampled_hz: f64,
    },
    /// Fit the pipeline: its signal steps learn first.
    #[error("the step `{step}` has learned nothing yet: fit the pipeline")]
    Unlearned {
        /// The step.
        step: &'static str,
    },
    /// Train on the channels that are decoded from.
    #[error("the step `{step}` learned from {expected} channels and is given {found}: train again")]
    OtherChannels {
        /// The step.
        step: &'static str,
        /// Channels it learned from.
        expected: usize,
        /// Channels there are.
        found: usize,
    },
    /// Train at the rate that is decoded at.
    #[error("the step `{step}` learned at {learned_hz} Hz and is given {found_hz} Hz: train again")]
    OtherRate {
        /// The step.
        step: &'static str,
        /// Rate it learned at.
        learned_hz: f64,
        /// Rate there is.
        found_hz: f64,
    },
    /// Name the channels in the step.
    #[error(
        "the stream has no channel of the kind EOG: name frontal channels in `eog_regression`, or leave it out"
    )]
    NoEog,
    /// Train again: the calibration does not fit the cleaner's parameters.
    #[error("the step `asr`: {0}")]
    Asr(#[from] AsrError),
    /// Train again, on the channels that are decoded from.
    #[error("the step `eog_regression`: {0}")]
    Eog(#[from] EogError),
    /// Name channels that the stream has.
    #[error(
        "the pipeline picks channel {}, which is not among the {n_channels} channels decoded from: name channels of the recording",
        printable(label)
    )]
    NoSuchChannel {
        /// The label asked for.
        label: String,
        /// Channels there are.
        n_channels: usize,
    },
}
