//! Connectivity over epochs, over time, of sliding windows; autoregressive models.

use super::{Calls, all_finite, noise, planar, rate, window};
use acquisition::time::SampleIndex;
use decoding::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use decoding::connectivity::mvar::{
    Estimator, Intercept, Mvar, MvarSpec, Portmanteau, SlidingMvar, select_order,
};
use decoding::connectivity::{
    BandEdges, ConnectivityError, ConnectivitySpec, Envelope, EnvelopeCorrelation,
    EpochConnectivity, Measure, NodeStrength, Orthogonalisation, Resolution, Segments,
    SlidingConnectivity, TimeConnectivity, symmetric_orthogonal,
};
use decoding::matrix::Matrix;
use decoding::psd::bands::Band;
use decoding::window::WindowSpec;
use ndarray::Array3;

const WINDOW: WindowSpec = WindowSpec { window_samples: 256, step_samples: 16 };
const SEGMENTS: Segments = Segments { length_samples: 64, step_samples: 32 };
const FREQS: [f64; 3] = [8.0, 10.0, 12.0];

fn spec(measures: &[Measure], low_hz: f64, high_hz: f64) -> ConnectivitySpec {
    ConnectivitySpec {
        measures: measures.to_vec(),
        resolution: Resolution::Bands(vec![Band { low_hz, high_hz }]),
        edges: BandEdges::HalfOpen,
    }
}

