//! Which edges of a graph are kept.

use super::{Direction, GraphError, GraphMeasures, Threshold};

impl Threshold {
    pub(super) fn check(self) -> Result<(), GraphError> {
        let is_sound = match self {
            Self::None => true,
            Self::Absolute(weight) => weight.is_finite(),
            Self::Proportional(share) => share > 0.0 && share <= 1.0,
            Self::Backbone(level) => level > 0.0 && level < 1.0,
        };
        if is_sound { Ok(()) } else { Err(GraphError::BadThreshold { threshold: self }) }
    }
}

impl GraphMeasures {
    /// Removes the edges that are not kept; strengths and degrees are those before.
    pub(super) fn keep(&mut self) {
        match self.spec.threshold {
            Threshold::None => {}
            Threshold::Absolute(least) => {
                for x in self.weights.iter_mut().filter(|x| **x < least) {
                    *x = 0.0;
                }
            }
            Threshold::Proportional(share) => self.keep_strongest(share),
            Threshold::Backbone(level) => self.keep_backbone(level),
        }
    }

    fn keep_strongest(&mut self, share: f64) {
        let (n, is_directed) = (self.n, self.spec.direction == Direction::Directed);
        self.order.clear();
        let is_pair = |at: usize| at % n != at / n && (is_directed || at % n < at / n);
        self.order.extend((0..n * n).filter(|at| is_pair(*at)));
        let n_kept = (self.order.len() as f64 * share).round() as usize;
        if n_kept == self.order.len() {
            return;
        }
        let weights = &mut self.weights;
        self.order.select_nth_unstable_by(n_kept, |a, b| {
            weights[*b].total_cmp(&weights[*a]).then(a.cmp(b))
        });
        for at in &self.order[n_kept..] {
            weights[*at] = 0.0;
            if !is_directed {
                weights[at % n * n + at / n] = 0.0;
            }
        }
    }

    fn keep_backbone(&mut self, level: f64) {
        let n = self.n;
        let stands_out = |x: f64, strength: f64, degree: f64| {
            degree > 1.0 && (1.0 - x / strength).powf(degree - 1.0) < level
        };
        for (from, row) in self.weights.chunks_exact_mut(n).enumerate() {
            for (to, x) in row.iter_mut().enumerate() {
                let leaves = stands_out(*x, self.out_strength[from], self.out_degree[from]);
                if !leaves && !stands_out(*x, self.in_strength[to], self.in_degree[to]) {
                    *x = 0.0;
                }
            }
        }
    }
}
