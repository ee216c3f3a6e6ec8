use super::*;
use crate::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use crate::connectivity::granger::{GrangerSpec, Scope};
use crate::connectivity::mvar::{Estimator, Intercept, Mvar, MvarError, MvarSpec};
use crate::connectivity::tests::{error, noise};
use crate::connectivity::{BandEdges, ConnectivitySpec, EpochConnectivity, Measure, Resolution};
use crate::matrix::Matrix;
use crate::psd::bands::Band;
use acquisition::time::SampleRate;
use ndarray::{Axis, s};
use proptest::prelude::*;
use realfft::RealFftPlanner;
use std::convert::Infallible;

fn array(shape: (usize, usize, usize), seed: u64) -> Array3<f64> {
    Array3::from_shape_vec(shape, noise(shape.0 * shape.1 * shape.2, seed)).expect("the shape")
}

fn draw(kind: Surrogate, x: &Array3<f64>, k: usize) -> Array3<f64> {
    SurrogateSpec::new(kind, 5).draw::<Infallible>(&x.view(), k).expect("epochs that fit")
}

fn powers(samples: &[f64]) -> Vec<f64> {
    let forward = RealFftPlanner::new().plan_fft_forward(samples.len());
    let (mut samples, mut spectrum) = (samples.to_vec(), forward.make_output_vec());
    forward.process(&mut samples, &mut spectrum).expect("the planned length");
    spectrum.iter().map(realfft::num_complex::Complex64::norm_sqr).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_kept_is_kept(seed in 0_u64..999, n in 4_usize..70, k in 1_usize..9) {
        let x = array((3, 2, n), seed);
        let phases = draw(Surrogate::Phases, &x, k);
        let shifted = draw(Surrogate::TimeShift, &x, k);
        let shuffled = draw(Surrogate::TrialShuffle, &x, k);
        for channel in 0..2 {
            for epoch in 0..3 {
                let of = |x: &Array3<f64>| x.slice(s![epoch, channel, ..]).to_vec();
                let (before, after) = (powers(&of(&x)), powers(&of(&phases)));
                prop_assert!(error(&after, &before) < 1e-12);
                let (mut before, after) = (of(&x), of(&shifted));
                let is_turned = (0..n).any(|_| {
                    before.rotate_right(1);
                    before == after
                });
                prop_assert!(is_turned);
                let epochs: Vec<_> = (0..3).map(|e| x.slice(s![e, channel, ..]).to_vec()).collect();
                prop_assert!(epochs.contains(&of(&shuffled)));
            }
        }
        prop_assert_eq!(draw(Surrogate::Phases, &x, k), phases);
    }
}

#[test]
fn surrogates_differ_and_ties_are_gone() {
    let mut x = array((6, 2, 400), 3);
    let copy = x.index_axis(Axis(1), 0).to_owned();
    x.index_axis_mut(Axis(1), 1).assign(&copy);
    let tie = |x: &Array3<f64>| {
        let (a, b) = (x.index_axis(Axis(1), 0), x.index_axis(Axis(1), 1));
        (&a * &b).sum() / (&a * &a).sum().sqrt() / (&b * &b).sum().sqrt()
    };
    assert!(tie(&x) > 0.999);
    for kind in [Surrogate::Phases, Surrogate::TimeShift, Surrogate::TrialShuffle] {
        assert_ne!(draw(kind, &x, 1), draw(kind, &x, 2), "{kind:?}");
        let mean = (1..20).map(|k| tie(&draw(kind, &x, k)).abs()).sum::<f64>() / 19.0;
        // A shuffle leaves a sixth of the epochs beside their own, a shift one lag in 400.
        assert!(mean < 0.25, "{kind:?} {mean}");
    }
}

