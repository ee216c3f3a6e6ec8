//! Small bounded least squares, to the last digits.

/// Residuals with their derivatives.
pub(super) trait Model {
    /// How many residuals there are.
    fn n_points(&self) -> usize;

    /// Residual `at`, and its derivative by each parameter into `gradient`.
    fn residual(&self, params: &[f64], at: usize, gradient: &mut [f64]) -> f64;
}

/// More steps than any fit here was seen to need; what is reached then is taken.
const MAX_STEPS: usize = 500;

/// Moves `params` to a minimum of the sum of squares within `bounds`, in which they
/// have to lie.
///
/// Levenberg and Marquardt's step on the parameters that are not held by a bound, its
/// ends cut to the bounds; it is taken where it lowers the sum, otherwise damped more.
/// The end is where no step of any length lowers it.
///
/// # Reference
/// D. W. Marquardt (1963), Journal of the Society for Industrial and Applied
/// Mathematics 11(2), doi:10.1137/0111030.
pub(super) fn minimise(model: &impl Model, params: &mut [f64], bounds: &[(f64, f64)]) {
    let n = params.len();
    let mut here = Normal::at(model, params);
    let mut damping = 1e-3;
    for _ in 0..MAX_STEPS {
        let is_held = |k: usize| {
            let (low, high) = bounds[k];
            (params[k] <= low && here.gradient[k] > 0.0)
                || (params[k] >= high && here.gradient[k] < 0.0)
        };
        let free: Vec<usize> = (0..n).filter(|k| !is_held(*k)).collect();
        let mut there = params.to_vec();
        if let Some(step) = here.step(&free, damping) {
            for (&k, step) in free.iter().zip(step) {
                there[k] = (params[k] + step).clamp(bounds[k].0, bounds[k].1);
            }
        }
        let next = Normal::at(model, &there);
        if next.cost < here.cost {
            params.copy_from_slice(&there);
            here = next;
            damping = (damping * 0.1).max(1e-12);
        } else {
            damping *= 8.0;
            if damping > 1e12 || free.is_empty() {
                break;
            }
        }
    }
}

/// The normal equations at a point.
struct Normal {
    cost: f64,
    gradient: Vec<f64>,
    /// `Jᵀ J`, row-major.
    matrix: Vec<f64>,
}

impl Normal {
    fn at(model: &impl Model, params: &[f64]) -> Self {
        let n = params.len();
        let mut row = vec![0.0; n];
        let mut found = Self { cost: 0.0, gradient: vec![0.0; n], matrix: vec![0.0; n * n] };
        for at in 0..model.n_points() {
            let residual = model.residual(params, at, &mut row);
            found.cost += residual * residual;
            for (i, a) in row.iter().enumerate() {
                found.gradient[i] += a * residual;
                for (m, b) in found.matrix[i * n..][..n].iter_mut().zip(&row) {
                    *m += a * b;
                }
            }
        }
        found
    }

    /// `-(A + damping diag A)⁻¹ g` over the parameters `free`, by Cholesky's
    /// factorisation; `None` where there is none.
    fn step(&self, free: &[usize], damping: f64) -> Option<Vec<f64>> {
        let n = self.gradient.len();
        let m = free.len();
        let mut factor = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..=i {
                let mut sum = self.matrix[free[i] * n + free[j]];
                if i == j {
                    sum += damping * sum + f64::MIN_POSITIVE;
                }
                for k in 0..j {
                    sum -= factor[i * m + k] * factor[j * m + k];
                }
                if i > j {
                    factor[i * m + j] = sum / factor[j * m + j];
                } else if sum > 0.0 {
                    factor[i * m + i] = sum.sqrt();
                } else {
                    return None;
                }
            }
        }
        let mut step: Vec<f64> = free.iter().map(|k| -self.gradient[*k]).collect();
        for i in 0..m {
            let known: f64 = (0..i).map(|k| factor[i * m + k] * step[k]).sum();
            step[i] = (step[i] - known) / factor[i * m + i];
        }
        for i in (0..m).rev() {
            let known: f64 = (i + 1..m).map(|k| factor[k * m + i] * step[k]).sum();
            step[i] = (step[i] - known) / factor[i * m + i];
        }
        Some(step)
    }
}
