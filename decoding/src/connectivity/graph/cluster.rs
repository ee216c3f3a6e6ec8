//! Triangles, and what neighbours are to each other.

use super::paths::Distances;

/// Cube roots of weights, and what is made of them.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    n: usize,
    /// `w^(1/3)`, `(from, to)`.
    one_way: Vec<f64>,
    /// `w_ij^(1/3) + w_ji^(1/3)`.
    both: Vec<f64>,
    /// Number of edges between two nodes: 0, 1 or 2.
    n_both: Vec<f64>,
    /// Intensity of each node's triangles, and their possible number.
    sums: Vec<f64>,
    possible: Vec<f64>,
    neighbours: Vec<usize>,
}

impl Roots {
    pub(super) fn new(n: usize) -> Self {
        Self {
            n,
            one_way: vec![0.0; n * n],
            both: vec![0.0; n * n],
            n_both: vec![0.0; n * n],
            sums: vec![0.0; n],
            possible: vec![0.0; n],
            neighbours: Vec::with_capacity(n),
        }
    }

    pub(super) fn set(&mut self, weights: &[f64]) {
        let n = self.n;
        self.one_way.iter_mut().zip(weights).for_each(|(root, x)| *root = x.cbrt());
        let is_edge = |at: usize| f64::from(u8::from(weights[at] > 0.0));
        for i in 0..n {
            for j in 0..n {
                let (there, back) = (i * n + j, j * n + i);
                self.both[there] = self.one_way[there] + self.one_way[back];
                self.n_both[there] = is_edge(there) + is_edge(back);
            }
        }
        for i in 0..n {
            let row = &self.both[i * n..][..n];
            // Triangles i, j, k: each is met twice, and its edges' directions are in the
            // sums.
            let mut sum = 0.0;
            for (j, by) in row.iter().enumerate().filter(|(_, by)| **by > 0.0) {
                let other = &self.both[j * n..][..n];
                sum += by * crate::classifier::dot(other, row);
            }
            let n_edges = &self.n_both[i * n..][..n];
            let degree: f64 = n_edges.iter().sum();
            // There and back between two nodes is no way round a triangle.
            let n_mutual = n_edges.iter().filter(|n| **n > 1.0).count() as f64;
            self.sums[i] = 0.5 * sum;
            self.possible[i] = degree * (degree - 1.0) - 2.0 * n_mutual;
        }
    }

    /// Of each node, the intensity of its triangles and their possible number. Without
    /// directions both are four times those of pairs of neighbours, which cancels.
    pub(super) fn triangles(&self) -> impl Iterator<Item = (f64, f64)> {
        self.sums.iter().copied().zip(self.possible.iter().copied())
    }

    pub(super) fn local_efficiency_into(&mut self, distances: &mut Distances, out: &mut [f64]) {
        let n = self.n;
        for (u, out) in out.iter_mut().enumerate() {
            let (both, n_both) = (&self.both[u * n..][..n], &self.n_both[u * n..][..n]);
            self.neighbours.clear();
            self.neighbours.extend((0..n).filter(|v| n_both[*v] > 0.0));
            let neighbours = &self.neighbours[..];
            let length = |from: usize, to: usize| {
                self.one_way[neighbours[from] * n + neighbours[to]].recip()
            };
            distances.set(neighbours.len(), length);
            let mut sum = 0.0;
            for (i, from) in neighbours.iter().enumerate() {
                for (j, to) in neighbours.iter().enumerate().filter(|(j, _)| *j != i) {
                    sum += both[*from] * both[*to] * distances.between(i, j).recip();
                }
            }
            let total: f64 = n_both.iter().sum();
            let squares: f64 = n_both.iter().map(|x| x * x).sum();
            let possible = total * total - squares;
            *out = if possible > 0.0 { sum / possible } else { 0.0 };
        }
    }
}
