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
mod windows;
pub mod xdawn;

use crate::decoder::FitError;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// How a covariance is estimated from samples, mean removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Divided by the number of samples: singular with fewer samples than rows.
    Scm,
    /// Oracle-approximating shrinkage towards a multiple of the identity
    /// ([`oas_shrink`](crate::riemann::covariance::oas_shrink)): never singular.
    #[default]
    Oas,
}

/// Refuses a number of parts below one.
fn check_count(name: &'static str, n: usize) -> Result<(), FitError> {
    match n {
        0 => Err(FitError::BadParameter { name, found: 0.0, allowed: "at least 1" }),
        _ => Ok(()),
    }
}
