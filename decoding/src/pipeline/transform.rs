//! Transforms, each fitted, planned and run.

mod bank;
mod responses;

use super::adaptive;
use super::classify::check_filter;
use super::fit::Training;
use super::fitted::FittedTransform;
use super::mirror::Twins;
use super::runtime::{ModelError, Transformer, expect_size, matrices_size, vector_len};
use super::step::Transform;
use crate::classifier::fgmdm::{FgdaModel, FgdaRuntime};
use crate::classifier::mdm::in_words;
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::riemann::mean::Weights;
use crate::riemann::metric::Metric;
use crate::riemann::spd;
use crate::riemann::tangent::TangentSpace;
use crate::selection::Selected;
use crate::spatial_filter::csp::{CspModel, CspRuntime};
use crate::spatial_filter::erp_covariance::{ErpCovarianceModel, ErpCovarianceRuntime};
use crate::window::{Shape, Value, View};
use faer::Mat;

/// Criterion of Riemannian means: norm of the mean tangent vector.
pub const MEAN_CRITERION: f64 = 1e-8;
/// Most steps of a Riemannian mean.
pub const MEAN_MAX_STEPS: usize = 50;

/// A planned transform, and the shape of what it gives.
pub(super) type Planned = (Box<dyn Transformer>, Shape);

impl Transform {
    /// Fits the step to the training examples alone. Nothing stays of one that only
    /// changes which there are.
    pub(super) fn fit(&self, training: &Training<'_>) -> Result<Option<FittedTransform>, FitError> {
        let (labels, n_classes) = (&training.labels, training.n_classes);
        Ok(Some(match self {
            Self::Thin(_) | Self::Mirror(_) => return Ok(None),
            Self::Csp(step) => FittedTransform::Csp {
                bands: per_band(training, |band| {
                    step.params(n_classes).fit(&training.matrices(band), labels, n_classes)
                })?,
            },
            Self::FilterBankCsp(step) => bank::fit(step, training)?,
            Self::Spoc(step) => bank::fit_spoc(step, training)?,
            Self::TangentSpace(step) => FittedTransform::TangentSpace {
                metric: step.metric,
                points: per_band(training, |band| mean(training, band, step.metric))?,
            },
            Self::Recenter(step) => match step.adapt {
                Some(adapt) => adaptive::fit_recenter(step, adapt, training)?,
                None => FittedTransform::Recenter {
                    means: per_band(training, |band| mean(training, band, step.metric))?,
                },
            },
            Self::Potato(step) => adaptive::fit_potato(step, training)?,
            Self::Fgda(step) => FittedTransform::Fgda {
                bands: per_band(training, |band| {
                    FgdaModel::fit(step.metric, &training.matrices(band), labels, n_classes)
                })?,
            },
            Self::ErpCovariance(step) => FittedTransform::ErpCovariance {
                bands: per_band(training, |band| {
                    step.params().fit(&training.samples(band), labels, n_classes)
                })?,
            },
            Self::Xdawn(step) => FittedTransform::Xdawn {
                bands: per_band(training, |band| {
                    step.fit(&training.samples(band), labels, n_classes)
                })?,
            },
            Self::Vectorise(_) => FittedTransform::Vectorise,
            Self::Trca(step) => FittedTransform::Trca(step.fit(training)?),
            Self::Standardise(_) => standardisation(&training.vectors())?,
            Self::Select(step) => {
                let x = training.vectors();
                let params = step.params(x.first().map_or(0, Vec::len));
                FittedTransform::Select(params.fit(&x, labels, n_classes)?)
            }
        }))
    }
}

/// What the steps after a step are fitted to.
pub(super) enum After {
    /// What it makes of every example, each by itself.
    Transformed,
    /// These values, one per example.
    Values(Vec<Value>),
    /// The examples at these positions, as they are.
    Kept(Vec<usize>),
    /// The examples as they are, and these beside them.
    Beside(Twins),
}

