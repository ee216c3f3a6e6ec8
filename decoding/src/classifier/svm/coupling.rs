//! One posterior from the probabilities of all pairs of classes.

/// How near to certainty a pair may come.
const LEAST_PROBABILITY: f64 = 1e-7;

/// Couples `r_ij = P(i | i or j)` to the `p` that minimises
/// `sum_(i != j) (r_ji p_i - r_ij p_j)^2`, `sum_i p_i = 1`.
///
/// With `Q_ii = sum_s r_si^2` and `Q_ij = -r_ji r_ij` it is the normalised solution of
/// `(Q + e e') p = e`, `e` all ones, which is solved directly; libsvm iterates to the
/// same point. `r` is held within 1e-7 of 0 and 1, as there. Of two classes,
/// `p = (r, 1 - r)`.
///
/// # Reference
/// T.-F. Wu, C.-J. Lin, R. Weng: Probability estimates for multi-class classification by
/// pairwise coupling, JMLR 5 (2004) 975-1005, the second method.
#[derive(Clone, Debug)]
pub struct Coupling {
    n_classes: usize,
    /// `Q + e e'`, then its Cholesky factor; row after row, lower triangle.
    system: Vec<f64>,
}

impl Coupling {
    /// Scratch for `n_classes`.
    pub fn new(n_classes: usize) -> Self {
        Self { n_classes, system: vec![0.0; n_classes * n_classes] }
    }

    /// Writes the posterior, given `r_ij` of the pairs (0, 1), (0, 2), ..., (1, 2), ...;
    /// all NaN where one of them is.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// Where there are not as many values as pairs, or as classes.
    pub fn posterior_into(&mut self, of_pairs: &[f64], posterior: &mut [f64]) {
        let n = self.n_classes;
        assert_eq!(of_pairs.len(), n * n.saturating_sub(1) / 2, "probabilities of other pairs");
        assert_eq!(posterior.len(), n, "posterior of other classes");
        if let [r] = of_pairs {
            posterior.copy_from_slice(&[*r, 1.0 - r]);
            return;
        }
        self.set_system(of_pairs);
        self.factor();
        self.solve(posterior);
        let sum: f64 = posterior.iter().sum();
        for p in posterior {
            *p /= sum;
        }
    }

    fn set_system(&mut self, of_pairs: &[f64]) {
        let n = self.n_classes;
        self.system.fill(1.0);
        for ((i, j), r) in super::pairs(n).zip(of_pairs) {
            let r = r.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
            self.system[i * n + i] += (1.0 - r) * (1.0 - r);
            self.system[j * n + j] += r * r;
            self.system[j * n + i] -= r * (1.0 - r);
        }
    }

    /// Cholesky's factor in place; the system is positive definite.
    fn factor(&mut self) {
        let n = self.n_classes;
        for j in 0..n {
            for k in 0..j {
                let l = self.system[j * n + k];
                for i in j..n {
                    self.system[i * n + j] -= self.system[i * n + k] * l;
                }
            }
            let root = self.system[j * n + j].sqrt();
            for i in j..n {
                self.system[i * n + j] /= root;
            }
        }
    }

    /// Solves for a right-hand side of ones.
    fn solve(&self, x: &mut [f64]) {
        let n = self.n_classes;
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.system[i * n + k] * x[k]).sum();
            x[i] = (1.0 - known) / self.system[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| self.system[k * n + i] * x[k]).sum();
            x[i] = (x[i] - known) / self.system[i * n + i];
        }
    }
}
