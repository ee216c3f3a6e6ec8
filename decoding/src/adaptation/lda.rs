//! A linear discriminant that follows the signal: its pooled mean runs along, and its
//! covariance if wanted, without labels.
//!
//! What separates the classes (the differences of their means) stays as it was trained.

use super::governor::Push;
use super::{Rate, Running, Step};
use crate::classifier::lda::{Moments, least_squares};
use crate::classifier::{dot, finite_matrix, softmax_in_place};
use crate::decoder::{FitError, decide_class};
use crate::matrix::Matrix;
use acquisition::marker::ClassIdx;
use faer::{Mat, Scale};
use serde::{Deserialize, Serialize};

/// No inverse of a variance grows above this.
const LARGEST_PRECISION: f64 = 1e100;

/// What becomes of the covariance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// It stays as it was trained.
    Fixed,
    /// It takes up this share, above 0 and below 1, of each example.
    Running(f64),
}

/// How a discriminant adapts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveLdaParams {
    /// Share of the pooled mean that each example takes up.
    pub mean_rate: Rate,
    /// What becomes of the covariance.
    pub covariance: Covariance,
}

impl Default for AdaptiveLdaParams {
    /// The mean at 0.05, as Vidaurre et al.; the covariance is fixed.
    fn default() -> Self {
        Self { mean_rate: Rate::Fixed(0.05), covariance: Covariance::Fixed }
    }
}

/// State of an adaptive discriminant, as a file holds it.
///
/// `s_k(x) = w_k . (x - mu) - w_k . m_k / 2 + ln(prior_k)`, posterior = softmax of `s`,
/// with class means `mu + m_k`. In the beginning `mu` is the mean of the training
/// examples and the posterior is that of [`LdaModel`](crate::classifier::lda::LdaModel).
/// With each example `x`, of whatever class, `mu <- (1 - r) mu + r x`; and where the
/// covariance runs along, then `T <- (1 - q) T + q (x - mu)(x - mu)'`, the covariance
/// about the pooled mean. `T` is never formed: its inverse is updated (Sherman, Morrison).
///
/// # Conventions
/// The weights are `W = T⁻¹ M G`, `M` with columns `m_k`. `G = I + P M' S⁺ M`, `P` the
/// diagonal of priors and `S` the shrunk covariance within classes, turns the total
/// covariance `T = S + M P M'` into that within classes, so that the posterior keeps its
/// scale; it stays as it was trained. For two classes Vidaurre et al. have
/// `w = T⁻¹ (m_2 - m_1)`, which is the same but for that scale. As drift is told from
/// the examples' mean, a run of one class alone is drift, too: the rate has to be slow
/// against the changes of class.
///
/// # Reference
/// C. Vidaurre, M. Kawanabe, P. von Bünau, B. Blankertz, K.-R. Müller: Toward
/// unsupervised adaptation of LDA for brain-computer interfaces (2011),
/// doi 10.1109/TBME.2010.2093133.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveLdaState {
    rate: Running,
    covariance: Covariance,
    n_seen: u64,
    /// `mu`.
    mean: Vec<f64>,
    /// `m_k` in rows, `(n_classes, n_features)`.
    class_means: Matrix,
    log_priors: Vec<f64>,
    /// `G'`, `(n_classes, n_classes)`.
    gain: Matrix,
    /// `T⁻¹`, `(n_features, n_features)`.
    precision: Matrix,
}

impl AdaptiveLdaParams {
    /// Whether steps of this size can be taken at all.
    ///
    /// # Errors
    /// The parameter that is wrong, and what it has to be.
    pub fn check(self) -> Result<(), (&'static str, &'static str)> {
        self.mean_rate.check().map_err(|why| ("mean_rate", why))?;
        match self.covariance {
            Covariance::Running(rate) if !(rate > 0.0 && rate < 1.0) => {
                Err(("covariance", "a running covariance takes up a share above 0 and below 1"))
            }
            _ => Ok(()),
        }
    }