/// Channel 0 drives 1 and 3, and 1 drives 2; all have rhythms of their own.
fn tree(n: usize, seed: u64) -> Array3<f64> {
    let mut a = vec![0.0; 32];
    let edges: [(usize, usize, usize, f64); 10] = [
        (0, 0, 1, 1.2),
        (0, 0, 2, -0.7),
        (1, 1, 1, 0.5),
        (1, 1, 2, -0.3),
        (2, 2, 1, 0.6),
        (3, 3, 1, 0.3),
        (3, 3, 2, -0.4),
        (1, 0, 1, 0.4),
        (2, 1, 2, 0.5),
        (3, 0, 2, -0.4),
    ];
    for (to, from, lag, value) in edges {
        a[to * 8 + (lag - 1) * 4 + from] = value;
    }
    let unit = (0..16).map(|i| f64::from(u8::from(i % 5 == 0))).collect();
    let known = Mvar::new(
        Matrix::new(4, 8, a).expect("finite"),
        vec![0.0; 4],
        Matrix::new(4, 4, unit).expect("finite"),
    )
    .expect("matrices that fit");
    assert!(known.spectral_radius() < 1.0);
    let errors = Matrix::new(4, n + 100, noise(4 * (n + 100), seed)).expect("finite");
    let samples = known.driven_by(&errors).expect("four channels");
    Array3::from_shape_fn((1, 4, n), |(_, c, t)| samples[c][t + 100])
}

const BANDS_HZ: [(f64, f64); 2] = [(4.0, 13.0), (13.0, 40.0)];

/// Bands of a directed measure, `(n_bands, to, from)`, the diagonal 0.
fn directed(epochs: &ArrayView3<'_, f64>, measure: DirectedMeasure) -> Result<Vec<f64>, MvarError> {
    let (estimator, intercept) = (Estimator::LeastSquares, Intercept::Estimated);
    let model = MvarSpec { order: 2, estimator, intercept }.fit(epochs)?;
    let rate = SampleRate::new(100.0).expect("a positive rate");
    let freqs: Vec<f64> = (2..=40).map(f64::from).collect();
    let m = model.n_channels();
    let mut plan = DirectedConnectivity::new((m, 2), rate, &freqs, &[measure])?;
    plan.run(model.view());
    let mut values = vec![0.0; BANDS_HZ.len() * m * m];
    for (out, band) in values.chunks_exact_mut(m * m).zip(BANDS_HZ) {
        plan.band_into(band, out);
        out.iter_mut().step_by(m + 1).for_each(|x| *x = 0.0);
    }
    Ok(values)
}

fn granger(epochs: &ArrayView3<'_, f64>) -> Result<Vec<f64>, MvarError> {
    let spec = GrangerSpec { order: 2, intercept: Intercept::Estimated, scope: Scope::Conditional };
    Ok(spec.run(epochs)?.values().to_vec())
}

/// Edges that any band of a corrected map keeps.
fn edges(test: &SurrogateTest, m: usize) -> Vec<(usize, usize)> {
    let is_kept = |at: usize| test.map.is_kept.iter().skip(at).step_by(m * m).any(|kept| *kept);
    (0..m * m).filter(|at| is_kept(*at)).map(|at| (at / m, at % m)).collect()
}

#[test]
fn the_edges_of_a_tree_are_found_and_no_others() {
    let epochs = tree(1500, 21);
    let spec = SurrogateSpec { n_surrogates: 199, ..SurrogateSpec::new(Surrogate::Phases, 9) };
    let expected = [(1, 0), (2, 1), (3, 0)];
    // Partial coherence is as large on an edge's way back, which no surrogate knows.
    for measure in [DirectedMeasure::DirectTransfer, DirectedMeasure::DirectTransfer08] {
        let found = edges(&spec.test(&epochs.view(), |x| directed(x, measure)).unwrap(), 4);
        assert!(expected.iter().all(|edge| found.contains(edge)), "{measure:?} {found:?}");
        let is_tie =
            |(i, j): (usize, usize)| expected.contains(&(i, j)) || expected.contains(&(j, i));
        assert!(found.iter().all(|edge| is_tie(*edge)), "{measure:?} {found:?}");
    }
    for measure in [DirectedMeasure::PartialCoherence, DirectedMeasure::GeneralisedPartialCoherence]
    {
        let found = spec.test(&epochs.view(), |x| directed(x, measure)).unwrap();
        assert_eq!(edges(&found, 4), expected, "{measure:?}");
    }
    let found = spec.test(&epochs.view(), granger).unwrap();
    assert_eq!(edges(&found, 4), expected);
    // What 0 sends over 1 reaches 2.
    let found = spec.test(&epochs.view(), |x| directed(x, DirectedMeasure::Transfer)).unwrap();
    assert_eq!(edges(&found, 4), [(1, 0), (2, 0), (2, 1), (3, 0)]);
    let rates = found.false_discovery_rates(Correction::BenjaminiHochberg);
    assert!(rates[8] <= 0.05 && rates[2] > 0.05, "{rates:?}");
}

