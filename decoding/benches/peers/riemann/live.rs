//! One decision after the other, as in a session: a window's samples in, a posterior out.
//! The models are the peer's, so that what is timed and compared is the deciding.

use super::mats;
use crate::{Case, Parts, Request, Tensor};
use decoding::classifier::lda::LdaModel;
use decoding::classifier::logistic::LogisticModel;
use decoding::classifier::mdm::{MdmModel, MdmRuntime};
use decoding::matrix::Matrix;
use decoding::riemann::covariance::{CovarianceRuntime, Estimator, SlidingCovariance};
use decoding::riemann::metric::Metric;
use decoding::riemann::tangent::TangentSpace;
use decoding::spatial_filter::csp::{CspModel, CspRuntime, CspWindows};
use decoding::window::Planar;
use faer::{Mat, MatRef};

/// Windows of one recording `(n_windows, n_channels, n_samples)`, decided one by one.
struct Windows<D> {
    shape: [usize; 3],
    data: Vec<f64>,
    covariance: CovarianceRuntime,
    matrix: Mat<f64>,
    decide: D,
    posteriors: Vec<f64>,
    n_classes: usize,
}

/// What decides by a covariance.
trait Decide {
    fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]);
}

impl<D: Decide + 'static> Windows<D> {
    fn case(
        request: &Request<'_>,
        estimator: Estimator,
        n_classes: usize,
        decide: D,
    ) -> Result<Box<dyn Case>, String> {
        let input = request.input(0)?;
        let &[n_windows, n_channels, n_samples] = input.shape.as_slice() else {
            return Err("windows have three dimensions".to_owned());
        };
        let windows = Self {
            shape: [n_windows, n_channels, n_samples],
            data: input.data.clone(),
            covariance: estimator.plan(n_channels, n_samples).map_err(|e| e.to_string())?,
            matrix: Mat::zeros(n_channels, n_channels),
            decide,
            posteriors: vec![0.0; n_windows * n_classes],
            n_classes,
        };
        Ok(Parts::case(windows, Self::decide, Self::posteriors))
    }

    fn decide(&mut self) {
        let [_, n_channels, n_samples] = self.shape;
        let windows = self.data.chunks_exact(n_channels * n_samples);
        for (window, out) in windows.zip(self.posteriors.chunks_exact_mut(self.n_classes)) {
            let samples = MatRef::from_row_major_slice(window, n_channels, n_samples);
            self.covariance.covariance_into(samples, self.matrix.as_mut());
            self.decide.posterior_into(self.matrix.as_ref(), out);
        }
    }

    fn posteriors(&self) -> Vec<Tensor> {
        vec![Tensor { shape: vec![self.shape[0], self.n_classes], data: self.posteriors.clone() }]
    }
}

fn matrix(tensor: &Tensor) -> Result<Matrix, String> {
    let &[n_rows, n_cols] = tensor.shape.as_slice() else {
        return Err("a matrix has two dimensions".to_owned());
    };
    Matrix::new(n_rows, n_cols, tensor.data.clone()).map_err(|e| e.to_string())
}

fn mdm_runtime(means: &Tensor) -> Result<(MdmRuntime, usize), String> {
    let means: Vec<_> = mats(means)?
        .iter()
        .map(|mean| Matrix::from_faer(mean.as_ref()))
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let n_classes = means.len();
    let model = MdmModel { metric: Metric::AffineInvariant, means };
    Ok((model.plan().map_err(|e| e.to_string())?, n_classes))
}

impl Decide for MdmRuntime {
    fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        MdmRuntime::posterior_into(self, covariance, posterior);
    }
}

/// Inputs: windows, class means.
pub(super) fn mdm(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let (runtime, n_classes) = mdm_runtime(request.input(1)?)?;
    Windows::case(request, Estimator::Oas, n_classes, runtime)
}

struct Tangent {
    space: TangentSpace,
    vector: Vec<f64>,
    logistic: LogisticModel,
}

impl Decide for Tangent {
    fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        self.space.vector_into(covariance, &mut self.vector);
        self.logistic.posterior_into(&self.vector, posterior);
    }
}

/// Inputs: windows, the point `(1, n, n)`, coefficients, intercepts.
pub(super) fn tangent_logistic(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let point = mats(request.input(1)?)?;
    let point = point.first().ok_or("no point")?;
    let space = TangentSpace::at(point.as_ref()).map_err(|e| e.to_string())?;
    let (coef, intercept) = (matrix(request.input(2)?)?, request.input(3)?.data.clone());
    let n_classes = intercept.len();
    let vector = vec![0.0; space.dim()];
    let logistic = LogisticModel { coef, intercept };
    let decide = Tangent { space, vector, logistic };
    Windows::case(request, Estimator::Oas, n_classes, decide)
}

struct Csp {
    filters: CspRuntime,
    vector: Vec<f64>,
    lda: LdaModel,
}