impl Transform {
    /// What the steps after are fitted to, once this one has been. Most see what it makes
    /// of the examples; where it would make more of those than of new windows, values of
    /// examples that were left out of its fit.
    pub(super) fn after(
        &self,
        fitted: Option<&FittedTransform>,
        training: &Training<'_>,
    ) -> Result<After, FitError> {
        Ok(match (self, fitted) {
            (Self::Thin(step), _) => {
                After::Kept((0..training.views.len()).step_by(step.every.max(1)).collect())
            }
            (Self::Mirror(step), _) => After::Beside(step.twins(training)?),
            (Self::Potato(_), Some(FittedTransform::Potato { bands, .. })) => {
                After::Kept(adaptive::accepted(bands, &training.views)?)
            }
            (Self::Recenter(step), _) if step.adapt.is_some() => {
                After::Values(adaptive::recentred_by_run(step, training)?)
            }
            (Self::Trca(step), _) => After::Values(step.left_out(training)?),
            _ => After::Transformed,
        })
    }
}

/// What is learned of each band.
pub(super) fn per_band<T>(
    training: &Training<'_>,
    fit: impl FnMut(usize) -> Result<T, FitError>,
) -> Result<Vec<T>, FitError> {
    (0..training.n_bands()).map(fit).collect()
}

/// The mean of one band of the training examples.
pub(super) fn mean(
    training: &Training<'_>,
    band: usize,
    metric: Metric,
) -> Result<Matrix, FitError> {
    const WHAT: &str = "the mean of the training covariances";
    let matrices = training.matrices(band);
    let mean = metric
        .mean(&matrices, &Weights::equal(), MEAN_CRITERION, MEAN_MAX_STEPS)
        .map_err(|e| in_words(WHAT, &e))?
        .mean;
    Matrix::from_faer(mean.as_ref()).map_err(|_| FitError::NotFinite { what: WHAT.into() })
}

/// Mean and standard deviation of every value, 1 for one that is constant.
fn standardisation(vectors: &[Vec<f64>]) -> Result<FittedTransform, FitError> {
    let n = vectors.len() as f64;
    let n_values = vectors.first().map_or(0, Vec::len);
    let column = |k: usize| vectors.iter().map(move |vector| vector[k]);
    let mean: Vec<f64> = (0..n_values).map(|k| column(k).sum::<f64>() / n).collect();
    let scale_of = |k: usize| {
        let variance = column(k).map(|v| (v - mean[k]).powi(2)).sum::<f64>() / n;
        // Below this, rounding is all there is.
        let rounding = n * f64::EPSILON * variance + (n * mean[k] * f64::EPSILON).powi(2);
        if variance > rounding { variance.sqrt() } else { 1.0 }
    };
    let scale: Vec<f64> = (0..n_values).map(scale_of).collect();
    if !mean.iter().chain(&scale).all(|v| v.is_finite()) {
        return Err(FitError::NotFinite { what: "a feature's mean or deviation".to_owned() });
    }
    Ok(FittedTransform::Standardise { mean, scale })
}

impl FittedTransform {
    /// Plans the step for inputs of `shape`.
    pub(super) fn plan(&self, shape: Shape) -> Result<Planned, ModelError> {
        match self {
            Self::Csp { bands } => plan_csp(bands, shape),
            Self::TangentSpace { metric, points } => plan_tangent(*metric, points, shape),
            Self::Recenter { means } => plan_recenter(means, shape),
            Self::AdaptiveRecenter { bands, on_shift } => {
                adaptive::plan_recenter(bands, *on_shift, shape)
            }
            Self::Potato { bands, rate } => adaptive::plan_potato(bands, *rate, shape),
            Self::Fgda { bands } => plan_fgda(bands, shape),
            Self::ErpCovariance { bands } => plan_erp(bands, shape),
            Self::Standardise { mean, scale } => plan_standardise(mean, scale, shape),
            Self::Xdawn { bands } => responses::plan_filters(bands, shape),
            Self::Vectorise => responses::plan_flat(shape),
            Self::Trca(model) => responses::plan_trca(model, shape),
            Self::Select(selected) => plan_select(selected, shape),
        }
    }
}

/// Spatial filters per band, log-variances one band after the other.
struct Csp {
    bands: Vec<CspRuntime>,
    n_filters: Vec<usize>,
    vector: Vec<f64>,
}

fn plan_csp(bands: &[CspModel], shape: Shape) -> Result<Planned, ModelError> {
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of spatial filters", n_bands, bands.len())?;
    for model in bands {
        expect_size("the spatial filters", n_rows, model.filters.n_cols())?;
    }
    let n_filters: Vec<_> = bands.iter().map(CspModel::n_filters).collect();
    let n_values = n_filters.iter().sum();
    let bands = bands.iter().map(CspModel::plan).collect();
    let runtime = Csp { bands, n_filters, vector: vec![0.0; n_values] };
    Ok((Box::new(runtime), Shape::Vector(n_values)))
}

