use super::*;
use crate::connectivity::mvar::{Estimator, Mvar, MvarSpec, MvarView};
use crate::connectivity::tests::{assert_near, epochs_of, error, noise};
use crate::matrix::Matrix;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use ndarray::Array3;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Written by `tests/reference/golden_granger.py`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/granger.json"));

type Square = Vec<Vec<f64>>;

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    order: usize,
    window: Vec<Vec<f64>>,
    epochs: Vec<Vec<Vec<f64>>>,
    with_constant: OneWindow,
    over_epochs: LogRatios,
    freqs_hz: Vec<f64>,
    conditional_spectra: Spectra,
    pairwise_spectra: Spectra,
    groups: Groups,
    conditional_groups: ConditionalGroups,
}

#[derive(Deserialize)]
struct OneWindow {
    pairwise: Square,
    conditional: Square,
    pairwise_tests: BTreeMap<GrangerTest, [Square; 2]>,
    conditional_tests: ConditionalTests,
}

#[derive(Deserialize)]
struct ConditionalTests {
    fisher: Square,
    wald: [Square; 2],
}

#[derive(Deserialize)]
struct LogRatios {
    pairwise: Square,
    conditional: Square,
}

#[derive(Deserialize)]
struct Spectra {
    spectra: Vec<Square>,
    totals: Square,
}

#[derive(Deserialize)]
struct Groups {
    to: Vec<usize>,
    from: Vec<usize>,
    mne: Vec<f64>,
    total: f64,
}

#[derive(Deserialize)]
struct ConditionalGroups {
    to: Vec<usize>,
    from: Vec<usize>,
    spectrum: Vec<f64>,
    total: f64,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("a golden file")
}

fn spec(order: usize, intercept: Intercept, scope: Scope) -> GrangerSpec {
    GrangerSpec { order, intercept, scope }
}

fn rate(hz: f64) -> SampleRate {
    SampleRate::new(hz).expect("a positive rate")
}

fn model_of(epochs: &Array3<f64>, order: usize) -> Mvar {
    let (estimator, intercept) = (Estimator::LeastSquares, Intercept::Zero);
    MvarSpec { order, estimator, intercept }.fit(&epochs.view()).expect("a model")
}

/// Values and tests of one window; the statistics differ from the values' precision by the
/// exponential alone.
#[test]
fn log_ratios_and_tests_are_those_of_statsmodels() {
    let golden = golden();
    let window = epochs_of(std::slice::from_ref(&golden.window));
    let of = &golden.with_constant;
    let run = |scope| spec(golden.order, Intercept::Estimated, scope).run(&window.view()).unwrap();
    let pairwise = run(Scope::Pairwise);
    assert_near(pairwise.values(), &of.pairwise.concat());
    assert_eq!(of.pairwise_tests.len(), 3);
    for (test, [statistic, p]) in &of.pairwise_tests {
        let degrees = pairwise.degrees();
        let ours: Vec<f64> =
            pairwise.values().iter().map(|v| degrees.statistic(*test, *v)).collect();
        assert_near(&ours, &statistic.concat());
        let error = error(&pairwise.p(*test), &p.concat());
        assert!(error < 1e-9, "{test:?} {error:e}");
    }
    let conditional = run(Scope::Conditional);
    assert_near(conditional.values(), &of.conditional.concat());
    let degrees = conditional.degrees();
    let fisher: Vec<f64> =
        conditional.values().iter().map(|v| degrees.statistic(GrangerTest::Fisher, *v)).collect();
    assert_near(&fisher, &of.conditional_tests.fisher.concat());
    // Wald's statistic has the unbiased variance, and so p times Fisher's.
    let wald: Vec<f64> = fisher.iter().map(|f| f * golden.order as f64).collect();
    assert_near(&wald, &of.conditional_tests.wald[0].concat());
    let p: Vec<f64> = wald.iter().map(|w| chi_squared_above(*w, golden.order)).collect();
    assert_near(&p, &of.conditional_tests.wald[1].concat());
}

#[test]
fn epochs_are_one_regression() {
    let golden = golden();
    let epochs = epochs_of(&golden.epochs);
    for (scope, expected) in [
        (Scope::Pairwise, &golden.over_epochs.pairwise),
        (Scope::Conditional, &golden.over_epochs.conditional),
    ] {
        let map = spec(golden.order, Intercept::Zero, scope).run(&epochs.view()).unwrap();
        assert_near(map.values(), &expected.concat());
    }
}

