//! The minimisation behind logistic regression: a truncated Newton method.
//!
//! Parameters are matrices `(n_axes + 1, n_classes)`, the last row the intercepts. The
//! objective is convex; adding equal amounts to every class's intercept changes
//! nothing, and no step does so.

use crate::classifier::{check_finite, softmax_in_place};
use crate::decoder::FitError;
use acquisition::marker::ClassIdx;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par, Side};

/// The minimisation is done where the gradient has shrunk by this factor. Newton's last
/// step squares what is left, so weights are mostly better than that.
const CRITERION: f64 = 1e-10;
/// What is still accepted where rounding lets the objective sink no further.
const ACCEPTED: f64 = 1e-6;
/// Most Newton steps; a dozen is usual.
const MAX_STEPS: usize = 100;
/// Most conjugate-gradient steps within a Newton step; ten to thirty are usual.
const MAX_INNER_STEPS: usize = 500;
/// Part of the linear prediction that a step must achieve (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Rounding of the objective, relative: a smaller rise is none.
const ROUNDING: f64 = 1e-13;
/// Most halvings of a step.
const MAX_HALVINGS: usize = 40;

/// What the minimisation found.
pub(super) struct Optimum {
    /// Indicator of the label less posterior, `(n_examples, n_classes)`.
    pub(super) residuals: Mat<f64>,
    /// Intercept of each class for centred features.
    pub(super) intercept: Vec<f64>,
}

/// The objective on the principal axes of the features.
pub(super) struct Penalised<'a> {
    /// Coordinates of the examples, the last column all ones, `(n_examples, n_axes + 1)`.
    axes: Mat<f64>,
    /// Sum of squares of each column of `axes`; the columns are orthogonal.
    squares: Vec<f64>,
    labels: &'a [ClassIdx],
    n_classes: usize,
    c: f64,
    penalty: f64,
}

/// Where the minimisation stands: parameters, and what follows from them.
struct Point {
    parameters: Mat<f64>,
    posteriors: Mat<f64>,
    objective: f64,
}

impl<'a> Penalised<'a> {
    /// The problem of centred features `(n_examples, n_features)`.
    pub(super) fn new(
        centred: MatRef<'_, f64>,
        labels: &'a [ClassIdx],
        n_classes: usize,
        c: f64,
        penalty: f64,
    ) -> Result<Self, FitError> {
        let (axes, squares) = principal_axes(centred)?;
        Ok(Self { axes, squares, labels, n_classes, c, penalty })
    }

    /// The minimum.
    pub(super) fn minimise(&self) -> Result<Optimum, FitError> {
        let mut point = self.at(Mat::zeros(self.squares.len(), self.n_classes));
        let mut gradient = self.gradient(&point);
        let first = gradient.norm_l2();
        for _ in 0..MAX_STEPS {
            let reduced = gradient.norm_l2() / first;
            // At an exact optimum from the start, 0/0 is no number and we are done too.
            if reduced.is_nan() || reduced <= CRITERION {
                return Ok(self.optimum(&point));
            }
            let direction = self.newton_direction(&point, &gradient, reduced.sqrt().min(0.1));
            let Some(next) = self.search(&point, &gradient, &direction) else {
                if reduced <= ACCEPTED {
                    return Ok(self.optimum(&point));
                }
                break;
            };
            point = next;
            gradient = self.gradient(&point);
        }
        Err(FitError::NotConverged {
            what: "the logistic regression".to_owned(),
            n_steps: MAX_STEPS,
        })
    }

    fn optimum(&self, point: &Point) -> Optimum {
        let mut residuals = -&point.posteriors;
        for (i, label) in self.labels.iter().enumerate() {
            residuals[(i, label.index())] += 1.0;
        }
        let last = self.squares.len() - 1;
        Optimum { residuals, intercept: point.parameters.row(last).iter().copied().collect() }
    }

    /// Penalty of the parameters in row `j`: none for the intercepts.
    fn penalty(&self, j: usize) -> f64 {
        if j + 1 == self.squares.len() { 0.0 } else { self.penalty }
    }

    fn at(&self, parameters: Mat<f64>) -> Point {
        let mut posteriors = product(self.axes.as_ref(), parameters.as_ref());
        let mut row = vec![0.0; self.n_classes];
        let mut loss = 0.0;
        for (i, label) in self.labels.iter().enumerate() {
            row.iter_mut().enumerate().for_each(|(k, s)| *s = posteriors[(i, k)]);
            loss += log_sum_exp(&row) - row[label.index()];
            softmax_in_place(&mut row);
            row.iter().enumerate().for_each(|(k, p)| posteriors[(i, k)] = *p);
        }
        let mut squares = 0.0;
        for k in 0..self.n_classes {
            for j in 0..parameters.nrows() {
                squares += self.penalty(j) * parameters[(j, k)].powi(2);
            }
        }
        Point { parameters, posteriors, objective: self.c * loss + 0.5 * squares }
    }

    fn gradient(&self, point: &Point) -> Mat<f64> {
        let mut excess = point.posteriors.clone();
        for (i, label) in self.labels.iter().enumerate() {
            excess[(i, label.index())] -= 1.0;
        }
        self.with_penalty(excess.as_ref(), point.parameters.as_ref())
    }

    /// `C axes' slopes + penalty * parameters`.
    fn with_penalty(&self, slopes: MatRef<'_, f64>, parameters: MatRef<'_, f64>) -> Mat<f64> {
        let mut sum = product(self.axes.transpose(), slopes);
        for k in 0..self.n_classes {
            for j in 0..sum.nrows() {
                sum[(j, k)] = self.c * sum[(j, k)] + self.penalty(j) * parameters[(j, k)];
            }
        }
        sum
    }

