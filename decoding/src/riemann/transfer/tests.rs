//! Transfer against pyRiemann on real covariances, and where the answer is known.

use super::*;
use crate::riemann::mean::riemannian_mean;
use crate::riemann::tests::{Rows, difference, mat, matrix, moved, spd_matrix};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;
use std::slice::from_ref;

/// Written by `tests/reference/golden_geometry.py` with pyRiemann 0.12.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/transfer.json"));

#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Rows>,
    n_first: usize,
    recentred: Vec<Rows>,
    rescaled: Vec<Rows>,
    sources: Vec<Rows>,
    targets: Vec<Rows>,
    rotations: HashMap<String, Rows>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).unwrap()
}

fn mats(rows: &[Rows]) -> Vec<Mat<f64>> {
    rows.iter().map(mat).collect()
}

#[test]
fn recentering_is_pyriemanns() {
    let golden = golden();
    let (covs, expected) = (mats(&golden.covariances), mats(&golden.recentred));
    let (first, second) = covs.split_at(golden.n_first);
    let (first_there, second_there) = expected.split_at(golden.n_first);
    for (day, there) in [(first, first_there), (second, second_there)] {
        let metric = Metric::AffineInvariant;
        let mut centre = Recentering::fit(metric, day, &Weights::equal(), 1e-11, 100).unwrap();
        let mut again = Recentering::at(centre.point()).unwrap();
        let (mut found, mut same) = (Mat::full(8, 8, f64::NAN), Mat::zeros(8, 8));
        for (cov, expected) in day.iter().zip(there) {
            centre.apply_into(cov.as_ref(), found.as_mut());
            assert!(difference(found.as_ref(), expected.as_ref()) < 1e-9);
            again.apply_into(cov.as_ref(), same.as_mut());
            assert_eq!(found, same, "planned again from its point, to the bit");
        }
    }
}

#[test]
fn rescaling_is_pyriemanns() {
    let golden = golden();
    let covs = mats(&golden.covariances);
    let second = &covs[golden.n_first..];
    let mut scale = Rescaling::fit(second, &Weights::equal(), 1.0, (1e-11, 100)).unwrap();
    let mut found = Mat::full(8, 8, f64::NAN);
    for (cov, expected) in second.iter().zip(mats(&golden.rescaled)) {
        scale.apply_into(cov.as_ref(), found.as_mut());
        assert!(difference(found.as_ref(), expected.as_ref()) < 1e-9);
    }
    let again = Rescaling::at(scale.point(), scale.exponent()).unwrap();
    assert_eq!(again.exponent(), scale.exponent());
    scale.apply_into((-1.0 * &covs[0]).as_ref(), found.as_mut());
    assert!(found[(3, 1)].is_nan(), "what is not positive definite");
}

/// `Σ d²(T_k, Q S_k Qᵀ)`.
fn loss(metric: Metric, q: &Mat<f64>, sources: &[Mat<f64>], targets: &[Mat<f64>]) -> f64 {
    let squared = |(s, t): (&Mat<f64>, &Mat<f64>)| {
        metric.distance(t.as_ref(), moved(q, s).as_ref()).unwrap().powi(2)
    };
    sources.iter().zip(targets).map(squared).sum()
}

#[test]
fn rotations_bring_the_means_nearer_than_pyriemanns() {
    let golden = golden();
    let (sources, targets) = (mats(&golden.sources), mats(&golden.targets));
    let identity = Mat::identity(8, 8);
    for metric in Metric::ALL {
        let pairs = (sources.as_slice(), targets.as_slice());
        let found = Rotation::fit(metric, pairs, &Weights::equal(), (1e-8, 2000)).unwrap();
        let q = found.q().to_owned();
        assert!((&q * q.transpose() - &identity).norm_l2() < 1e-10, "orthogonal");
        let ours = loss(metric, &q, &sources, &targets);
        assert!(ours < loss(metric, &identity, &sources, &targets), "{metric}");
        if let Some(theirs) = golden.rotations.get(metric.name()) {
            let theirs = loss(metric, &mat(theirs), &sources, &targets);
            assert!(ours <= theirs * (1.0 + 1e-9), "{metric}: {ours} is above {theirs}");
        }
        // A minimum along every axis: no small turn lowers the loss.
        for (i, j) in [(0, 1), (2, 5), (3, 7), (4, 6)] {
            for angle in [1e-3_f64, -1e-3] {
                let mut turn = identity.clone();
                (turn[(i, i)], turn[(j, j)]) = (angle.cos(), angle.cos());
                (turn[(i, j)], turn[(j, i)]) = (-angle.sin(), angle.sin());
                assert!(loss(metric, &(&turn * &q), &sources, &targets) >= ours, "{metric}");
            }
        }
    }
}

