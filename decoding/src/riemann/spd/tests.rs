use super::twisted::Twisted;
use super::{Bundle, EigenScratch, RiemannError, WIDTH};
use faer::{Mat, Side};

/// Elements in -1..1 without a pattern.
fn matrix(n: usize, seed: u64) -> Mat<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    Mat::from_fn(n, n, |_, _| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    })
}

/// A matrix of this spectrum in a frame without a pattern.
fn with_spectrum(values: &[f64], seed: u64) -> Mat<f64> {
    let n = values.len();
    let frame = matrix(n, seed).qr().compute_Q();
    let scaled = Mat::from_fn(n, n, |i, j| frame[(i, j)] * values[j]);
    let a = &scaled * frame.transpose();
    0.5 * (&a + a.transpose())
}

/// Spectra by name: those that are easy, and those that are not.
fn spectra(n: usize) -> Vec<(&'static str, Vec<f64>)> {
    let of = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<_>>();
    let part = |i: usize| i as f64 / n as f64;
    vec![
        ("spread", of(&|i| 0.3 + part(i) + 0.1 * (7.0 * i as f64).sin())),
        ("signs", of(&|i| part(i) - 0.5)),
        ("near one", of(&|i| 1.0 + 1e-3 * part(i))),
        ("clusters", of(&|i| (i % 5) as f64 + 1.0 + 1e-10 * i as f64)),
        ("pairs", of(&|i| (i / 2) as f64 + 1.0 + 1e-6 * (i % 2) as f64)),
        ("repeated", of(&|i| (i % 3) as f64 + 1.0)),
        ("one", of(&|_| 1.0)),
        ("graded", of(&|i| 10_f64.powf(24.0 * part(i) - 12.0))),
        ("rank one", of(&|i| f64::from(u8::from(i == 0)))),
        ("small", of(&|i| 1e-200 * (1.0 + part(i)))),
    ]
}

#[test]
fn eigenvectors_are_orthogonal_and_leave_no_residual() {
    for n in [1_usize, 2, 3, 15, 17, 64, 65, 130, 520] {
        let mut eigen = EigenScratch::new(n);
        // Large ones are of interest for their blocks alone.
        for (name, spectrum) in spectra(n).into_iter().take(if n < 500 { 10 } else { 1 }) {
            let a = with_spectrum(&spectrum, n as u64);
            let theirs = a.self_adjoint_eigenvalues(Side::Lower).unwrap();
            let largest = spectrum.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            // Some roundings of the largest for each of n reflectors.
            let tolerance = 1e-14 * n as f64;
            let (values, vectors) = eigen.decompose(a.as_ref()).unwrap();
            let moved = Mat::from_fn(n, n, |i, j| vectors[(i, j)] * values[j]);
            let residual = (&a * vectors - moved).norm_max() / largest;
            assert!(residual < tolerance, "{name} {n}: residual {residual}");
            let unit = (vectors.transpose() * vectors - Mat::<f64>::identity(n, n)).norm_max();
            assert!(unit < tolerance, "{name} {n}: from orthogonal by {unit}");
            for (x, y) in values.iter().zip(&theirs) {
                assert!((x - y).abs() < tolerance * largest, "{name} {n}: {x} is not {y}");
            }
        }
    }
}

/// Inverse iteration where it is fit, and word where it is not.
#[test]
fn clusters_are_left_to_the_qr_iteration() {
    let n = 33;
    let off: Vec<f64> = (0..n).map(|i| if i + 1 < n { 0.25 } else { 0.0 }).collect();
    let angle = |k: usize| std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
    let values: Vec<f64> = (0..n).map(|k| 0.5 - 0.5 * angle(k).cos()).collect();
    let (mut twisted, mut vectors) = (Twisted::new(n), Mat::zeros(n, n));
    assert!(twisted.vectors(&vec![0.5; n], &off, &values, vectors.as_mut()));
    let norm = (2.0 / (n + 1) as f64).sqrt();
    for k in 0..n {
        for i in 0..n {
            let sign = if (i + k) % 2 == 0 { 1.0 } else { -1.0 };
            let sine = norm * (angle(k) * (i + 1) as f64).sin();
            // Known but for the sign of each vector.
            let first = vectors[(0, k)].signum() * if k % 2 == 0 { 1.0 } else { -1.0 };
            let expected = first * sign * sine;
            assert!((vectors[(i, k)] - expected).abs() < 1e-12, "{i} {k}");
        }
    }
    // Two equal values; a value that is none of this matrix.
    let equal: Vec<f64> = values.iter().map(|x| x.max(values[1])).collect();
    assert!(!twisted.vectors(&vec![0.5; n], &off, &equal, vectors.as_mut()));
    let wrong: Vec<f64> = values.iter().map(|x| x * (1.0 + 1e-9)).collect();
    assert!(!twisted.vectors(&vec![0.5; n], &off, &wrong, vectors.as_mut()));
    assert!(!twisted.vectors(&vec![0.0; n], &vec![0.0; n], &vec![0.0; n], vectors.as_mut()));
}

#[test]
fn matrices_side_by_side_are_as_alone() {
    for n in [1_usize, 2, 3, 16, 64, 65] {
        let (mut bundle, mut eigen) = (Bundle::new(n), EigenScratch::new(n));
        let mut values = vec![0.0; n];
        let all = spectra(n);
        for (shift, (name, spectrum)) in all.iter().enumerate() {
            let a = with_spectrum(spectrum, 7);
            let alone = eigen.values(a.as_ref()).unwrap().to_vec();
            let largest = alone.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            let mut first = None;
            for lane in 0..WIDTH {
                for other in 0..WIDTH {
                    let beside = with_spectrum(&all[(shift + other + 1) % all.len()].1, 8);
                    let matrix = if other == lane { &a } else { &beside };
                    bundle.set(other, matrix.as_ref()).unwrap();
                }
                bundle.reduce().unwrap();
                bundle.values_into(lane, &mut values);
                for (x, y) in values.iter().zip(&alone) {
                    assert!((x - y).abs() <= 1e-14 * n as f64 * largest, "{name} {n}: {x}, {y}");
                }
                // Neither the place nor the neighbours change a bit.
                assert_eq!(*first.get_or_insert(values.clone()), values, "{name} {n} {lane}");
            }
        }
    }
}

#[test]
fn functions_of_matrices_side_by_side_are_as_alone() {
    for n in [1_usize, 2, 5, 17, 64] {
        let (mut bundle, mut eigen) = (Bundle::new(n), EigenScratch::new(n));
        for (name, spectrum) in spectra(n) {
            let positive = spectrum.iter().all(|x| *x > 1e-9);
            let a = with_spectrum(&spectrum, 3);
            bundle.set(0, a.as_ref()).unwrap();
            bundle.clear_from(1);
            bundle.reduce().unwrap();
            let mut sum = Mat::zeros(n, n);
            let found = eigen.add_reduced_spd((&bundle, 0), f64::ln, sum.as_mut());
            let mut alone = Mat::zeros(n, n);
            let expected = eigen.spd_lower_into(a.as_ref(), f64::ln, alone.as_mut());
            assert_eq!(found, expected, "{name} {n}");
            assert!(!positive || found.is_ok(), "{name} {n}");
            // Logarithms are of order ten, their roundings ε times the condition.
            assert!((sum - alone).norm_max() < 1e-11, "{name} {n}");
        }
        let mut nan = Mat::<f64>::identity(n, n);
        nan[(n - 1, 0)] = f64::NAN;
        assert_eq!(bundle.set(1, nan.as_ref()), Err(RiemannError::NotFinite));
        bundle.reduce().unwrap();
    }
}
