//! Common spatial patterns on a filter bank: filters in every band, of which those are
//! kept that tell most about the class.
//!
//! Feature vectors for a classifier; the bands' filters are in [`filter`](crate::filter).

use super::check_count;
use super::csp::{CspFilters, CspModel, CspParams, CspRegularisation, CspRuntime};
use crate::classifier::{count_examples, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::f64::consts::TAU;

#[cfg(test)]
mod tests;

/// How filters on a bank are fitted and chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterBankCspParams {
    /// Filters per band from each end of each contrast.
    pub n_per_end: usize,
    /// Filters chosen per contrast from all bands, before their pairs are added.
    pub n_selected: usize,
    /// What is done to the class means before.
    pub regularisation: CspRegularisation,
}

impl Default for FilterBankCspParams {
    /// Two from each end, the four best: as the reference.
    fn default() -> Self {
        Self { n_per_end: 2, n_selected: 4, regularisation: CspRegularisation::None }
    }
}

/// Fitted filters of each band.
///
/// For each contrast (see [`CspFilters`]) the log-variances of all bands' filters are
/// ranked by [`information_bits`] about class or rest; the best `n_selected` are kept,
/// and with each its pair, the filter as far from the other end of the same band's
/// spectrum: one without the other would see power, but not whose.
///
/// # Reference
/// K. K. Ang, Z. Y. Chin, C. Wang, C. Guan, H. Zhang: Filter bank common spatial pattern
/// algorithm on BCI competition IV datasets 2a and 2b (2012),
/// doi 10.3389/fnins.2012.00039. Where it fits one classifier per contrast, here all
/// contrasts' features make one vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterBankCspModel {
    /// Filters kept in each band, `(n_kept, n_channels)`; a band may keep none.
    pub bands: Vec<Matrix>,
}

