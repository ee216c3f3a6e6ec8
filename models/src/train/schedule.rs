//! The size of each step: a linear warm-up, then half a cosine.

/// Step sizes of a training.
///
/// Step `k` of the `n_warmup` first is `peak (k + 1) / n_warmup`; the rest falls from
/// `peak` as `last + (peak - last) (1 + cos(pi j / n)) / 2`, where `j` is the step and `n`
/// the number of steps after the warm-up.
///
/// # Reference
/// I. Loshchilov, F. Hutter: SGDR (2017), arXiv:1608.03983, without restarts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Largest step.
    pub peak: f64,
    /// What it falls to.
    pub last: f64,
    /// Steps of the warm-up.
    pub n_warmup: usize,
    /// All steps.
    pub n_steps: usize,
}

impl Schedule {
    /// Size of step `k`, from 0.
    pub fn rate(&self, k: usize) -> f64 {
        if k < self.n_warmup {
            return self.peak * (k + 1) as f64 / self.n_warmup as f64;
        }
        let n = self.n_steps.saturating_sub(self.n_warmup).max(1);
        let part = (k - self.n_warmup) as f64 / n as f64;
        let cosine = (std::f64::consts::PI * part.min(1.0)).cos();
        self.last + (self.peak - self.last) * f64::midpoint(1.0, cosine)
    }
}
