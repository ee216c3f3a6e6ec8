//! Support-vector machines with calibrated posteriors, linear and with a Gaussian
//! kernel.
//!
//! A machine separates two classes; more classes have a machine per pair, each with a
//! sigmoid that turns its decision value into a probability, and pairwise coupling makes
//! one posterior of them. There is *no* one-vs-rest here, and nothing is standardised:
//! neither kernel is invariant to the scale of the features.

mod calibration;
mod coupling;
mod smo;

pub use self::calibration::Sigmoid;
pub use self::coupling::Coupling;
use self::smo::{Machine, Separation};
use super::logistic::centre;
use super::{check_features, check_positive, check_size, count_examples, dot};
use crate::decoder::{ExampleSpan, FitError};
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::Mat;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What takes the place of the scalar product of two feature vectors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Kernel {
    /// `x . y`: a plane separates the classes.
    Linear,
    /// `exp(-gamma |x - y|^2)`: classes are where their examples are near.
    Rbf {
        /// How fast nearness falls off.
        gamma: Gamma,
    },
}

/// Inverse squared width of a Gaussian kernel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gamma {
    /// `1 / (n_features v)` with `v` the variance (ddof 0) of all training values
    /// together: scikit-learn's default.
    Scale,
    /// `1 / n_features`.
    Auto,
    /// This value, positive.
    Value(f64),
}

/// How support-vector machines are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvmParams {
    /// The kernel.
    pub kernel: Kernel,
    /// Weight `C` of the hinge losses against the margin; larger is less regularised.
    pub c: f64,
    /// Largest violation of the optimality conditions that is left, in decision values.
    pub tolerance: f64,
}

impl Default for SvmParams {
    /// Scikit-learn's: Gaussian kernel of scaled width, `C = 1`, a tolerance of 1e-3.
    fn default() -> Self {
        Self { kernel: Kernel::Rbf { gamma: Gamma::Scale }, c: 1.0, tolerance: 1e-3 }
    }
}

/// Fitted support-vector machines, one for each pair of classes, (0, 1), (0, 2), ...,
/// (1, 2), ...
///
/// The machine of a pair minimises `1/2 |w|^2 + C sum_i max(0, 1 - y_i f(x_i))` over
/// the examples of its two classes, `y = 1` for the first and `-1` for the second,
/// `f(x) = w . phi(x) + b`, where `phi(x) . phi(y)` is the kernel. Its sigmoid gives
/// `P(first | x, either) = 1 / (1 + exp(slope f(x) + offset))`; the posterior is their
/// coupling ([`Coupling`]).
///
/// # Conventions
/// Decision values are those of scikit-learn's `SVC(decision_function_shape="ovo")`
/// (for two classes it turns the sign: there, positive is the second class). Sigmoids
/// are fitted to decisions on examples that the machine was not fitted to, in five folds
/// (fewer where a class has fewer examples): a fold is a contiguous part of each class's
/// examples in time, and whatever shares a sample with it, overlapping windows and
/// mirrored twins, takes no part in that machine. This is deterministic; libsvm draws its
/// folds at random.
///
/// # Reference
/// C. Cortes, V. Vapnik: Support-vector networks (1995), doi 10.1007/BF00994018.
/// C.-C. Chang, C.-J. Lin: LIBSVM (2011), doi 10.1145/1961189.1961199.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvmModel {
    /// Number of classes.
    pub n_classes: usize,
    /// What decision values are computed from, but the intercepts.
    pub expansion: Expansion,
    /// `b` of each machine.
    pub intercept: Vec<f64>,
    /// Sigmoid of each machine.
    pub sigmoids: Vec<Sigmoid>,
}

/// Decision values as a function of the features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expansion {
    /// `f = weights x + intercept`.
    Linear {
        /// `w` of each machine, `(n_pairs, n_features)`.
        weights: Matrix,
    },
    /// `f = coef k(x) + intercept`, `k_s(x) = exp(-gamma |x - support_s|^2)`.
    Rbf {
        /// Inverse squared width.
        gamma: f64,
        /// Support vectors of all machines, `(n_support, n_features)`.
        support: Matrix,
        /// Dual coefficients `y alpha`, `(n_pairs, n_support)`.
        coef: Matrix,
    },
}

/// The first and the second class of each machine.
pub fn pairs(n_classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_classes).flat_map(move |i| (i + 1..n_classes).map(move |j| (i, j)))
}