#[test]
fn spectra_are_those_of_the_whole_state_space() {
    let golden = golden();
    let epochs = epochs_of(&golden.epochs);
    for (scope, expected) in [
        (Scope::Conditional, &golden.conditional_spectra),
        (Scope::Pairwise, &golden.pairwise_spectra),
    ] {
        let spec = spec(golden.order, Intercept::Zero, scope);
        let spectra = spec.spectra(&epochs.view(), rate(golden.rate_hz), &golden.freqs_hz).unwrap();
        assert_near(&spectra.values, &expected.spectra.concat().concat());
        assert_near(&spectra.totals, &expected.totals.concat());
    }
    let model = model_of(&epochs, golden.order);
    let shape = (model.n_channels(), model.order());
    let mut plan = SpectralGranger::new(shape, rate(golden.rate_hz), &golden.freqs_hz).unwrap();
    // The second run finds what the first, of another model, left.
    plan.run(model_of(&epochs_of(std::slice::from_ref(&golden.window)), golden.order).view());
    plan.run(model.view());
    assert_near(plan.values(), &golden.conditional_spectra.spectra.concat().concat());
    let mut band = vec![f64::NAN; 25];
    plan.band_into((4.0, 21.0), &mut band);
    let spectra = &golden.conditional_spectra.spectra;
    let expected = (1..4).map(|f| spectra[f][0][1]).sum::<f64>() / 3.0;
    assert_near(&band[1..2], &[expected]);
}

#[test]
fn groups_are_those_of_mne_connectivity() {
    let golden = golden();
    let model = model_of(&epochs_of(&golden.epochs), golden.order);
    let shape = (model.n_channels(), model.order());
    let run = |freqs_hz: &[f64], to: &[usize], from: &[usize]| {
        let mut plan =
            GroupGranger::new(shape, rate(golden.rate_hz), freqs_hz, (to, from)).unwrap();
        (plan.run(model.view()).to_vec(), plan.total())
    };
    let Groups { to, from, mne, total } = &golden.groups;
    let freqs_hz: Vec<f64> = (0..9).map(|f| f64::from(f) * 10.0).collect();
    let (values, ours) = run(&freqs_hz, to, from);
    assert_near(&values, mne);
    assert_near(&[ours], &[*total]);
    let ConditionalGroups { to, from, spectrum, total } = &golden.conditional_groups;
    let (values, ours) = run(&golden.freqs_hz, to, from);
    assert_near(&values, spectrum);
    assert_near(&[ours], &[*total]);
    // A group of one is a channel.
    let (values, ours) = run(&golden.freqs_hz, &[3], &[1]);
    let spectra = &golden.conditional_spectra;
    let expected: Vec<f64> = spectra.spectra.iter().map(|map| map[3][1]).collect();
    assert_near(&values, &expected);
    assert_near(&[ours], &[spectra.totals[3][1]]);
}

#[test]
fn sliding_values_are_those_of_the_window() {
    let golden = golden();
    let (order, m) = (golden.order, golden.window.len());
    let data = golden.window.concat();
    let window = WindowSpec { window_samples: 160, step_samples: 16 };
    for scope in [Scope::Conditional, Scope::Pairwise] {
        let run = |from: usize| {
            let mut sliding = SlidingGranger::new(m, order, window, scope).unwrap();
            let mut last = Vec::new();
            for start in (from..=240).step_by(16) {
                let samples = Planar::new(&data[start..], m, 400, 160);
                let values = sliding.slide(SampleIndex(start as u64 + 159), samples);
                last = values.unwrap().to_vec();
            }
            (last, sliding.degrees())
        };
        let (values, degrees) = run(0);
        assert_eq!(run(240), (values.clone(), degrees), "from any start");
        // The first block is past only, so the fit predicts what follows sample 12.
        let epoch = Array3::from_shape_fn((1, m, 148), |(_, c, t)| data[c * 400 + 252 + t]);
        let map = spec(order, Intercept::Estimated, scope).run(&epoch.view()).unwrap();
        assert_near(&values, map.values());
        assert_eq!(degrees, map.degrees());
        let mut sliding = SlidingGranger::new(m, order, window, scope).unwrap();
        let flat = vec![1.0; m * 160];
        assert!(sliding.slide(SampleIndex(159), Planar::new(&flat, m, 160, 160)).is_none());
    }
}

