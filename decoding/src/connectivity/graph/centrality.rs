//! Which nodes are central, and whether the central ones are tied to each other.

use crate::classifier::dot;

/// Steps of the power iteration; tens are usual.
const MAX_STEPS: usize = 5000;
/// Change of a vector of norm 1 that is its rounding.
const ROUNDING: f64 = 1e-15;

/// The eigenvector of what arrives, of `weights` `(from, to)`; 0 where there is no edge.
pub(super) fn eigenvector_into(
    weights: &[f64],
    [vector, next]: &mut [Vec<f64>; 2],
    out: &mut [f64],
) {
    let n = vector.len();
    // A part of the vector itself is added, so that a graph of two sides does not swing.
    let shift = 0.25 * weights.iter().sum::<f64>() / n as f64;
    vector.fill((n as f64).sqrt().recip());
    for _ in 0..MAX_STEPS {
        next.iter_mut().zip(&*vector).for_each(|(y, x)| *y = shift * x);
        for (row, x) in weights.chunks_exact(n).zip(&*vector) {
            next.iter_mut().zip(row).for_each(|(y, w)| *y += w * x);
        }
        let norm = dot(next, next).sqrt();
        if norm == 0.0 {
            vector.fill(0.0);
            break;
        }
        for y in next.iter_mut() {
            *y /= norm;
        }
        let change: f64 = vector.iter().zip(&*next).map(|(x, y)| (x - y).powi(2)).sum();
        vector.copy_from_slice(next);
        if change.sqrt() <= ROUNDING {
            break;
        }
    }
    out.copy_from_slice(vector);
}

/// Correlation over edges of the leaving strength at one end with the arriving one at the
/// other.
pub(super) fn assortativity(weights: &[f64], (leaving, arriving): (&[f64], &[f64])) -> f64 {
    let n = leaving.len();
    let edges = || {
        weights
            .iter()
            .enumerate()
            .filter(|(_, x)| **x > 0.0)
            .map(|(at, _)| (leaving[at / n], arriving[at % n]))
    };
    let (count, a, b) = edges().fold((0.0, 0.0, 0.0), |(n, a, b), (x, y)| (n + 1.0, a + x, b + y));
    let (a, b) = (a / count, b / count);
    let (xx, yy, xy) = edges().fold((0.0, 0.0, 0.0), |(xx, yy, xy), (x, y)| {
        (xx + (x - a).powi(2), yy + (y - b).powi(2), xy + (x - a) * (y - b))
    });
    xy / (xx * yy).sqrt()
}
