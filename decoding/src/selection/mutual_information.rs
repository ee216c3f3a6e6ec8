//! How much a feature says about the class: an estimate from nearest neighbours.

use crate::stats::distribution::digamma_of_integers;
use acquisition::marker::ClassIdx;

/// Mutual information of a feature and the class, in nats, at least 0.
///
/// `psi(N) + <psi(k)> - <psi(n_label)> - <psi(m)>`, means over the `N` examples whose
/// class has another: `k` is `n_neighbors`, or one less than the examples of the class
/// where that is smaller; `m` the number of examples of any class, itself included, that
/// are nearer to an example than its `k`-th neighbour of the same class. Where that
/// neighbour is equal to it, `k` and `m` count all that are. As scikit-learn's
/// `mutual_info_classif` for a continuous feature, which adds noise to break such ties.
/// It does not depend on the feature's scale.
///
/// Allocates; time grows with `n ln n`, and with the reach of the neighbourhoods.
///
/// # Panics
/// Where there are not as many labels as values, or `n_neighbors` is 0.
///
/// # Reference
/// B. Ross: Mutual information between discrete and continuous data sets (2014),
/// doi 10.1371/journal.pone.0087357.
pub fn mutual_information(values: &[f64], labels: &[ClassIdx], n_neighbors: usize) -> f64 {
    assert_eq!(values.len(), labels.len(), "one label per value");
    assert!(n_neighbors > 0, "a neighbour at least");
    let n_classes = labels.iter().map(|l| l.index() + 1).max().unwrap_or(0);
    let of_class = |class: usize| {
        let own = labels.iter().zip(values).filter(move |(l, _)| l.index() == class);
        let mut own: Vec<f64> = own.map(|(_, v)| *v).collect();
        own.sort_by(f64::total_cmp);
        own
    };
    let classes: Vec<Vec<f64>> = (0..n_classes).map(of_class).filter(|own| own.len() > 1).collect();
    let mut all: Vec<f64> = classes.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    if all.is_empty() {
        return 0.0;
    }
    let psi = digamma_of_integers(all.len());
    let mut sum = 0.0;
    for own in &classes {
        let k = n_neighbors.min(own.len() - 1);
        for (at, value) in own.iter().enumerate() {
            let radius = neighbour_distance(own, at, k);
            let (k, n_near) = if radius > 0.0 {
                let n_before = all.partition_point(|v| value - v >= radius);
                (k, all.partition_point(|v| v - value < radius) - n_before)
            } else {
                (n_equal(own, *value) - 1, n_equal(&all, *value))
            };
            sum += psi[k - 1] - psi[own.len() - 1] - psi[n_near - 1];
        }
    }
    (psi[all.len() - 1] + sum / all.len() as f64).max(0.0)
}

/// How many of ascending values are equal to `value`.
fn n_equal(sorted: &[f64], value: f64) -> usize {
    sorted.partition_point(|v| *v <= value) - sorted.partition_point(|v| *v < value)
}

/// Distance of one of ascending values to its `k`-th nearest other.
fn neighbour_distance(sorted: &[f64], at: usize, k: usize) -> f64 {
    let value = sorted[at];
    let (mut below, mut above) = (at, at + 1);
    let mut distance = 0.0;
    for _ in 0..k {
        let down = below.checked_sub(1).map_or(f64::INFINITY, |i| value - sorted[i]);
        let up = sorted.get(above).map_or(f64::INFINITY, |v| v - value);
        if down <= up {
            below -= 1;
        } else {
            above += 1;
        }
        distance = down.min(up);
    }
    distance
}
