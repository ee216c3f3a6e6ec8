//! The geometries against pyRiemann on real covariances, and what each leaves unchanged.

use super::*;
use crate::riemann::distance::DistancesTo;
use crate::riemann::mean::{power_mean, riemannian_mean};
use crate::riemann::tangent::TangentSpace;
use crate::riemann::tests::{Rows, difference, mat, matrix, moved, spd_matrix};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;

/// Written by `tests/reference/golden_geometry.py` with pyRiemann 0.12.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/geometry.json"));

#[derive(Deserialize)]
struct Golden {
    covariances: Vec<Rows>,
    weights: Vec<f64>,
    metrics: HashMap<String, Expected>,
    powers: Vec<f64>,
    power_means: Vec<Rows>,
}

#[derive(Deserialize)]
struct Expected {
    distances: Rows,
    mean: Rows,
    weighted_mean: Rows,
    geodesic: Rows,
    tangent_vectors: Rows,
    half_way_back: Vec<Rows>,
}

fn golden() -> (Golden, Vec<Mat<f64>>) {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let covs = golden.covariances.iter().map(mat).collect();
    (golden, covs)
}

#[track_caller]
fn assert_near(found: &Mat<f64>, expected: &Rows, tolerance: f64) {
    let error = difference(found.as_ref(), mat(expected).as_ref());
    assert!(error < tolerance, "off by {error:.1e}");
}

#[test]
fn distances_are_pyriemanns() {
    let (golden, covs) = golden();
    let points: Vec<_> = covs[..3].iter().map(Mat::as_ref).collect();
    for metric in Metric::ALL {
        let expected = &golden.metrics[metric.name()].distances;
        let mut several = DistancesTo::in_metric(metric, &points).unwrap();
        let mut squared = [f64::NAN; 3];
        for (i, cov) in covs.iter().enumerate() {
            several.squared_into(cov.as_ref(), &mut squared);
            for (k, point) in points.iter().enumerate() {
                let found = metric.distance(cov.as_ref(), *point).unwrap();
                let scale = expected[k].iter().fold(0.0_f64, |m, x| m.max(*x));
                // A matrix's Wasserstein distance to itself is the root of rounding errors.
                let tolerance = if i == k { 1e-6 } else { 1e-10 };
                assert!((found - expected[k][i]).abs() < tolerance * scale, "{metric} {i} {k}");
                assert!((squared[k].sqrt() - found).abs() < tolerance * scale, "{metric} {i} {k}");
            }
        }
    }
}

#[test]
fn means_are_pyriemanns() {
    let (golden, covs) = golden();
    let weights = Weights::new(&golden.weights).unwrap();
    for metric in Metric::ALL {
        let expected = &golden.metrics[metric.name()];
        let mean = |weights: &Weights| metric.mean(&covs, weights, 1e-11, 200).unwrap();
        let found = mean(&Weights::equal());
        assert_near(&found.mean, &expected.mean, 1e-10);
        assert!(found.residual <= 1e-11 && found.n_steps < 30, "{metric} {found:?}");
        assert_near(&mean(&weights).mean, &expected.weighted_mean, 1e-10);
        let ones = Weights::new(&[3.0; 12]).unwrap();
        assert_eq!(mean(&ones).mean, found.mean, "equal weights change no bit");
    }
}

#[test]
fn power_means_are_pyriemanns() {
    let (golden, covs) = golden();
    let weights = Weights::new(&golden.weights).unwrap();
    for (p, expected) in golden.powers.iter().zip(&golden.power_means) {
        let found = power_mean(&covs, *p, &weights, 1e-11, 200).unwrap();
        assert_near(&found.mean, expected, 1e-9);
    }
    let wrong = power_mean(&covs, 1.5, &weights, 1e-9, 50).unwrap_err();
    assert_eq!(wrong, RiemannError::BadExponent);
}

#[test]
fn geodesics_are_pyriemanns() {
    let (golden, covs) = golden();
    for metric in Metric::ALL {
        let at = |t| metric.geodesic(covs[0].as_ref(), covs[1].as_ref(), t).unwrap();
        assert_near(&at(0.3), &golden.metrics[metric.name()].geodesic, 1e-11);
        assert!(difference(at(0.0).as_ref(), covs[0].as_ref()) < 1e-12, "{metric}");
        assert!(difference(at(1.0).as_ref(), covs[1].as_ref()) < 1e-12, "{metric}");
    }
}

