//! Channel algebra, bad channels and artefacts.

use super::{Calls, all_finite, mat, noise, rate, window};
use acquisition::montage::{TEN_TEN, position_m};
use acquisition::time::SampleRate;
use decoding::artifact::asr::{
    Asr, AsrParams, CleanerParams, DistributionParams, fit_distribution,
};
use decoding::artifact::bad_channels::{BadChannelParams, RansacParams, Reason, find};
use decoding::artifact::eog_regression::EogRegression;
use decoding::matrix::{Matrix, MatrixError};
use decoding::spatial::ChannelMap;
use decoding::spatial::laplacian::{Edge, Reach, laplacian};
use decoding::spatial::reference::Reference;
use decoding::spatial::rest::rest;
use decoding::spatial::spline::SphericalSpline;
use faer::{Mat, MatRef};

const UNKNOWN: [&str; 2] = ["there is no channel", "name channels of the recording"];
const TWICE: [&str; 2] = ["two channels are called", "rename one or leave it out"];

#[test]
fn maps_of_channels() {
    let mut calls = Calls::default();
    let (labels, none) = (["A", "B", "C"], [] as [&str; 0]);
    let few = ["are too few", "name more of them"];
    calls.refused("none", few, || ChannelMap::common_average(&none));
    calls.refused("no reference", few, || ChannelMap::linked(&labels, &none));
    calls.refused("another reference", UNKNOWN, || ChannelMap::linked(&labels, &["X"]));
    calls.refused("another anode", UNKNOWN, || ChannelMap::bipolar(&labels, &[("X", "A")]));
    calls.refused("a name twice", TWICE, || ChannelMap::common_average(&["A", "B", "A"]));
    calls
        .refused("a pair twice", TWICE, || ChannelMap::bipolar(&labels, &[("A", "B"), ("A", "B")]));
    let sound = ChannelMap::common_average(&labels).expect("a map");
    calls.refused("a stream without one", UNKNOWN, || sound.plan(&["A", "B"]));
    let other = ChannelMap::common_average(&["A", "D"]).expect("a map");
    calls.refused("maps that do not follow", UNKNOWN, || sound.then(&other));
    calls.refused("weights", ["are needed", "pass as many as there are channels"], || {
        ChannelMap::new(&labels, &labels, Matrix::new(2, 3, vec![0.0; 6]).expect("finite"))
    });
    for bad in [f64::NAN, f64::INFINITY] {
        calls.refused(bad, ["is not finite", "train again on finite samples"], || {
            Matrix::new(1, 1, vec![bad])
        });
    }
    calls.refused("values", ["can't hold 3 values", "train the model again"], || {
        Matrix::new(2, 2, vec![0.0; 3])
    });
    calls.given("no values", || {
        Matrix::new(0, 0, vec![]).is_ok()
            && Matrix::new(usize::MAX, 2, vec![0.0])
                .is_err_and(|e| matches!(e, MatrixError::WrongLength { .. }))
    });
    calls.refused("no link", ["has no channel", "name at least one"], || {
        Reference::Linked(vec![]).check(3)
    });
    calls.refused("another link", ["is not among the 3", "name channels"], || {
        Reference::Linked(vec![5]).check(3)
    });
    calls.given("one channel against itself is nothing", || {
        let mut frame = [0.0];
        let one = ChannelMap::common_average(&["A"]).and_then(|map| map.plan(&["A"]));
        one.expect("a map").apply_frame(&[7.0], &mut frame);
        frame == [0.0]
    });
    calls.finish(15);
}