impl SvmParams {
    /// Fits to `x` (`n_examples` vectors of `n_features`, in time order) with a label
    /// each, no two of which share a sample: [`SvmParams::fit_spans`] of examples one
    /// after the other.
    ///
    /// # Errors
    /// As there.
    pub fn fit(
        self,
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<SvmModel, FitError> {
        let span = |i: u64| ExampleSpan { run: 0, samples: i..i + 1 };
        let spans: Vec<_> = (0..x.len() as u64).map(span).collect();
        self.fit_spans(x, labels, &spans, n_classes)
    }

    /// Fits to `x` (`n_examples` vectors of `n_features`) with a label each, and where in
    /// the recording each lies.
    ///
    /// Batch: allocates `n_examples^2` kernel values and as many again; its time grows
    /// with `n_examples^2 n_features` for them, and `n_examples` per step of the six
    /// optimisations of each pair.
    ///
    /// # Errors
    /// [`FitError::TooFewExamples`] below two of a class, [`FitError::NotFinite`] where
    /// a feature, or the square of one, is not finite, [`FitError::NotConverged`] where
    /// the tolerance is not reached: scale the features, or lower `C`.
    /// [`FitError::NoHeldOut`] where all examples of two classes share samples,
    /// [`FitError::Shape`] where the sizes of what is passed do not fit each other,
    /// [`FitError::UnknownClass`] and [`FitError::BadParameter`].
    pub fn fit_spans(
        self,
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        spans: &[ExampleSpan],
        n_classes: usize,
    ) -> Result<SvmModel, FitError> {
        check_positive("C", self.c)?;
        check_positive("the tolerance", self.tolerance)?;
        check_size("the list of spans", x.len(), spans.len())?;
        count_examples(x.len(), labels, n_classes)?;
        let n_features = check_features(x)?;
        // Neither kernel's machines depend on where the origin is; rounding does.
        let (centred, mean) = centre(x, n_features);
        let (kernel, gamma) = kernel_values(x, &centred, self.kernel)?;
        let (mut machines, mut sigmoids) = (Vec::new(), Vec::new());
        for (first, second) in pairs(n_classes) {
            let of = |class: usize| move |i: &usize| labels[*i].index() == class;
            let firsts: Vec<usize> = (0..x.len()).filter(of(first)).collect();
            let seconds: Vec<usize> = (0..x.len()).filter(of(second)).collect();
            let examples = Separation { kernel: &kernel, firsts: &firsts, seconds: &seconds };
            machines.push(smo::separate(&examples, self.c, self.tolerance)?);
            let sigmoid = calibration::calibrate(&examples, spans, self.c, self.tolerance)?;
            sigmoids.push(sigmoid.ok_or(FitError::NoHeldOut { first, second })?);
        }
        let mut intercept: Vec<f64> = machines.iter().map(|m| m.intercept).collect();
        let expansion = match self.kernel {
            Kernel::Linear => {
                let weights = weights(&machines, &centred)?;
                for (k, offset) in intercept.iter_mut().enumerate() {
                    *offset -= dot(weights.row(k), &mean);
                }
                Expansion::Linear { weights }
            }
            Kernel::Rbf { .. } => of_support(&machines, x, gamma)?,
        };
        Ok(SvmModel { n_classes, expansion, intercept, sigmoids })
    }
}

impl SvmModel {
    /// [`SvmParams::fit`] with scikit-learn's defaults.
    pub fn fit(x: &[Vec<f64>], labels: &[ClassIdx], n_classes: usize) -> Result<Self, FitError> {
        SvmParams::default().fit(x, labels, n_classes)
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        match &self.expansion {
            Expansion::Linear { weights } => weights.n_cols(),
            Expansion::Rbf { support, .. } => support.n_cols(),
        }
    }

    /// Plans decisions: allocates the scratch.
    ///
    /// # Panics
    /// Where the model does not come from a fit: numbers of pairs that do not agree.
    pub fn plan(&self) -> SvmRuntime {
        let n_pairs = pairs(self.n_classes).count();
        let (n_machines, n_support) = match &self.expansion {
            Expansion::Linear { weights } => (weights.n_rows(), 0),
            Expansion::Rbf { support, coef, .. } => {
                assert_eq!(support.n_rows(), coef.n_cols(), "coefficients of other vectors");
                (coef.n_rows(), support.n_rows())
            }
        };
        for n in [n_machines, self.intercept.len(), self.sigmoids.len()] {
            assert_eq!(n, n_pairs, "a machine for each pair of classes");
        }
        SvmRuntime {
            model: self.clone(),
            nearness: vec![0.0; n_support],
            decisions: vec![0.0; n_pairs],
            coupling: Coupling::new(self.n_classes),
        }
    }
}

/// Support-vector machines with their scratch.
#[derive(Clone, Debug)]
pub struct SvmRuntime {
    model: SvmModel,
    nearness: Vec<f64>,
    decisions: Vec<f64>,
    coupling: Coupling,
}

impl SvmRuntime {
    /// The decision value of each pair of classes; positive speaks for the first of it.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not as many values as the model has features.
    pub fn decisions(&mut self, x: &[f64]) -> &[f64] {
        assert_eq!(x.len(), self.model.n_features(), "features of another geometry");
        let (rows, values) = match &self.model.expansion {
            Expansion::Linear { weights } => (weights, x),
            Expansion::Rbf { gamma, support, coef } => {
                for (s, near) in self.nearness.iter_mut().enumerate() {
                    *near = (-gamma * squared_distance(support.row(s), x)).exp();
                }
                (coef, self.nearness.as_slice())
            }
        };
        for (k, (f, b)) in self.decisions.iter_mut().zip(&self.model.intercept).enumerate() {
            *f = dot(rows.row(k), values) + b;
        }
        &self.decisions
    }