#[test]
fn tangent_spaces_are_pyriemanns() {
    let (golden, covs) = golden();
    for metric in Metric::ALL {
        let expected = &golden.metrics[metric.name()];
        let mut space = TangentSpace::in_metric(metric, mat(&expected.mean).as_ref()).unwrap();
        assert_eq!(space.metric(), metric);
        let mut vector = vec![f64::NAN; space.dim()];
        let mut back = Mat::full(8, 8, f64::NAN);
        for (k, theirs) in expected.tangent_vectors.iter().enumerate() {
            space.vector_into(covs[k].as_ref(), &mut vector);
            let scale = theirs.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (x, y) in vector.iter().zip(theirs) {
                assert!((x - y).abs() < 1e-10 * scale, "{metric}: {x} is not {y}");
            }
            for x in &mut vector {
                *x *= 0.5;
            }
            space.spd_into(&vector, back.as_mut());
            assert_near(&back, &expected.half_way_back[k], 1e-10);
        }
    }
}

#[test]
fn a_batch_is_one_after_the_other() {
    let mut covs: Vec<_> = (0..11).map(|k| spd_matrix(9, k)).collect();
    covs[6][(2, 2)] = f64::NAN;
    for metric in Metric::ALL {
        let mut space = TangentSpace::in_metric(metric, covs[0].as_ref()).unwrap();
        let (mut batch, mut alone) = (vec![7.0; 11 * 45], vec![7.0; 45]);
        space.vectors_into(&covs, &mut batch);
        for (cov, batch) in covs.iter().zip(batch.chunks_exact(45)) {
            space.vector_into(cov.as_ref(), &mut alone);
            for (x, y) in batch.iter().zip(&alone) {
                assert!(x.is_nan() && y.is_nan() || (x - y).abs() < 1e-12 * 10.0, "{x} {y}");
            }
        }
        assert!(alone.iter().all(|x| x.is_finite()) && batch[6 * 45].is_nan());
    }
}

/// Sizes at which one, four or each matrix goes by itself, on one thread and on several.
#[test]
fn a_large_batch_is_one_after_the_other_on_any_number_of_threads() {
    for (n, n_covs) in [(70, 6), (390, 2)] {
        let lift = n as f64 * Mat::<f64>::identity(n, n);
        let covs: Vec<_> = (0..n_covs).map(|k| spd_matrix(n, k) + &lift).collect();
        let dim = n * (n + 1) / 2;
        let on = |n_threads| {
            let mut space = TangentSpace::at(covs[1].as_ref()).unwrap();
            let mut out = vec![7.0; covs.len() * dim];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| space.vectors_into(&covs, &mut out));
            out
        };
        let batch = on(1);
        assert!(batch == on(3), "{n}");
        let mut space = TangentSpace::at(covs[1].as_ref()).unwrap();
        let mut alone = vec![7.0; dim];
        for (cov, batch) in covs.iter().zip(batch.chunks_exact(dim)) {
            space.vector_into(cov.as_ref(), &mut alone);
            let difference = |(x, y): (&f64, &f64)| (x - y).abs();
            let largest = batch.iter().zip(&alone).map(difference).fold(0.0, f64::max);
            // Some roundings of eigenvalues of order one for each of n reflectors.
            assert!(largest < 1e-14 * n as f64, "{n}: {largest}");
        }
    }
}

#[test]
fn what_is_not_positive_definite_is_refused() {
    let good = spd_matrix(3, 1);
    let mut nan = good.clone();
    nan[(2, 1)] = f64::NAN;
    let negative = -1.0 * &good;
    for metric in Metric::ALL {
        let mean = |bad: &Mat<f64>| {
            metric.mean(&[good.clone(), bad.clone()], &Weights::equal(), 1e-8, 50).err()
        };
        assert_eq!(mean(&nan), Some(RiemannError::NotFinite));
        let wide = Mat::zeros(2, 2);
        let expected = RiemannError::ShapeMismatch { n_rows: 2, n_cols: 2, expected: 3 };
        assert_eq!(mean(&wide), Some(expected));
        assert!(metric.distance(good.as_ref(), wide.as_ref()).is_err());
        assert!(metric.geodesic(good.as_ref(), wide.as_ref(), 0.5).is_err());
        assert!(metric.geodesic(good.as_ref(), nan.as_ref(), 0.5).is_err());
        assert!(DistancesTo::in_metric(metric, &[nan.as_ref()]).is_err());
        assert!(TangentSpace::in_metric(metric, nan.as_ref()).is_err());
        let none: [Mat<f64>; 0] = [];
        let empty = metric.mean(&none, &Weights::equal(), 1e-8, 50).unwrap_err();
        assert_eq!(empty, RiemannError::Empty);
        let (mut squared, mut vector) = ([0.0], [0.0; 6]);
        let mut distances = DistancesTo::in_metric(metric, &[good.as_ref()]).unwrap();
        let mut space = TangentSpace::in_metric(metric, good.as_ref()).unwrap();
        distances.squared_into(nan.as_ref(), &mut squared);
        space.vector_into(nan.as_ref(), &mut vector);
        assert!(squared[0].is_nan() && vector.iter().all(|x| x.is_nan()), "{metric}");
        let mut out = Mat::zeros(3, 3);
        space.spd_into(&[f64::NAN; 6], out.as_mut());
        assert!(out[(0, 0)].is_nan() && out[(0, 2)].is_nan(), "{metric}");
        if metric != Metric::Euclidean {
            assert_eq!(mean(&negative), Some(RiemannError::NotPositiveDefinite), "{metric}");
            distances.squared_into(negative.as_ref(), &mut squared);
            assert!(squared[0].is_nan(), "{metric}");
            assert!(TangentSpace::in_metric(metric, negative.as_ref()).is_err());
        }
    }
    let few = Metric::Wasserstein.mean(&[good, spd_matrix(3, 2)], &Weights::equal(), 1e-8, 1);
    assert_eq!(few.unwrap_err(), RiemannError::NotConverged { n_steps: 1 });
}