#[test]
fn neighbours_and_splines() {
    let mut calls = Calls::default();
    let none: [&str; 0] = [];
    let lonely = ["has its neighbours", "take more channels"];
    for edge in [Edge::Drop, Edge::Fewer] {
        calls.refused("none", lonely, || laplacian(&none, Reach::Small, edge));
        calls.refused("one", lonely, || laplacian(&["Cz"], Reach::Large, edge));
        calls.refused("two far apart", lonely, || laplacian(&["Fpz", "Iz"], Reach::Small, edge));
        let place = ["its place is not known", "leave it out, or rename it"];
        calls.refused("an eye", place, || laplacian(&["C3", "EOG"], Reach::Small, edge));
    }
    let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).expect("a place")).collect();
    let spline = SphericalSpline::default();
    let wrong = ["is not possible", "choose a positive number"];
    for bad in [
        SphericalSpline { stiffness: 0, ..spline },
        SphericalSpline { n_terms: 0, ..spline },
        SphericalSpline { lambda: -1.0, ..spline },
        SphericalSpline { lambda: f64::NAN, ..spline },
    ] {
        calls.refused(format!("{bad:?}"), wrong, || bad.weights(&places, &places));
        let density = || bad.current_source_density(&TEN_TEN, &places, [0.0; 3], 0.1);
        calls.refused(format!("{bad:?}"), wrong, density);
    }
    for radius in [0.0, -1.0, f64::NAN] {
        calls.refused(radius, wrong, || {
            spline.current_source_density(&TEN_TEN, &places, [0.0; 3], radius)
        });
    }
    calls.refused("no electrode", ["are too few", "name more"], || spline.weights(&[], &places));
    let off = ["is not finite or is the centre", "correct it or leave the channel out"];
    for bad in [[0.0; 3], [f64::NAN, 0.0, 1.0], [f64::INFINITY, 0.0, 1.0]] {
        calls.refused(format!("{bad:?}"), off, || spline.weights(&[bad], &places));
    }
    let twice = [places[0], places[1], places[1]];
    let exact = SphericalSpline { lambda: 0.0, ..spline };
    let singular = ["are singular", "look for two electrodes at one place"];
    calls.refused("one place twice", singular, || exact.weights(&twice, &places));
    let all_bad = spline.interpolation(&["C3"], &places[..1], [0.0; 3], &["C3"]);
    calls.refused("all bad", ["are too few", "name more"], || all_bad);
    calls.refused("places", ["are needed", "pass as many"], || {
        spline.interpolation(&TEN_TEN, &places[1..], [0.0; 3], &["C3"])
    });
    calls.refused("another bad one", UNKNOWN, || {
        spline.interpolation(&TEN_TEN, &places, [0.0; 3], &["X"])
    });
    let field = mat(&window(1, 3, 10), 3);
    calls.refused("a field of others", ["are needed", "pass as many"], || {
        rest(&["A", "B"], field.as_ref())
    });
    calls.refused("one electrode", ["are too few", "name more"], || {
        rest(&["A"], field.as_ref().subrows(0, 1))
    });
    let field_of = |value: f64| rest(&["A", "B", "C"], Mat::full(3, 10, value).as_ref());
    for value in [0.0, f64::NAN, f64::INFINITY] {
        calls.refused(value, ["are singular", "a field of zeros"], || field_of(value));
    }
    calls.finish(30);
}

/// A recording of eight channels and 20 s.
fn recording() -> Mat<f64> {
    mat(&window(3, 8, 20 * 128), 8)
}

#[test]
fn bad_channels() {
    let mut calls = Calls::default();
    let params = BadChannelParams::default();
    let samples = recording();
    let run =
        |params: &BadChannelParams, samples: MatRef<'_, f64>| find(params, rate(), samples, None);
    let positive = ["is not possible", "choose a positive number, and shares below 1"];
    for value in [0.0, -1.0, f64::NAN] {
        for params in [
            BadChannelParams { flat_below: value, ..params },
            BadChannelParams { deviation_z: value, ..params },
            BadChannelParams { noise_z: value, ..params },
            BadChannelParams { correlation_secs: value, ..params },
            BadChannelParams { min_correlation: value, ..params },
            BadChannelParams { max_bad_windows: value, ..params },
            BadChannelParams {
                ransac: RansacParams { window_secs: value, ..params.ransac },
                ..params
            },
        ] {
            calls.refused(value, positive, || run(&params, samples.as_ref()));
        }
    }
    let short = ["samples are too few", "record longer"];
    for n in [0, 1, 50] {
        calls.refused(n, short, || run(&params, samples.as_ref().subcols(0, n)));
    }
    let places: Vec<_> = TEN_TEN.iter().map(|l| position_m(l).expect("a place")).collect();
    let with = |n: usize| find(&params, rate(), samples.as_ref(), Some(&places[..n]));
    calls.refused("places", ["7 positions for 8 channels", "pass one for each"], || with(7));
    let few = ["good channels are too few", "record more, or leave the positions out"];
    calls.refused("few channels", few, || with(8));
    calls.given("what is no number, and what is constant, is named", || {
        let mut samples = samples.clone();
        samples[(2, 100)] = f64::NAN;
        samples[(3, 200)] = f64::INFINITY;
        samples.row_mut(5).fill(4.0);
        let found = run(&params, samples.as_ref()).expect("a report");
        found[2].reasons == [Reason::NotFinite]
            && found[3].reasons == [Reason::NotFinite]
            && found[5].reasons == [Reason::Flat]
            && found.iter().all(|r| r.deviation_z.is_finite() && r.noise_z.is_finite())
    });
    calls.given("no channel, one channel, nothing but constants", || {
        let n_of = |samples: MatRef<'_, f64>| run(&params, samples).map(|found| found.len());
        n_of(samples.as_ref().subrows(0, 0)) == Ok(0)
            && n_of(samples.as_ref().subrows(0, 1)) == Ok(1)
            && n_of(Mat::zeros(3, 2560).as_ref()) == Ok(3)
    });
    calls.finish(28);
}