/// A stable model: coefficients that add up to less than one in each row, those of other
/// channels times `tie`, as the noise that channels share.
fn drawn((m, order): (usize, usize), tie: f64, seed: u64) -> Mvar {
    let mut a = noise(m * m * order, seed);
    for (to, row) in a.chunks_exact_mut(m * order).enumerate() {
        for (_, x) in row.iter_mut().enumerate().filter(|(col, _)| col % m != to) {
            *x *= tie;
        }
        let sum: f64 = row.iter().map(|x| x.abs()).sum();
        for x in row {
            *x *= 0.9 / sum;
        }
    }
    let root = noise(m * m, seed + 1);
    let product = |i: usize, j: usize| -> f64 {
        let shared: f64 = (0..m).map(|k| root[i * m + k] * root[j * m + k]).sum();
        tie * shared + f64::from(u8::from(i == j))
    };
    let noise = (0..m * m).map(|k| product(k / m, k % m)).collect();
    Mvar::new(
        Matrix::new(m, m * order, a).expect("finite"),
        vec![0.0; m],
        Matrix::new(m, m, noise).expect("finite"),
    )
    .expect("matrices that fit")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Geweke's: the mean over frequencies is at most the value in time, and that value
    /// where channels are tied weakly, so that what is left of a channel's own noise does
    /// not turn around zero. The sum over equally spaced frequencies of a smooth periodic
    /// function is its integral to rounding.
    #[test]
    fn spectra_add_up_to_their_totals(
        seed in 0_u64..999,
        m in 2_usize..5,
        order in 1_usize..4,
        is_weak in any::<bool>(),
    ) {
        let model = drawn((m, order), if is_weak { 0.1 } else { 1.0 }, seed);
        prop_assert!(model.spectral_radius() < 1.0);
        let n = 2048;
        let freqs: Vec<f64> = (0..=n).map(|k| k as f64 / (2 * n) as f64).collect();
        let mut plan = SpectralGranger::new((m, order), rate(1.0), &freqs).unwrap();
        plan.run(model.view());
        for to in 0..m {
            for from in 0..m {
                let at = |k: usize| plan.values()[k * m * m + to * m + from];
                let inner: f64 = (1..n).map(at).sum();
                let mean = (inner + 0.5 * (at(0) + at(n))) / n as f64;
                let total = plan.totals()[to * m + from];
                prop_assert!(mean <= total + 1e-9, "{to} {from}: {mean} {total}");
                prop_assert!(!is_weak || mean > total - 1e-9, "{to} {from}: {mean} {total}");
                prop_assert!((0..=n).all(|k| at(k) > -1e-12), "{to} {from}");
            }
        }
    }

    /// Units of channels and their order change nothing but the order.
    #[test]
    fn units_and_order_do_not_matter(seed in 0_u64..999, scale in 0.01_f64..100.0) {
        let x = Array3::from_shape_vec((1, 3, 120), noise(360, seed)).unwrap();
        let turned = Array3::from_shape_fn((1, 3, 120), |(_, c, t)| {
            x[(0, (c + 1) % 3, t)] * if c == 1 { scale } else { 1.0 }
        });
        for scope in [Scope::Conditional, Scope::Pairwise] {
            let spec = spec(3, Intercept::Estimated, scope);
            let maps = [&x, &turned].map(|x| spec.run(&x.view()).unwrap().values().to_vec());
            let freqs = [3.0, 20.0];
            let spectra = [&x, &turned]
                .map(|x| spec.spectra(&x.view(), rate(100.0), &freqs).unwrap().values);
            for to in 0..3 {
                for from in 0..3 {
                    let (a, b) = (((to + 1) % 3) * 3 + (from + 1) % 3, to * 3 + from);
                    prop_assert!((maps[0][a] - maps[1][b]).abs() < 1e-11);
                    for f in [0, 9] {
                        prop_assert!((spectra[0][f + a] - spectra[1][f + b]).abs() < 1e-10);
                    }
                }
            }
        }
    }
}