/// Plans of every kind.
type Plan = (&'static str, fn(usize, &ConnectivitySpec) -> Result<(), ConnectivityError>);

const PLANS: [Plan; 5] = [
    ("fourier", |n, spec| EpochConnectivity::fourier(n, 256, rate(), spec).map(drop)),
    ("multitaper", |n, spec| EpochConnectivity::multitaper(n, 256, rate(), 4.0, spec).map(drop)),
    ("morlet", |n, spec| EpochConnectivity::morlet(n, 256, rate(), (&FREQS, 5.0), spec).map(drop)),
    ("time", |n, spec| TimeConnectivity::morlet(n, 256, rate(), (&FREQS, 5.0), spec).map(drop)),
    ("sliding", |n, spec| SlidingConnectivity::new(n, WINDOW, rate(), SEGMENTS, spec).map(drop)),
];

#[test]
fn plans_that_do_not_exist() {
    let mut calls = Calls::default();
    let usual = spec(&[Measure::Coherence], 8.0, 13.0);
    let band = ["no frequency lies in", "choose longer segments or another band"];
    for (name, plan) in PLANS {
        for n in [0, 1] {
            let wanted = ["makes no pair", "choose at least two channels"];
            calls.refused(format!("{name}, {n} channels"), wanted, || plan(n, &usual));
        }
        let wanted = ["no measure is asked for", "name at least one"];
        calls.refused(format!("{name}, no measure"), wanted, || plan(3, &spec(&[], 8.0, 13.0)));
        let edges = [(70.0, 90.0), (13.0, 8.0), (f64::NAN, 13.0), (8.0, f64::NAN), (8.1, 8.2)];
        for (low_hz, high_hz) in edges {
            let spec = spec(&[Measure::Coherence], low_hz, high_hz);
            calls.refused(format!("{name}, {low_hz}-{high_hz}"), band, || plan(3, &spec));
        }
        let narrow = spec(&[Measure::PhaseSlope], 8.0, 8.5);
        let wanted = ["the phase slope needs two frequencies", "widen the band"];
        calls.refused(format!("{name}, narrow"), wanted, || plan(3, &narrow));
    }
    let segment = ["a segment of", "choose another, or a longer window"];
    for n in [0, 1] {
        let fourier = || EpochConnectivity::fourier(3, n, rate(), &usual);
        calls.refused(n, segment, fourier);
        calls.refused(n, segment, || EpochConnectivity::multitaper(3, n, rate(), 4.0, &usual));
        calls
            .refused(n, segment, || EpochConnectivity::morlet(3, n, rate(), (&FREQS, 5.0), &usual));
        calls.refused(n, ["", ": "], || {
            TimeConnectivity::morlet(3, n, rate(), (&FREQS, 5.0), &usual)
        });
        let correlation =
            || EnvelopeCorrelation::new(3, n, Orthogonalisation::None, Envelope::Amplitude);
        calls.refused(n, segment, correlation);
    }
    for hz in [0.0, 0.1, -4.0, f64::NAN, f64::INFINITY, 200.0] {
        let wanted = ["a bandwidth of", "choose another"];
        calls.refused(hz, wanted, || EpochConnectivity::multitaper(3, 256, rate(), hz, &usual));
    }
    let bad_waves: [(&[f64], f64); 5] = [
        (&[8.0, 70.0], 5.0),
        (&[8.0, 10.0], 0.0),
        (&[8.0, 10.0], f64::NAN),
        (&[8.0, 10.0], 1e9),
        (&[0.0, 10.0], 5.0),
    ];
    let wide = spec(&[Measure::Coherence], 0.0, 100.0);
    for waves in bad_waves {
        let wanted = ["does not fit 256 samples", "choose fewer cycles"];
        calls.refused(format!("{waves:?}"), wanted, || {
            EpochConnectivity::morlet(3, 256, rate(), waves, &wide)
        });
        calls.refused(format!("{waves:?}"), wanted, || {
            TimeConnectivity::morlet(3, 256, rate(), waves, &wide)
        });
    }
    calls.finish(70);
}

#[test]
fn segments_of_windows() {
    let mut calls = Calls::default();
    let usual = spec(&[Measure::Coherence], 8.0, 13.0);
    let bands = [Band { low_hz: 8.0, high_hz: 13.0 }];
    let plan = |segments| SlidingConnectivity::new(3, WINDOW, rate(), segments, &usual);
    let segment = ["a segment of", "choose another, or a longer window"];
    for length_samples in [0, 1, 257, usize::MAX] {
        let segments = Segments { length_samples, ..SEGMENTS };
        calls.refused(length_samples, segment, || plan(segments));
        calls.refused(length_samples, segment, || {
            NodeStrength::new(3, WINDOW, rate(), segments, &bands)
        });
    }
    calls.refused("no step", ["never end", "choose a step"], || {
        plan(Segments { step_samples: 0, ..SEGMENTS })
    });
    let few = spec(&[Measure::DebiasedSquaredWeightedPhaseLag], 8.0, 13.0);
    let one = Segments { length_samples: 256, ..SEGMENTS };
    calls.refused("one segment", ["observations, not 1", "give more of them"], || {
        SlidingConnectivity::new(3, WINDOW, rate(), one, &few)
    });
    calls.finish(10);
}

fn epochs(n_epochs: usize, n_channels: usize, n_samples: usize) -> Array3<f64> {
    let values = noise(3, n_epochs * n_channels * n_samples);
    Array3::from_shape_vec((n_epochs, n_channels, n_samples), values).expect("so many values")
}

#[test]
fn epochs_that_do_not_fit() {
    let mut calls = Calls::default();
    let usual = spec(&[Measure::Coherence], 8.0, 13.0);
    let over = EpochConnectivity::fourier(3, 256, rate(), &usual).expect("a plan");
    let at = TimeConnectivity::morlet(3, 256, rate(), (&FREQS, 5.0), &usual).expect("a plan");
    let envelope =
        EnvelopeCorrelation::new(3, 256, Orthogonalisation::Pairwise, Envelope::Amplitude);
    let envelope = envelope.expect("a plan");
    let shape = ["do not fit the plan's", "plan for their shape"];
    for other in [epochs(4, 2, 256), epochs(4, 3, 200), epochs(0, 2, 256)] {
        calls.refused("shape", shape, || over.run(&other.view()));
        calls.refused("shape", shape, || at.run_epochs(&other.view()));
        calls.refused("shape", shape, || envelope.run_epochs(&other.view()));
    }
    for bad in [f64::NAN, f64::INFINITY] {
        let mut epochs = epochs(4, 3, 256);
        epochs[(2, 1, 7)] = bad;
        let wanted = ["epoch 2, channel 1: a sample is not finite", "leave the epoch out"];
        calls.refused(bad, wanted, || over.run(&epochs.view()));
        calls.refused(bad, wanted, || at.run_epochs(&epochs.view()));
        calls.refused(bad, wanted, || envelope.run_epochs(&epochs.view()));
    }
    let none = epochs(0, 3, 256);
    calls.refused("no epoch", ["needs", "give more of them"], || over.run(&none.view()));
    calls.given("no epoch, nothing over time", || {
        at.run_epochs(&none.view()).is_ok_and(|maps| maps.is_empty())
    });
    let mut flat = epochs(4, 3, 256);
    flat.slice_mut(ndarray::s![.., 1, ..]).fill(5.0);
    let constant = ["channel 1 is constant in every epoch", "leave it out"];
    calls.refused("a constant", constant, || over.run(&flat.view()));
    calls.finish(18);
}

#[test]
fn windows_that_are_no_signal_are_forgotten() {
    let mut calls = Calls::default();
    let all = [
        Measure::Coherence,
        Measure::PhaseLocking,
        Measure::WeightedPhaseLag,
        Measure::DebiasedSquaredWeightedPhaseLag,
    ];
    let spec = spec(&all, 8.0, 13.0);
    for bad in [f64::NAN, f64::INFINITY] {
        calls.given(format!("{bad} in a window is gone when no segment holds it"), || {
            let plan = || SlidingConnectivity::new(2, WINDOW, rate(), SEGMENTS, &spec);
            let mut sliding = plan().expect("a plan");
            let mut data = window(5, 2, 1024);
            data[300] = bad;
            let whole = planar(&data, 2);
            let mut is_sound = true;
            for k in 0..48 {
                let start = 16 * k;
                let part: Vec<f64> =
                    (0..2).flat_map(|c| whole.channel(c)[start..start + 256].to_vec()).collect();
                let end = SampleIndex((start + 255) as u64);
                let values = sliding.slide(end, planar(&part, 2)).to_vec();
                let holds = (start..start + 256).contains(&300);
                // At the edge of a window a taper of zero hides a sample, but not NaN.
                is_sound &= holds || all_finite(&values);
                let fresh = plan().expect("a plan").slide(end, planar(&part, 2)).to_vec();
                is_sound &= values.iter().zip(&fresh).all(|(a, b)| a.to_bits() == b.to_bits());
            }
            is_sound
        });
    }
    calls.given("a constant channel has no coherence, and takes none from others", || {
        let mut sliding =
            SlidingConnectivity::new(3, WINDOW, rate(), SEGMENTS, &spec).expect("a plan");
        let mut data = window(5, 3, 256);
        data[256..512].fill(4.0);
        let values = sliding.run(planar(&data, 3)).to_vec();
        let with_constant = [0, 2];
        let n_pairs = 3;
        values.chunks_exact(n_pairs).all(|pairs| {
            let none = with_constant.iter().all(|p| pairs[*p] == 0.0 || pairs[*p].is_nan());
            none && pairs[1].is_finite()
        })
    });
    let models = |data: &[f64]| {
        let mut sliding = SlidingMvar::new(2, 3, WINDOW).expect("a plan");
        sliding.slide(SampleIndex(255), planar(data, 2)).is_some()
    };
    calls.given("no model of NaN, a constant or copies, but of noise", || {
        let noise = window(1, 2, 256);
        let mut bad = noise.clone();
        bad[300] = f64::NAN;
        let mut copies = noise.clone();
        copies.copy_within(0..256, 256);
        let mut flat = noise.clone();
        flat[256..].fill(1.0);
        models(&noise) && !models(&bad) && !models(&copies) && !models(&flat)
    });
    calls.finish(4);
}

#[test]
fn channels_that_can_not_be_made_orthogonal() {
    let mut calls = Calls::default();
    let few = ["can't hold 3 orthogonal channels", "give a longer window or fewer channels"];
    let short = window(1, 3, 2);
    calls.refused("short", few, || symmetric_orthogonal(planar(&short, 3)));
    let one = window(1, 1, 50);
    calls.refused("one", ["makes no pair", "choose at least two"], || {
        symmetric_orthogonal(planar(&one, 1))
    });
    let dependent = ["not independent", "leave some out or project them"];
    let mut copies = window(1, 3, 50);
    copies.copy_within(0..50, 100);
    calls.refused("copies", dependent, || symmetric_orthogonal(planar(&copies, 3)));
    calls.refused("zeros", dependent, || symmetric_orthogonal(planar(&[0.0; 150], 3)));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut data = window(1, 3, 50);
        data[60] = bad;
        let wanted = ["channel 1: a sample is not finite", "leave the epoch out"];
        calls.refused(bad, wanted, || symmetric_orthogonal(planar(&data, 3)));
    }
    calls.finish(6);
}

