//! Counts how often statistics of surrogates are as far as the recording's.
//!
//! [`MaxT`](crate::selection::max_t::MaxT) draws permutations itself, and looks on both
//! sides of 0; surrogates are measured by whoever tests them.

use crate::selection::max_t::{TestedMap, tied};

/// Statistics of the recording, and how many surrogates have any as far.
pub(super) struct Counts {
    observed: Vec<f64>,
    n_as_far: Vec<f64>,
    largest: Vec<f64>,
    size: fn(f64) -> f64,
}

impl Counts {
    /// `size` says how far a statistic is; what was observed is the first one.
    pub(super) fn new(observed: Vec<f64>, size: fn(f64) -> f64) -> Self {
        let (n_as_far, largest) = (vec![1.0; observed.len()], Vec::new());
        let mut counts = Self { observed, n_as_far, largest, size };
        counts.largest.push(counts.largest_of(&counts.observed));
        counts
    }

    pub(super) fn add(&mut self, values: &[f64]) {
        let size = self.size;
        for ((n, t), observed) in self.n_as_far.iter_mut().zip(values).zip(&self.observed) {
            *n += f64::from(u8::from(size(*t) >= tied(size(*observed))));
        }
        self.largest.push(self.largest_of(values));
    }

    /// The largest of each, what was observed first.
    pub(super) fn largest(&self) -> &[f64] {
        &self.largest
    }

    fn largest_of(&self, values: &[f64]) -> f64 {
        values.iter().fold(f64::NEG_INFINITY, |m, t| m.max((self.size)(*t)))
    }

    pub(super) fn tested(self, level: f64) -> TestedMap {
        let Self { observed, n_as_far, largest, size } = self;
        TestedMap::of_counts(observed, &n_as_far, largest, size, level)
    }
}