/// Channel 0 drives 1, and 1 drives 2: what 0 has for 2 comes over 1.
#[test]
fn a_chain_is_direct_only_where_it_is() {
    let mut a = vec![0.0; 9];
    (a[0], a[3], a[4], a[7], a[8]) = (0.5, 0.6, 0.4, 0.6, 0.3);
    let unit = (0..9).map(|i| f64::from(u8::from(i % 4 == 0))).collect();
    let known = Mvar::new(
        Matrix::new(3, 3, a).expect("finite"),
        vec![0.0; 3],
        Matrix::new(3, 3, unit).expect("finite"),
    )
    .expect("matrices that fit");
    let mut plan = SpectralGranger::new((3, 1), rate(1.0), &[0.1]).unwrap();
    plan.run(known.view());
    assert!(plan.totals()[3] > 0.1 && plan.totals()[7] > 0.1);
    assert!(plan.totals()[6].abs() < 1e-12 && plan.values()[6].abs() < 1e-12);
    let errors = Matrix::new(3, 3000, noise(9000, 5)).expect("finite");
    let samples = known.driven_by(&errors).expect("three channels").concat();
    let epochs = Array3::from_shape_vec((1, 3, 3000), samples).expect("as many samples");
    let p =
        |scope| spec(2, Intercept::Zero, scope).run(&epochs.view()).unwrap().p(GrangerTest::Fisher);
    let (direct, any) = (p(Scope::Conditional), p(Scope::Pairwise));
    assert!(any[6] < 1e-9 && direct[6] > 0.01, "{} {}", any[6], direct[6]);
    for edge in [3, 7] {
        assert!(direct[edge] < 1e-9 && any[edge] < 1e-9);
    }
    for none in [1, 2, 5] {
        assert!(direct[none] > 0.01 && any[none] > 0.01);
    }
}

#[test]
fn what_cannot_be_regressed_is_refused() {
    let x = Array3::from_shape_vec((1, 3, 60), noise(180, 3)).unwrap();
    for scope in [Scope::Conditional, Scope::Pairwise] {
        let run = |order, x: &Array3<f64>| {
            spec(order, Intercept::Estimated, scope).run(&x.view()).unwrap_err()
        };
        assert_eq!(run(0, &x), MvarError::NoOrder);
        assert!(matches!(run(15, &x), MvarError::TooShort { n_channels: 3, .. }));
        let mut odd = x.clone();
        odd[(0, 1, 7)] = f64::NAN;
        assert_eq!(run(2, &odd), MvarError::NotFinite { epoch: 0, channel: 1 });
        odd.index_axis_mut(ndarray::Axis(1), 1).fill(2.0);
        assert_eq!(run(2, &odd), MvarError::Dependent);
        let one = Array3::from_shape_vec((1, 1, 60), noise(60, 3)).unwrap();
        let map = spec(2, Intercept::Zero, scope).run(&one.view()).unwrap();
        assert_eq!((map.values(), map.p(GrangerTest::Fisher)), (&[0.0][..], vec![1.0]));
    }
    let plan = |to: &[usize], from: &[usize]| {
        GroupGranger::new((3, 2), rate(100.0), &[5.0], (to, from)).map(|_| ())
    };
    assert_eq!(plan(&[0], &[1, 2]), Ok(()));
    assert_eq!(plan(&[0], &[]), Err(MvarError::NoChannel));
    for (to, from, channel) in [(&[0][..], &[1, 0][..], 0), (&[2, 2], &[0], 2), (&[0], &[3], 3)] {
        assert_eq!(plan(to, from), Err(MvarError::BadGroup { channel, n_channels: 3 }));
    }
    let freq = SpectralGranger::new((3, 2), rate(100.0), &[51.0]).map(|_| ());
    assert_eq!(freq, Err(MvarError::BadFrequency { freq_hz: 51.0 }));
    // Noise that is no covariance has no causality, and nothing panics.
    let mut plan = SpectralGranger::new((2, 1), rate(100.0), &[5.0]).unwrap();
    let values = plan.run(MvarView::new(2, &[0.5, 0.1, 0.1, 0.5], &[1.0, 1.0, 1.0, 1.0]));
    assert!(values.iter().any(|x| !x.is_finite()));
}
