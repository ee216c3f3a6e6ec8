//! The minimisation behind the elastic net: a proximal Newton method.
//!
//! Parameters are one vector of `n_features + 1` per output, the last of each the
//! intercept. There is an output per class, but one alone for two classes: the score of
//! the second against 0 for the first.

use crate::classifier::dot;
use crate::classifier::elastic_net::ElasticNetParams;
use crate::classifier::softmax_in_place;
use crate::decoder::FitError;
use acquisition::marker::ClassIdx;
use faer::MatRef;

/// The minimisation is done where the largest violation of the optimality conditions
/// has shrunk by this factor.
const CRITERION: f64 = 1e-10;
/// What is still accepted where rounding lets the objective sink no further.
const ACCEPTED: f64 = 1e-6;
/// Most Newton steps; a dozen is usual.
const MAX_STEPS: usize = 200;
/// Most rounds of coordinate descent and conjugate gradients within a Newton step.
const MAX_ROUNDS: usize = 100;
/// Passes of coordinate descent per round.
const N_PASSES: usize = 3;
/// Most conjugate-gradient steps of a round.
const MAX_INNER_STEPS: usize = 300;
/// Part of the predicted decrease that a step must achieve (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Rounding of the objective, relative: a smaller rise is none.
const ROUNDING: f64 = 1e-13;
/// Most halvings of a step.
const MAX_HALVINGS: usize = 40;

/// The objective.
pub(super) struct Problem<'a> {
    /// Centred features and a feature of ones, one contiguous column each.
    columns: Vec<Vec<f64>>,
    labels: &'a [ClassIdx],
    n_outputs: usize,
    c: f64,
    l1: f64,
    l2: f64,
}

/// Where the minimisation stands: parameters, and what follows from them, per output.
struct Point {
    parameters: Vec<Vec<f64>>,
    scores: Vec<Vec<f64>>,
    posteriors: Vec<Vec<f64>>,
    objective: f64,
}

/// The quadratic model around a point, and where its minimisation stands.
struct Model<'p> {
    problem: &'p Problem<'p>,
    posteriors: &'p [Vec<f64>],
    /// Parameters, and gradient of the model without the L1 penalty's part there.
    parameters: Vec<Vec<f64>>,
    start: &'p [Vec<f64>],
    gradient: &'p [Vec<f64>],
    /// `C` times the change of the losses' slopes by the step so far, `(output, example)`.
    slopes: Vec<Vec<f64>>,
    /// Features and outputs that may change, and the second derivative of each.
    working: Vec<(usize, usize, f64)>,
}

impl<'a> Problem<'a> {
    /// The problem of centred features `(n_examples, n_features)`.
    pub(super) fn new(
        centred: MatRef<'_, f64>,
        labels: &'a [ClassIdx],
        n_classes: usize,
        params: ElasticNetParams,
    ) -> Result<Self, FitError> {
        let mut columns: Vec<Vec<f64>> =
            centred.col_iter().map(|column| column.iter().copied().collect()).collect();
        if columns.iter().any(|column| !dot(column, column).is_finite()) {
            return Err(FitError::NotFinite { what: "the square of a feature".to_owned() });
        }
        columns.push(vec![1.0; labels.len()]);
        let n_outputs = if n_classes == 2 { 1 } else { n_classes };
        let (l1, l2) = (params.l1_ratio, 1.0 - params.l1_ratio);
        Ok(Self { columns, labels, n_outputs, c: params.c, l1, l2 })
    }

    /// The parameters of each output at the minimum.
    pub(super) fn minimise(&self) -> Result<Vec<Vec<f64>>, FitError> {
        let zeros = |n: usize| vec![vec![0.0; n]; self.n_outputs];
        let mut point = self.at(zeros(self.columns.len()), zeros(self.labels.len()));
        let mut first = None;
        for _ in 0..MAX_STEPS {
            let gradient = self.gradient(&point);
            let violation = self.violation(&point.parameters, &gradient);
            // At no weights the L1 penalty may hide all of the gradient.
            let first = *first.get_or_insert_with(|| violation.max(largest(&gradient)));
            if violation.is_nan() || violation <= CRITERION * first {
                return Ok(point.parameters);
            }
            let precision = violation * (violation / first).sqrt().min(0.1);
            let target = self.model_minimum(&point, &gradient, precision);
            match self.search(&point, &gradient, &target) {
                Some(next) => point = next,
                None if violation <= ACCEPTED * first => return Ok(point.parameters),
                None => break,
            }
        }
        Err(FitError::NotConverged { what: "the elastic net".to_owned(), n_steps: MAX_STEPS })
    }