#[test]
fn bad_weights_are_refused() {
    for bad in [&[][..], &[0.0, 0.0], &[1.0, -0.5], &[1.0, f64::NAN], &[f64::INFINITY, 1.0]] {
        assert_eq!(Weights::new(bad), Err(RiemannError::BadWeights), "{bad:?}");
    }
    let covs = [spd_matrix(3, 1), spd_matrix(3, 2), spd_matrix(3, 3)];
    let two = Weights::new(&[1.0, 2.0]).unwrap();
    for metric in Metric::ALL {
        let found = metric.mean(&covs, &two, 1e-8, 50).err();
        assert_eq!(found, Some(RiemannError::BadWeights));
    }
}

#[test]
fn names_are_those_in_files() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_string(&metric).unwrap(), format!("\"{metric}\""));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_rotation_changes_no_distance(n in 1_usize..10, seed in 0_u64..100_000) {
        let (a, b) = (spd_matrix(n, seed), spd_matrix(n, seed + 1));
        let q = matrix(n, seed + 2).qr().compute_Q();
        let (qa, qb) = (moved(&q, &a), moved(&q, &b));
        for metric in Metric::ALL {
            let d = metric.distance(a.as_ref(), b.as_ref()).unwrap();
            let there = metric.distance(qa.as_ref(), qb.as_ref()).unwrap();
            let back = metric.distance(b.as_ref(), a.as_ref()).unwrap();
            prop_assert!((d - there).abs() < 1e-8 * d.max(1.0), "{}: {} {}", metric, d, there);
            prop_assert!((d - back).abs() < 1e-8 * d.max(1.0), "{}: {} {}", metric, d, back);
        }
    }

    #[test]
    fn tangent_vectors_lead_back(n in 1_usize..10, seed in 0_u64..100_000) {
        let (point, cov) = (spd_matrix(n, seed), spd_matrix(n, seed + 1));
        for metric in Metric::ALL {
            let mut space = TangentSpace::in_metric(metric, point.as_ref()).unwrap();
            let mut vector = vec![f64::NAN; space.dim()];
            let mut back = Mat::full(n, n, f64::NAN);
            // Dirty scratch, and outputs that must be overwritten.
            space.vector_into(spd_matrix(n, seed + 2).as_ref(), &mut vector);
            space.spd_into(&vector, back.as_mut());
            space.vector_into(cov.as_ref(), &mut vector);
            space.spd_into(&vector, back.as_mut());
            let error = difference(back.as_ref(), cov.as_ref());
            // Conditions of some thousands, of which the maps take up to the square.
            prop_assert!(error < 1e-8, "{}: {}", metric, error);
            prop_assert_eq!(back.transpose(), back.as_ref());
        }
    }

    #[test]
    fn a_mean_of_two_is_half_way(n in 1_usize..8, seed in 0_u64..100_000) {
        let covs = [spd_matrix(n, seed), spd_matrix(n, seed + 1)];
        let weights = Weights::new(&[3.0, 1.0]).unwrap();
        for metric in Metric::ALL {
            let mean = metric.mean(&covs, &weights, 1e-10, 500).unwrap().mean;
            let at = metric.geodesic(covs[0].as_ref(), covs[1].as_ref(), 0.25).unwrap();
            let error = difference(mean.as_ref(), at.as_ref());
            prop_assert!(error < 1e-7, "{}: {}", metric, error);
        }
    }

    #[test]
    fn power_means_lie_between_the_means(n in 2_usize..6, seed in 0_u64..100_000) {
        let covs: Vec<_> = (0..5).map(|k| spd_matrix(n, 31 * seed + k)).collect();
        let determinant = |p: f64| {
            let mean = power_mean(&covs, p, &Weights::equal(), 1e-10, 500).unwrap().mean;
            mean.determinant()
        };
        let found: Vec<_> = [-1.0, -0.5, 0.0, 0.5, 1.0].map(determinant).to_vec();
        prop_assert!(found.is_sorted(), "{:?}", found);
        let geometric = riemannian_mean(&covs, 1e-10, 100).unwrap().mean.determinant();
        prop_assert!((found[2] - geometric).abs() < 1e-9 * geometric);
    }
}
