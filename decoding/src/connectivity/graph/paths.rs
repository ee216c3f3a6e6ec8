//! Shortest paths.

/// Lengths of all shortest paths, by Floyd and Warshall's algorithm: its inner loop knows
/// no branches, and dense graphs are what connectivity is.
#[derive(Clone, Debug)]
pub(super) struct Distances {
    n: usize,
    /// `(from, to)`, infinite where there is no path.
    lengths: Vec<f64>,
    over: Vec<f64>,
}

impl Distances {
    pub(super) fn new(n: usize) -> Self {
        Self { n, lengths: vec![0.0; n * n], over: vec![0.0; n] }
    }

    pub(super) fn set_of(&mut self, weights: &[f64]) {
        let n = self.over.len();
        self.set(n, |from, to| weights[from * n + to].recip());
    }

    /// Of a graph of `n` nodes, no more than planned.
    pub(super) fn set(&mut self, n: usize, length: impl Fn(usize, usize) -> f64) {
        self.n = n;
        let lengths = &mut self.lengths[..n * n];
        for (at, to) in lengths.iter_mut().enumerate() {
            *to = if at / n == at % n { 0.0 } else { length(at / n, at % n) };
        }
        for k in 0..n {
            let over = &mut self.over[..n];
            over.copy_from_slice(&lengths[k * n..][..n]);
            for row in lengths.chunks_exact_mut(n) {
                let first = row[k];
                if first < f64::INFINITY {
                    for (x, rest) in row.iter_mut().zip(&*over) {
                        let length = first + rest;
                        *x = if length < *x { length } else { *x };
                    }
                }
            }
        }
    }

    pub(super) fn between(&self, from: usize, to: usize) -> f64 {
        self.lengths[from * self.n + to]
    }

    /// All ordered pairs of nodes.
    fn pairs(&self) -> impl Iterator<Item = f64> {
        let n = self.n;
        let lengths = self.lengths[..n * n].iter().enumerate();
        lengths.filter(move |(at, _)| at / n != at % n).map(|(_, x)| *x)
    }

    pub(super) fn mean_length(&self) -> f64 {
        let reached = self.pairs().filter(|x| x.is_finite());
        let (sum, count) = reached.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
        sum / count
    }

    pub(super) fn efficiency(&self) -> f64 {
        let n = self.n as f64;
        self.pairs().map(f64::recip).sum::<f64>() / (n * (n - 1.0))
    }
}

/// Shares of shortest paths, by Dijkstra's algorithm from each node and Brandes' sums back.
#[derive(Clone, Debug)]
pub(super) struct Betweenness {
    n: usize,
    lengths: Vec<f64>,
    distance: Vec<f64>,
    /// Distance, infinite once a node is settled.
    open: Vec<f64>,
    order: Vec<usize>,
    n_paths: Vec<f64>,
    share: Vec<f64>,
}

impl Betweenness {
    pub(super) fn new(n: usize) -> Self {
        Self {
            n,
            lengths: vec![0.0; n * n],
            distance: vec![0.0; n],
            open: vec![0.0; n],
            order: Vec::with_capacity(n),
            n_paths: vec![0.0; n],
            share: vec![0.0; n],
        }
    }

    pub(super) fn run_into(&mut self, weights: &[f64], out: &mut [f64]) {
        let n = self.n;
        self.lengths.iter_mut().zip(weights).for_each(|(length, x)| *length = x.recip());
        out.fill(0.0);
        for from in 0..n {
            self.settle(from);
            self.count();
            for v in self.order.iter().filter(|v| **v != from) {
                out[*v] += self.share[*v];
            }
        }
        let n_pairs = (n - 1) as f64 * (n - 2) as f64;
        for x in out {
            *x /= n_pairs;
        }
    }

    /// Nodes by their distance from one.
    fn settle(&mut self, from: usize) {
        self.distance.fill(f64::INFINITY);
        self.open.fill(f64::INFINITY);
        self.order.clear();
        (self.distance[from], self.open[from]) = (0.0, 0.0);
        loop {
            let nearest = self.open.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
            let Some((v, &near)) = nearest.filter(|(_, near)| near.is_finite()) else { return };
            self.open[v] = f64::INFINITY;
            self.order.push(v);
            let row = &self.lengths[v * self.n..][..self.n];
            for ((distance, open), length) in self.distance.iter_mut().zip(&mut self.open).zip(row)
            {
                let by = near + length;
                // What is settled is no farther than `v`.
                let is_nearer = by < *distance;
                *distance = if is_nearer { by } else { *distance };
                *open = if is_nearer { by } else { *open };
            }
        }
    }

    /// Numbers of shortest paths forwards, and each node's share of them backwards.
    fn count(&mut self) {
        self.n_paths.fill(0.0);
        self.share.fill(0.0);
        self.n_paths[self.order[0]] = 1.0;
        for (at, v) in self.order.iter().enumerate() {
            let row = &self.lengths[v * self.n..][..self.n];
            for w in &self.order[at + 1..] {
                if self.distance[*v] + row[*w] == self.distance[*w] {
                    self.n_paths[*w] += self.n_paths[*v];
                }
            }
        }
        for (at, v) in self.order.iter().enumerate().rev() {
            let row = &self.lengths[v * self.n..][..self.n];
            for w in &self.order[at + 1..] {
                if self.distance[*v] + row[*w] == self.distance[*w] {
                    self.share[*v] += self.n_paths[*v] / self.n_paths[*w] * (1.0 + self.share[*w]);
                }
            }
        }
    }
}