    /// Second derivative at `point` along `direction`.
    fn curvature(&self, point: &Point, direction: MatRef<'_, f64>) -> Mat<f64> {
        let mut change = product(self.axes.as_ref(), direction);
        for i in 0..change.nrows() {
            let p = point.posteriors.row(i);
            let mean: f64 = (0..self.n_classes).map(|k| p[k] * change[(i, k)]).sum();
            for k in 0..self.n_classes {
                change[(i, k)] = p[k] * (change[(i, k)] - mean);
            }
        }
        self.with_penalty(change.as_ref(), direction)
    }

    /// Solves `curvature * direction = -gradient` to the relative `precision`, by
    /// conjugate gradients. The axes being orthogonal, the curvature is nearly diagonal,
    /// and that diagonal is the preconditioner.
    fn newton_direction(&self, point: &Point, gradient: &Mat<f64>, precision: f64) -> Mat<f64> {
        let scale = self.preconditioner(point);
        let precondition = |residual: &Mat<f64>| {
            Mat::from_fn(residual.nrows(), residual.ncols(), |j, k| residual[(j, k)] * scale[j])
        };
        let mut direction = Mat::zeros(gradient.nrows(), gradient.ncols());
        let mut residual = -gradient;
        let mut step = precondition(&residual);
        let mut energy = inner(&residual, &step);
        let enough = precision * precision * energy;
        for _ in 0..MAX_INNER_STEPS {
            let curved = self.curvature(point, step.as_ref());
            let length = energy / inner(&step, &curved);
            if !length.is_finite() {
                break;
            }
            direction += faer::Scale(length) * &step;
            residual -= faer::Scale(length) * &curved;
            let preconditioned = precondition(&residual);
            let left = inner(&residual, &preconditioned);
            if left <= enough {
                break;
            }
            step = preconditioned + faer::Scale(left / energy) * &step;
            energy = left;
        }
        direction
    }

    /// Inverse of the curvature's diagonal, were all posteriors equally certain. It is
    /// the same for every class, so that a direction which adds nothing to all classes
    /// together remains one.
    fn preconditioner(&self, point: &Point) -> Vec<f64> {
        let n_contrasts = self.n_classes.saturating_sub(1).max(1) * self.labels.len();
        let uncertainty = (self.labels.len() as f64 - point.posteriors.squared_norm_l2()).max(0.0);
        let curvature = self.c * (uncertainty / n_contrasts as f64).max(f64::EPSILON);
        let inverse = |(j, squares): (usize, &f64)| (self.penalty(j) + curvature * squares).recip();
        self.squares.iter().enumerate().map(inverse).collect()
    }

    /// The first point along `direction`, halving it, where the objective sinks by its
    /// due; none where rounding hides all of them.
    fn search(&self, point: &Point, gradient: &Mat<f64>, direction: &Mat<f64>) -> Option<Point> {
        let slope = inner(gradient, direction);
        let rounding = ROUNDING * point.objective.abs();
        let mut length = 1.0;
        for _ in 0..MAX_HALVINGS {
            let next = self.at(&point.parameters + faer::Scale(length) * direction);
            if next.objective <= point.objective + SUFFICIENT * length * slope + rounding {
                return Some(next);
            }
            length *= 0.5;
        }
        None
    }
}

/// Coordinates of centred features on their principal axes, and a column of ones; with
/// the sum of squares of each column.
///
/// Axes that are shorter than the rounding of the longest are left out. Where there are
/// fewer examples than features, the eigenvectors of the examples' scalar products are
/// the coordinates, up to length.
fn principal_axes(centred: MatRef<'_, f64>) -> Result<(Mat<f64>, Vec<f64>), FitError> {
    let (n, d) = centred.shape();
    let products = lower_gram(if n <= d { centred } else { centred.transpose() });
    check_finite(products.as_ref(), || "the square of a feature".to_owned())?;
    let Ok(eigen) = products.self_adjoint_eigen(Side::Lower) else {
        return Err(FitError::NotConverged {
            what: "the principal axes of the features".to_owned(),
            n_steps: n.min(d),
        });
    };
    let values = eigen.S().column_vector();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let least = largest * f64::EPSILON * n.max(d) as f64;
    let n_dropped = values.iter().take_while(|value| **value <= least).count();
    let vectors = eigen.U().subcols(n_dropped, values.nrows() - n_dropped);
    let mut squares: Vec<f64> = values.iter().skip(n_dropped).copied().collect();
    let coordinates = if n <= d {
        Mat::from_fn(n, squares.len(), |i, j| vectors[(i, j)] * squares[j].sqrt())
    } else {
        product(centred, vectors)
    };
    let n_axes = squares.len();
    squares.push(n as f64);
    let with_ones =
        Mat::from_fn(n, n_axes + 1, |i, j| if j < n_axes { coordinates[(i, j)] } else { 1.0 });
    Ok((with_ones, squares))
}

/// `ln sum_k exp(s_k)`.
fn log_sum_exp(scores: &[f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + scores.iter().map(|s| (s - largest).exp()).sum::<f64>().ln()
}

/// Sum of the products of corresponding elements.
fn inner(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    a.col_iter().zip(b.col_iter()).map(|(a, b)| a.transpose() * b).sum()
}

/// Matrix product on this thread.
fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(&mut out, Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// Lower triangle of `a a'`, on this thread; zeros above it.
fn lower_gram(a: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), a.nrows());
    triangular::matmul(
        &mut out,
        BlockStructure::TriangularLower,
        Accum::Replace,
        a,
        BlockStructure::Rectangular,
        a.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    out
}
