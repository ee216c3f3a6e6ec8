//! Wolpaw's information transfer rate, and the choices it leaves open.

use crate::metric::confusion::Confusion;
use crate::window::WindowSpec;
use acquisition::time::SampleRate;
use serde::{Deserialize, Serialize};

/// What is taken for the probability `P` of a right decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItrP {
    /// Mean recall over the classes present in the truth: the formula assumes equally
    /// likely classes, and idle is not one of equals.
    #[default]
    BalancedAccuracy,
    /// Share of windows on the diagonal, as most of the literature has it.
    Accuracy,
}

/// What is taken for the time `T` between two decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItrT {
    /// Conservative: one decision per window length, because windows that overlap
    /// repeat what they have in common.
    #[default]
    WindowLength,
    /// One decision per step, as if all were independent.
    WindowStep,
}

/// The choices a reported rate has to name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItrOptions {
    /// The probability of a right decision.
    pub p: ItrP,
    /// The time between two decisions.
    pub t: ItrT,
}

impl ItrOptions {
    /// Rate of a confusion matrix in bits/min; `N` is its number of classes, whether
    /// or not all occurred.
    pub fn bits_per_min(self, confusion: &Confusion, spec: WindowSpec, rate: SampleRate) -> f64 {
        let p = match self.p {
            ItrP::BalancedAccuracy => confusion.balanced_accuracy(),
            ItrP::Accuracy => confusion.accuracy(),
        };
        let n_samples = match self.t {
            ItrT::WindowLength => spec.window_samples,
            ItrT::WindowStep => spec.step_samples,
        };
        itr_bits_per_min(p, confusion.n_classes(), n_samples as f64 / rate.hz())
    }
}

/// Information transfer rate of decisions `secs` apart that are right with probability `p`:
///
/// ```text
/// ITR = (log2 N + P log2 P + (1-P) log2((1-P)/(N-1))) * 60 / T      bits/min
/// ```
///
/// `P >= 1` gives `log2 N` bits and `P <= 1/N` gives 0, for no rate is negative. It
/// assumes equally likely classes and errors spread evenly over them.
///
/// # Reference
/// J. R. Wolpaw et al. (2002), doi:10.1016/S1388-2457(02)00057-3.
pub fn itr_bits_per_min(p: f64, n_classes: usize, secs: f64) -> f64 {
    let n = n_classes as f64;
    let bits = if n_classes < 2 || p.is_nan() || p <= 1.0 / n {
        0.0
    } else if p >= 1.0 {
        n.log2()
    } else {
        n.log2() + p * p.log2() + (1.0 - p) * ((1.0 - p) / (n - 1.0)).log2()
    };
    bits * 60.0 / secs
}