#[test]
fn bad_input_is_refused() {
    let (a, b) = (spd_matrix(4, 1), spd_matrix(4, 2));
    let all_the_same = [a.clone(), a.clone()];
    let none = Rescaling::fit(&all_the_same, &Weights::equal(), 1.0, (1e-8, 50));
    // The mean of equal matrices is one of them, up to rounding: so is their dispersion.
    if let Ok(scale) = none {
        assert!(scale.exponent() > 1e6, "{}", scale.exponent());
    }
    let negative = Rescaling::fit(&[a.clone(), b.clone()], &Weights::equal(), -1.0, (1e-8, 50));
    assert_eq!(negative.unwrap_err(), RiemannError::NoDispersion);
    let fit = |sources: &[Mat<f64>], targets: &[Mat<f64>]| {
        let pairs = (sources, targets);
        Rotation::fit(Metric::AffineInvariant, pairs, &Weights::equal(), (1e-8, 500)).err()
    };
    assert_eq!(fit(&[], &[]), Some(RiemannError::Empty));
    assert_eq!(fit(from_ref(&a), &[a.clone(), b.clone()]), Some(RiemannError::Empty));
    assert_eq!(fit(from_ref(&a), &[-1.0 * &b]), Some(RiemannError::NotPositiveDefinite));
    assert!(matches!(fit(&[a], &[spd_matrix(3, 2)]), Some(RiemannError::ShapeMismatch { .. })));
    assert!(Recentering::at((-1.0 * &b).as_ref()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_rotation_is_found_again(n in 2_usize..6, seed in 0_u64..100_000) {
        let sources: Vec<_> = (0..3).map(|k| spd_matrix(n, seed + k)).collect();
        let q = matrix(n, seed + 9).qr().compute_Q();
        let targets: Vec<_> = sources.iter().map(|s| moved(&q, s)).collect();
        for metric in Metric::ALL {
            let pairs = (sources.as_slice(), targets.as_slice());
            let mut found = Rotation::fit(metric, pairs, &Weights::equal(), (1e-9, 300)).unwrap();
            let mut out = Mat::full(n, n, f64::NAN);
            for (source, target) in sources.iter().zip(&targets) {
                found.apply_into(source.as_ref(), out.as_mut());
                let error = difference(out.as_ref(), target.as_ref());
                prop_assert!(error < 1e-5, "{}: {}", metric, error);
            }
        }
    }

    #[test]
    fn sets_come_to_one_centre_and_one_spread(n in 2_usize..7, seed in 0_u64..100_000) {
        let covs: Vec<_> = (0..7).map(|k| spd_matrix(n, 31 * seed + k)).collect();
        let metric = Metric::AffineInvariant;
        let weights = Weights::equal();
        let mut centre = Recentering::fit(metric, &covs, &weights, 1e-10, 200).unwrap();
        let mut scale = Rescaling::fit(&covs, &weights, 0.7, (1e-10, 200)).unwrap();
        let (mut centred, mut scaled) = (Vec::new(), Vec::new());
        let mut out = Mat::zeros(n, n);
        for cov in &covs {
            centre.apply_into(cov.as_ref(), out.as_mut());
            centred.push(out.clone());
            scale.apply_into(cov.as_ref(), out.as_mut());
            scaled.push(out.clone());
        }
        let mean = riemannian_mean(&centred, 1e-10, 200).unwrap().mean;
        prop_assert!((mean - Mat::<f64>::identity(n, n)).norm_l2() < 1e-7);
        let mean = riemannian_mean(&scaled, 1e-10, 200).unwrap().mean;
        prop_assert!(difference(mean.as_ref(), scale.point()) < 1e-7);
        let squared = |c: &Mat<f64>| metric.distance(mean.as_ref(), c.as_ref()).unwrap().powi(2);
        let dispersion = scaled.iter().map(squared).sum::<f64>() / 7.0;
        prop_assert!((dispersion - 0.7).abs() < 1e-7, "{}", dispersion);
    }
}
