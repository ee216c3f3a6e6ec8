//! Common spatial patterns: channel mixtures whose variance differs most between
//! classes.
//!
//! Only the filters and their log-variances: which classifier uses them is the matter
//! of [`pipeline`](crate::pipeline). On a filter bank they are in
//! [`filter_bank_csp`](super::filter_bank_csp).

use super::check_count;
use super::generalised::{Generalised, with_positive_peak};
use super::joint::joint_diagonaliser;
use crate::classifier::{check_finite, check_squares, count_examples, dot, finite_matrix};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::covariance::oas_shrink;
use crate::time_domain::log_power;
use acquisition::marker::ClassIdx;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};
pub use windows::CspWindows;

#[cfg(test)]
mod tests;
mod windows;

/// Shares outside `[0, 1]` by more than this are no rounding: a covariance is indefinite.
const SHARE_TOLERANCE: f64 = 1e-9;

/// Which filters are kept, and what they are solutions of.
///
/// A contrast is the first class against the second where there are two, and each class
/// in class order against the rest where there are more. `C_c` is the arithmetic mean of
/// the class's covariances, `C_rest` that of all others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CspFilters {
    /// Of each contrast, solutions of `C_c w = l (C_c + C_rest) w`: those of the
    /// smallest `l` and as many of the largest, `l` ascending; all, where there are not
    /// so many channels. `l` is the class's share of the filtered variance.
    Ends {
        /// Filters from each end.
        n_per_end: usize,
    },
    /// Of each contrast, the same solutions in the order of `|l - 1/2|`, largest first.
    /// For two classes as pyRiemann's and MNE's `CSP`.
    Farthest {
        /// Filters per contrast.
        n_filters: usize,
    },
    /// Of each contrast, solutions of `C_rest w = l (C_c + alpha I) w` of the largest
    /// `l`, largest first, then of `C_c w = l (C_rest + alpha I) w`, largest last:
    /// weights are penalised by their squares (Tikhonov), so filters of weak noise lose.
    /// As MOABB's `TRCSP`, whose second half is in the other order.
    Tikhonov {
        /// Filters of each of the two problems.
        n_per_end: usize,
        /// Penalty, in units of the covariances (microvolts squared).
        alpha: f64,
    },
    /// Solutions of an approximate joint diagonalisation of all class means (Pham),
    /// those that tell most about the class first. As pyRiemann's `CSP` of more than two
    /// classes.
    ///
    /// They are *not* a function of the data alone: the diagonalisation starts from the
    /// channels as they stand, stops at a finite criterion, and where two sources keep
    /// one proportion in all classes it is free to mix them. Another order of channels
    /// can give other filters; prefer [`CspFilters::Ends`] where that matters.
    Joint {
        /// Filters in all.
        n_filters: usize,
    },
    /// [`CspFilters::Farthest`] of two classes, [`CspFilters::Joint`] of more: as pyRiemann's
    /// `CSP` whatever the number of classes.
    FarthestOrJoint {
        /// Filters in all.
        n_filters: usize,
    },
}

/// What is done to a class's mean covariance before anything is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CspRegularisation {
    /// Nothing.
    #[default]
    None,
    /// `(1 - shrinkage) C + shrinkage tr(C)/p I`: diagonal loading.
    Shrunk {
        /// From 0, nothing, to 1, no class left.
        shrinkage: f64,
    },
    /// The same, with the shrinkage that is optimal for so many samples of a normal
    /// signal ([`oas_shrink`]): automatic diagonal loading.
    Oas {
        /// Samples of each window that a covariance was estimated from.
        n_samples: usize,
    },
}

/// How common spatial patterns are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CspParams {
    /// Which filters.
    pub filters: CspFilters,
    /// What is done to the class means before.
    #[serde(default)]
    pub regularisation: CspRegularisation,
}