impl Decide for Csp {
    fn posterior_into(&mut self, covariance: MatRef<'_, f64>, posterior: &mut [f64]) {
        self.filters.features_into(covariance, &mut self.vector);
        self.lda.posterior_into(&self.vector, posterior);
    }
}

/// Windows of one recording `(n_windows, n_channels, n_samples)`, filtered and decided one
/// by one without a covariance.
struct RawWindows {
    shape: [usize; 3],
    data: Vec<f64>,
    filters: CspWindows,
    vector: Vec<f64>,
    lda: LdaModel,
    posteriors: Vec<f64>,
}

impl RawWindows {
    fn decide(&mut self) {
        let [n_windows, n_channels, n_samples] = self.shape;
        let n_classes = self.posteriors.len() / n_windows;
        let windows = self.data.chunks_exact(n_channels * n_samples);
        for (window, out) in windows.zip(self.posteriors.chunks_exact_mut(n_classes)) {
            let samples = Planar::new(window, n_channels, n_samples, n_samples);
            self.filters.features_into(&samples, &mut self.vector);
            self.lda.posterior_into(&self.vector, out);
        }
    }
}

/// Inputs: windows, filters, coefficients, intercepts.
pub(super) fn csp_lda(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let input = request.input(0)?;
    let &[n_windows, n_channels, n_samples] = input.shape.as_slice() else {
        return Err("windows have three dimensions".to_owned());
    };
    let csp = CspModel { filters: matrix(request.input(1)?)? };
    let (coef, intercept) = (matrix(request.input(2)?)?, request.input(3)?.data.clone());
    let windows = RawWindows {
        shape: [n_windows, n_channels, n_samples],
        data: input.data.clone(),
        filters: csp.plan_windows(n_samples),
        vector: vec![0.0; csp.n_filters()],
        posteriors: vec![0.0; n_windows * intercept.len()],
        lda: LdaModel { coef, intercept },
    };
    Ok(Parts::case(windows, RawWindows::decide, |windows| {
        let n_windows = windows.shape[0];
        let shape = vec![n_windows, windows.posteriors.len() / n_windows];
        vec![Tensor { shape, data: windows.posteriors.clone() }]
    }))
}

fn csp(request: &Request<'_>) -> Result<(Csp, usize), String> {
    let csp = CspModel { filters: matrix(request.input(1)?)? };
    let (coef, intercept) = (matrix(request.input(2)?)?, request.input(3)?.data.clone());
    let (n_classes, vector) = (intercept.len(), vec![0.0; csp.n_filters()]);
    Ok((Csp { filters: csp.plan(), vector, lda: LdaModel { coef, intercept } }, n_classes))
}

/// The way a session has it: frames come in, and sums over blocks of a step are kept.
struct Session<D> {
    frames: Vec<f64>,
    n_channels: usize,
    sliding: SlidingCovariance,
    matrix: Mat<f64>,
    decide: D,
    n_classes: usize,
    posteriors: Vec<f64>,
}

/// As [`mdm`]. Inputs: filtered frames `(n_frames, n_channels)`, class means.
pub(super) fn session_mdm(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let (decide, n_classes) = mdm_runtime(request.input(1)?)?;
    Session::case(request, Estimator::Oas, n_classes, decide)
}

/// As [`csp_lda`]. Inputs: filtered frames, filters, coefficients, intercepts.
pub(super) fn session_csp_lda(request: &Request<'_>) -> Result<Box<dyn Case>, String> {
    let (decide, n_classes) = csp(request)?;
    Session::case(request, Estimator::Scm, n_classes, decide)
}

impl<D: Decide + 'static> Session<D> {
    fn case(
        request: &Request<'_>,
        estimator: Estimator,
        n_classes: usize,
        decide: D,
    ) -> Result<Box<dyn Case>, String> {
        let input = request.input(0)?;
        let &[_, n_channels] = input.shape.as_slice() else {
            return Err("frames have two dimensions".to_owned());
        };
        let (window, step) = (request.count("window_samples")?, request.count("step_samples")?);
        let session = Self {
            frames: input.data.clone(),
            n_channels,
            sliding: SlidingCovariance::of(estimator, n_channels, window, step),
            matrix: Mat::zeros(n_channels, n_channels),
            decide,
            n_classes,
            posteriors: Vec::new(),
        };
        Ok(Parts::case(session, Self::run, |session| {
            let n_windows = session.posteriors.len() / session.n_classes;
            let shape = vec![n_windows, session.n_classes];
            vec![Tensor { shape, data: session.posteriors.clone() }]
        }))
    }

    fn run(&mut self) {
        self.sliding.restart();
        self.posteriors.clear();
        for frame in self.frames.chunks_exact(self.n_channels) {
            self.sliding.push_frame(frame);
            if self.sliding.is_window_end() {
                self.sliding.estimate_into(self.matrix.as_mut());
                let at = self.posteriors.len();
                self.posteriors.resize(at + self.n_classes, 0.0);
                self.decide.posterior_into(self.matrix.as_ref(), &mut self.posteriors[at..]);
            }
        }
    }
}
