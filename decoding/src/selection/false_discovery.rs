//! P-values corrected for how many were looked at: control of the false-discovery rate.

use serde::{Deserialize, Serialize};

/// Which dependence between the tests is allowed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// Independent or positively dependent tests (Benjamini and Hochberg).
    #[default]
    BenjaminiHochberg,
    /// Any dependence (Benjamini and Yekutieli): larger by `1 + 1/2 + ... + 1/n`.
    BenjaminiYekutieli,
}

/// The smallest false-discovery rate at which each test is a discovery.
///
/// With the p-values ascending, `q_(i) = min_(j >= i) p_(j) n c / j`, at most 1, where
/// `c` is 1 or the harmonic number of `n` ([`Correction`]). Keeping all tests with
/// `q <= rate` bounds the expected share of false ones among them by `rate`. As SciPy's
/// `false_discovery_control`. NaN counts as 1: it is no discovery. Allocates.
///
/// # Reference
/// Y. Benjamini, Y. Hochberg (1995), doi 10.1111/j.2517-6161.1995.tb02031.x.
/// Y. Benjamini, D. Yekutieli (2001), doi 10.1214/aos/1013699998.
pub fn corrected(p: &[f64], correction: Correction) -> Vec<f64> {
    let n = p.len() as f64;
    let factor: f64 = match correction {
        Correction::BenjaminiHochberg => 1.0,
        Correction::BenjaminiYekutieli => (1..=p.len()).map(|j| (j as f64).recip()).sum(),
    };
    let value = |i: usize| if p[i].is_nan() { 1.0 } else { p[i] };
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut corrected = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, i) in order.iter().enumerate().rev() {
        least = least.min(value(*i) * n * factor / (rank + 1) as f64);
        corrected[*i] = least;
    }
    corrected
}