/// Fitted spatial filters, `w' B w = 1` with the matrix `B` on the right of their
/// equation (for [`CspFilters::Joint`] the mean of the class means), and the element
/// largest in magnitude positive.
///
/// # Reference
/// B. Blankertz, R. Tomioka, S. Lemm, M. Kawanabe, K.-R. Müller: Optimizing spatial
/// filters for robust EEG single-trial analysis (2008), doi 10.1109/MSP.2008.4408441.
/// One against the rest: G. Dornhege, B. Blankertz, G. Curio, K.-R. Müller (2004),
/// doi 10.1109/TBME.2004.827088. Regularised: F. Lotte, C. Guan (2011),
/// doi 10.1109/TBME.2010.2082539. Joint: M. Grosse-Wentrup, M. Buss (2008),
/// doi 10.1109/TBME.2008.921154.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CspModel {
    /// Filters in rows, `(n_filters, n_channels)`.
    pub filters: Matrix,
}

impl CspParams {
    /// Six filters in all: three from each end for two classes, one from each end of
    /// each contrast for more; not regularised.
    pub fn usual(n_classes: usize) -> Self {
        let n_per_end = if n_classes == 2 { 3 } else { 1 };
        let filters = CspFilters::Ends { n_per_end };
        Self { filters, regularisation: CspRegularisation::None }
    }

