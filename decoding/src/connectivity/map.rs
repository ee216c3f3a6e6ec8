//! The result of a batch computation.

use super::reduce::{Recipe, n_pairs_below};
use super::{Measure, pair_idx};

/// Measures per band and pair.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectivityMap {
    n_channels: usize,
    measures: Vec<Measure>,
    n_bands: usize,
    values: Vec<f64>,
}

impl ConnectivityMap {
    /// Joins the pairs of ranges of channels: each part is `(n_measures, n_bands, pairs)`.
    pub(super) fn joined(recipe: &Recipe, n_channels: usize, parts: &[Vec<f64>]) -> Self {
        let (n_maps, n_pairs) = (recipe.n_maps(), n_pairs_below(n_channels));
        let mut values = Vec::with_capacity(n_maps * n_pairs);
        for map in 0..n_maps {
            for part in parts {
                let len = part.len() / n_maps;
                values.extend_from_slice(&part[map * len..][..len]);
            }
        }
        let (measures, n_bands) = (recipe.measures.clone(), recipe.n_bands());
        Self { n_channels, measures, n_bands, values }
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Number of bands; of frequencies, where each stands by itself; times samples, where
    /// each time does.
    pub fn n_bands(&self) -> usize {
        self.n_bands
    }

    /// All values, `(n_measures, n_bands, n_pairs)`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Every pair of one measure and band, in the order of [`pair_idx`].
    ///
    /// # Panics
    /// If there is no such measure or band.
    pub fn pairs(&self, measure: Measure, band_idx: usize) -> &[f64] {
        let m = self.measures.iter().position(|known| *known == measure);
        let m = m.expect("a measure that was asked for");
        assert!(band_idx < self.n_bands, "a band that was asked for");
        let n_pairs = n_pairs_below(self.n_channels);
        &self.values[(m * self.n_bands + band_idx) * n_pairs..][..n_pairs]
    }

    /// One pair's value.
    ///
    /// # Panics
    /// If there is no such measure, band or pair.
    pub fn value(&self, measure: Measure, band_idx: usize, pair: (usize, usize)) -> f64 {
        self.pairs(measure, band_idx)[pair_idx(pair.0, pair.1)]
    }
}
