//! Against `tests/reference/golden_filter.py`: SciPy 1.17.1 and MNE on a real recording.

use super::{assert_close, filtered, flat, rate};
use crate::filter::comb::{Comb, CombFilter, Teeth};
use crate::filter::fir::design::{Taper, Transitions, windowed, with_transitions};
use crate::filter::fir::minimum_phase::{Magnitude, minimum_phase};
use crate::filter::fir::{self, FirFilter};
use crate::filter::resample::{Ratio, Resampler};
use crate::filter::sos::{Section, group_delay_samples};
use crate::filter::{Band, butterworth, chebyshev, notch};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const IIR: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/filter_iir.json"));
const FIR: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/filter_fir.json"));
const RESAMPLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/filter_resample.json"));

fn golden<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the golden file's shape")
}

fn band(kind: &str, edges_hz: &[f64]) -> Band {
    match (kind, edges_hz) {
        ("lowpass", &[edge_hz]) => Band::Lowpass { edge_hz },
        ("highpass", &[edge_hz]) => Band::Highpass { edge_hz },
        ("bandpass", &[low_hz, high_hz]) => Band::Bandpass { low_hz, high_hz },
        ("bandstop", &[low_hz, high_hz]) => Band::Bandstop { low_hz, high_hz },
        other => panic!("the golden file knows {other:?}, this test does not"),
    }
}

#[derive(Deserialize)]
struct Iir {
    input: Vec<f64>,
    chebyshev: Vec<SosCase>,
    butterworth: Vec<SosCase>,
    harmonics: Vec<SosCase>,
    combs: Vec<CombCase>,
}

#[derive(Deserialize)]
struct SosCase {
    kind: String,
    rate_hz: f64,
    #[serde(default)]
    order: usize,
    #[serde(default)]
    stop_db: f64,
    #[serde(default)]
    edges_hz: Vec<f64>,
    #[serde(default)]
    line_hz: f64,
    #[serde(default)]
    n_harmonics: usize,
    #[serde(default)]
    quality: f64,
    sos: Vec<[f64; 6]>,
    freqs_hz: Vec<f64>,
    delay_samples: Vec<f64>,
    output: Vec<f64>,
}

#[derive(Deserialize)]
struct CombCase {
    teeth: Teeth,
    line_hz: f64,
    quality: f64,
    rate_hz: f64,
    delay: usize,
    b: [f64; 2],
    a: f64,
    freqs_hz: Vec<f64>,
    delay_samples: Vec<f64>,
    output: Vec<f64>,
}

fn check_sos(case: &SosCase, ours: &[Section], input: &[f64]) {
    let what = format!("{} {} at {} Hz", case.kind, case.order, case.rate_hz);
    assert_close(&flat(ours), case.sos.as_flattened(), 1e-11, &what);
    assert_close(&filtered(ours.to_vec(), input), &case.output, 1e-9, &what);
    let delay = |f: &f64| group_delay_samples(ours, *f, rate(case.rate_hz));
    let delays: Vec<f64> = case.freqs_hz.iter().map(delay).collect();
    assert_close(&delays, &case.delay_samples, 1e-9, &what);
}

#[test]
fn recursive_designs_outputs_and_delays_are_scipys() {
    let Iir { input, chebyshev, butterworth, harmonics, .. } = golden(IIR);
    for case in &chebyshev {
        let band = band(&case.kind, &case.edges_hz);
        let ours = chebyshev::sections(case.order, case.stop_db, band, rate(case.rate_hz)).unwrap();
        check_sos(case, &ours, &input);
    }
    for case in &butterworth {
        let band = band(&case.kind, &case.edges_hz);
        let ours = butterworth::sections(case.order, band, rate(case.rate_hz)).unwrap();
        check_sos(case, &ours, &input);
    }
    for case in &harmonics {
        let (line_hz, n) = (case.line_hz, case.n_harmonics);
        let ours = notch::harmonics(line_hz, n, case.quality, rate(case.rate_hz)).unwrap();
        check_sos(case, &ours, &input);
    }
    assert_eq!((chebyshev.len(), butterworth.len(), harmonics.len()), (16, 2, 2));
}

#[test]
fn combs_are_scipys() {
    let Iir { input, combs, .. } = golden(IIR);
    for case in &combs {
        let rate = rate(case.rate_hz);
        let comb = Comb::design(case.line_hz, case.quality, case.teeth, rate).unwrap();
        assert_eq!(comb.delay_samples, case.delay);
        assert_close(&comb.b, &case.b, 1e-13, "numerator");
        assert_close(&[comb.a], &[case.a], 1e-13, "denominator");
        let mut filter = CombFilter::new(comb, 1);
        filter.start_at(&input[..1]);
        let mut out = input.clone();
        filter.process_frames(&mut out);
        assert_close(&out, &case.output, 1e-9, "comb");
        let delay = |f: &f64| comb.group_delay_samples(*f, rate);
        let delays: Vec<f64> = case.freqs_hz.iter().map(delay).collect();
        assert_close(&delays, &case.delay_samples, 1e-9, "delay");
    }
    assert_eq!(combs.len(), 4);
}

#[derive(Deserialize)]
struct Fir {
    input: Vec<f64>,
    windowed: Vec<FirCase>,
    transitions: Vec<TransitionCase>,
    minimum: Vec<FirCase>,
}

