//! The optimisation behind a machine: sequential minimal optimisation of the dual.
//!
//! `min 1/2 sum_ij a_i a_j y_i y_j K_ij - sum_i a_i`, `0 <= a_i <= C`, `sum_i y_i a_i = 0`:
//! two coordinates at a time, the pair of them that promises the largest decrease.

use crate::decoder::FitError;
use faer::Mat;

/// Curvature along a pair of examples that are the same.
const LEAST_CURVATURE: f64 = 1e-12;
/// Most steps where there are few examples.
const MAX_STEPS: usize = 10_000_000;

/// Examples of two classes to separate.
pub(super) struct Separation<'a> {
    /// Kernel of all pairs of examples.
    pub(super) kernel: &'a Mat<f64>,
    /// Examples of the first class, in time order.
    pub(super) firsts: &'a [usize],
    /// Examples of the second class, in time order.
    pub(super) seconds: &'a [usize],
}

/// What separates them.
pub(super) struct Machine {
    /// Examples with their `y alpha`, where it is not 0; ascending.
    pub(super) coef: Vec<(usize, f64)>,
    /// `b` of the decision value.
    pub(super) intercept: f64,
}

impl Machine {
    /// Decision value of one of the examples that the kernel was computed for.
    pub(super) fn decision(&self, kernel: &Mat<f64>, example: usize) -> f64 {
        let column = kernel.col(example);
        self.coef.iter().map(|(i, coef)| coef * column[*i]).sum::<f64>() + self.intercept
    }
}

/// Where the optimisation stands.
struct Dual {
    /// Kernel of the pair's examples.
    kernel: Mat<f64>,
    /// 1 or -1.
    signs: Vec<f64>,
    alphas: Vec<f64>,
    /// `y_i` less the decision value without intercept: for examples on the margin the
    /// intercept.
    offsets: Vec<f64>,
    c: f64,
}

/// Separates two classes to the given tolerance.
///
/// # Reference
/// R.-E. Fan, P.-H. Chen, C.-J. Lin: Working set selection using second order
/// information for training SVM, JMLR 6 (2005) 1889-1918.
pub(super) fn separate(
    examples: &Separation<'_>,
    c: f64,
    tolerance: f64,
) -> Result<Machine, FitError> {
    let mut places: Vec<(usize, f64)> = examples.firsts.iter().map(|i| (*i, 1.0)).collect();
    places.extend(examples.seconds.iter().map(|i| (*i, -1.0)));
    places.sort_unstable_by_key(|(i, _)| *i);
    let signs: Vec<f64> = places.iter().map(|(_, y)| *y).collect();
    let at = |i: usize| places[i].0;
    let n = places.len();
    let mut dual = Dual {
        kernel: Mat::from_fn(n, n, |i, j| examples.kernel[(at(i), at(j))]),
        alphas: vec![0.0; n],
        offsets: signs.clone(),
        signs,
        c,
    };
    let max_steps = MAX_STEPS.max(100 * n);
    for _ in 0..max_steps {
        let Some((i, j)) = dual.worst_pair(tolerance) else {
            let intercept = dual.intercept();
            let coef = dual.alphas.iter().zip(&places).map(|(a, (i, y))| (*i, a * y));
            return Ok(Machine { coef: coef.filter(|(_, a)| *a != 0.0).collect(), intercept });
        };
        dual.step(i, j);
    }
    Err(FitError::NotConverged { what: "a support-vector machine".to_owned(), n_steps: max_steps })
}

impl Dual {
    /// Whether `y alpha` of an example may rise, and whether it may fall.
    fn may_rise_fall(&self, i: usize) -> (bool, bool) {
        let (above, below) = (self.alphas[i] > 0.0, self.alphas[i] < self.c);
        if self.signs[i] > 0.0 { (below, above) } else { (above, below) }
    }

    /// The example whose `y alpha` should rise and the one whose should fall with it;
    /// none where no two are further apart than the tolerance.
    fn worst_pair(&self, tolerance: f64) -> Option<(usize, usize)> {
        let (mut i, mut highest) = (None, f64::NEG_INFINITY);
        for (k, offset) in self.offsets.iter().enumerate() {
            if *offset > highest && self.may_rise_fall(k).0 {
                (i, highest) = (Some(k), *offset);
            }
        }
        let i = i?;
        let column = self.kernel.col(i);
        let (mut best, mut largest, mut lowest) = (None, 0.0, f64::INFINITY);
        for (k, offset) in self.offsets.iter().enumerate() {
            let gap = highest - offset;
            if !self.may_rise_fall(k).1 {
                continue;
            }
            lowest = f64::min(lowest, *offset);
            if gap > 0.0 {
                let curvature = column[i] + self.kernel[(k, k)] - 2.0 * column[k];
                let decrease = gap * gap / curvature.max(LEAST_CURVATURE);
                if decrease > largest {
                    (best, largest) = (Some(k), decrease);
                }
            }
        }
        if highest - lowest < tolerance { None } else { best.map(|j| (i, j)) }
    }

    /// Raises `y alpha` of `i` and lowers that of `j` by as much, to the minimum along
    /// this line or to the bound before it.
    fn step(&mut self, i: usize, j: usize) {
        let (to_i, to_j) = (self.kernel.col(i), self.kernel.col(j));
        let curvature = to_i[i] + to_j[j] - 2.0 * to_i[j];
        let free = (self.offsets[i] - self.offsets[j]) / curvature.max(LEAST_CURVATURE);
        let room = |k: usize, rises: bool| {
            if rises == (self.signs[k] > 0.0) { self.c - self.alphas[k] } else { self.alphas[k] }
        };
        let (room_i, room_j) = (room(i, true), room(j, false));
        let length = free.min(room_i).min(room_j);
        for (k, rises, room) in [(i, true, room_i), (j, false, room_j)] {
            let upwards = rises == (self.signs[k] > 0.0);
            self.alphas[k] = match (length >= room, upwards) {
                (true, true) => self.c,
                (true, false) => 0.0,
                (false, true) => self.alphas[k] + length,
                (false, false) => self.alphas[k] - length,
            };
        }
        for ((offset, a), b) in self.offsets.iter_mut().zip(to_i.iter()).zip(to_j.iter()) {
            *offset -= length * (a - b);
        }
    }

    /// Mean over the examples on the margin; where there are none, the middle of what
    /// the others allow.
    fn intercept(&self) -> f64 {
        let (mut sum, mut n_free) = (0.0, 0_usize);
        let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
        for (k, offset) in self.offsets.iter().enumerate() {
            match self.may_rise_fall(k) {
                (true, true) => {
                    sum += offset;
                    n_free += 1;
                }
                (true, false) => lower = f64::max(lower, *offset),
                (false, _) => upper = f64::min(upper, *offset),
            }
        }
        if n_free > 0 { sum / n_free as f64 } else { f64::midpoint(lower, upper) }
    }
}
