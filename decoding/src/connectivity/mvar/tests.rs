use super::*;
use crate::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use crate::connectivity::tests::{assert_near, epochs_of, error, noise};
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Written by `tests/reference/golden_mvar.py` with statsmodels 0.15.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/mvar.json"));

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    order: usize,
    window: Vec<Vec<f64>>,
    epochs: Vec<Vec<Vec<f64>>>,
    with_constant: Fit,
    without_constant: Fit,
    over_epochs: Numbers,
    vieira_morf: Numbers,
    freqs_hz: Vec<f64>,
    directed: BTreeMap<String, Vec<Vec<Vec<f64>>>>,
}

#[derive(Deserialize)]
struct Numbers {
    coefficients: Vec<Vec<f64>>,
    noise: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Fit {
    coefficients: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    noise: Vec<Vec<f64>>,
    unbiased_noise: Vec<Vec<f64>>,
    spectral_radius: f64,
    orders: BTreeMap<String, Vec<f64>>,
    whiteness: BTreeMap<String, [f64; 3]>,
    residual_head: Vec<Vec<f64>>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("a golden file")
}

fn spec(order: usize, estimator: Estimator, intercept: Intercept) -> MvarSpec {
    MvarSpec { order, estimator, intercept }
}

#[test]
fn least_squares_and_its_diagnostics_are_those_of_statsmodels() {
    let golden = golden();
    let window = epochs_of(std::slice::from_ref(&golden.window));
    for (fit, intercept) in
        [(&golden.with_constant, Intercept::Estimated), (&golden.without_constant, Intercept::Zero)]
    {
        let spec = spec(golden.order, Estimator::LeastSquares, intercept);
        let model = spec.fit(&window.view()).unwrap();
        assert_near(model.coefficients().as_slice(), &fit.coefficients.concat());
        if intercept == Intercept::Estimated {
            assert_near(model.intercept(), &fit.intercept);
        }
        assert_near(model.noise().as_slice(), &fit.noise.concat());
        let factor = model.unbiased_factor().unwrap();
        let unbiased: Vec<f64> = model.noise().as_slice().iter().map(|x| x * factor).collect();
        assert_near(&unbiased, &fit.unbiased_noise.concat());
        assert_near(&[model.spectral_radius()], &[fit.spectral_radius]);
        let errors = model.residuals(&window.view()).unwrap();
        let head: Vec<f64> = errors.slice(ndarray::s![0, .., ..3]).iter().copied().collect();
        assert_near(&head, &fit.residual_head.concat());

        let orders = select_order(&window.view(), 8, intercept).unwrap();
        let column =
            |of: fn(&OrderScore) -> f64| orders.scores().iter().map(of).collect::<Vec<_>>();
        assert_near(&column(|s| s.akaike), &fit.orders["akaike"]);
        assert_near(&column(|s| s.bayesian), &fit.orders["bayesian"]);
        assert_near(&column(|s| s.hannan_quinn), &fit.orders["hannan_quinn"]);
        assert_near(&column(|s| s.final_prediction_error), &fit.orders["final_prediction_error"]);

        for (name, kind) in
            [("ljung_box", Portmanteau::LjungBox), ("box_pierce", Portmanteau::BoxPierce)]
        {
            let white = model.whiteness(&window.view(), 12, kind).unwrap();
            let [statistic, n_degrees, p] = fit.whiteness[name];
            assert_near(&[white.statistic], &[statistic]);
            assert_eq!(white.n_degrees as f64, n_degrees);
            assert!((white.p - p).abs() <= 1e-9, "{} {p}", white.p);
        }
    }
}

#[test]
fn epochs_are_those_of_mne_connectivity_and_of_the_recursion() {
    let golden = golden();
    let epochs = epochs_of(&golden.epochs);
    for (numbers, estimator, intercept) in [
        (&golden.over_epochs, Estimator::LeastSquares, Intercept::Zero),
        (&golden.vieira_morf, Estimator::VieiraMorf, Intercept::Estimated),
    ] {
        let model = spec(golden.order, estimator, intercept).fit(&epochs.view()).unwrap();
        assert_near(model.coefficients().as_slice(), &numbers.coefficients.concat());
        assert_near(model.noise().as_slice(), &numbers.noise.concat());
    }
}

#[test]
fn directed_measures_are_their_formulas() {
    let golden = golden();
    let numbers = &golden.over_epochs;
    let (a, c) = (numbers.coefficients.concat(), numbers.noise.concat());
    let named = [
        ("transfer", DirectedMeasure::Transfer),
        ("full_frequency_transfer", DirectedMeasure::FullFrequencyTransfer),
        ("direct_transfer", DirectedMeasure::DirectTransfer),
        ("direct_transfer08", DirectedMeasure::DirectTransfer08),
        ("partial_coherence", DirectedMeasure::PartialCoherence),
        ("generalised_partial_coherence", DirectedMeasure::GeneralisedPartialCoherence),
    ];
    let measures = named.map(|(_, measure)| measure);
    let rate = SampleRate::new(golden.rate_hz).unwrap();
    let shape = (golden.window.len(), golden.order);
    let mut plan = DirectedConnectivity::new(shape, rate, &golden.freqs_hz, &measures).unwrap();
    let n = golden.freqs_hz.len() * shape.0 * shape.0;
    // The second run finds what the first left.
    for _ in 0..2 {
        let values = plan.run(MvarView::new(shape.0, &a, &c)).to_vec();
        for ((name, _), values) in named.iter().zip(values.chunks_exact(n)) {
            assert_near(values, &golden.directed[*name].concat().concat());
        }
    }
    let mut band = vec![f64::NAN; 6 * shape.0 * shape.0];
    plan.band_into((4.0, 21.0), &mut band);
    let dtf = &golden.directed["transfer"];
    let expected: f64 = (1..4).map(|f| dtf[f][0][1]).sum::<f64>() / 3.0;
    assert_near(&band[1..2], &[expected]);
}

#[test]
fn sliding_models_are_least_squares_from_any_start() {
    let golden = golden();
    let (order, m) = (golden.order, golden.window.len());
    let data = golden.window.concat();
    let window = WindowSpec { window_samples: 160, step_samples: 16 };
    let run = |from: usize| {
        let mut sliding = SlidingMvar::new(m, order, window).unwrap();
        let mut last = Vec::new();
        for start in (from..=240).step_by(16) {
            let samples = Planar::new(&data[start..], m, 400, 160);
            let model = sliding.slide(SampleIndex(start as u64 + 159), samples).unwrap();
            last = [model.coefficients, model.noise].concat();
        }
        (last, sliding.intercept().to_vec())
    };
    let (values, intercept) = run(0);
    assert_eq!(run(240), (values.clone(), intercept.clone()));
    // The first block is past only, so the fit predicts what follows sample 12.
    let epoch = Array3::from_shape_fn((1, m, 148), |(_, c, t)| data[c * 400 + 252 + t]);
    let spec = spec(order, Estimator::LeastSquares, Intercept::Estimated);
    let model = spec.fit(&epoch.view()).unwrap();
    let expected = [model.coefficients().as_slice(), model.noise().as_slice()].concat();
    assert_near(&values, &expected);
    assert_near(&intercept, model.intercept());
}

/// Five channels of Baccalá and Sameshima (2001), example 3: 1 drives 2, 3 and 4; 4 and 5
/// drive each other.
fn simulated(n: usize) -> Mvar {
    let r = 2.0_f64.sqrt();
    let edges: [(usize, usize, usize, f64); 9] = [
        (0, 0, 1, 0.95 * r),
        (0, 0, 2, -0.9025),
        (1, 0, 2, 0.5),
        (2, 0, 3, -0.4),
        (3, 0, 2, -0.5),
        (3, 3, 1, 0.25 * r),
        (3, 4, 1, 0.25 * r),
        (4, 3, 1, -0.25 * r),
        (4, 4, 1, 0.25 * r),
    ];
    let mut a = vec![0.0; 75];
    for (to, from, lag, value) in edges {
        a[to * 15 + (lag - 1) * 5 + from] = value;
    }
    let unit = (0..25).map(|i| f64::from(u8::from(i % 6 == 0))).collect();
    let known = Mvar::new(
        Matrix::new(5, 15, a).expect("finite"),
        vec![0.0; 5],
        Matrix::new(5, 5, unit).expect("finite"),
    )
    .expect("matrices that fit");
    let errors = Matrix::new(5, n, noise(5 * n, 7)).expect("finite");
    let samples = known.driven_by(&errors).expect("five channels").concat();
    let epochs = Array3::from_shape_vec((1, 5, n), samples).expect("as many samples");
    let best = select_order(&epochs.view(), 8, Intercept::Zero).expect("samples enough");
    let order = best.best(Criterion::Bayesian);
    let spec = spec(order, Estimator::VieiraMorf, Intercept::Estimated);
    spec.fit(&epochs.view()).expect("samples enough")
}

#[test]
fn the_edges_of_a_known_model_are_found() {
    let model = simulated(4000);
    assert_eq!(model.order(), 3);
    assert!(model.spectral_radius() < 1.0);
    let rate = SampleRate::new(1.0).unwrap();
    let freqs: Vec<f64> = (0..64).map(|f| f64::from(f) / 128.0).collect();
    let measures = [DirectedMeasure::PartialCoherence, DirectedMeasure::Transfer];
    let mut plan = DirectedConnectivity::new((5, 3), rate, &freqs, &measures).unwrap();
    let values = plan.run(model.view());
    let largest = |measure: usize, to: usize, from: usize| {
        let at = |f: usize| values[measure * 64 * 25 + f * 25 + to * 5 + from];
        (0..64).map(at).fold(0.0_f64, f64::max)
    };
    let edges = [(1, 0), (2, 0), (3, 0), (3, 4), (4, 3)];
    for to in 0..5 {
        for from in (0..5).filter(|from| *from != to) {
            let is_edge = edges.contains(&(to, from));
            let value = largest(0, to, from);
            assert_eq!(value > 0.15, is_edge, "{to} from {from}: {value}");
        }
    }
    // What 1 sends to 4 arrives at 5, which sends nothing back to 1.
    assert!(largest(1, 4, 0) > 0.15);
    assert!(largest(1, 0, 4) < 0.15);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let x = Array3::from_shape_vec((1, 3, 60), noise(180, 3)).unwrap();
    for estimator in [Estimator::LeastSquares, Estimator::VieiraMorf] {
        let fit = |order, x: &Array3<f64>| {
            spec(order, estimator, Intercept::Estimated).fit(&x.view()).unwrap_err()
        };
        assert_eq!(fit(0, &x), MvarError::NoOrder);
        assert!(matches!(fit(15, &x), MvarError::TooShort { n_channels: 3, .. }));
        assert!(matches!(fit(100, &x), MvarError::TooShort { n_observations: 0, .. }));
        let mut odd = x.clone();
        odd[(0, 1, 7)] = f64::NAN;
        assert_eq!(fit(2, &odd), MvarError::NotFinite { epoch: 0, channel: 1 });
        let mut sum = x.clone();
        let mean = sum.mean_axis(Axis(1)).unwrap().insert_axis(Axis(1));
        sum -= &mean;
        assert_eq!(fit(2, &sum), MvarError::Dependent);
        let mut constant = x.clone();
        constant.index_axis_mut(Axis(1), 0).fill(4.0);
        assert_eq!(fit(2, &constant), MvarError::Dependent);
        assert_eq!(fit(1, &Array3::zeros((1, 0, 60))), MvarError::NoChannel);
    }
    let model = spec(2, Estimator::LeastSquares, Intercept::Zero).fit(&x.view()).unwrap();
    let lags = model.whiteness(&x.view(), 2, Portmanteau::LjungBox);
    assert_eq!(lags, Err(MvarError::TooFewLags { n_lags: 2, order: 2 }));
    let uneven = SlidingMvar::new(3, 2, WindowSpec { window_samples: 60, step_samples: 7 });
    assert!(matches!(uneven, Err(MvarError::UnevenWindow { .. })));
    let window = WindowSpec { window_samples: 60, step_samples: 10 };
    let mut sliding = SlidingMvar::new(3, 2, window).unwrap();
    let zeros = vec![0.0; 180];
    assert!(sliding.slide(SampleIndex(59), Planar::new(&zeros, 3, 60, 60)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Units of channels scale coefficients, and leave GPDC and stability alone.
    #[test]
    fn units_do_not_matter(seed in 0_u64..1000, scale in 0.01_f64..100.0) {
        let samples = noise(3 * 90, seed);
        let x = Array3::from_shape_vec((1, 3, 90), samples).unwrap();
        let mut scaled = x.clone();
        scaled.index_axis_mut(Axis(1), 1).mapv_inplace(|v| v * scale);
        let rate = SampleRate::new(100.0).unwrap();
        let gpdc = [DirectedMeasure::GeneralisedPartialCoherence];
        for estimator in [Estimator::LeastSquares, Estimator::VieiraMorf] {
            let spec = spec(3, estimator, Intercept::Estimated);
            let values = [&x, &scaled].map(|x| {
                let model = spec.fit(&x.view()).unwrap();
                let plan = DirectedConnectivity::new((3, 3), rate, &[5.0, 30.0], &gpdc);
                let mut values = plan.unwrap().run(model.view()).to_vec();
                values.push(model.spectral_radius());
                values
            });
            prop_assert!(error(&values[0], &values[1]) < 1e-9);
        }
    }

    /// The recursion is stable, however short the window.
    #[test]
    fn the_recursion_is_stable(seed in 0_u64..1000, order in 1_usize..6) {
        // Sums of noise: far from white, as recordings are.
        let mut x = Array2::from_shape_vec((3, 26), noise(78, seed)).unwrap();
        x.accumulate_axis_inplace(Axis(1), |before, now| *now += before);
        let x = x.insert_axis(Axis(0));
        let model = spec(order, Estimator::VieiraMorf, Intercept::Estimated).fit(&x.view()).unwrap();
        prop_assert!(model.spectral_radius() < 1.0);
    }
}