    /// L1 and L2 penalty of feature `j`: none for the intercept.
    fn penalties(&self, j: usize) -> (f64, f64) {
        if j + 1 == self.columns.len() { (0.0, 0.0) } else { (self.l1, self.l2) }
    }

    /// Whether example `i` is of the class of output `k`: 1 or 0.
    fn target(&self, i: usize, k: usize) -> f64 {
        let class = if self.n_outputs == 1 { 1 } else { k };
        f64::from(u8::from(self.labels[i].index() == class))
    }

    fn at(&self, parameters: Vec<Vec<f64>>, scores: Vec<Vec<f64>>) -> Point {
        let mut posteriors = scores.clone();
        // One output alone has the first class's score, 0, beside it.
        let mut row = vec![0.0; self.n_outputs.max(2)];
        let shift = row.len() - self.n_outputs;
        let mut loss = 0.0;
        for (i, label) in self.labels.iter().enumerate() {
            row[0] = 0.0;
            scores.iter().enumerate().for_each(|(k, s)| row[k + shift] = s[i]);
            let own = row[label.index()];
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = row.iter().map(|s| (s - largest).exp()).sum();
            loss += largest + sum.ln() - own;
            softmax_in_place(&mut row);
            posteriors.iter_mut().enumerate().for_each(|(k, p)| p[i] = row[k + shift]);
        }
        let penalty = |(j, w): (usize, &f64)| {
            let (l1, l2) = self.penalties(j);
            l1 * w.abs() + 0.5 * l2 * w * w
        };
        let penalty: f64 = parameters.iter().flat_map(|w| w.iter().enumerate().map(penalty)).sum();
        Point { parameters, scores, posteriors, objective: self.c * loss + penalty }
    }

    /// Gradient of all but the L1 penalty.
    fn gradient(&self, point: &Point) -> Vec<Vec<f64>> {
        let of_output = |k: usize| {
            let posteriors = point.posteriors[k].iter().enumerate();
            let excess: Vec<f64> =
                posteriors.map(|(i, p)| self.c * (p - self.target(i, k))).collect();
            let weights = self.columns.iter().zip(&point.parameters[k]).enumerate();
            weights.map(|(j, (x, w))| dot(x, &excess) + self.penalties(j).1 * w).collect()
        };
        (0..self.n_outputs).map(of_output).collect()
    }

    /// By how much the optimality conditions are violated at most.
    fn violation(&self, parameters: &[Vec<f64>], gradient: &[Vec<f64>]) -> f64 {
        let mut largest = 0.0_f64;
        for (weights, gradient) in parameters.iter().zip(gradient) {
            for (j, (w, g)) in weights.iter().zip(gradient).enumerate() {
                largest = largest.max(subgradient(*w, *g, self.penalties(j).0).abs());
            }
        }
        largest
    }

    /// Where the quadratic model at `point` has its minimum, to `precision`.
    fn model_minimum(&self, point: &Point, gradient: &[Vec<f64>], precision: f64) -> Vec<Vec<f64>> {
        let mut working = Vec::new();
        for (j, x) in self.columns.iter().enumerate() {
            let (l1, l2) = self.penalties(j);
            for (k, p) in point.posteriors.iter().enumerate() {
                let w = point.parameters[k][j];
                if w != 0.0 || subgradient(w, gradient[k][j], l1) != 0.0 {
                    let curvature: f64 = x.iter().zip(p).map(|(x, p)| x * x * p * (1.0 - p)).sum();
                    working.push((j, k, self.c * curvature + l2));
                }
            }
        }
        let mut model = Model {
            problem: self,
            posteriors: &point.posteriors,
            parameters: point.parameters.clone(),
            start: &point.parameters,
            gradient,
            slopes: vec![vec![0.0; self.labels.len()]; self.n_outputs],
            working,
        };
        model.minimise(precision);
        model.parameters
    }

