use super::distance::{self, DistanceTo, DistancesTo};
use super::mean::{euclidean_mean, log_euclidean_mean, riemannian_mean};
use super::spd::{self, EigenScratch, RiemannError};
use super::tangent::{self, TangentSpace};
use faer::{Mat, MatRef};
use proptest::prelude::*;
use serde::Deserialize;

/// Written by `tests/reference/golden.py` with pyRiemann 0.12.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/riemann.json"));

pub(super) type Rows = Vec<Vec<f64>>;

#[derive(Deserialize)]
struct Golden {
    oas: Vec<Rows>,
    distances: Rows,
    riemannian_mean: Rows,
    tangent_vectors: Rows,
    log_euclidean_mean: Rows,
}

pub(super) fn mat(rows: &Rows) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// `‖a - b‖ / ‖b‖`.
pub(super) fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_l2() / b.norm_l2()
}

/// An SPD matrix without a pattern, condition up to some thousands.
pub(super) fn spd_matrix(n: usize, seed: u64) -> Mat<f64> {
    let a = matrix(n, seed);
    &a * a.transpose() + 0.05 * Mat::<f64>::identity(n, n)
}

/// Elements in -1..1 without a pattern.
pub(super) fn matrix(n: usize, seed: u64) -> Mat<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    for _ in 0..4 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    }
    Mat::from_fn(n, n, |_, _| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

fn symmetric(a: &Mat<f64>) -> Mat<f64> {
    0.5 * (a + a.transpose())
}

/// `A C Aᵀ`.
pub(super) fn moved(a: &Mat<f64>, c: &Mat<f64>) -> Mat<f64> {
    symmetric(&(a * c * a.transpose()))
}

#[test]
fn distances_are_pyriemanns() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let covs: Vec<_> = golden.oas.iter().map(mat).collect();
    for (from, row) in covs.iter().zip(&golden.distances) {
        let mut distance = DistanceTo::new(from.as_ref()).unwrap();
        for (to, expected) in covs.iter().zip(row) {
            let d = distance.squared(to.as_ref()).sqrt();
            // Near zero (a matrix to itself) the logarithms are pure rounding.
            assert!((d - expected).abs() < 1e-12 * expected.max(1.0), "{d} is not {expected}");
        }
    }
}

#[test]
fn means_are_pyriemanns() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let covs: Vec<_> = golden.oas.iter().map(mat).collect();
    let found = riemannian_mean(&covs, 1e-10, 50).unwrap();
    // Theirs stops at 1e-12; one step beyond 1e-10 is as near as that.
    assert!(difference(found.mean.as_ref(), mat(&golden.riemannian_mean).as_ref()) < 1e-11);
    assert!(found.residual <= 1e-10 && found.n_steps < 20, "{} steps", found.n_steps);
    let loose = riemannian_mean(&covs, 1e-8, 50).unwrap();
    assert!(difference(loose.mean.as_ref(), mat(&golden.riemannian_mean).as_ref()) < 1e-10);
    let log = log_euclidean_mean(&covs).unwrap();
    assert!(difference(log.as_ref(), mat(&golden.log_euclidean_mean).as_ref()) < 1e-12);
}

#[test]
fn tangent_vectors_are_pyriemanns() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    let point = mat(&golden.riemannian_mean);
    let mut space = TangentSpace::at(point.as_ref()).unwrap();
    assert_eq!((space.dim(), space.point()), (36, point.as_ref()));
    let mut vector = vec![f64::NAN; 36];
    for (cov, expected) in golden.oas.iter().zip(&golden.tangent_vectors) {
        space.vector_into(mat(cov).as_ref(), &mut vector);
        for (ours, theirs) in vector.iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-12, "{ours} is not {theirs}");
        }
    }
}

/// `log(I + E) = E - E²/2 + E³/3 - ...`: another way to the same logarithm.
#[test]
fn the_logarithm_is_its_power_series() {
    for n in [1, 2, 5, 17, 64] {
        let e = 0.3 / n as f64 * symmetric(&matrix(n, 5));
        let (mut power, mut series) = (Mat::<f64>::identity(n, n), Mat::zeros(n, n));
        for k in 1..60 {
            power = &power * &e;
            series += (if k % 2 == 1 { 1.0 } else { -1.0 } / f64::from(k)) * &power;
        }
        let log = spd::log((Mat::<f64>::identity(n, n) + &e).as_ref()).unwrap();
        assert!((&log - series).norm_l2() < 1e-13, "{n}");
        assert_eq!(log.transpose(), log.as_ref());
    }
}

