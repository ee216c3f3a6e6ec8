use super::*;
use faer::{Mat, MatRef};
use proptest::prelude::*;

type Rows = Vec<Vec<f64>>;

/// Written by `tests/reference/golden_artifact.py` with asrpy 0.0.8.
#[derive(Deserialize)]
struct Golden {
    shaping: Vec<Filter>,
    calibration: Rows,
    clean_runs: Vec<usize>,
    cutoff: f64,
    root: Rows,
    thresholds: Rows,
    samples: Rows,
    cleaned: Rows,
    amplitudes: Rows,
    fits: Vec<Fit>,
}

#[derive(Deserialize)]
struct Filter {
    rate_hz: f64,
    b: Vec<f64>,
    a: Vec<f64>,
}

#[derive(Deserialize)]
struct Fit {
    mean: f64,
    std: f64,
    scale: f64,
    shape: f64,
}

fn golden() -> Golden {
    let golden =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/asr.json"));
    serde_json::from_str(golden).expect("the golden file is whole")
}

fn mat(rows: &Rows) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn rate(hz: f64) -> SampleRate {
    SampleRate::new(hz).expect("a rate of the golden file")
}

/// `‖a - b‖ / ‖b‖`.
fn difference(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    (a - b).norm_l2() / b.norm_l2()
}

fn calibrated(golden: &Golden) -> Asr {
    let params = AsrParams { cutoff: golden.cutoff, ..Default::default() };
    Asr::fit(params, rate(160.0), mat(&golden.calibration).as_ref()).expect("it is clean")
}

#[test]
fn shaping_filters_are_asrpys() {
    for design in golden().shaping {
        let ours = Shaping::new(rate(design.rate_hz)).unwrap();
        let pairs = [(ours.numerator(), &design.b), (ours.denominator(), &design.a)];
        for (x, y) in pairs.into_iter().flat_map(|(ours, golden)| ours.iter().zip(golden)) {
            assert!((x - y).abs() < 1e-9 * y.abs().max(1.0), "{}: {x} {y}", design.rate_hz);
        }
    }
    assert!(matches!(Shaping::new(rate(80.0)), Err(AsrError::NoFilter { .. })));
    // At a high rate the first edges share a point of the grid.
    assert!(Shaping::new(rate(5000.0)).is_ok_and(|s| s.numerator().iter().all(|b| b.is_finite())));
}

#[test]
fn distributions_are_asrpys() {
    let golden = golden();
    let params = DistributionParams { min_clean_fraction: 0.25, max_dropout_fraction: 0.1 };
    for (amplitudes, fit) in golden.amplitudes.iter().zip(&golden.fits) {
        let ours = fit_distribution(params, amplitudes).unwrap();
        let pairs = [
            (ours.mean, fit.mean),
            (ours.std, fit.std),
            (ours.scale, fit.scale),
            (ours.shape, fit.shape),
        ];
        for (x, y) in pairs {
            assert!((x - y).abs() < 1e-9 * y.abs(), "{ours:?} {y}");
        }
    }
}

#[test]
fn calibrations_are_asrpys() {
    let golden = golden();
    let samples = mat(&golden.calibration);
    let params = AsrParams { cutoff: golden.cutoff, ..Default::default() };
    let keep = Asr::clean_samples(params, rate(160.0), samples.as_ref()).unwrap();
    let before = |t: usize| t > 0 && keep[t - 1];
    let now = |t: usize| t < keep.len() && keep[t];
    let runs: Vec<usize> = (0..=keep.len()).filter(|t| before(*t) != now(*t)).collect();
    assert_eq!(runs, golden.clean_runs);
    let asr = calibrated(&golden);
    let root = mat(&golden.root);
    let covariance = &root * &root;
    assert!(difference(asr.covariance().to_faer().as_ref(), covariance.as_ref()) < 1e-9);
    // Eigenvectors have no sign: the limits `‖T v‖` do not see it.
    let gram = |t: &Mat<f64>| t.transpose() * t;
    let (ours, theirs) = (asr.thresholds().to_faer(), mat(&golden.thresholds));
    let d = difference(gram(&ours).as_ref(), gram(&theirs).as_ref());
    assert!(d < 1e-9, "{d}");
}

#[test]
fn cleaned_samples_are_asrpys() {
    let golden = golden();
    let mut cleaner = calibrated(&golden).cleaner(CleanerParams::default()).unwrap();
    assert_eq!(cleaner.delay_samples(), 71);
    let mut samples = mat(&golden.samples);
    let raw = samples.clone();
    cleaner.clean(samples.as_mut());
    let cleaned = mat(&golden.cleaned);
    let ours = samples.as_ref().subcols(0, cleaned.ncols());
    let d = difference(ours, cleaned.as_ref());
    assert!(d < 1e-9, "{d}");
    assert!(difference(ours, raw.as_ref().subcols(0, cleaned.ncols())) > 0.01, "it cleans");
    let quiet = (0..cleaned.ncols()).filter(|t| raw.col(*t) == samples.col(*t)).count();
    assert!(quiet > 0, "what is clean stays to the bit");
}