    /// The first point from `point` towards `target`, halving the way, where the
    /// objective sinks by its due; none where rounding hides all of them.
    fn search(&self, point: &Point, gradient: &[Vec<f64>], target: &[Vec<f64>]) -> Option<Point> {
        let n = self.labels.len();
        let mut changes = vec![vec![0.0; n]; self.n_outputs];
        let mut predicted = 0.0;
        for k in 0..self.n_outputs {
            for (j, x) in self.columns.iter().enumerate() {
                let (from, to) = (point.parameters[k][j], target[k][j]);
                if from != to {
                    add_scaled(&mut changes[k], to - from, x);
                    predicted += gradient[k][j] * (to - from);
                    predicted += self.penalties(j).0 * (to.abs() - from.abs());
                }
            }
        }
        let rounding = ROUNDING * point.objective.abs();
        let mut length = 1.0;
        for _ in 0..MAX_HALVINGS {
            let between = |from: &Vec<f64>, to: &Vec<f64>| -> Vec<f64> {
                // All the way is to the target exactly, so that its zeros are zeros.
                let step = |(from, to): (&f64, &f64)| match length {
                    1.0 => *to,
                    _ => from + length * (to - from),
                };
                from.iter().zip(to).map(step).collect()
            };
            let parameters =
                point.parameters.iter().zip(target).map(|(w, to)| between(w, to)).collect();
            let mut scores = point.scores.clone();
            for (scores, change) in scores.iter_mut().zip(&changes) {
                add_scaled(scores, length, change);
            }
            let next = self.at(parameters, scores);
            if next.objective <= point.objective + SUFFICIENT * length * predicted + rounding {
                return Some(next);
            }
            length *= 0.5;
        }
        None
    }
}