    /// Fits to `x` (`n_examples` vectors of `n_features`) with a label each.
    ///
    /// Batch: allocates; its time grows with `n_features` cubed.
    ///
    /// # Errors
    /// As [`LdaModel::fit`](crate::classifier::lda::LdaModel::fit), and
    /// [`FitError::BadRate`].
    pub fn fit(
        self,
        x: &[Vec<f64>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<AdaptiveLdaState, FitError> {
        self.check().map_err(|(name, why)| FitError::BadRate { name, why })?;
        let Moments { counts, means, within } = Moments::of(x, labels, n_classes)?;
        let n_features = means.nrows();
        let prior = |k: usize| counts[k] as f64 / x.len() as f64;
        let weigh = |j: usize| (0..n_classes).map(|k| prior(k) * means[(j, k)]).sum::<f64>();
        let mean: Vec<f64> = (0..n_features).map(weigh).collect();
        let relative = Mat::from_fn(n_features, n_classes, |j, k| means[(j, k)] - mean[j]);
        let weighted = Mat::from_fn(n_features, n_classes, |j, k| prior(k) * relative[(j, k)]);
        let total = &within + &weighted * relative.transpose();
        let identity = Mat::<f64>::identity(n_features, n_features);
        let inverse = least_squares(total.as_ref(), identity.as_ref())?;
        let precision = (&inverse + inverse.transpose()) * Scale(0.5);
        let coef = least_squares(within.as_ref(), relative.as_ref())?;
        let gain = Mat::<f64>::identity(n_classes, n_classes) + coef.transpose() * &weighted;
        Ok(AdaptiveLdaState {
            rate: Running::new(self.mean_rate),
            covariance: self.covariance,
            n_seen: x.len() as u64,
            mean,
            class_means: finite_matrix(relative.transpose(), "a class mean")?,
            log_priors: (0..n_classes).map(|k| prior(k).ln()).collect(),
            gain: finite_matrix(gain.as_ref(), "a product of class means")?,
            precision: finite_matrix(precision.as_ref(), "the inverse of the covariance")?,
        })
    }
}

impl AdaptiveLdaState {
    /// Examples seen, those of the training included.
    pub fn n_seen(&self) -> u64 {
        self.n_seen
    }

    /// The pooled mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Whether shapes and rates agree: a file may hold anything.
    pub fn is_possible(&self) -> bool {
        let (n_classes, n_features) = (self.log_priors.len(), self.mean.len());
        let shape = |matrix: &Matrix| (matrix.n_rows(), matrix.n_cols());
        let params = AdaptiveLdaParams { mean_rate: Rate::Cumulative, covariance: self.covariance };
        shape(&self.class_means) == (n_classes, n_features)
            && shape(&self.gain) == (n_classes, n_classes)
            && shape(&self.precision) == (n_features, n_features)
            && self.rate.is_possible()
            && self.n_seen <= super::MAX_SEEN
            && params.check().is_ok()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.log_priors.len()
    }

    /// Plans decisions and steps: allocates the scratch.
    ///
    /// # Panics
    /// Where [`AdaptiveLdaState::is_possible`] says no: the state does not come from a fit.
    pub fn plan(&self) -> AdaptiveLda {
        assert!(self.is_possible(), "a state that no fit has made");
        let (n_classes, n_features) = (self.log_priors.len(), self.mean.len());
        let mut runtime = AdaptiveLda {
            precision: self.precision.as_slice().to_vec(),
            projected: vec![0.0; n_classes * n_features],
            coef: vec![0.0; n_classes * n_features],
            intercept: vec![0.0; n_classes],
            deviation: vec![0.0; n_features],
            image: vec![0.0; n_features],
            scores: vec![0.0; n_classes],
            memory: vec![(vec![0.0; n_features], ClassIdx(0)); self.rate.memory()],
            n_remembered: 0,
            state: self.clone(),
        };
        runtime.weigh();
        runtime
    }
}

/// An adaptive discriminant with its scratch.
#[derive(Clone, Debug)]
pub struct AdaptiveLda {
    /// All but the precision is current; the precision is below.
    state: AdaptiveLdaState,
    precision: Vec<f64>,
    /// `T⁻¹ m_k`, then `w_k`, a row per class.
    projected: Vec<f64>,
    coef: Vec<f64>,
    intercept: Vec<f64>,
    deviation: Vec<f64>,
    image: Vec<f64>,
    scores: Vec<f64>,
    /// The latest examples with their class, a ring.
    memory: Vec<(Vec<f64>, ClassIdx)>,
    n_remembered: usize,
}

impl AdaptiveLda {
    /// The state, to be saved. The memory of a governor is not a part of it: it fills
    /// anew.
    ///
    /// Allocates.
    ///
    /// # Panics
    /// Never: no step makes the state infinite.
    pub fn state(&self) -> AdaptiveLdaState {
        let n = self.state.mean.len();
        let precision = Matrix::new(n, n, self.precision.clone());
        let precision = precision.expect("only finite precisions are kept");
        AdaptiveLdaState { precision, ..self.state.clone() }
    }

    /// Writes the posterior of each class by the state as it stands.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not `n_features` or `posterior` not `n_classes` values.
    pub fn posterior_into(&mut self, x: &[f64], posterior: &mut [f64]) {
        assert_eq!(x.len(), self.state.mean.len(), "features of another geometry");
        assert_eq!(posterior.len(), self.intercept.len(), "posterior of other classes");
        for ((d, x), mean) in self.deviation.iter_mut().zip(x).zip(&self.state.mean) {
            *d = x - mean;
        }
        scores_into(&self.coef, &self.intercept, &self.deviation, posterior);
        softmax_in_place(posterior);
    }

    /// Takes up an example. The class, where it is known, serves the governor alone: the
    /// mean moves without labels. An example that is not finite is refused.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// Where `x` has not `n_features` values.
    pub fn adapt(&mut self, x: &[f64], truth: Option<ClassIdx>) -> Step {
        assert_eq!(x.len(), self.state.mean.len(), "features of another geometry");
        for ((d, x), mean) in self.deviation.iter_mut().zip(x).zip(&self.state.mean) {
            *d = x - mean;
        }
        // A square that overflows would spoil the precision.
        if !dot(&self.deviation, &self.deviation).is_finite() {
            return Step::Refused;
        }
        let rate = self.rate(x, truth);
        for (mean, x) in self.state.mean.iter_mut().zip(x) {
            *mean += rate * (x - *mean);
        }
        if let Covariance::Running(rate) = self.state.covariance
            && self.is_known()
        {
            for ((d, x), mean) in self.deviation.iter_mut().zip(x).zip(&self.state.mean) {
                *d = x - mean;
            }
            self.update_precision(rate);
            self.weigh();
        }
        self.state.n_seen = (self.state.n_seen + 1).min(super::MAX_SEEN);
        Step::Taken(rate)
    }

    /// The share of this example; it and its class, known or decided, are remembered.
    fn rate(&mut self, x: &[f64], truth: Option<ClassIdx>) -> f64 {
        let mut governor = match self.state.rate {
            Running::Cumulative => return ((self.state.n_seen + 1) as f64).recip(),
            Running::Fixed(rate) => return rate,
            Running::Governed(governor) => governor,
        };
        let n_classes = self.intercept.len();
        scores_into(&self.coef, &self.intercept, &self.deviation, &mut self.scores);
        let predicted = decide_class(&self.scores);
        let class = truth.unwrap_or(predicted);
        let push = |class| Push::of_class(class, n_classes);
        let rate =
            governor.choose(push(predicted), push(class), |rate| self.n_right_after(x, rate));
        self.state.rate = Running::Governed(governor);
        let at = self.n_remembered % self.memory.len();
        self.memory[at].0.copy_from_slice(x);
        self.memory[at].1 = class;
        self.n_remembered += 1;
        rate
    }

    /// How many of the remembered examples would be decided rightly after a step.
    fn n_right_after(&mut self, x: &[f64], rate: f64) -> f64 {
        let n = self.n_remembered.min(self.memory.len());
        let mut n_right = 0.0;
        for (example, class) in &self.memory[..n] {
            let values = example.iter().zip(x).zip(&self.state.mean);
            for (d, ((value, x), mean)) in self.deviation.iter_mut().zip(values) {
                *d = value - (mean + rate * (x - mean));
            }
            scores_into(&self.coef, &self.intercept, &self.deviation, &mut self.scores);
            n_right += f64::from(u8::from(decide_class(&self.scores) == *class));
        }
        n_right
    }

    /// Whether the signal still varies in every direction that is remembered: of one that
    /// has not for a very long time the inverse would overflow, and the covariance rests.
    fn is_known(&self) -> bool {
        let diagonal = self.precision.iter().step_by(self.deviation.len() + 1);
        diagonal.fold(0.0, |m: f64, p| m.max(*p)) < LARGEST_PRECISION
    }

    /// `((1 - q) T + q d d')⁻¹` from `T⁻¹`, `d` the deviation.
    fn update_precision(&mut self, rate: f64) {
        let n = self.deviation.len();
        for (image, row) in self.image.iter_mut().zip(self.precision.chunks(n)) {
            *image = dot(row, &self.deviation);
        }
        let factor = rate / (1.0 - rate + rate * dot(&self.image, &self.deviation));
        for (i, row) in self.precision.chunks_mut(n).enumerate() {
            for (p, image) in row.iter_mut().zip(&self.image) {
                *p = (*p - factor * (self.image[i] * image)) / (1.0 - rate);
            }
        }
    }

    /// Weights and intercepts from the precision.
    fn weigh(&mut self) {
        let n = self.deviation.len();
        let AdaptiveLdaState { class_means, gain, log_priors, .. } = &self.state;
        for (k, row) in self.projected.chunks_mut(n).enumerate() {
            for (value, precision) in row.iter_mut().zip(self.precision.chunks(n)) {
                *value = dot(precision, class_means.row(k));
            }
        }
        for (k, row) in self.coef.chunks_mut(n).enumerate() {
            row.fill(0.0);
            for (gain, projected) in gain.row(k).iter().zip(self.projected.chunks(n)) {
                row.iter_mut().zip(projected).for_each(|(w, p)| *w += gain * p);
            }
            self.intercept[k] = log_priors[k] - 0.5 * dot(row, class_means.row(k));
        }
    }
}

/// `coef d + intercept`.
fn scores_into(coef: &[f64], intercept: &[f64], deviation: &[f64], scores: &mut [f64]) {
    let rows = coef.chunks(deviation.len());
    for ((score, row), offset) in scores.iter_mut().zip(rows).zip(intercept) {
        *score = dot(row, deviation) + offset;
    }
}
