//! Task-related components: channel mixtures in which a response repeats from window to
//! window, and how well a new window matches the repeated response.
//!
//! For responses locked to a stimulus, such as flicker of a known phase. Windows must
//! begin at the same phase.

use super::filter_bank::{BandWeights, shares_in_place};
use super::generalised::Generalised;
use super::{check_count, windows};
use crate::classifier::{check_size, count_examples, dot, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::spd::mirror_lower;
use crate::window::Planar;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Which filters a window and a class's mean response go through before they are
/// correlated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrcaScoring {
    /// The filter of the class.
    Each,
    /// The filters of all classes (eTRCA): their outputs are put one after the other.
    #[default]
    Ensemble,
}

/// How task-related components are fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrcaParams {
    /// Which filters are used for a class.
    pub scoring: TrcaScoring,
    /// What each band of a filter bank counts.
    pub weights: BandWeights,
}

/// Fitted filters and mean responses.
///
/// The filter of a class maximises `w' S w / w' Q w`: `S` the sum of the
/// cross-covariances of all ordered pairs of its windows, each centred, `Q` the
/// covariance of its windows put one after the other. The score of a class is
/// `sum_n w_n r_n` over bands, `r_n` the correlation of the filtered window with the
/// filtered mean response.
///
/// # Conventions
/// As meegkit's `TRCA`, method "original", but that each band is filtered from the
/// recording (meegkit filters training data of a band through all bands before it).
/// Filters have length 1, the element largest in magnitude positive: with `Ensemble`
/// loud classes count more, and all outputs are correlated about one common mean.
///
/// # Reference
/// M. Nakanishi, Y. Wang, X. Chen, Y.-T. Wang, X. Gao, T.-P. Jung: Enhancing detection
/// of SSVEPs for a high-speed brain speller using task-related component analysis
/// (2018), doi 10.1109/TBME.2017.2694818.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrcaModel {
    /// How it was fitted.
    pub params: TrcaParams,
    /// Of each band.
    pub bands: Vec<TrcaBand>,
}

/// Filters and mean responses of one band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrcaBand {
    /// A filter per class, `(n_classes, n_channels)`.
    pub filters: Matrix,
    /// Mean response of each class, `(n_channels, n_samples)`.
    pub templates: Vec<Matrix>,
}