impl Model<'_> {
    /// Minimises the model until no coordinate is off by more than `precision` in its
    /// slope.
    fn minimise(&mut self, precision: f64) {
        for _ in 0..MAX_ROUNDS {
            for _ in 0..N_PASSES {
                if self.pass() <= precision {
                    return;
                }
            }
            self.solve_on_support(0.1 * precision);
        }
    }

    /// Minimises along each coordinate in turn; returns the largest slope that was found.
    fn pass(&mut self) -> f64 {
        let mut largest = 0.0_f64;
        for at in 0..self.working.len() {
            let (j, k, curvature) = self.working[at];
            if curvature <= 0.0 {
                continue;
            }
            let (l1, _) = self.problem.penalties(j);
            let (from, slope) = (self.parameters[k][j], self.slope(j, k));
            let free = from - slope / curvature;
            let to = free.signum() * (free.abs() - l1 / curvature).max(0.0);
            if to != from {
                largest = largest.max(curvature * (to - from).abs());
                self.parameters[k][j] = to;
                self.add_to_slopes(j, k, to - from);
            }
        }
        largest
    }

    /// Slope of the model along a coordinate, without the L1 penalty's part.
    fn slope(&self, j: usize, k: usize) -> f64 {
        let (_, l2) = self.problem.penalties(j);
        let change = self.parameters[k][j] - self.start[k][j];
        self.gradient[k][j] + dot(&self.problem.columns[j], &self.slopes[k]) + l2 * change
    }

    /// What a change of one parameter does to the slopes of the losses.
    fn add_to_slopes(&mut self, j: usize, k: usize, change: f64) {
        let (x, own) = (&self.problem.columns[j], &self.posteriors[k]);
        let change = self.problem.c * change;
        for (l, (slopes, p)) in self.slopes.iter_mut().zip(self.posteriors).enumerate() {
            if l == k {
                for ((slope, p), x) in slopes.iter_mut().zip(p).zip(x) {
                    *slope += change * x * p * (1.0 - p);
                }
            } else {
                for (((slope, p), own), x) in slopes.iter_mut().zip(p).zip(own).zip(x) {
                    *slope -= change * x * p * own;
                }
            }
        }
    }

    /// Moves towards the minimum over the parameters that are not zero, as far as none
    /// changes sign: conjugate gradients, with the second derivatives as preconditioner.
    fn solve_on_support(&mut self, precision: f64) {
        let is_free = |(j, k, h): &&(usize, usize, f64)| {
            *h > 0.0 && (self.parameters[*k][*j] != 0.0 || self.problem.penalties(*j).0 == 0.0)
        };
        let support: Vec<_> = self.working.iter().filter(is_free).copied().collect();
        let slope = |&(j, k, _): &(usize, usize, f64)| {
            let (w, l1) = (self.parameters[k][j], self.problem.penalties(j).0);
            -subgradient(w, self.slope(j, k), l1)
        };
        let mut residual: Vec<f64> = support.iter().map(slope).collect();
        let preconditioned = |residual: &[f64]| -> Vec<f64> {
            residual.iter().zip(&support).map(|(r, (_, _, h))| r / h).collect()
        };
        let mut step = vec![0.0; support.len()];
        let mut scaled = preconditioned(&residual);
        let mut conjugate = scaled.clone();
        let mut product = dot(&residual, &scaled);
        for _ in 0..MAX_INNER_STEPS {
            if residual.iter().all(|r| r.abs() <= precision) {
                break;
            }
            let image = self.curvature(&support, &conjugate);
            let length = product / dot(&conjugate, &image);
            if !(length.is_finite() && length > 0.0) {
                break;
            }
            add_scaled(&mut step, length, &conjugate);
            add_scaled(&mut residual, -length, &image);
            scaled = preconditioned(&residual);
            let next = dot(&residual, &scaled);
            for (c, s) in conjugate.iter_mut().zip(&scaled) {
                *c = s + next / product * *c;
            }
            product = next;
        }
        self.walk(&support, &step);
    }

    /// Adds `step` to the parameters of `support`, up to the first change of sign.
    fn walk(&mut self, support: &[(usize, usize, f64)], step: &[f64]) {
        let mut length = 1.0;
        for (&(j, k, _), step) in support.iter().zip(step) {
            let w = self.parameters[k][j];
            if self.problem.penalties(j).0 > 0.0 && w * (w + step) < 0.0 {
                length = f64::min(length, -w / step);
            }
        }
        for (&(j, k, _), step) in support.iter().zip(step) {
            self.parameters[k][j] += length * step;
            self.add_to_slopes(j, k, length * step);
        }
    }

    /// Second derivative of the model on `support`, applied to a direction.
    fn curvature(&self, support: &[(usize, usize, f64)], direction: &[f64]) -> Vec<f64> {
        let mut changes = vec![vec![0.0; self.problem.labels.len()]; self.slopes.len()];
        for (&(j, k, _), d) in support.iter().zip(direction) {
            add_scaled(&mut changes[k], *d, &self.problem.columns[j]);
        }
        for i in 0..self.problem.labels.len() {
            let mean: f64 = changes.iter().zip(self.posteriors).map(|(z, p)| z[i] * p[i]).sum();
            for (z, p) in changes.iter_mut().zip(self.posteriors) {
                z[i] = self.problem.c * p[i] * (z[i] - mean);
            }
        }
        let image = |(&(j, k, _), d): (&(usize, usize, f64), &f64)| {
            dot(&self.problem.columns[j], &changes[k]) + self.problem.penalties(j).1 * d
        };
        support.iter().zip(direction).map(image).collect()
    }
}

/// The element of least magnitude of the subdifferential at `w`, where `g` is the slope
/// without the L1 penalty.
fn subgradient(w: f64, g: f64, l1: f64) -> f64 {
    if w == 0.0 { g.signum() * (g.abs() - l1).max(0.0) } else { g + l1 * w.signum() }
}

/// The largest element of a gradient.
fn largest(gradient: &[Vec<f64>]) -> f64 {
    gradient.iter().flatten().fold(0.0, |m, g| m.max(g.abs()))
}

/// `y += a x`.
fn add_scaled(y: &mut [f64], a: f64, x: &[f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}
