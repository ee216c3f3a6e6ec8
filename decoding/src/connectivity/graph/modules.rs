//! Modules by the leading eigenvectors of the modularity matrix.

use crate::riemann::spd::EigenScratch;
use faer::Mat;
use std::fmt;

/// A gain below this share of all weight is rounding.
const NO_GAIN: f64 = 1e-12;

/// Cuts a graph into modules.
#[derive(Clone)]
pub(super) struct Modules {
    labels: Vec<usize>,
    /// Modularity matrix `B`, over all weight: of weights, both directions' mean.
    excess: Vec<f64>,
    /// `B` of one module, other nodes shut out.
    part: Mat<f64>,
    members: Vec<usize>,
    /// 1 or -1 for each member.
    side: Vec<f64>,
    best: Vec<f64>,
    is_moved: Vec<bool>,
    /// Modules that may yet be cut.
    open: Vec<usize>,
    first: Vec<usize>,
    eigen: EigenScratch,
}

impl fmt::Debug for Modules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modules").field("labels", &self.labels).finish_non_exhaustive()
    }
}

impl Modules {
    pub(super) fn new(n: usize) -> Self {
        Self {
            labels: vec![0; n],
            excess: vec![0.0; n * n],
            part: Mat::zeros(n, n),
            members: Vec::with_capacity(n),
            side: vec![0.0; n],
            best: vec![0.0; n],
            is_moved: vec![false; n],
            open: Vec::with_capacity(n),
            first: Vec::with_capacity(n),
            eigen: EigenScratch::new(n),
        }
    }

    pub(super) fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Finds the modules of `weights` `(from, to)`.
    pub(super) fn find(&mut self, weights: &[f64], (leaving, arriving): (&[f64], &[f64])) {
        let n = self.labels.len();
        self.labels.fill(0);
        let total: f64 = leaving.iter().sum();
        if total <= 0.0 {
            return;
        }
        for i in 0..n {
            for j in 0..n {
                let weight = 0.5 * (weights[i * n + j] + weights[j * n + i]);
                let expected = 0.5 * (leaving[i] * arriving[j] + leaving[j] * arriving[i]);
                self.excess[i * n + j] = (weight - expected / total) / total;
            }
        }
        self.open.clear();
        self.open.push(0);
        let mut n_modules = 1;
        while let Some(module) = self.open.pop() {
            if self.cut(module) {
                for (member, side) in self.members.iter().zip(&self.side) {
                    if *side < 0.0 {
                        self.labels[*member] = n_modules;
                    }
                }
                self.open.extend([module, n_modules]);
                n_modules += 1;
            }
        }
        self.number();
    }

    /// Cuts a module in two, `side` of its `members`; whether that is better.
    fn cut(&mut self, module: usize) -> bool {
        let n = self.labels.len();
        self.members.clear();
        self.members.extend((0..n).filter(|i| self.labels[*i] == module));
        if self.members.len() < 2 {
            return false;
        }
        self.set_part();
        let Ok((_, vectors)) = self.eigen.decompose(self.part.as_ref()) else { return false };
        for (side, member) in self.side.iter_mut().zip(&self.members) {
            *side = if vectors[(*member, n - 1)] >= 0.0 { 1.0 } else { -1.0 };
        }
        let mut gain = self.gain();
        while self.move_nodes(&mut gain) {}
        let n_members = self.members.len();
        let n_left = self.side[..n_members].iter().filter(|side| **side > 0.0).count();
        gain > NO_GAIN && n_left > 0 && n_left < n_members
    }

    /// `B_ij - d_ij sum_k B_ik` of the members; the diagonal of others lies below all
    /// eigenvalues, so that the leading vector is the members'.
    fn set_part(&mut self) {
        let n = self.labels.len();
        let bound: f64 = self.excess.iter().map(|x| x.abs()).sum();
        self.part.as_mut().fill(0.0);
        for i in 0..n {
            self.part[(i, i)] = -2.0 * bound - 1.0;
        }
        for i in &self.members {
            let row = &self.excess[i * n..][..n];
            let sum: f64 = self.members.iter().map(|j| row[*j]).sum();
            for j in &self.members {
                self.part[(*i, *j)] = row[*j];
            }
            self.part[(*i, *i)] = row[*i] - sum;
        }
    }

    /// Modularity that the cut adds: `s' B s / 2` of sides `s`.
    fn gain(&self) -> f64 {
        let of_row = |(i, side): (&usize, &f64)| side * self.pull(*i);
        0.5 * self.members.iter().zip(&self.side).map(of_row).sum::<f64>()
    }

    /// `(B s)_i`.
    fn pull(&self, i: usize) -> f64 {
        self.members.iter().zip(&self.side).map(|(j, side)| self.part[(i, *j)] * side).sum()
    }

    /// Moves each member once to the other side, whichever helps most or harms least
    /// first, and goes back to the best state on the way; whether it is better.
    fn move_nodes(&mut self, gain: &mut f64) -> bool {
        let n_members = self.members.len();
        self.is_moved[..n_members].fill(false);
        self.best[..n_members].copy_from_slice(&self.side[..n_members]);
        let (mut now, before) = (*gain, *gain);
        for _ in 0..n_members {
            let change = |at: usize| {
                let i = self.members[at];
                -2.0 * self.side[at] * (self.pull(i) - self.part[(i, i)] * self.side[at])
            };
            let free = (0..n_members).filter(|at| !self.is_moved[*at]);
            let moved = free.map(|at| (change(at), at)).max_by(|a, b| a.0.total_cmp(&b.0));
            let Some((change, at)) = moved else { break };
            self.side[at] = -self.side[at];
            self.is_moved[at] = true;
            now += change;
            if now > *gain + NO_GAIN {
                *gain = now;
                self.best[..n_members].copy_from_slice(&self.side[..n_members]);
            }
        }
        self.side[..n_members].copy_from_slice(&self.best[..n_members]);
        *gain > before
    }

    /// Numbers modules by their first nodes.
    fn number(&mut self) {
        self.first.clear();
        for label in &mut self.labels {
            let known = self.first.iter().position(|first| first == label);
            *label = known.unwrap_or_else(|| {
                self.first.push(*label);
                self.first.len() - 1
            });
        }
    }
}

/// Modularity of modules.
pub(super) fn modularity(
    weights: &[f64],
    (leaving, arriving): (&[f64], &[f64]),
    modules: &[usize],
) -> f64 {
    let n = modules.len();
    let total: f64 = leaving.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let mut sum = 0.0;
    for (from, row) in weights.chunks_exact(n).enumerate() {
        for (to, weight) in row.iter().enumerate().filter(|(to, _)| modules[*to] == modules[from]) {
            sum += weight - leaving[from] * arriving[to] / total;
        }
    }
    sum / total
}