#[test]
fn thresholds_and_p_values_say_the_same() {
    let epochs = tree(300, 4);
    for (tail, standard) in [
        (Tail::Above, Standard::Deviation),
        (Tail::Above, Standard::Distance),
        (Tail::Both, Standard::Deviation),
    ] {
        let spec = SurrogateSpec {
            n_surrogates: 59,
            tail,
            standard,
            ..SurrogateSpec::new(Surrogate::TimeShift, 2)
        };
        let found = spec.test(&epochs.view(), granger).unwrap();
        for at in (0..16).filter(|at| at % 5 != 0) {
            let (value, map) = (found.values[at], &found.map);
            // What is below the mean is far on both sides only.
            if tail == Tail::Above || map.statistic[at] > 0.0 {
                assert_eq!(value > found.threshold[at], map.p[at] <= 0.05);
                assert_eq!(value > found.corrected_threshold[at], map.is_kept[at]);
            }
            assert!(map.p[at] <= map.p_corrected[at]);
        }
        assert_eq!(found.map.n_permutations, 60);
        assert_eq!(found.map.p[0], 1.0, "a channel with itself never varies");
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let epochs = tree(200, 8);
    let spec = SurrogateSpec { n_surrogates: 40, ..SurrogateSpec::new(Surrogate::Phases, 3) };
    let run = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| spec.test(&epochs.view(), granger).unwrap())
    };
    assert_eq!(run(1), run(3));
    let other = SurrogateSpec { seed: 4, ..spec };
    assert_ne!(run(1), other.test(&epochs.view(), granger).unwrap());
}

/// Channels that know nothing of each other: at level 0.05 a map has a false edge in one of
/// twenty recordings, so that more than 8 of 60 have a probability of 0.003.
#[test]
fn false_edges_are_no_more_than_the_level_allows() {
    for kind in [Surrogate::Phases, Surrogate::TimeShift] {
        let mut n_false = 0;
        for seed in 0..60 {
            let mut x = array((1, 3, 200), 100 + seed);
            for t in 1..200 {
                for c in 0..3 {
                    x[(0, c, t)] += 0.6 * x[(0, c, t - 1)];
                }
            }
            let spec = SurrogateSpec { n_surrogates: 39, ..SurrogateSpec::new(kind, seed) };
            let found = spec.test(&x.view(), granger).unwrap();
            n_false += usize::from(found.map.is_kept.iter().any(|kept| *kept));
        }
        assert!(n_false <= 8, "{kind:?} {n_false}");
    }
}