#[test]
fn eyes() {
    let mut calls = Calls::default();
    let samples = recording();
    let fit = |samples: MatRef<'_, f64>, brain: &[usize], eog: &[usize]| {
        EogRegression::fit(&[samples], brain, eog)
    };
    let none = ["at least one brain channel and one EOG", "name them"];
    calls.refused("no brain", none, || fit(samples.as_ref(), &[], &[7]));
    calls.refused("no eye", none, || fit(samples.as_ref(), &[0], &[]));
    calls.refused("no epoch", none, || EogRegression::fit(&[], &[0], &[7]));
    let named = ["is not among the 8 channels, or is named twice", "name each of them once"];
    calls.refused("another channel", named, || fit(samples.as_ref(), &[0], &[8]));
    calls.refused("one twice", named, || fit(samples.as_ref(), &[0, 7], &[7]));
    let short = ["samples are too few", "calibrate longer"];
    for n in [0, 2] {
        calls.refused(n, short, || fit(samples.as_ref().subcols(0, n), &[0], &[6, 7]));
    }
    let dependent = ["is constant, or a combination", "leave it out"];
    let mut copied = samples.clone();
    let copy = copied.row(6).to_owned();
    copied.row_mut(7).copy_from(&copy);
    calls.refused("copies", dependent, || fit(copied.as_ref(), &[0], &[6, 7]));
    let mut flat = samples.clone();
    flat.row_mut(7).fill(1.0);
    calls.refused("a constant", dependent, || fit(flat.as_ref(), &[0], &[7]));
    for (channel, bad) in [(0, f64::NAN), (7, f64::NAN), (7, f64::INFINITY)] {
        let mut samples = samples.clone();
        samples[(channel, 5)] = bad;
        let wanted = ["are not finite", "cut NaN and infinite ones out"];
        calls.refused(bad, wanted, || fit(samples.as_ref(), &[0], &[7]));
    }
    let sound = fit(samples.as_ref(), &[0, 1], &[7]).expect("a fit");
    calls.given("a frame that is no number leaves nothing behind", || {
        let mut frame = [f64::NAN; 8];
        sound.apply_frame(&mut frame);
        let mut next = [1.0; 8];
        sound.apply_frame(&mut next);
        frame[0].is_nan() && all_finite(&next)
    });
    calls.finish(13);
}

#[test]
fn subspaces() {
    let mut calls = Calls::default();
    let params = AsrParams::default();
    let samples = recording();
    let fit = |params: AsrParams, samples: MatRef<'_, f64>| Asr::fit(params, rate(), samples);
    for bad in [
        AsrParams { cutoff: 0.0, ..params },
        AsrParams { cutoff: f64::NAN, ..params },
        AsrParams { block_samples: 0, ..params },
        AsrParams { window_secs: 0.0, ..params },
        AsrParams { window_secs: f64::INFINITY, ..params },
        AsrParams { overlap: 1.0, ..params },
        AsrParams { max_dropout_fraction: 0.5, ..params },
        AsrParams { min_clean_fraction: 0.0, ..params },
        AsrParams { max_bad_fraction: f64::NAN, ..params },
    ] {
        calls.refused(format!("{bad:?}"), ["is not possible", "choose"], || {
            fit(bad, samples.as_ref())
        });
    }
    let short = ["clean samples are too few", "record a minute or more"];
    for n in [0, 10, 64, 300] {
        calls.refused(n, short, || fit(params, samples.as_ref().subcols(0, n)));
    }
    let long = AsrParams { window_secs: 1e9, ..params };
    calls.refused("a window beyond the end", short, || fit(long, samples.as_ref()));
    calls.refused("no channel", ["no matrix to work on", "pass at least one"], || {
        fit(params, samples.as_ref().subrows(0, 0))
    });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut samples = samples.clone();
        samples[(2, 700)] = bad;
        calls.refused(bad, ["are not finite", "cut these samples out"], || {
            fit(params, samples.as_ref())
        });
        calls.refused(bad, ["are not finite", "cut these samples out"], || {
            Asr::fit_clean(params, rate(), samples.as_ref())
        });
    }
    let mut flat = samples.clone();
    flat.row_mut(4).fill(0.0);
    calls.refused("a flat channel", ["same amplitude throughout", "leave out flat"], || {
        fit(params, flat.as_ref())
    });
    let slow = SampleRate::new(80.0).expect("a rate");
    calls.refused("a slow rate", ["no stable filter", "record faster"], || {
        Asr::fit_clean(params, slow, samples.as_ref())
    });
    calls.finish(20);
}