#[test]
fn the_geometric_mean_of_two_is_the_closed_form() {
    let (a, b) = (spd_matrix(6, 1), spd_matrix(6, 2));
    let (root, inverse) = (spd::sqrt(a.as_ref()).unwrap(), spd::inv_sqrt(a.as_ref()).unwrap());
    let middle = &root * spd::sqrt(moved(&inverse, &b).as_ref()).unwrap() * &root;
    let found = riemannian_mean(&[a, b], 1e-10, 50).unwrap();
    assert!(difference(found.mean.as_ref(), middle.as_ref()) < 1e-10);
}

#[test]
fn eigenvalues_of_matrices_with_a_known_spectrum() {
    for n in [1_usize, 2, 3, 10, 64] {
        let mut eigen = EigenScratch::new(n);
        let mut check = |a: Mat<f64>, expected: Vec<f64>| {
            let values = eigen.values(a.as_ref()).unwrap();
            let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for (x, y) in values.iter().zip(&expected) {
                // A few roundings of the largest for each of n rotations.
                assert!((x - y).abs() <= 1e-15 * n as f64 * largest, "{n}: {x} is not {y}");
            }
        };
        check(Mat::zeros(n, n), vec![0.0; n]);
        check(1e-12 * Mat::<f64>::identity(n, n), vec![1e-12; n]);
        // Rank one: every eigenvalue but the last is a repeated zero.
        let mut ones = vec![0.0; n];
        ones[n - 1] = n as f64;
        check(Mat::full(n, n, 1.0), ones);
        // The second difference: 2 - 2 cos(π k / (n + 1)).
        let laplacian = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let angle = |k: usize| std::f64::consts::PI * k as f64 / (n + 1) as f64;
        check(Mat::from_fn(n, n, laplacian), (1..=n).map(|k| 2.0 - 2.0 * angle(k).cos()).collect());
        let graded = |i: usize, j: usize| if i == j { 10_f64.powi(-(i as i32 % 9)) } else { 0.0 };
        let mut sorted: Vec<f64> = (0..n).map(|i| graded(i, i)).collect();
        sorted.sort_by(f64::total_cmp);
        check(Mat::from_fn(n, n, graded), sorted);
    }
}