#[derive(Deserialize)]
struct FirCase {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    edges_hz: Vec<f64>,
    #[serde(default)]
    taper: String,
    #[serde(default)]
    linear: Vec<f64>,
    #[serde(default)]
    square_root: Vec<f64>,
    rate_hz: f64,
    taps: Vec<f64>,
    freqs_hz: Vec<f64>,
    delay_samples: Vec<f64>,
    output: Vec<f64>,
}

#[derive(Deserialize)]
struct TransitionCase {
    kind: String,
    edges_hz: Vec<f64>,
    widths_hz: Option<[f64; 2]>,
    taper: String,
    rate_hz: f64,
    taps: Vec<f64>,
    minimum: Vec<f64>,
}

fn taper(name: &str) -> Taper {
    match name {
        "hamming" => Taper::Hamming,
        "hann" => Taper::Hann,
        "blackman" => Taper::Blackman,
        "kaiser" => Taper::Kaiser { beta: 5.0 },
        other => panic!("the golden file knows {other}, this test does not"),
    }
}

/// Largest difference over the largest of `golden`.
fn assert_near(ours: &[f64], golden: &[f64], tolerance: f64, what: &str) {
    let scale = golden.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let over = |x: &[f64]| x.iter().map(|x| x / scale).collect::<Vec<_>>();
    assert_close(&over(ours), &over(golden), tolerance, what);
}

fn check_fir(case: &FirCase, ours: &[f64], input: &[f64]) {
    let what = format!("{} {} {}", case.kind, case.taper, case.taps.len());
    assert_near(ours, &case.taps, 1e-9, &what);
    let mut filter = FirFilter::new(ours, 1).unwrap();
    filter.start_at(&input[..1]);
    let mut out = input.to_vec();
    filter.process_frames(&mut out);
    assert_near(&out, &case.output, 1e-9, &what);
    let delay = |f: &f64| fir::group_delay_samples(ours, *f, rate(case.rate_hz));
    let delays: Vec<f64> = case.freqs_hz.iter().map(delay).collect();
    assert_close(&delays, &case.delay_samples, 1e-8, &what);
}

#[test]
fn windowed_designs_outputs_and_delays_are_scipys() {
    let Fir { input, windowed: cases, .. } = golden(FIR);
    for case in &cases {
        let (band, taper) = (band(&case.kind, &case.edges_hz), taper(&case.taper));
        let ours = windowed(case.taps.len(), band, taper, rate(case.rate_hz)).unwrap();
        check_fir(case, &ours, &input);
    }
    assert_eq!(cases.len(), 9);
}

#[test]
fn transition_rules_are_mnes() {
    let Fir { transitions, .. } = golden(FIR);
    for case in &transitions {
        let (band, rate) = (band(&case.kind, &case.edges_hz), rate(case.rate_hz));
        let widths = case.widths_hz.map_or(Transitions::auto(band, rate), |[low_hz, high_hz]| {
            Transitions { low_hz, high_hz }
        });
        let ours = with_transitions(band, widths, taper(&case.taper), rate).unwrap();
        assert_near(&ours, &case.taps, 1e-9, &case.kind);
        let minimum = minimum_phase(&ours, Magnitude::Kept).unwrap();
        // A difference of low-passes of gain 1 is exactly 0 at 0 Hz: the logarithm there is
        // that of a rounding error, MNE's or ours, and one bin of many is as much off.
        let stops_0_hz = matches!(band, Band::Highpass { .. } | Band::Bandpass { .. });
        let tolerance = if stops_0_hz { 1e-3 } else { 1e-9 };
        assert_near(&minimum, &case.minimum, tolerance, &case.kind);
    }
    assert_eq!(transitions.len(), 6);
}

#[test]
fn minimum_phases_are_scipys() {
    let Fir { input, minimum, .. } = golden(FIR);
    for case in &minimum {
        let ours = minimum_phase(&case.linear, Magnitude::Kept).unwrap();
        check_fir(case, &ours, &input);
        let half = minimum_phase(&case.linear, Magnitude::SquareRoot).unwrap();
        assert_near(&half, &case.square_root, 1e-9, "square root");
    }
    assert_eq!(minimum.len(), 3);
}

#[derive(Deserialize)]
struct Resampled {
    input: Vec<f64>,
    cases: Vec<ResampledCase>,
}

#[derive(Deserialize)]
struct ResampledCase {
    up: usize,
    down: usize,
    upfirdn: Vec<f64>,
    resample_poly: Vec<f64>,
}

#[test]
fn resampling_is_scipys_and_late_by_the_stated_delay() {
    let Resampled { input, cases } = golden(RESAMPLE);
    for case in &cases {
        let ratio = Ratio::new(case.up, case.down).unwrap();
        let mut ours = Resampler::plan(ratio, 1).unwrap();
        let mut out = vec![0.0; ours.n_outputs(input.len())];
        let n = ours.process_frames(&input, &mut out);
        assert_eq!(n, (input.len() * case.up).div_ceil(case.down));
        assert_near(&out, &case.upfirdn[..n], 1e-9, "upfirdn");
        // Where the delay is whole outputs, SciPy's centred output is ours, later.
        let delay = ours.delay_input_samples() * case.up as f64 / case.down as f64;
        if delay.fract() == 0.0 {
            let delay = delay as usize;
            assert_eq!(ours.input_position(delay as u64), 0.0);
            assert_near(&out[delay..], &case.resample_poly[..n - delay], 1e-9, "resample_poly");
        }
    }
    assert_eq!(cases.len(), 6);
}