impl Transformer for Csp {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Matrices(matrices) = input else { return nothing(&mut self.vector) };
        let mut rest = self.vector.as_mut_slice();
        for ((runtime, n_filters), matrix) in
            self.bands.iter_mut().zip(&self.n_filters).zip(matrices)
        {
            let (features, next) = rest.split_at_mut(*n_filters);
            runtime.features_into(matrix.as_ref(), features);
            rest = next;
        }
        View::Vector(&self.vector)
    }
}

/// Tangent vectors, one band after the other.
struct Tangent {
    spaces: Vec<TangentSpace>,
    vector: Vec<f64>,
}

fn plan_tangent(metric: Metric, points: &[Matrix], shape: Shape) -> Result<Planned, ModelError> {
    const PART: &str = "the tangent space's point";
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of tangent spaces", n_bands, points.len())?;
    let space = |point: &Matrix| {
        expect_size(PART, n_rows, point.n_rows())?;
        expect_size(PART, n_rows, point.n_cols())?;
        TangentSpace::in_metric(metric, point.to_faer().as_ref())
            .map_err(|source| ModelError::Geometry { part: PART, source })
    };
    let spaces = points.iter().map(space).collect::<Result<Vec<_>, _>>()?;
    let n_values = spaces.iter().map(TangentSpace::dim).sum();
    let runtime = Tangent { spaces, vector: vec![0.0; n_values] };
    Ok((Box::new(runtime), Shape::Vector(n_values)))
}

impl Transformer for Tangent {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Matrices(matrices) = input else { return nothing(&mut self.vector) };
        let mut rest = self.vector.as_mut_slice();
        for (space, matrix) in self.spaces.iter_mut().zip(matrices) {
            let (vector, next) = rest.split_at_mut(space.dim());
            space.vector_into(matrix.as_ref(), vector);
            rest = next;
        }
        View::Vector(&self.vector)
    }
}

/// Moves the mean of the training examples to the identity.
struct Recenter {
    whiteners: Vec<Mat<f64>>,
    half: Mat<f64>,
    matrices: Vec<Mat<f64>>,
}

fn plan_recenter(means: &[Matrix], shape: Shape) -> Result<Planned, ModelError> {
    const PART: &str = "the mean that is moved to the identity";
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of means", n_bands, means.len())?;
    let whitener = |mean: &Matrix| {
        expect_size(PART, n_rows, mean.n_rows())?;
        expect_size(PART, n_rows, mean.n_cols())?;
        spd::inv_sqrt(mean.to_faer().as_ref())
            .map_err(|source| ModelError::Geometry { part: PART, source })
    };
    let whiteners = means.iter().map(whitener).collect::<Result<_, _>>()?;
    let zeros = Mat::zeros(n_rows, n_rows);
    let runtime = Recenter { whiteners, half: zeros.clone(), matrices: vec![zeros; n_bands] };
    Ok((Box::new(runtime), shape))
}

impl Transformer for Recenter {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Matrices(inputs) = input else { return View::Matrices(&[]) };
        for ((w, out), input) in self.whiteners.iter().zip(&mut self.matrices).zip(inputs) {
            spd::congruence_into(w.as_ref(), input.as_ref(), &mut self.half, out.as_mut());
        }
        View::Matrices(&self.matrices)
    }
}

/// Leaves of every matrix what tells the classes apart.
struct Fgda {
    bands: Vec<FgdaRuntime>,
    matrices: Vec<Mat<f64>>,
}

fn plan_fgda(bands: &[FgdaModel], shape: Shape) -> Result<Planned, ModelError> {
    let (n_bands, n_rows) = matrices_size(shape)?;
    expect_size("the list of geodesic filters", n_bands, bands.len())?;
    let plan = |model: &FgdaModel| {
        check_filter(model, shape)?;
        let part = "the filter's point";
        model.plan().map_err(|source| ModelError::Geometry { part, source })
    };
    let bands = bands.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    let matrices = vec![Mat::zeros(n_rows, n_rows); n_bands];
    Ok((Box::new(Fgda { bands, matrices }), shape))
}