impl FilterBankCspParams {
    /// Fits to `bands`, the covariances `(n_channels, n_channels)` of all windows in each
    /// band, with a label for each window.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// [`FitError::BadParameter`] where nothing would be fitted or kept, and as
    /// [`CspParams::fit`].
    ///
    /// # Panics
    /// Where the bands differ in their number of windows, and as [`CspParams::fit`].
    pub fn fit(
        &self,
        bands: &[&[&Mat<f64>]],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<FilterBankCspModel, FitError> {
        check_count("n_per_end", self.n_per_end)?;
        check_count("n_selected", self.n_selected)?;
        check_count("the number of bands", bands.len())?;
        let filters = CspFilters::Ends { n_per_end: self.n_per_end };
        let params = CspParams { filters, regularisation: self.regularisation };
        let fit = |band: &&[&Mat<f64>]| params.fit(band, labels, n_classes);
        let models = bands.iter().map(fit).collect::<Result<Vec<_>, _>>()?;
        let variances: Vec<_> = models.iter().zip(bands).map(|(m, b)| features(m, b)).collect();
        let n_contrasts = if n_classes == 2 { 1 } else { n_classes };
        let n_filters = models[0].n_filters() / n_contrasts;
        let mut kept = BTreeSet::new();
        for class in 0..n_contrasts {
            let own: Vec<_> =
                labels.iter().map(|l| ClassIdx(u8::from(l.index() != class))).collect();
            let first = class * n_filters;
            for (band, filter) in self.best(&variances, first..first + n_filters, &own)? {
                kept.insert((band, filter));
                kept.insert((band, 2 * first + n_filters - 1 - filter));
            }
        }
        let keep = |(band, model): (usize, &CspModel)| {
            let chosen = kept.range((band, 0)..(band + 1, 0));
            let rows: Vec<_> = chosen.map(|(_, filter)| model.filters.row(*filter)).collect();
            let data = rows.concat();
            let rows = MatRef::from_row_major_slice(&data, rows.len(), model.filters.n_cols());
            finite_matrix(rows, "a spatial filter")
        };
        let bands = models.iter().enumerate().map(keep).collect::<Result<_, _>>()?;
        Ok(FilterBankCspModel { bands })
    }

    /// The most informative filters of one contrast as band and filter, of one value the
    /// first.
    fn best(
        &self,
        variances: &[Vec<Vec<f64>>],
        filters: std::ops::Range<usize>,
        own: &[ClassIdx],
    ) -> Result<Vec<(usize, usize)>, FitError> {
        let mut found = Vec::new();
        for (band, of_band) in variances.iter().enumerate() {
            for filter in filters.clone() {
                found.push((information_bits(&of_band[filter], own, 2)?, (band, filter)));
            }
        }
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Ok(found.into_iter().take(self.n_selected).map(|(_, at)| at).collect())
    }
}

/// Log-variances of a band, filter after filter.
fn features(model: &CspModel, covariances: &[&Mat<f64>]) -> Vec<Vec<f64>> {
    let (mut runtime, mut of_window) = (model.plan(), vec![0.0; model.n_filters()]);
    let mut features = vec![Vec::with_capacity(covariances.len()); model.n_filters()];
    for covariance in covariances {
        runtime.features_into(covariance.as_ref(), &mut of_window);
        features.iter_mut().zip(&of_window).for_each(|(column, x)| column.push(*x));
    }
    features
}

/// Mutual information of a continuous feature and the class, in bits:
/// `H(class) - mean of H(class | x)` over the examples `x`.
///
/// `p(class | x)` is proportional to the class's share times its Parzen estimate
/// `p(x | class)`: the mean of normal densities around the class's `n` examples, of
/// width `(4 / 3n)^(1/5)` times their standard deviation (`ddof` 1). The estimate counts
/// each example among its own neighbours, so it is above 0 for noise too; it ranks
/// features of one set of examples.
///
/// Batch: allocates; its time grows with the square of the number of examples.
///
/// # Errors
/// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`].
/// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
/// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
///
/// # Reference
/// K. K. Ang et al. (2012), doi 10.3389/fnins.2012.00039, section 2.1.3.
pub fn information_bits(
    feature: &[f64],
    labels: &[ClassIdx],
    n_classes: usize,
) -> Result<f64, FitError> {
    let counts = count_examples(feature.len(), labels, n_classes)?;
    if !feature.iter().all(|x| x.is_finite()) {
        return Err(FitError::NotFinite { what: "a feature".to_owned() });
    }
    let n = feature.len() as f64;
    let classes: Vec<_> = (0..n_classes)
        .map(|class| {
            let of_class = feature.iter().zip(labels).filter(|(_, l)| l.index() == class);
            let own: Vec<f64> = of_class.map(|(x, _)| *x).collect();
            let width = parzen_width(&own);
            (own, width, counts[class] as f64 / n)
        })
        .collect();
    let entropy = |shares: &[f64]| {
        let sum: f64 = shares.iter().sum();
        let terms = shares.iter().filter(|share| **share > 0.0).map(|share| share / sum);
        -terms.map(|p| p * p.log2()).sum::<f64>()
    };
    let mut joint = vec![0.0; n_classes];
    let mut left = 0.0;
    for x in feature {
        for (joint, (own, width, share)) in joint.iter_mut().zip(&classes) {
            let kernel = |y: &f64| (-0.5 * ((x - y) / width).powi(2)).exp();
            let density = own.iter().map(kernel).sum::<f64>() / (width * TAU.sqrt());
            *joint = share * density / own.len() as f64;
        }
        left += entropy(&joint) / n;
    }
    let shares: Vec<f64> = classes.iter().map(|(_, _, share)| *share).collect();
    Ok(entropy(&shares) - left)
}

/// Silverman's width for a normal density; tiny where all examples are one number.
fn parzen_width(own: &[f64]) -> f64 {
    let n = own.len() as f64;
    let mean = own.iter().sum::<f64>() / n;
    let variance = own.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    ((4.0 / (3.0 * n)).powf(0.2) * variance.sqrt()).max(1e-100)
}

impl FilterBankCspModel {
    /// Number of filters in all bands, and of features.
    pub fn n_filters(&self) -> usize {
        self.bands.iter().map(Matrix::n_rows).sum()
    }

    /// Plans features: allocates the scratch.
    pub fn plan(&self) -> FilterBankCspRuntime {
        let runtime = |filters: &Matrix| (filters.n_rows(), CspRuntime::new(filters.clone()));
        FilterBankCspRuntime { bands: self.bands.iter().map(runtime).collect() }
    }
}

/// Filters of each band with their scratch.
#[derive(Clone, Debug)]
pub struct FilterBankCspRuntime {
    bands: Vec<(usize, CspRuntime)>,
}

impl FilterBankCspRuntime {
    /// Writes the log-variance of each filter kept, band after band, given a covariance
    /// `(n_channels, n_channels)` per band; see [`CspRuntime::features_into`].
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where there is another number of bands, a covariance or `features` has another
    /// size than the model, or the columns of a covariance are not contiguous.
    pub fn features_into(&mut self, bands: &[MatRef<'_, f64>], features: &mut [f64]) {
        assert_eq!(bands.len(), self.bands.len(), "one covariance per band");
        let mut rest = features;
        for ((n_filters, runtime), covariance) in self.bands.iter_mut().zip(bands) {
            let (of_band, others) = rest.split_at_mut(*n_filters);
            runtime.features_into(*covariance, of_band);
            rest = others;
        }
        assert!(rest.is_empty(), "features of other filters");
    }
}