proptest! {
    #[test]
    fn eigen_decompositions_rebuild_their_matrix(n in 1_usize..70, seed in 0_u64..100_000) {
        let a = symmetric(&matrix(n, seed));
        // Dirty scratch: another matrix was there before.
        let mut eigen = EigenScratch::new(n);
        eigen.decompose(symmetric(&matrix(n, seed + 1)).as_ref()).unwrap();
        let alone = eigen.values(a.as_ref()).unwrap().to_vec();
        let (values, vectors) = eigen.decompose(a.as_ref()).unwrap();
        let scaled = Mat::from_fn(n, n, |i, j| vectors[(i, j)] * values[j]);
        prop_assert!((&scaled * vectors.transpose() - &a).norm_l2() < 1e-13 * n as f64);
        let unit = vectors.transpose() * vectors - Mat::<f64>::identity(n, n);
        prop_assert!(unit.norm_l2() < 1e-13 * n as f64);
        prop_assert!(values.is_sorted());
        for (x, y) in alone.iter().zip(values) {
            prop_assert!((x - y).abs() < 1e-13 * n as f64, "{} is not {}", x, y);
        }
    }

    #[test]
    fn the_distance_is_symmetric_and_affine_invariant(n in 1_usize..12, seed in 0_u64..100_000) {
        let (a, b) = (spd_matrix(n, seed), spd_matrix(n, seed + 1));
        let d = distance::affine_invariant(a.as_ref(), b.as_ref()).unwrap();
        let tolerance = 1e-9 * d.max(1.0);
        let back = distance::affine_invariant(b.as_ref(), a.as_ref()).unwrap();
        prop_assert!((d - back).abs() < tolerance);
        let w = matrix(n, seed + 2) + 3.0 * Mat::<f64>::identity(n, n);
        let (wa, wb) = (moved(&w, &a), moved(&w, &b));
        let there = distance::affine_invariant(wa.as_ref(), wb.as_ref()).unwrap();
        // The congruence's condition (tens) times that of the matrices, times ε.
        prop_assert!((d - there).abs() < tolerance, "{} is not {}", d, there);
        let scaled = distance::affine_invariant((1e6 * &a).as_ref(), (1e6 * &b).as_ref()).unwrap();
        prop_assert!((d - scaled).abs() < tolerance);
    }

    #[test]
    fn the_mean_moves_with_its_matrices(n in 2_usize..9, seed in 0_u64..100_000) {
        let covs: Vec<_> = (0..11).map(|k| spd_matrix(n, 31 * seed + k)).collect();
        let mean = riemannian_mean(&covs, 1e-10, 100).unwrap().mean;
        let w = matrix(n, seed + 2) + 3.0 * Mat::<f64>::identity(n, n);
        let there: Vec<_> = covs.iter().rev().map(|c| moved(&w, c)).collect();
        let moved_mean = riemannian_mean(&there, 1e-10, 100).unwrap().mean;
        prop_assert!(difference(moved_mean.as_ref(), moved(&w, &mean).as_ref()) < 1e-8);
        let mut space = TangentSpace::at(mean.as_ref()).unwrap();
        let mut sum = vec![0.0; space.dim()];
        let mut vector = vec![0.0; space.dim()];
        for cov in &covs {
            space.vector_into(cov.as_ref(), &mut vector);
            sum.iter_mut().zip(&vector).for_each(|(s, v)| *s += v);
        }
        let rest = sum.iter().map(|s| s * s).sum::<f64>().sqrt();
        prop_assert!(rest < 1e-8, "the mean tangent vector vanishes at the mean, not {}", rest);
    }

    #[test]
    fn tangent_vectors_lead_back_and_measure_the_distance(n in 1_usize..10, seed in 0_u64..100_000) {
        let (point, cov) = (spd_matrix(n, seed), spd_matrix(n, seed + 1));
        let mut space = TangentSpace::at(point.as_ref()).unwrap();
        let mut vector = vec![f64::NAN; space.dim()];
        // Dirty scratch, and an output that must be overwritten.
        space.vector_into(spd_matrix(n, seed + 2).as_ref(), &mut vector);
        space.vector_into(cov.as_ref(), &mut vector);
        let back = tangent::spd_from_tangent(point.as_ref(), &vector).unwrap();
        prop_assert!(difference(back.as_ref(), cov.as_ref()) < 1e-9);
        let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
        let d = distance::affine_invariant(point.as_ref(), cov.as_ref()).unwrap();
        prop_assert!((norm - d).abs() < 1e-9 * d.max(1.0));
    }
}

#[test]
fn the_mean_is_the_same_on_any_number_of_threads() {
    let covs: Vec<_> = (0..37).map(|k| spd_matrix(5, k)).collect();
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| riemannian_mean(&covs, 1e-8, 50).unwrap().mean)
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn distances_to_several_points_are_those_to_each() {
    for n_points in [1, 2, 3, 4, 5, 9] {
        let points: Vec<_> = (0..n_points).map(|k| spd_matrix(13, k)).collect();
        let refs: Vec<_> = points.iter().map(Mat::as_ref).collect();
        let mut several = DistancesTo::new(&refs).unwrap();
        let mut squared = vec![f64::NAN; several.n_points()];
        let mut nan = spd_matrix(13, 20);
        nan[(7, 7)] = f64::NAN;
        for cov in [spd_matrix(13, 21), nan, -1.0 * spd_matrix(13, 22), points[0].clone()] {
            several.squared_into(cov.as_ref(), &mut squared);
            for (point, d) in points.iter().zip(&squared) {
                let alone = DistanceTo::new(point.as_ref()).unwrap().squared(cov.as_ref());
                assert_eq!(alone.is_nan(), d.is_nan());
                assert!(d.is_nan() || (alone - d).abs() < 1e-11 * alone.max(1.0), "{d} {alone}");
            }
        }
    }
    assert_eq!(DistancesTo::new(&[]).unwrap_err(), RiemannError::Empty);
}