    /// Writes the posterior of each class; NaN where a feature is.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not as many values as the model has features, or `posterior` not
    /// as many as it has classes.
    pub fn posterior_into(&mut self, x: &[f64], posterior: &mut [f64]) {
        // A kernel of infinity is 0, and a decision by it would look like any other.
        if !x.iter().all(|value| value.is_finite()) {
            posterior.fill(f64::NAN);
            return;
        }
        self.decisions(x);
        for (f, sigmoid) in self.decisions.iter_mut().zip(&self.model.sigmoids) {
            *f = sigmoid.probability(*f);
        }
        self.coupling.posterior_into(&self.decisions, posterior);
    }
}

/// Kernel of all pairs of examples, and gamma (0 for the linear one).
fn kernel_values(
    x: &[Vec<f64>],
    centred: &Mat<f64>,
    kernel: Kernel,
) -> Result<(Mat<f64>, f64), FitError> {
    let (n, n_features) = centred.shape();
    let mut values = Mat::zeros(n, n);
    faer::linalg::matmul::matmul(
        &mut values,
        faer::Accum::Replace,
        centred,
        centred.transpose(),
        1.0,
        faer::Par::Seq,
    );
    super::check_finite(values.as_ref(), || "the square of a feature".to_owned())?;
    let Kernel::Rbf { gamma } = kernel else { return Ok((values, 0.0)) };
    let gamma = match gamma {
        Gamma::Value(gamma) => gamma,
        Gamma::Auto => (n_features as f64).recip(),
        Gamma::Scale => scaled_gamma(x),
    };
    check_positive("gamma", gamma)?;
    let squares: Vec<f64> = (0..n).map(|i| values[(i, i)]).collect();
    for j in 0..n {
        for i in 0..n {
            let squared = (squares[i] + squares[j] - 2.0 * values[(i, j)]).max(0.0);
            values[(i, j)] = if i == j { 1.0 } else { (-gamma * squared).exp() };
        }
    }
    Ok((values, gamma))
}

/// `1 / (n_features v)`; 1 where the values do not vary, as in scikit-learn, or so little
/// that this is no number.
fn scaled_gamma(x: &[Vec<f64>]) -> f64 {
    let values = || x.iter().flatten();
    let n_values = values().count() as f64;
    let mean = values().sum::<f64>() / n_values;
    let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / n_values;
    let n_features = n_values / x.len() as f64;
    let gamma = (n_features * variance).recip();
    if gamma > 0.0 && gamma.is_finite() { gamma } else { 1.0 }
}

/// `w` of linear machines, `(n_pairs, n_features)`, for centred features.
fn weights(machines: &[Machine], centred: &Mat<f64>) -> Result<Matrix, FitError> {
    let (n_pairs, n_features) = (machines.len(), centred.ncols());
    let mut weights = Vec::with_capacity(n_pairs * n_features);
    for machine in machines {
        let of =
            |j: usize| machine.coef.iter().map(|(i, coef)| coef * centred[(*i, j)]).sum::<f64>();
        weights.extend((0..n_features).map(of));
    }
    let what = || "a weight of the machines".to_owned();
    Matrix::new(n_pairs, n_features, weights).map_err(|_| FitError::NotFinite { what: what() })
}

/// The support vectors of all machines and their coefficients.
fn of_support(machines: &[Machine], x: &[Vec<f64>], gamma: f64) -> Result<Expansion, FitError> {
    let mut is_support = vec![false; x.len()];
    machines.iter().flat_map(|m| &m.coef).for_each(|(i, _)| is_support[*i] = true);
    let used: Vec<usize> = (0..x.len()).filter(|i| is_support[*i]).collect();
    let mut coef = vec![0.0; machines.len() * used.len()];
    for (machine, row) in machines.iter().zip(coef.chunks_mut(used.len().max(1))) {
        for (example, value) in &machine.coef {
            row[used.partition_point(|i| i < example)] = *value;
        }
    }
    let vectors: Vec<f64> = used.iter().flat_map(|i| &x[*i]).copied().collect();
    let not_finite = |what: &str| FitError::NotFinite { what: what.to_owned() };
    let support = Matrix::new(used.len(), x[0].len(), vectors);
    let support = support.map_err(|_| not_finite("a support vector"))?;
    let coef = Matrix::new(machines.len(), used.len(), coef);
    let coef = coef.map_err(|_| not_finite("a coefficient of the machines"))?;
    Ok(Expansion::Rbf { gamma, support, coef })
}

/// `|a - b|^2`, summed in eight lanes.
fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += (a - b) * (a - b);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    lanes.iter().sum::<f64>() + rest
}