    /// Fits to `covariances`, `(n_channels, n_channels)` each, with a label each.
    ///
    /// Batch: allocates; single-threaded.
    ///
    /// # Errors
    /// [`FitError::BadParameter`], [`FitError::TooFewExamples`] below two of a class,
    /// [`FitError::NotFinite`], [`FitError::NotPositiveDefinite`] where a class's mean is
    /// indefinite or the sum of the means singular, [`FitError::NotConverged`].
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit(
        &self,
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<CspModel, FitError> {
        if let CspFilters::FarthestOrJoint { n_filters } = self.filters {
            let filters = match n_classes {
                2 => CspFilters::Farthest { n_filters },
                _ => CspFilters::Joint { n_filters },
            };
            return Self { filters, ..*self }.fit(covariances, labels, n_classes);
        }
        self.check()?;
        let counts = count_examples(covariances.len(), labels, n_classes)?;
        check_squares(covariances)?;
        let class_mean = |class: usize, own: bool| {
            let chosen = labels.iter().zip(covariances);
            let mut n = 0;
            let chosen = chosen.filter(|(l, _)| (l.index() == class) == own);
            let mut mean = mean(chosen.map(|(_, c)| *c).inspect(|_| n += 1));
            self.regularise(&mut mean, n);
            check_finite(mean.as_ref(), || {
                format!("the mean covariance of class {class} or the rest")
            })
            .map(|()| mean)
        };
        let mut filters = Vec::new();
        if let CspFilters::Joint { n_filters } = self.filters {
            let means = (0..n_classes).map(|class| class_mean(class, true));
            let means: Vec<_> = means.collect::<Result<_, _>>()?;
            filters = joint_filters(&means, &counts, n_filters)?;
        } else {
            let n_contrasts = if n_classes == 2 { 1 } else { n_classes };
            for class in 0..n_contrasts {
                let (own, rest) = (class_mean(class, true)?, class_mean(class, false)?);
                filters.extend(self.contrast_filters(class, &own, &rest)?);
            }
        }
        let n_channels = covariances.first().map_or(0, |c| c.nrows());
        let data = filters.concat();
        let rows = MatRef::from_row_major_slice(&data, filters.len(), n_channels);
        Ok(CspModel { filters: finite_matrix(rows, "a spatial filter")? })
    }

    fn check(&self) -> Result<(), FitError> {
        match self.filters {
            CspFilters::Ends { n_per_end } => check_count("n_per_end", n_per_end)?,
            CspFilters::Farthest { n_filters }
            | CspFilters::Joint { n_filters }
            | CspFilters::FarthestOrJoint { n_filters } => check_count("n_filters", n_filters)?,
            CspFilters::Tikhonov { n_per_end, alpha } => {
                check_count("n_per_end", n_per_end)?;
                if !(alpha >= 0.0 && alpha.is_finite()) {
                    let allowed = "finite and not negative";
                    return Err(FitError::BadParameter { name: "alpha", found: alpha, allowed });
                }
            }
        }
        match self.regularisation {
            CspRegularisation::Shrunk { shrinkage } if !(0.0..=1.0).contains(&shrinkage) => {
                let (name, allowed) = ("shrinkage", "from 0 to 1");
                Err(FitError::BadParameter { name, found: shrinkage, allowed })
            }
            CspRegularisation::Oas { n_samples } => check_count("n_samples", n_samples),
            _ => Ok(()),
        }
    }

    /// Regularises the mean of `n_windows` covariances.
    fn regularise(&self, mean: &mut Mat<f64>, n_windows: usize) {
        match self.regularisation {
            CspRegularisation::None => {}
            CspRegularisation::Shrunk { shrinkage } => {
                let variances = mean.diagonal().column_vector().iter().sum::<f64>();
                let target = shrinkage * variances / mean.nrows() as f64;
                *mean *= faer::Scale(1.0 - shrinkage);
                mean.diagonal_mut().column_vector_mut().iter_mut().for_each(|x| *x += target);
            }
            CspRegularisation::Oas { n_samples } => {
                oas_shrink(mean.as_mut(), n_windows * n_samples);
            }
        }
    }

    /// The filters of one contrast.
    fn contrast_filters(
        &self,
        class: usize,
        own: &Mat<f64>,
        rest: &Mat<f64>,
    ) -> Result<Vec<Vec<f64>>, FitError> {
        let n = own.nrows();
        match self.filters {
            CspFilters::Ends { n_per_end } => {
                let solved = shares(class, own, rest)?;
                let from_end = n.saturating_sub(n_per_end);
                let chosen = (0..n).filter(|col| *col < n_per_end || *col >= from_end);
                Ok(chosen.map(|col| solved.vector(col)).collect())
            }
            CspFilters::Farthest { n_filters }
            | CspFilters::Joint { n_filters }
            | CspFilters::FarthestOrJoint { n_filters } => {
                let solved = shares(class, own, rest)?;
                let distance = |col: &usize| (solved.values[*col] - 0.5).abs();
                let mut order: Vec<_> = (0..n).collect();
                order.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
                Ok(order.into_iter().take(n_filters).map(|col| solved.vector(col)).collect())
            }
            CspFilters::Tikhonov { n_per_end, alpha } => {
                let last = n_per_end.min(n);
                let of_rest = penalised(class, rest, own, alpha)?;
                let of_class = penalised(class, own, rest, alpha)?;
                let first = (0..last).map(|k| of_rest.vector(n - 1 - k));
                Ok(first.chain((n - last..n).map(|col| of_class.vector(col))).collect())
            }
        }
    }
}

impl CspModel {
    /// Fits the [`CspParams::usual`] filters; see [`CspParams::fit`].
    pub fn fit(
        covariances: &[&Mat<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Self, FitError> {
        CspParams::usual(n_classes).fit(covariances, labels, n_classes)
    }

    /// Number of filters, and of features.
    pub fn n_filters(&self) -> usize {
        self.filters.n_rows()
    }

    /// Plans features of covariances: allocates the scratch.
    pub fn plan(&self) -> CspRuntime {
        CspRuntime::new(self.filters.clone())
    }

    /// Plans features of the samples of windows of `n_samples`, for where no covariance is
    /// needed otherwise: allocates the scratch.
    pub fn plan_windows(&self, n_samples: usize) -> CspWindows {
        CspWindows::new(self.filters.clone(), n_samples)
    }
}

/// Spatial filters with their scratch.
#[derive(Clone, Debug)]
pub struct CspRuntime {
    filters: Matrix,
    projected: Vec<f64>,
}

impl CspRuntime {
    /// Log-variances of filters in rows.
    pub(super) fn new(filters: Matrix) -> Self {
        let projected = vec![0.0; filters.n_cols()];
        Self { filters, projected }
    }

    /// Writes `ln(f C f')` for each filter `f`, given a covariance
    /// `(n_channels, n_channels)`. A variance below the smallest normal number, or none
    /// at all, counts as that number.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `covariance` or `features` has another size than the model, or the columns
    /// of `covariance` are not contiguous.
    pub fn features_into(&mut self, covariance: MatRef<'_, f64>, features: &mut [f64]) {
        let n_channels = self.filters.n_cols();
        assert_eq!(covariance.shape(), (n_channels, n_channels), "covariance of another geometry");
        assert_eq!(features.len(), self.filters.n_rows(), "features of other filters");
        let covariance = covariance.try_as_col_major().expect("contiguous columns");
        for (i, feature) in features.iter_mut().enumerate() {
            let filter = self.filters.row(i);
            self.projected.fill(0.0);
            for (weight, column) in filter.iter().zip(covariance.col_iter()) {
                for (sum, value) in self.projected.iter_mut().zip(column.as_slice()) {
                    *sum += weight * value;
                }
            }
            *feature = log_power(dot(filter, &self.projected));
        }
    }
}

/// Arithmetic mean of at least one matrix.
fn mean<'a>(matrices: impl Iterator<Item = &'a Mat<f64>>) -> Mat<f64> {
    let mut n = 0.0;
    let sum = matrices.fold(Mat::new(), |mut sum: Mat<f64>, matrix| {
        n += 1.0;
        if n == 1.0 {
            return matrix.clone();
        }
        sum += matrix;
        sum
    });
    sum * faer::Scale(1.0 / n)
}

/// Solutions of a contrast, the class's shares ascending.
fn shares(class: usize, own: &Mat<f64>, rest: &Mat<f64>) -> Result<Generalised, FitError> {
    let solved = Generalised::solve(
        own.as_ref(),
        (own + rest).as_ref(),
        || format!("the sum of the mean covariances of class {class} and the rest"),
        || format!("the spatial filters of class {class}"),
    )?;
    let within = -SHARE_TOLERANCE..=1.0 + SHARE_TOLERANCE;
    if !solved.values.iter().all(|share| within.contains(share)) {
        let what = format!("the mean covariance of class {class} or that of the rest");
        return Err(FitError::NotPositiveDefinite { what });
    }
    Ok(solved)
}

/// Solutions of `strong w = l (weak + alpha I) w`, ascending.
fn penalised(
    class: usize,
    strong: &Mat<f64>,
    weak: &Mat<f64>,
    alpha: f64,
) -> Result<Generalised, FitError> {
    let mut loaded = weak.clone();
    loaded.diagonal_mut().column_vector_mut().iter_mut().for_each(|x| *x += alpha);
    Generalised::solve(
        strong.as_ref(),
        loaded.as_ref(),
        || format!("the penalised mean covariance of class {class} or the rest"),
        || format!("the spatial filters of class {class}"),
    )
}

/// The vectors that diagonalise all class means at once, most informative first: by
/// Grosse-Wentrup and Buss's approximation of the information that a filtered sample
/// carries about the class.
fn joint_filters(
    means: &[Mat<f64>],
    counts: &[usize],
    n_filters: usize,
) -> Result<Vec<Vec<f64>>, FitError> {
    let vectors = joint_diagonaliser(means)?;
    let total = mean(means.iter());
    let n_windows: usize = counts.iter().sum();
    let scaled = vectors.row_iter().map(|row| {
        let variance = row * &total * row.transpose();
        let filter: Vec<f64> = row.iter().map(|x| x / variance.sqrt()).collect();
        let row = MatRef::from_row_major_slice(&filter, 1, filter.len());
        let (mut logarithms, mut squares) = (0.0, 0.0);
        for (class_mean, count) in means.iter().zip(counts) {
            let share = *count as f64 / n_windows as f64;
            let variance = (row * class_mean * row.transpose())[(0, 0)];
            logarithms += share * variance.sqrt().ln();
            squares += share * (variance * variance - 1.0);
        }
        (logarithms + 3.0 / 16.0 * squares * squares, with_positive_peak(filter))
    });
    let mut scaled: Vec<(f64, Vec<f64>)> = scaled.collect();
    scaled.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    Ok(scaled.into_iter().take(n_filters).map(|(_, filter)| filter).collect())
}