#[test]
fn spectral_measures_over_shuffled_trials() {
    let mut x = array((30, 3, 100), 6);
    // Channel 1 follows channel 0 by two samples.
    for epoch in 0..30 {
        for t in 2..100 {
            x[(epoch, 1, t)] += x[(epoch, 0, t - 2)];
        }
    }
    let spec = ConnectivitySpec {
        measures: vec![Measure::AbsImaginaryCoherence, Measure::PhaseLocking],
        resolution: Resolution::Bands(vec![Band { low_hz: 8.0, high_hz: 20.0 }]),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(100.0).unwrap();
    let plan = EpochConnectivity::fourier(3, 100, rate, &spec).unwrap();
    let tests =
        SurrogateSpec { n_surrogates: 99, ..SurrogateSpec::new(Surrogate::TrialShuffle, 1) };
    let found = tests.test(&x.view(), |x| plan.run(x).map(|map| map.values().to_vec())).unwrap();
    assert_eq!(found.map.is_kept, [true, false, false, true, false, false]);
}

/// Against the share of drawn observations that are as far. A hundred thousand draws have
/// 5 % within 0.07 %; Zar's form is good to some per cent of the probability.
#[test]
fn known_distributions_are_those_of_noise() {
    let (n, n_draws) = (20, 100_000);
    let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(1);
    let mut normal = || {
        let (a, b): (f64, f64) = (RngExt::random(&mut rng), RngExt::random(&mut rng));
        let r = (-2.0 * (1.0 - a).ln()).sqrt();
        (r * (std::f64::consts::TAU * b).cos(), r * (std::f64::consts::TAU * b).sin())
    };
    let (mut coherent, mut locked) = (0, 0);
    let (of_coherence, of_locking) =
        (coherence_threshold(0.05, n), phase_locking_threshold(0.05, n));
    for _ in 0..n_draws {
        let (mut cross, mut units, mut power) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
        for _ in 0..n {
            let ((a, b), (c, d)) = (normal(), normal());
            let product = (a * c + b * d, b * c - a * d);
            let size = product.0.hypot(product.1);
            cross = (cross.0 + product.0, cross.1 + product.1);
            units = (units.0 + product.0 / size, units.1 + product.1 / size);
            power = (power.0 + a * a + b * b, power.1 + c * c + d * d);
        }
        let coherence = cross.0.hypot(cross.1) / (power.0 * power.1).sqrt();
        coherent += usize::from(coherence >= of_coherence);
        locked += usize::from(units.0.hypot(units.1) / n as f64 >= of_locking);
    }
    let share = |count: usize| count as f64 / f64::from(n_draws);
    assert!((share(coherent) - 0.05).abs() < 0.003, "{}", share(coherent));
    assert!((share(locked) - 0.05).abs() < 0.004, "{}", share(locked));
    for level in [0.2, 0.05, 1e-4] {
        let back = coherence_p(coherence_threshold(level, n), n);
        assert!((back - level).abs() < 1e-12);
        let back = phase_locking_p(phase_locking_threshold(level, n), n);
        assert!((back - level).abs() < 1e-10, "{back}");
    }
    assert_eq!((coherence_p(1.0, 1), coherence_threshold(0.05, 1)), (1.0, 1.0));
    assert_eq!((phase_locking_p(0.0, 9), phase_locking_threshold(1e-9, 3)), (1.0, 1.0));
}

#[test]
fn what_cannot_be_tested_is_refused() {
    let x = tree(100, 1);
    let spec = SurrogateSpec { n_surrogates: 19, ..SurrogateSpec::new(Surrogate::Phases, 1) };
    let ok = |x: &ArrayView3<'_, f64>| Ok::<_, Infallible>(vec![x[(0, 0, 0)]]);
    assert!(spec.test(&x.view(), ok).is_ok());
    let few = SurrogateSpec { n_surrogates: 18, ..spec };
    let refused = few.test(&x.view(), ok);
    assert_eq!(refused, Err(SurrogateError::TooFew { n_surrogates: 18, level: 0.05 }));
    for level in [0.0, 1.0, f64::NAN] {
        let refused = SurrogateSpec { level, ..spec }.test(&x.view(), ok);
        assert!(matches!(refused, Err(SurrogateError::TooFew { .. })), "{level}");
    }
    let shuffle = SurrogateSpec { surrogate: Surrogate::TrialShuffle, ..spec };
    let refused = shuffle.test(&x.view(), ok);
    assert_eq!(refused, Err(SurrogateError::OneEpoch { n_epochs: 1 }));
    let short = x.slice(s![.., .., ..3]);
    assert_eq!(spec.test(&short, ok), Err(SurrogateError::TooShort { n_samples: 3 }));
    let nan = |_: &ArrayView3<'_, f64>| Ok::<_, Infallible>(vec![0.0, f64::NAN]);
    let refused = spec.test(&x.view(), nan);
    assert_eq!(refused, Err(SurrogateError::NotFinite { surrogate: 0, point: 1 }));
    let failing = |_: &ArrayView3<'_, f64>| Err::<Vec<f64>, _>(MvarError::NoOrder);
    assert_eq!(spec.test(&x.view(), failing), Err(SurrogateError::Measure(MvarError::NoOrder)));
}