#[test]
fn autoregressive_models() {
    let mut calls = Calls::default();
    let sound = epochs(3, 2, 100);
    for estimator in [Estimator::LeastSquares, Estimator::VieiraMorf] {
        let spec = |order| MvarSpec { order, estimator, intercept: Intercept::Estimated };
        let what = |name: &str| format!("{estimator:?}, {name}");
        calls.refused(what("order"), ["an order of 0", "choose at least 1"], || {
            spec(0).fit(&sound.view())
        });
        let short = ["predicted samples are fewer", "give a longer window, a lower order"];
        for order in [95, 200, 1 << 40] {
            calls.refused(what("order"), short, || spec(order).fit(&sound.view()));
        }
        calls.refused(what("no epoch"), short, || spec(2).fit(&epochs(0, 2, 100).view()));
        calls.refused(what("no sample"), short, || spec(2).fit(&epochs(3, 2, 0).view()));
        let none = ["there is no channel", "give at least one"];
        calls.refused(what("no channel"), none, || spec(2).fit(&epochs(3, 0, 100).view()));
        for bad in [f64::NAN, f64::INFINITY] {
            let mut epochs = sound.clone();
            epochs[(2, 1, 7)] = bad;
            let wanted = ["epoch 2, channel 1: a sample is not finite", "leave the epoch out"];
            calls.refused(what("NaN"), wanted, || spec(2).fit(&epochs.view()));
        }
        let dependent = ["not independent", "leave out constant ones and sums of others"];
        let mut flat = sound.clone();
        flat.slice_mut(ndarray::s![.., 1, ..]).fill(5.0);
        calls.refused(what("constant"), dependent, || spec(2).fit(&flat.view()));
        let mut copies = sound.clone();
        let first = copies.slice(ndarray::s![.., 0, ..]).to_owned();
        copies.slice_mut(ndarray::s![.., 1, ..]).assign(&first);
        calls.refused(what("copies"), dependent, || spec(2).fit(&copies.view()));
    }
    let select = |max_order| select_order(&sound.view(), max_order, Intercept::Zero);
    calls.refused("no order", ["an order of 0", "choose at least 1"], || select(0));
    calls.refused("a high order", ["are fewer", "a lower order"], || select(1 << 40));
    let usual = MvarSpec { order: 2, estimator: Estimator::default(), intercept: Intercept::Zero };
    let model = usual.fit(&sound.view()).expect("a fit");
    let other = ["3 channels do not fit the model's 2", "pass the channels"];
    calls.refused("other channels", other, || model.residuals(&epochs(3, 3, 100).view()));
    let errors = Matrix::new(3, 5, vec![0.0; 15]).expect("finite");
    calls.refused("other errors", other, || model.driven_by(&errors));
    let short = ["are fewer", "give a longer window"];
    calls.refused("short", short, || model.residuals(&epochs(3, 2, 2).view()));
    let white = |n_lags, n| model.whiteness(&epochs(1, 2, n).view(), n_lags, Portmanteau::LjungBox);
    calls.refused("few lags", ["are no more than the order 2", "test more"], || white(2, 100));
    calls.refused("many lags", short, || white(98, 100));
    calls.finish(28);
}

