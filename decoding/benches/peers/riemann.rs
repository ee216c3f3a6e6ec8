//! Covariances, geometry and live decisions on it, as pyRiemann and scikit-learn compute
//! them.

mod live;

use crate::{Parts, Plan, Request, Tensor};
use decoding::riemann::covariance::{Estimator, SlidingCovariance};
use decoding::riemann::distance::DistancesTo;
use decoding::riemann::mean::Weights;
use decoding::riemann::metric::Metric;
use decoding::riemann::tangent::TangentSpace;
use faer::{Mat, MatRef};

/// By name.
pub const CASES: &[(&str, Plan)] = &[
    ("covariance", |request| {
        Ok(Parts::case(Epochs::of(request)?, Epochs::estimate, |epochs| vec![stack(&epochs.out)]))
    }),
    ("mean", |request| Ok(Parts::case(Set::of(request)?, Set::mean, |set| vec![stack(&set.out)]))),
    ("distances", |request| {
        Ok(Parts::case(Set::of(request)?, Set::distances, |set| vec![set.rows(5)]))
    }),
    ("tangent_vectors", |request| {
        Ok(Parts::case(Set::of(request)?, Set::tangent_vectors, |set| {
            vec![set.rows(set.vectors.len() / set.covs.len())]
        }))
    }),
    ("tangent_vectors_batch", |request| {
        Ok(Parts::case(Set::of(request)?, Set::tangent_vectors_batch, |set| {
            vec![set.rows(set.vectors.len() / set.covs.len())]
        }))
    }),
    ("sliding_covariance", |request| Ok(Parts::case(Hop::of(request)?, Hop::run, Hop::values))),
    ("live_mdm", live::mdm),
    ("live_tangent_logistic", live::tangent_logistic),
    ("live_csp_lda", live::csp_lda),
    ("live_session_mdm", live::session_mdm),
    ("live_session_csp_lda", live::session_csp_lda),
];

/// A matrix, row after row.
fn stack(mats: &[Mat<f64>]) -> Tensor {
    let (n_rows, n_cols) = mats.first().map_or((0, 0), Mat::shape);
    let row_major = |m: &Mat<f64>| {
        (0..n_rows * n_cols).map(|k| m[(k / n_cols, k % n_cols)]).collect::<Vec<_>>()
    };
    Tensor {
        shape: vec![mats.len(), n_rows, n_cols],
        data: mats.iter().flat_map(row_major).collect(),
    }
}

/// The matrices of a tensor `(n, n_rows, n_cols)`.
fn mats(tensor: &Tensor) -> Result<Vec<Mat<f64>>, String> {
    let &[_, n_rows, n_cols] = tensor.shape.as_slice() else {
        return Err("matrices have three dimensions together".to_owned());
    };
    let each = tensor.data.chunks_exact(n_rows * n_cols);
    Ok(each.map(|m| MatRef::from_row_major_slice(m, n_rows, n_cols).to_owned()).collect())
}

fn estimator(request: &Request<'_>) -> Result<Estimator, String> {
    match request.word("estimator")? {
        "scm" => Ok(Estimator::Scm),
        "oas" => Ok(Estimator::Oas),
        "lwf" => Ok(Estimator::LedoitWolf),
        "sch" => Ok(Estimator::SchaeferStrimmer),
        other => Err(format!("no estimator {other}")),
    }
}

/// Epochs `(n_epochs, n_channels, n_samples)` and a matrix for each.
struct Epochs {
    estimator: Estimator,
    shape: [usize; 3],
    data: Vec<f64>,
    out: Vec<Mat<f64>>,
}

impl Epochs {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let &[n_epochs, n_channels, n_samples] = input.shape.as_slice() else {
            return Err("epochs have three dimensions".to_owned());
        };
        let estimator = estimator(request)?;
        estimator.check(n_channels, n_samples).map_err(|e| e.to_string())?;
        let shape = [n_epochs, n_channels, n_samples];
        Ok(Self { estimator, shape, data: input.data.clone(), out: Vec::new() })
    }

    fn estimate(&mut self) {
        let [_, n_channels, n_samples] = self.shape;
        let Ok(mut runtime) = self.estimator.plan(n_channels, n_samples) else { return };
        let epochs = self.data.chunks_exact(n_channels * n_samples);
        let covariance = |epoch: &[f64]| {
            let mut cov = Mat::zeros(n_channels, n_channels);
            let samples = MatRef::from_row_major_slice(epoch, n_channels, n_samples);
            runtime.covariance_into(samples, cov.as_mut());
            cov
        };
        self.out = epochs.map(covariance).collect();
    }
}

