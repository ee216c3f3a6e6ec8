//! How large a network is, and how much it computes: from its description alone.

use super::{Geometry, NetError};

/// More parameters than this are taken for a mistake: 1 GiB of weights.
const MAX_PARAMETERS: u64 = 1 << 28;
/// No length, number of filters or of layers is as large.
const MAX_COUNT: usize = 1 << 20;

/// Size and work of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Numbers that are learned; running statistics are not among them.
    pub n_parameters: u64,
    /// Floating-point operations for one window: a multiply-add is two. Convolutions and
    /// matrix products count, temporal and spatial filters with nothing between them as
    /// the one convolution they are; sums with biases, normalisations, nonlinearities and
    /// pooling do not.
    pub n_flops: u64,
}

impl Cost {
    /// A convolution: `n_places` outputs of each of `n_out` kernels of `n_weights` numbers.
    pub(super) fn convolution(&mut self, n_places: usize, n_out: usize, n_weights: usize) {
        let n_weights = product(&[n_out, n_weights]);
        self.n_parameters = self.n_parameters.saturating_add(n_weights);
        self.multiply_adds(n_weights.saturating_mul(n_places as u64));
    }

    /// A linear layer with bias, applied `n_times`.
    pub(super) fn linear(&mut self, n_times: usize, n_in: usize, n_out: usize) {
        self.convolution(n_times, n_out, n_in);
        self.parameters(n_out);
    }

    /// A transformer block: attention, feed-forward, two normalisations.
    pub(super) fn block(&mut self, n_tokens: usize, size: usize, expansion: usize) {
        for _ in 0..4 {
            self.linear(n_tokens, size, size);
        }
        self.multiply_adds(product(&[2, n_tokens, n_tokens, size]));
        self.linear(n_tokens, size, size.saturating_mul(expansion));
        self.linear(n_tokens, size.saturating_mul(expansion), size);
        self.parameters(4 * size);
    }

    /// Learned numbers without work.
    pub(super) fn parameters(&mut self, n: usize) {
        self.n_parameters = self.n_parameters.saturating_add(n as u64);
    }

    /// Work without learned numbers.
    pub(super) fn multiply_adds(&mut self, n: u64) {
        self.n_flops = self.n_flops.saturating_add(n.saturating_mul(2));
    }

    /// Refuses what no memory would hold.
    pub(super) fn check(self) -> Result<Self, NetError> {
        if self.n_parameters > MAX_PARAMETERS {
            return Err(NetError::TooLarge { n_parameters: self.n_parameters });
        }
        Ok(self)
    }
}

/// A product that can't overflow.
pub(super) fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |all, &factor| all.saturating_mul(factor as u64))
}

/// Refuses 0 and absurd numbers.
pub(super) fn check_counts(counts: &[(&'static str, usize)]) -> Result<(), NetError> {
    match counts.iter().find(|(_, count)| !(1..=MAX_COUNT).contains(count)) {
        Some(&(name, count)) => Err(NetError::BadParameter {
            name,
            why: format!("it is {count}, and may be 1 to {MAX_COUNT}"),
        }),
        None => Ok(()),
    }
}

/// Refuses what is no probability below 1.
pub(super) fn check_probabilities(values: &[(&'static str, f64)]) -> Result<(), NetError> {
    match values.iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
        Some(&(name, value)) => Err(NetError::BadParameter {
            name,
            why: format!("it is {value}, and a probability below 1 is needed"),
        }),
        None => Ok(()),
    }
}

/// Refuses numbers that are not finite and positive.
pub(super) fn check_positive(values: &[(&'static str, f64)]) -> Result<(), NetError> {
    match values.iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
        Some(&(name, value)) => Err(NetError::BadParameter {
            name,
            why: format!("it is {value}, and a positive number is needed"),
        }),
        None => Ok(()),
    }
}

/// Heads must share the size of a token evenly.
pub(super) fn check_heads(size: usize, n_heads: usize) -> Result<(), NetError> {
    if size.is_multiple_of(n_heads) {
        return Ok(());
    }
    let why = format!("{n_heads} heads can't share {size} numbers of a token evenly");
    Err(NetError::BadParameter { name: "n_heads", why })
}

/// The length of a window on its way through a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length {
    now: usize,
    window: usize,
}

impl Length {
    pub fn of(geometry: Geometry) -> Self {
        Self { now: geometry.n_samples, window: geometry.n_samples }
    }

    /// After zeros were added.
    pub fn padded(self, [before, after]: [usize; 2]) -> Self {
        Self { now: self.now + before + after, ..self }
    }

    /// After a filter of `length`, one output per sample that it fits on.
    pub fn filtered(self, what: &'static str, length: usize) -> Result<Self, NetError> {
        self.pooled(what, length, 1)
    }

    /// After windows of `length`, `stride` apart; a remainder is left out.
    pub fn pooled(
        self,
        what: &'static str,
        length: usize,
        stride: usize,
    ) -> Result<Self, NetError> {
        if self.now < length {
            let Self { now, window } = self;
            return Err(NetError::TooShort { n_samples: window, what, needed: length, left: now });
        }
        Ok(Self { now: (self.now - length) / stride + 1, ..self })
    }

    pub fn get(self) -> usize {
        self.now
    }
}