#[test]
fn models_from_parts_and_their_measures() {
    let mut calls = Calls::default();
    let matrix = |r: usize, c: usize| Matrix::new(r, c, vec![0.1; r * c]).expect("finite");
    let parts = ["do not fit each other", "pass those of one model"];
    for (coefficients, n_constants, noise) in [
        (matrix(2, 3), 2, matrix(2, 2)),
        (matrix(2, 4), 1, matrix(2, 2)),
        (matrix(2, 4), 2, matrix(2, 3)),
        (matrix(0, 0), 0, matrix(0, 0)),
        (matrix(2, 0), 2, matrix(2, 2)),
    ] {
        calls.refused("parts", parts, || Mvar::new(coefficients, vec![0.0; n_constants], noise));
    }
    let json = r#"{"coefficients":{"n_rows":0,"n_cols":0,"data":[]},"intercept":[],
        "noise":{"n_rows":0,"n_cols":0,"data":[]},"n_observations":0,"n_regressors":0}"#;
    calls.refused("a file", parts, || serde_json::from_str::<Mvar>(json));
    let all = [DirectedMeasure::Transfer, DirectedMeasure::PartialCoherence];
    let plan = |shape, freqs: &[f64]| DirectedConnectivity::new(shape, rate(), freqs, &all);
    calls.refused("no channel", ["there is no channel", "give"], || plan((0, 2), &FREQS));
    calls.refused("no order", ["an order of 0", "choose"], || plan((2, 0), &FREQS));
    let wanted = ["not between 0 and half the rate", "name some that are"];
    for freqs in [&[][..], &[70.0], &[-1.0], &[f64::NAN]] {
        calls.refused(format!("{freqs:?}"), wanted, || plan((2, 2), freqs));
    }
    let uneven = ["is no multiple of its step", "choose a step that divides it"];
    for step_samples in [0, 100] {
        let window = WindowSpec { step_samples, ..WINDOW };
        calls.refused(step_samples, uneven, || SlidingMvar::new(2, 3, window));
    }
    calls.refused("order", ["are fewer", "a lower order"], || SlidingMvar::new(2, 250, WINDOW));
    calls.refused("order", ["an order of 0", "choose"], || SlidingMvar::new(2, 0, WINDOW));
    calls.refused("channels", ["there is no channel", "give"], || SlidingMvar::new(0, 3, WINDOW));
    calls.finish(17);
}