#[test]
fn cleaners() {
    let mut calls = Calls::default();
    let samples = recording();
    let asr = Asr::fit(AsrParams::default(), rate(), samples.as_ref()).expect("a calibration");
    let cleaner = CleanerParams::default();
    for bad in [
        CleanerParams { lookahead_secs: -1.0, ..cleaner },
        CleanerParams { lookahead_secs: 9.0, ..cleaner },
        CleanerParams { lookahead_secs: f64::NAN, ..cleaner },
        CleanerParams { step_samples: 0, ..cleaner },
        CleanerParams { step_samples: 1000, ..cleaner },
        CleanerParams { max_removed_fraction: 0.0, ..cleaner },
        CleanerParams { max_removed_fraction: f64::NAN, ..cleaner },
    ] {
        calls.refused(format!("{bad:?}"), ["is not possible", "choose"], || asr.cleaner(bad));
    }
    calls.given("a frame that is no number comes out as it is, and others as they would", || {
        let mut plan = asr.cleaner(cleaner).expect("a plan");
        let mut out = Vec::new();
        for t in 0..400 {
            let mut frame: Vec<f64> = samples.col(t).iter().copied().collect();
            frame[1] = if t == 100 { f64::NAN } else { frame[1] };
            out.extend_from_slice(plan.push_frame(&frame));
        }
        out.chunks_exact(8).enumerate().all(|(t, frame)| all_finite(frame) == (t != 100))
    });
    // A file may hold a calibration that no fit has made.
    let damaged = |part: &str, value: serde_json::Value| {
        let mut model = serde_json::to_value(&asr).expect("plain data");
        model[part] = value;
        serde_json::from_value::<Asr>(model).expect("a calibration as a file holds it")
    };
    let small = serde_json::to_value(Matrix::new(2, 2, vec![1.0; 4]).expect("finite"));
    let small = damaged("thresholds", small.expect("plain data"));
    calls.refused("other thresholds", ["not both of 8 channels", "calibrate again"], || {
        small.cleaner(cleaner)
    });
    let long = damaged("window_secs", 1e12.into());
    calls.refused("an endless window", ["is not possible", "at most a minute"], || {
        long.cleaner(cleaner)
    });
    calls.finish(10);
}

#[test]
fn amplitudes_without_a_clean_part() {
    let mut calls = Calls::default();
    let usual = DistributionParams { min_clean_fraction: 0.25, max_dropout_fraction: 0.1 };
    let amplitudes: Vec<f64> = noise(1, 100).iter().map(|x| 2.0 + x).collect();
    let fit = |amplitudes: &[f64]| fit_distribution(usual, amplitudes);
    calls.refused("few", ["are too few", "record a minute"], || fit(&amplitudes[..19]));
    calls.refused("constants", ["same amplitude", "leave out flat"], || fit(&[1.0; 50]));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut amplitudes = amplitudes.clone();
        amplitudes[7] = bad;
        calls.refused(bad, ["are not finite", "cut these samples out"], || fit(&amplitudes));
    }
    for (clean, dropout) in [(f64::NAN, 0.1), (0.0, 0.1), (1.5, 0.1), (0.25, f64::NAN), (0.25, 0.9)]
    {
        let params =
            DistributionParams { min_clean_fraction: clean, max_dropout_fraction: dropout };
        calls.refused(format!("{params:?}"), ["is not possible", "choose"], || {
            fit_distribution(params, &amplitudes)
        });
    }
    calls.finish(9);
}