/// All frames that come out of pushing `samples`, and how many had come in for each.
fn streamed(cleaner: &mut AsrCleaner, samples: &Mat<f64>) -> (Vec<f64>, Vec<usize>) {
    let (mut out, mut late) = (Vec::new(), Vec::new());
    let n = samples.nrows();
    for t in 0..samples.ncols() {
        let frame: Vec<f64> = samples.col(t).iter().copied().collect();
        for ready in cleaner.push_frame(&frame).chunks_exact(n) {
            out.extend_from_slice(ready);
            late.push(t);
        }
    }
    (out, late)
}

#[test]
fn a_stream_is_cleaned_as_the_recording_with_the_delay_stated() {
    let golden = golden();
    let mut cleaner = calibrated(&golden).cleaner(CleanerParams::default()).unwrap();
    let samples = mat(&golden.samples);
    let mut whole = samples.clone();
    cleaner.clean(whole.as_mut());
    let (out, late) = streamed(&mut cleaner, &samples);
    let delay = cleaner.delay_samples();
    assert!(late.iter().enumerate().all(|(k, t)| t - k <= delay && t - k >= 40));
    assert!(late.len() >= samples.ncols() - delay);
    for (k, frame) in out.chunks_exact(5).enumerate() {
        assert!(frame.iter().zip(whole.col(k).iter()).all(|(x, y)| x == y), "frame {k}");
    }
    // A restarted cleaner, its scratch dirty, gives the same bits.
    cleaner.restart();
    assert_eq!(streamed(&mut cleaner, &samples).0, out);
}

#[test]
fn frames_that_are_not_finite_pass_and_harm_no_others() {
    let golden = golden();
    let mut cleaner = calibrated(&golden).cleaner(CleanerParams::default()).unwrap();
    let mut samples = mat(&golden.samples);
    samples[(2, 300)] = f64::NAN;
    samples[(0, 301)] = f64::INFINITY;
    cleaner.clean(samples.as_mut());
    for t in 0..samples.ncols() {
        let finite = samples.col(t).iter().all(|x| x.is_finite());
        assert_eq!(finite, t != 300 && t != 301, "frame {t}");
    }
}

#[test]
fn what_can_not_be_calibrated_is_refused() {
    let golden = golden();
    let samples = mat(&golden.calibration);
    let fit = |m: MatRef<'_, f64>| Asr::fit(AsrParams::default(), rate(160.0), m);
    let short = fit(samples.as_ref().subcols(0, 300));
    assert!(matches!(short, Err(AsrError::TooShort { .. })));
    let none = fit(samples.as_ref().subcols(0, 0));
    assert!(matches!(none, Err(AsrError::TooShort { .. })));
    let mut nan = samples.clone();
    nan[(1, 77)] = f64::NAN;
    assert_eq!(fit(nan.as_ref()), Err(AsrError::NotFinite));
    let mut flat = samples.clone();
    flat.row_mut(3).fill(0.0);
    assert_eq!(fit(flat.as_ref()), Err(AsrError::Flat));
    let bad = AsrParams { overlap: 1.0, ..Default::default() };
    let refused = Asr::fit(bad, rate(160.0), samples.as_ref());
    assert!(matches!(refused, Err(AsrError::BadParam { .. })));
    let asr = calibrated(&golden);
    for params in [
        CleanerParams { lookahead_secs: 0.6, ..Default::default() },
        CleanerParams { step_samples: 0, ..Default::default() },
        CleanerParams { step_samples: 81, ..Default::default() },
        CleanerParams { max_removed_fraction: 1.0, ..Default::default() },
    ] {
        assert!(matches!(asr.cleaner(params), Err(AsrError::BadParam { .. })), "{params:?}");
    }
    let json = serde_json::to_string(&asr).unwrap();
    assert_eq!(serde_json::from_str::<Asr>(&json).unwrap(), asr);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_correction_removes_the_burst_it_was_made_for(channel in 0_usize..5, gain in 300.0_f64..900.0) {
        let golden = golden();
        let mut cleaner = calibrated(&golden).cleaner(CleanerParams::default()).unwrap();
        let mut samples = mat(&golden.calibration).subcols(0, 640).to_owned();
        let own: f64 = (280..360).map(|t| samples[(channel, t)].powi(2)).sum();
        let burst = |t: usize| gain * (t as f64 * 1.3).sin();
        for t in 240..400 {
            samples[(channel, t)] += burst(t);
        }
        cleaner.clean(samples.as_mut());
        let rest: f64 = (280..360).map(|t| (samples[(channel, t)]).powi(2)).sum();
        let power: f64 = (280..360).map(|t| burst(t).powi(2)).sum();
        // Blinks of the calibration are in there too: they are below the thresholds.
        prop_assert!(rest < own + 0.1 * power, "{} of {}", rest, power);
    }

    #[test]
    fn amplitudes_scale(scale in 0.01_f64..100.0) {
        let params = DistributionParams { min_clean_fraction: 0.25, max_dropout_fraction: 0.1 };
        let amplitudes = &golden().amplitudes[0];
        let one = fit_distribution(params, amplitudes).unwrap();
        // A power of two changes no bit of the histogram.
        let scale = scale.log2().round().exp2();
        let scaled: Vec<_> = amplitudes.iter().map(|a| scale * a).collect();
        let other = fit_distribution(params, &scaled).unwrap();
        prop_assert!((other.std - scale * one.std).abs() < 1e-12 * other.std);
        prop_assert!((other.mean - scale * one.mean).abs() < 1e-12 * other.mean);
    }
}