/// An offset within a larger matrix, so that columns start anywhere in memory.
#[test]
fn where_a_matrix_lies_in_memory_changes_no_bit() {
    let (point, cov) = (spd_matrix(13, 1), spd_matrix(13, 2));
    let mut distance = DistanceTo::new(point.as_ref()).unwrap();
    let mut space = TangentSpace::at(point.as_ref()).unwrap();
    let (mut vector, mut again) = (vec![0.0; space.dim()], vec![0.0; space.dim()]);
    space.vector_into(cov.as_ref(), &mut vector);
    let d = distance.squared(cov.as_ref());
    for (i, j) in [(0, 1), (1, 0), (3, 2), (5, 5)] {
        let mut large = Mat::zeros(21, 20);
        let mut inner = large.as_mut().submatrix_mut(i, j, 13, 13);
        inner.copy_from(&cov);
        assert_eq!(distance.squared(inner.as_ref()), d, "{i} {j}");
        space.vector_into(inner.as_ref(), &mut again);
        assert_eq!(vector, again, "{i} {j}");
    }
}

#[test]
fn what_is_not_positive_definite_is_refused() {
    let good = spd_matrix(3, 1);
    let mut nan = good.clone();
    nan[(2, 1)] = f64::NAN;
    let flat = Mat::from_fn(3, 3, |i, j| if i == j && i < 2 { 1.0 } else { 0.0 });
    let cases = [
        (nan, RiemannError::NotFinite),
        (flat.clone(), RiemannError::NotPositiveDefinite),
        (-1.0 * &good, RiemannError::NotPositiveDefinite),
        (Mat::zeros(2, 2), RiemannError::ShapeMismatch { n_rows: 2, n_cols: 2, expected: 3 }),
    ];
    for (bad, error) in &cases {
        let covs = [good.clone(), bad.clone()];
        assert_eq!(riemannian_mean(&covs, 1e-8, 50).unwrap_err(), *error);
        assert_eq!(distance::affine_invariant(good.as_ref(), bad.as_ref()), Err(*error));
    }
    assert_eq!(DistanceTo::new(flat.as_ref()).unwrap_err(), RiemannError::NotPositiveDefinite);
    assert!(DistanceTo::new(good.as_ref()).unwrap().squared(flat.as_ref()).is_nan());
    let mut vector = [0.0; 6];
    TangentSpace::at(good.as_ref()).unwrap().vector_into(flat.as_ref(), &mut vector);
    assert!(vector.iter().all(|v| v.is_nan()));
    assert_eq!(riemannian_mean::<Mat<f64>>(&[], 1e-8, 50).unwrap_err(), RiemannError::Empty);
    let few = riemannian_mean(&[good.clone(), spd_matrix(3, 2)], 1e-8, 1).unwrap_err();
    assert_eq!(few, RiemannError::NotConverged { n_steps: 1 });
    let wrong = tangent::spd_from_tangent(good.as_ref(), &[0.0; 5]);
    assert!(matches!(wrong, Err(RiemannError::ShapeMismatch { .. })));
}

#[test]
fn the_other_means_and_distances_are_what_they_say() {
    let (a, b) = (spd_matrix(4, 1), spd_matrix(4, 2));
    let mean = euclidean_mean(&[&a, &b]).unwrap();
    assert!(difference(mean.as_ref(), (0.5 * (&a + &b)).as_ref()) < 1e-15);
    let diagonal = |x: f64, y: f64| Mat::from_fn(2, 2, |i, j| [[x, 0.0], [0.0, y]][i][j]);
    let (p, q) = (diagonal(1.0, 2.0), diagonal(4.0, 2.0));
    let log = distance::log_euclidean(p.as_ref(), q.as_ref()).unwrap();
    assert!((log - 4.0_f64.ln()).abs() < 1e-15);
    assert_eq!(distance::euclidean(p.as_ref(), q.as_ref()), Ok(3.0));
    let geometric = log_euclidean_mean(&[p, q]).unwrap();
    assert!((geometric - diagonal(2.0, 2.0)).norm_l2() < 1e-14);
}