impl Transformer for Fgda {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Matrices(inputs) = input else { return View::Matrices(&[]) };
        for ((filter, out), input) in self.bands.iter_mut().zip(&mut self.matrices).zip(inputs) {
            filter.filter_into(input.as_ref(), out.as_mut());
        }
        View::Matrices(&self.matrices)
    }
}

/// Covariances of windows with the classes' mean responses.
struct Erp {
    bands: Vec<ErpCovarianceRuntime>,
    matrices: Vec<Mat<f64>>,
}

fn plan_erp(models: &[ErpCovarianceModel], shape: Shape) -> Result<Planned, ModelError> {
    let Shape::Samples { n_bands, n_channels, n_samples } = shape else {
        return Err(ModelError::Shape { part: "a step's input of samples", expected: 1, found: 0 });
    };
    expect_size("the list of mean responses", n_bands, models.len())?;
    let mut bands = Vec::with_capacity(n_bands);
    for model in models {
        expect_size("a mean response", n_samples, model.n_samples())?;
        expect_size("the channels of a mean response", n_channels, model.n_channels)?;
        if let Some(filters) = &model.filters {
            expect_size("the filters of a response", n_channels, filters.n_cols())?;
        }
        let planned = model.plan().map_err(|_| ModelError::Shape {
            part: "the samples of a mean response",
            expected: model.n_rows() + 1,
            found: n_samples,
        });
        bands.push(planned?);
    }
    let n_rows = models.first().map_or(0, ErpCovarianceModel::n_rows);
    for model in models {
        expect_size("the rows of a band", n_rows, model.n_rows())?;
    }
    let matrices = vec![Mat::zeros(n_rows, n_rows); n_bands];
    Ok((Box::new(Erp { bands, matrices }), Shape::Matrices { n_bands, n_rows }))
}

impl Transformer for Erp {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Samples(windows) = input else { return View::Matrices(&[]) };
        for ((runtime, out), window) in self.bands.iter_mut().zip(&mut self.matrices).zip(windows) {
            runtime.covariance_into(&window.as_planar(), out.as_mut());
        }
        View::Matrices(&self.matrices)
    }
}

/// Values less their mean, over their deviation.
struct Standardise {
    mean: Vec<f64>,
    scale: Vec<f64>,
    vector: Vec<f64>,
}

fn plan_standardise(mean: &[f64], scale: &[f64], shape: Shape) -> Result<Planned, ModelError> {
    let n_values = vector_len(shape)?;
    expect_size("the list of feature means", n_values, mean.len())?;
    expect_size("the list of feature deviations", n_values, scale.len())?;
    let (mean, scale) = (mean.to_vec(), scale.to_vec());
    let runtime = Standardise { mean, scale, vector: vec![0.0; n_values] };
    Ok((Box::new(runtime), shape))
}

impl Transformer for Standardise {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Vector(input) = input else { return nothing(&mut self.vector) };
        for (k, out) in self.vector.iter_mut().enumerate() {
            *out = (input[k] - self.mean[k]) / self.scale[k];
        }
        View::Vector(&self.vector)
    }
}

/// Some of the values.
struct Kept {
    selected: Selected,
    vector: Vec<f64>,
}

fn plan_select(selected: &Selected, shape: Shape) -> Result<Planned, ModelError> {
    let n_values = vector_len(shape)?;
    expect_size("the features selected from", n_values, selected.n_features)?;
    if let Some(beyond) = selected.indices.iter().find(|index| **index >= n_values) {
        let (part, expected) = ("a selected feature's position", n_values);
        return Err(ModelError::Shape { part, expected, found: *beyond });
    }
    let n_kept = selected.indices.len();
    let runtime = Kept { selected: selected.clone(), vector: vec![0.0; n_kept] };
    Ok((Box::new(runtime), Shape::Vector(n_kept)))
}

impl Transformer for Kept {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Vector(input) = input else { return nothing(&mut self.vector) };
        self.selected.select_into(input, &mut self.vector);
        View::Vector(&self.vector)
    }
}

/// What a step makes of an input it was not planned for, which plans rule out.
fn nothing(vector: &mut [f64]) -> View<'_> {
    vector.fill(f64::NAN);
    View::Vector(vector)
}