/// One window of frames `(n_samples, n_channels)` that repeats for ever. A call is a hop of a
/// session: one step of frames, and the covariance of the window that ends with them, which
/// holds the same frames each time.
struct Hop {
    frames: Vec<f64>,
    n_channels: usize,
    step_samples: usize,
    sliding: SlidingCovariance,
    /// The frame that comes next.
    next: usize,
    out: Mat<f64>,
}

impl Hop {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let input = request.input(0)?;
        let &[n_samples, n_channels] = input.shape.as_slice() else {
            return Err("frames have two dimensions".to_owned());
        };
        let step_samples = request.count("step_samples")?;
        let mut hop = Self {
            frames: input.data.clone(),
            n_channels,
            step_samples,
            sliding: SlidingCovariance::new(n_channels, n_samples, step_samples),
            next: 0,
            out: Mat::zeros(n_channels, n_channels),
        };
        hop.push(n_samples - step_samples);
        Ok(hop)
    }

    fn push(&mut self, n_frames: usize) {
        let n_samples = self.frames.len() / self.n_channels;
        for _ in 0..n_frames {
            self.sliding.push_frame(&self.frames[self.next * self.n_channels..][..self.n_channels]);
            self.next = (self.next + 1) % n_samples;
        }
    }

    fn run(&mut self) {
        self.push(self.step_samples);
        self.sliding.covariance_into(self.out.as_mut());
    }

    fn values(&self) -> Vec<Tensor> {
        vec![stack(std::slice::from_ref(&self.out))]
    }
}

/// Covariances, and a point among them.
struct Set {
    metric: Metric,
    covs: Vec<Mat<f64>>,
    point: Mat<f64>,
    out: Vec<Mat<f64>>,
    vectors: Vec<f64>,
}

impl Set {
    fn of(request: &Request<'_>) -> Result<Self, String> {
        let found = Metric::ALL.into_iter().find(|m| Ok(m.name()) == request.word("metric"));
        let metric = found.ok_or("no such metric")?;
        let covs = mats(request.input(0)?)?;
        let point = covs.first().ok_or("no matrix")?.clone();
        Ok(Self { metric, covs, point, out: Vec::new(), vectors: Vec::new() })
    }

    fn mean(&mut self) {
        let found = self.metric.mean(&self.covs, &Weights::equal(), 1e-8, 50);
        self.out = found.map(|found| found.mean).into_iter().collect();
    }

    fn distances(&mut self) {
        let points: Vec<_> = self.covs[..5].iter().map(Mat::as_ref).collect();
        let Ok(mut distances) = DistancesTo::in_metric(self.metric, &points) else { return };
        self.vectors.resize(5 * self.covs.len(), 0.0);
        for (cov, out) in self.covs.iter().zip(self.vectors.chunks_exact_mut(5)) {
            distances.squared_into(cov.as_ref(), out);
        }
    }

    fn tangent_vectors(&mut self) {
        let Ok(mut space) = TangentSpace::in_metric(self.metric, self.point.as_ref()) else {
            return;
        };
        self.vectors.resize(space.dim() * self.covs.len(), 0.0);
        for (cov, out) in self.covs.iter().zip(self.vectors.chunks_exact_mut(space.dim())) {
            space.vector_into(cov.as_ref(), out);
        }
    }

    fn tangent_vectors_batch(&mut self) {
        let Ok(mut space) = TangentSpace::in_metric(self.metric, self.point.as_ref()) else {
            return;
        };
        self.vectors.resize(space.dim() * self.covs.len(), 0.0);
        space.vectors_into(&self.covs, &mut self.vectors);
    }

    /// What was computed of each matrix, in rows.
    fn rows(&self, n_cols: usize) -> Tensor {
        let n_rows = self.vectors.len() / n_cols;
        Tensor { shape: vec![n_rows, n_cols], data: self.vectors.clone() }
    }
}