impl TrcaParams {
    /// Fits to `bands`, the windows `(n_channels, n_samples)` in each band, with a label
    /// for each window. One band for no filter bank.
    ///
    /// Batch: allocates; single-threaded. Its time grows with the number of windows, not
    /// of their pairs.
    ///
    /// # Errors
    /// [`FitError::BadParameter`] without bands, [`FitError::TooFewExamples`] below two
    /// of a class, [`FitError::NotFinite`], [`FitError::NotPositiveDefinite`] where a
    /// class's covariance is singular.
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        &self,
        bands: &[&[Planar<'_>]],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<TrcaModel, FitError> {
        check_count("the number of bands", bands.len())?;
        let fit = |windows: &&[Planar<'_>]| fit_band(windows, labels, n_classes);
        let bands = bands.iter().map(fit).collect::<Result<Vec<TrcaBand>, _>>()?;
        let length = |band: &TrcaBand| band.templates[0].n_cols();
        for band in &bands {
            check_size("a channel of another band's windows", length(&bands[0]), length(band))?;
        }
        Ok(TrcaModel { params: *self, bands })
    }
}

fn fit_band(
    windows: &[Planar<'_>],
    labels: &[ClassIdx],
    n_classes: usize,
) -> Result<TrcaBand, FitError> {
    count_examples(windows.len(), labels, n_classes)?;
    let (n_channels, _) = windows::check(windows)?;
    let (mut filters, mut templates) = (Vec::new(), Vec::new());
    for class in 0..n_classes {
        let of_class = windows.iter().zip(labels).filter(|(_, l)| l.index() == class);
        let of_class: Vec<_> = of_class.map(|(w, _)| *w).collect();
        let template = windows::mean_response(windows, labels, class);
        let solved = Generalised::solve(
            repeated(&of_class, &template).as_ref(),
            windows::pooled_covariance(&of_class).as_ref(),
            || format!("the covariance of the windows of class {class}"),
            || format!("the filter of class {class}"),
        )?;
        let filter = solved.vector(n_channels - 1);
        let length = dot(&filter, &filter).sqrt();
        filters.extend(filter.iter().map(|x| x / length));
        templates.push(finite_matrix(template.as_ref(), "a mean response")?);
    }
    let rows = MatRef::from_row_major_slice(&filters, n_classes, n_channels);
    Ok(TrcaBand { filters: finite_matrix(rows, "a spatial filter")?, templates })
}

/// Sum of the cross-covariances of all ordered pairs of different windows, each centred,
/// over the number of all samples: `(sum X)(sum X)' - sum X X'`.
fn repeated(windows: &[Planar<'_>], template: &Mat<f64>) -> Mat<f64> {
    let (n, n_samples) = (windows.len() as f64, template.ncols());
    let scale = 1.0 / (n * n_samples as f64);
    let (n_channels, mut pairs) =
        (template.nrows(), Mat::zeros(template.nrows(), template.nrows()));
    let mut centred = vec![0.0; n_channels * n_samples];
    let mut add = |of: &dyn Fn(usize) -> Vec<f64>, scale: f64| {
        for (c, row) in centred.chunks_exact_mut(n_samples).enumerate() {
            row.copy_from_slice(&of(c));
            windows::centre(row);
        }
        let x = MatRef::from_row_major_slice(&centred, n_channels, n_samples);
        windows::add_gram(pairs.as_mut(), x, scale);
    };
    add(&|c| template.row(c).iter().copied().collect(), n * n * scale);
    for window in windows {
        add(&|c| window.channel(c).to_vec(), -scale);
    }
    mirror_lower(pairs.as_mut());
    pairs
}

impl TrcaModel {
    /// Plans scores: filters the mean responses and allocates the scratch.
    ///
    /// # Panics
    /// Where the bands differ in shape, which no fit makes.
    pub fn plan(&self) -> TrcaRuntime {
        let n_classes = self.bands[0].filters.n_rows();
        let n_samples = self.bands[0].templates[0].n_cols();
        let weights = self.params.weights.weights(self.bands.len());
        let band = |(band, weight): (&TrcaBand, f64)| {
            let template = |(class, template): (usize, &Matrix)| {
                let channels = Planar::new(
                    template.as_slice(),
                    template.n_rows(),
                    template.n_cols(),
                    template.n_cols(),
                );
                let mut filtered = vec![0.0; n_classes * n_samples];
                windows::filter_into(&band.filters, &channels, &mut filtered);
                if self.params.scoring == TrcaScoring::Each {
                    filtered.copy_within(class * n_samples..(class + 1) * n_samples, 0);
                    filtered.truncate(n_samples);
                }
                normalise(&mut filtered);
                filtered
            };
            let templates = band.templates.iter().enumerate().map(template).collect();
            PlannedBand { filters: band.filters.clone(), templates, weight }
        };
        TrcaRuntime {
            scoring: self.params.scoring,
            bands: self.bands.iter().zip(weights).map(band).collect(),
            n_samples,
            filtered: vec![0.0; n_classes * n_samples],
        }
    }
}

/// A band's filters, and its mean responses as they are correlated with.
#[derive(Clone, Debug)]
struct PlannedBand {
    filters: Matrix,
    templates: Vec<Vec<f64>>,
    weight: f64,
}

/// Task-related components with their scratch.
#[derive(Clone, Debug)]
pub struct TrcaRuntime {
    scoring: TrcaScoring,
    bands: Vec<PlannedBand>,
    n_samples: usize,
    filtered: Vec<f64>,
}

impl TrcaRuntime {
    /// Number of classes, and of scores.
    pub fn n_classes(&self) -> usize {
        self.bands[0].templates.len()
    }

    /// Writes the weighted sum of correlations with each class's response, given one
    /// window per band, lowest band first; 0 for a window without any variance, NaN
    /// where a sample is not finite.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where there is another number of bands, a window has another shape than the
    /// training windows, or `scores` not one value per class.
    pub fn scores_into(&mut self, bands: &[Planar<'_>], scores: &mut [f64]) {
        self.scores_of_into(bands.iter().copied(), scores);
    }

    /// The same, of windows that stand in no slice.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// As [`Self::scores_into`].
    pub fn scores_of_into<'a>(
        &mut self,
        bands: impl ExactSizeIterator<Item = Planar<'a>>,
        scores: &mut [f64],
    ) {
        assert_eq!(bands.len(), self.bands.len(), "one window per band");
        assert_eq!(scores.len(), self.n_classes(), "scores of other classes");
        scores.fill(0.0);
        for (window, band) in bands.zip(&self.bands) {
            assert_eq!(window.n_samples(), self.n_samples, "a window of another length");
            windows::filter_into(&band.filters, &window, &mut self.filtered);
            match self.scoring {
                TrcaScoring::Each => {
                    self.filtered.chunks_exact_mut(self.n_samples).for_each(normalise);
                }
                TrcaScoring::Ensemble => normalise(&mut self.filtered),
            }
            for (class, (score, template)) in scores.iter_mut().zip(&band.templates).enumerate() {
                let filtered = match self.scoring {
                    TrcaScoring::Each => &self.filtered[class * self.n_samples..][..self.n_samples],
                    TrcaScoring::Ensemble => &self.filtered,
                };
                *score += band.weight * dot(filtered, template);
            }
        }
    }

    /// Writes the scores as shares of their excess over the least, `n_classes` values
    /// that sum to 1: an order, not a calibrated probability. (MOABB divides the scores
    /// by their sum, which may be negative.) Thread, allocation and panics as
    /// [`Self::scores_into`].
    pub fn posterior_into(&mut self, bands: &[Planar<'_>], posterior: &mut [f64]) {
        self.scores_into(bands, posterior);
        shares_in_place(posterior);
    }
}

/// Removes the mean and scales to length 1; what has no variance becomes 0.
fn normalise(values: &mut [f64]) {
    windows::centre(values);
    let length = dot(values, values).sqrt();
    if length != 0.0 {
        for x in values {
            *x /= length;
        }
    }
}
