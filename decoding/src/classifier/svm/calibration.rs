//! From a machine's decision value to a probability: a sigmoid, fitted to decisions on
//! examples that the machine has not seen.

use super::smo::{Separation, separate};
use crate::decoder::{ExampleSpan, FitError};
use serde::{Deserialize, Serialize};

/// Number of folds, where every class has as many examples.
const N_FOLDS: usize = 5;
/// Most Newton steps; five to ten are usual.
const MAX_STEPS: usize = 100;
/// The fit is done where the gradient per example is this small.
const CRITERION: f64 = 1e-12;
/// Added to the second derivatives, so that they can always be inverted.
const RIDGE: f64 = 1e-12;
/// Rounding of the objective, relative: a smaller rise is none.
const ROUNDING: f64 = 1e-13;
/// Most halvings of a step.
const MAX_HALVINGS: usize = 40;

/// `P(first | f) = 1 / (1 + exp(slope f + offset))`.
///
/// # Reference
/// J. Platt: Probabilistic outputs for support vector machines (1999). H.-T. Lin,
/// C.-J. Lin, R. Weng: A note on Platt's probabilistic outputs (2007),
/// doi 10.1007/s10994-007-5018-6.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {
    /// Negative where larger decision values speak for the first class.
    pub slope: f64,
    /// Logarithm of the odds of the second class on the separating plane.
    pub offset: f64,
}

impl Sigmoid {
    /// Probability of the first class. Allocation: none.
    pub fn probability(self, decision: f64) -> f64 {
        let z = self.slope * decision + self.offset;
        // Of the two forms the one whose exponential does not overflow.
        if z >= 0.0 { (-z).exp() / (1.0 + (-z).exp()) } else { (1.0 + z.exp()).recip() }
    }

    /// Fits to decision values of the first and of the second class.
    ///
    /// Minimises the cross-entropy to the targets `(n_1 + 1) / (n_1 + 2)` and
    /// `1 / (n_2 + 2)`, which keep separable classes from certainty. Newton's method.
    fn fit(firsts: &[f64], seconds: &[f64]) -> Self {
        let (n_firsts, n_seconds) = (firsts.len() as f64, seconds.len() as f64);
        let (high, low) = ((n_firsts + 1.0) / (n_firsts + 2.0), (n_seconds + 2.0).recip());
        let first = firsts.iter().map(|f| (*f, high));
        let pairs: Vec<_> = first.chain(seconds.iter().map(|f| (*f, low))).collect();
        let start = ((n_seconds + 1.0) / (n_firsts + 1.0)).ln();
        let mut sigmoid = Self { slope: 0.0, offset: start };
        let mut objective = sigmoid.cross_entropy(&pairs);
        for _ in 0..MAX_STEPS {
            let (gradient, curvature) = sigmoid.derivatives(&pairs);
            let bound = CRITERION * pairs.len() as f64;
            if gradient.iter().all(|g| g.abs() <= bound) {
                break;
            }
            let [a, b, d] = curvature;
            let determinant = a * d - b * b;
            let step = [
                (b * gradient[1] - d * gradient[0]) / determinant,
                (b * gradient[0] - a * gradient[1]) / determinant,
            ];
            let mut length = 1.0;
            let found = (0..MAX_HALVINGS).find_map(|_| {
                let slope = sigmoid.slope + length * step[0];
                let next = Self { slope, offset: sigmoid.offset + length * step[1] };
                length *= 0.5;
                let value = next.cross_entropy(&pairs);
                (value <= objective + ROUNDING * objective).then_some((next, value))
            });
            // Where no step sinks, rounding is all that is left.
            let Some((next, value)) = found else { break };
            (sigmoid, objective) = (next, value);
        }
        sigmoid
    }

    fn cross_entropy(self, pairs: &[(f64, f64)]) -> f64 {
        let loss = |(f, target): &(f64, f64)| {
            let z = self.slope * f + self.offset;
            if z >= 0.0 {
                target * z + (-z).exp().ln_1p()
            } else {
                (target - 1.0) * z + z.exp().ln_1p()
            }
        };
        pairs.iter().map(loss).sum()
    }

    /// First derivatives by slope and offset; second ones, twice by slope, by both,
    /// twice by offset.
    fn derivatives(self, pairs: &[(f64, f64)]) -> ([f64; 2], [f64; 3]) {
        let (mut gradient, mut curvature) = ([0.0; 2], [RIDGE, 0.0, RIDGE]);
        for (f, target) in pairs {
            let p = self.probability(*f);
            gradient[0] += f * (target - p);
            gradient[1] += target - p;
            let spread = p * (1.0 - p);
            curvature[0] += f * f * spread;
            curvature[1] += f * spread;
            curvature[2] += spread;
        }
        (gradient, curvature)
    }
}

/// The sigmoid of a pair of classes, from decisions in chronological folds, each by a
/// machine that has seen nothing of what lies where a held-out example does; none where
/// that leaves no fold with examples of both.
pub(super) fn calibrate(
    examples: &Separation<'_>,
    spans: &[ExampleSpan],
    c: f64,
    tolerance: f64,
) -> Result<Option<Sigmoid>, FitError> {
    let (firsts, seconds) = (in_time(examples.firsts, spans), in_time(examples.seconds, spans));
    let n_folds = N_FOLDS.min(firsts.len()).min(seconds.len());
    let (mut of_firsts, mut of_seconds) = (Vec::new(), Vec::new());
    for fold in 0..n_folds {
        let (first_out, second_out) = (part(&firsts, fold, n_folds), part(&seconds, fold, n_folds));
        let is_apart = |i: &usize| {
            let mut held_out = first_out.iter().chain(second_out);
            held_out.all(|j| i != j && !spans[*i].overlaps(&spans[*j]))
        };
        let kept = |all: &[usize]| all.iter().copied().filter(is_apart).collect::<Vec<_>>();
        let (first_in, second_in) = (kept(&firsts), kept(&seconds));
        if first_in.is_empty() || second_in.is_empty() {
            continue;
        }
        let inner = Separation { kernel: examples.kernel, firsts: &first_in, seconds: &second_in };
        let machine = separate(&inner, c, tolerance)?;
        let decision = |i: &usize| machine.decision(examples.kernel, *i);
        of_firsts.extend(first_out.iter().map(decision));
        of_seconds.extend(second_out.iter().map(decision));
    }
    Ok((!of_firsts.is_empty()).then(|| Sigmoid::fit(&of_firsts, &of_seconds)))
}

/// Examples by where they begin.
fn in_time(examples: &[usize], spans: &[ExampleSpan]) -> Vec<usize> {
    let mut sorted = examples.to_vec();
    sorted.sort_by_key(|i| (spans[*i].run, spans[*i].samples.start));
    sorted
}

/// The examples in a fold.
fn part(examples: &[usize], fold: usize, n_folds: usize) -> &[usize] {
    let bound = |fold: usize| fold * examples.len() / n_folds;
    &examples[bound(fold)..bound(fold + 1)]
}
