//! Spatial filters: weights over channels that are fitted to examples, so that what is
//! left tells the classes apart. They are *not* re-references, which are fitted to
//! nothing (those are in [`spatial`](crate::spatial)).
//!
//! | method | takes | gives |
//! |---|---|---|
//! | [`csp`] | covariances | log-variances |
//! | [`filter_bank_csp`] | covariances in several bands | log-variances |
//! | [`spoc`] | covariances and numbers | log-variances |
//! | [`xdawn`] | windows | filtered windows |
//! | [`erp_covariance`] | windows | covariances with the class's mean response |
//! | [`augmented`] | windows | covariances with the window's own past |
//! | [`cca`] | windows, in several bands or one | a score per stimulation frequency |
//! | [`trca`] | windows, in several bands or one | a score per class |
//!
//! Fitted models are plain numbers; their `plan` makes a runtime with scratch.

pub mod augmented;
pub mod cca;
pub mod csp;
pub mod erp_covariance;
pub mod filter_bank;
pub mod filter_bank_csp;
mod generalised;
mod joint;
pub mod spoc;
mod stacked;
pub mod trca;
pub(crate) mod windows;
pub mod xdawn;

use crate::classifier::check_count;
use crate::decoder::FitError;
use crate::riemann::covariance::CovarianceError;

#[cfg(test)]
mod tests;

/// Why samples have no covariance, in the words of a fit.
fn in_words(error: CovarianceError) -> FitError {
    match error {
        CovarianceError::TooFewSamples { n_samples } => {
            FitError::TooShort { n_samples, n_needed: 2 }
        }
        CovarianceError::BadShrinkage { shrinkage } => {
            let (name, allowed) = ("shrinkage", "from 0 to 1");
            FitError::BadParameter { name, found: shrinkage, allowed }
        }
        CovarianceError::Singular { n_channels, n_samples } => {
            FitError::TooShort { n_samples, n_needed: n_channels + 1 }
        }
    }
}
