//! Known distributions of measures between channels that know nothing of each other.

/// Probability of a coherence of at least `coherence` over `n_observations` that are
/// independent (segments that do not overlap, or epochs times tapers), where there is
/// none: `(1 - C²)^(n - 1)`. One observation has coherence 1 whatever it is.
///
/// # Reference
/// D. M. Halliday et al. (1995), doi:10.1016/0079-6107(96)00009-0.
pub fn coherence_p(coherence: f64, n_observations: usize) -> f64 {
    (1.0 - coherence * coherence).powf(n_observations.max(1) as f64 - 1.0)
}

/// The coherence that has probability `level`: `sqrt(1 - level^(1 / (n - 1)))`; 1 for one
/// observation.
pub fn coherence_threshold(level: f64, n_observations: usize) -> f64 {
    let exponent = (n_observations.max(1) as f64 - 1.0).recip();
    (1.0 - level.powf(exponent)).sqrt()
}

/// Probability of a phase locking of at least `locking` over `n_observations` that are
/// independent, where phases are uniform: Rayleigh's test,
/// `exp(sqrt(1 + 4 n + 4 (n² - R²)) - (1 + 2 n))` with `R = n locking`.
///
/// # Reference
/// J. H. Zar: Biostatistical Analysis (1999), 27.4.
pub fn phase_locking_p(locking: f64, n_observations: usize) -> f64 {
    let n = n_observations as f64;
    let rest = n * n * (1.0 - locking * locking);
    ((1.0 + 4.0 * n + 4.0 * rest).sqrt() - (1.0 + 2.0 * n)).exp()
}

/// The phase locking that has probability `level`, at most 1.
pub fn phase_locking_threshold(level: f64, n_observations: usize) -> f64 {
    let n = n_observations as f64;
    let (all, left) = (1.0 + 2.0 * n, level.ln() + 1.0 + 2.0 * n);
    let square = (all * all - left.max(0.0).powi(2)) / 4.0;
    (square.sqrt() / n).min(1.0)
}
