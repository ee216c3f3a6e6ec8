mod golden;
mod streaming;

use super::sos::{Section, SosFilter, group_delay_samples};
use super::*;
use acquisition::time::SampleRate;
use proptest::prelude::*;
use realfft::num_complex::Complex64;
use serde::Deserialize;

/// Written by `tests/reference/golden.py` with SciPy 1.17.1.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/filter.json"));

#[derive(Deserialize)]
struct Golden {
    input: Vec<f64>,
    designs: Vec<Design>,
}

#[derive(Deserialize)]
struct Design {
    kind: String,
    #[serde(default)]
    order: usize,
    #[serde(default)]
    cutoff_hz: Vec<f64>,
    #[serde(default)]
    centre_hz: f64,
    #[serde(default)]
    q: f64,
    rate_hz: f64,
    sos: Vec<[f64; 6]>,
    output: Vec<f64>,
}

fn rate(hz: f64) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

fn ours(design: &Design) -> Vec<Section> {
    let (order, edges, rate) = (design.order, &design.cutoff_hz, rate(design.rate_hz));
    match design.kind.as_str() {
        "lowpass" => butterworth::lowpass(order, edges[0], rate).unwrap(),
        "highpass" => butterworth::highpass(order, edges[0], rate).unwrap(),
        "bandpass" => butterworth::bandpass(order, edges[0], edges[1], rate).unwrap(),
        "bandstop" => butterworth::bandstop(order, edges[0], edges[1], rate).unwrap(),
        "notch" => vec![notch::iirnotch(design.centre_hz, design.q, rate).unwrap()],
        other => panic!("the golden file knows {other}, this test does not"),
    }
}

fn flat(sections: &[Section]) -> Vec<f64> {
    let six = |s: &Section| [s.b[0], s.b[1], s.b[2], 1.0, s.a[0], s.a[1]];
    sections.iter().flat_map(six).collect()
}

fn filtered(sections: Vec<Section>, input: &[f64]) -> Vec<f64> {
    let mut filter = SosFilter::new(sections, 1);
    filter.start_at(&input[..1]);
    let mut out = input.to_vec();
    filter.process_frames(&mut out);
    out
}

fn assert_close(ours: &[f64], golden: &[f64], tolerance: f64, what: &str) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (k, (x, y)) in ours.iter().zip(golden).enumerate() {
        assert!((x - y).abs() <= tolerance * y.abs().max(1.0), "{what} {k}: {x} is not {y}");
    }
}

#[test]
fn designs_are_scipys_section_by_section() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for design in &golden.designs {
        let what = format!("{} {:?} at {} Hz", design.kind, design.cutoff_hz, design.rate_hz);
        // A few roundings of numbers of order one: numpy's complex division differs.
        assert_close(&flat(&ours(design)), design.sos.as_flattened(), 1e-13, &what);
    }
}

#[test]
fn filtering_scipys_sections_is_scipys_to_the_last_digits() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for design in &golden.designs {
        let section = |s: &[f64; 6]| Section { b: [s[0], s[1], s[2]], a: [s[4], s[5]] };
        let sections: Vec<_> = design.sos.iter().map(section).collect();
        // The start's rounding (offset 250, zi up to 1e2) rings on; nothing else differs.
        assert_close(&filtered(sections, &golden.input), &design.output, 1e-9, &design.kind);
    }
}

#[test]
fn our_designs_filter_as_scipys() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for design in &golden.designs {
        // Coefficients differ by 1e-16; poles near the unit circle magnify that.
        assert_close(&filtered(ours(design), &golden.input), &design.output, 1e-8, &design.kind);
    }
}

fn response(sections: &[Section], freq_hz: f64, rate: SampleRate) -> Complex64 {
    let z = Complex64::cis(-std::f64::consts::TAU * freq_hz / rate.hz());
    let at = |p: [f64; 3]| p[0] + z * (p[1] + z * p[2]);
    sections.iter().map(|s| at(s.b) / at([1.0, s.a[0], s.a[1]])).product()
}

/// The analogue magnitude at the warped frequency is the textbook's closed form.
fn butterworth_gain(order: usize, warped: f64) -> f64 {
    1.0 / (1.0 + warped.powi(2 * order as i32)).sqrt()
}

proptest! {
    #[test]
    fn magnitudes_are_the_textbooks(
        order in 1_usize..=8,
        low in 0.05_f64..0.3,
        width in 0.1_f64..0.15,
        at in 0.01_f64..0.49,
    ) {
        let (rate, high) = (rate(1.0), low + width);
        let tan = |f: f64| (std::f64::consts::PI * f).tan();
        let (t, l, h) = (tan(at), tan(low), tan(high));
        let band = (t * t - l * h) / (t * (h - l));
        let cases = [
            (butterworth::lowpass(order, low, rate).unwrap(), t / l),
            (butterworth::highpass(order, low, rate).unwrap(), l / t),
            (butterworth::bandpass(order, low, high, rate).unwrap(), band),
            (butterworth::bandstop(order, low, high, rate).unwrap(), 1.0 / band),
        ];
        for (k, (sections, warped)) in cases.iter().enumerate() {
            let gain = response(sections, at, rate).norm();
            // Sixteen poles at worst, each with a few roundings near the unit circle.
            let expected = butterworth_gain(order, *warped);
            prop_assert!((gain - expected).abs() < 1e-7, "case {k}: {gain} is not {expected}");
        }
    }

    #[test]
    fn any_order_and_band_is_a_stable_design_or_an_error(
        order in 0_usize..=20,
        low in -0.1_f64..0.6,
        high in -0.1_f64..0.6,
    ) {
        let rate = rate(1.0);
        let designs = [
            butterworth::lowpass(order, low, rate),
            butterworth::highpass(order, low, rate),
            butterworth::bandpass(order, low, high, rate),
            butterworth::bandstop(order, low, high, rate),
        ];
        for sections in designs.into_iter().flatten() {
            prop_assert!(sections.iter().all(Section::is_stable));
        }
    }

    #[test]
    fn channels_are_independent_and_chunks_do_not_matter(
        n_channels in 1_usize..9,
        frames in prop::collection::vec(-100.0_f64..100.0, 8 * 40),
        cuts in prop::collection::vec(0_usize..40, 0..5),
    ) {
        let sections = butterworth::bandpass(2, 8.0, 30.0, rate(160.0)).unwrap();
        let frames = &frames[..n_channels * 40];
        let mut filter = SosFilter::new(sections.clone(), n_channels);
        filter.start_at(&frames[..n_channels]);
        let mut together = frames.to_vec();
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut rest = together.as_mut_slice();
        let mut done = 0;
        for cut in cuts {
            let (chunk, next) = rest.split_at_mut((cut - done) * n_channels);
            filter.process_frames(chunk);
            (rest, done) = (next, cut);
        }
        filter.process_frames(rest);
        for channel in 0..n_channels {
            let of = |x: &[f64]| -> Vec<f64> { x.chunks(n_channels).map(|f| f[channel]).collect() };
            prop_assert_eq!(filtered(sections.clone(), &of(frames)), of(&together));
        }
    }
}

#[test]
fn a_constant_starts_without_a_transient() {
    let rate = rate(250.0);
    let high = filtered(butterworth::highpass(4, 1.0, rate).unwrap(), &[4000.0; 500]);
    assert!(high.iter().all(|y| y.abs() < 1e-6), "an offset of 4 mV must not ring");
    let low = filtered(butterworth::lowpass(4, 40.0, rate).unwrap(), &[4000.0; 500]);
    assert!(low.iter().all(|y| (y - 4000.0).abs() < 1e-6));
}

#[test]
fn a_restart_forgets_what_was_not_finite() {
    let sections = butterworth::bandpass(4, 8.0, 30.0, rate(160.0)).unwrap();
    let mut filter = SosFilter::new(sections.clone(), 1);
    filter.process_frame(&mut [f64::NAN]);
    filter.start_at(&[3.0]);
    let mut frames = [3.0, 5.0, -1.0];
    filter.process_frames(&mut frames);
    assert_eq!(frames.to_vec(), filtered(sections, &[3.0, 5.0, -1.0]));
    assert!(frames.iter().all(|y| y.is_finite()));
}

#[test]
fn the_group_delay_is_the_phases_slope() {
    let rate = rate(160.0);
    let sections = butterworth::bandpass(4, 8.0, 30.0, rate).unwrap();
    for freq_hz in [9.0, 15.0, 25.0] {
        let h = 1e-4;
        let turn = response(&sections, freq_hz + h, rate) / response(&sections, freq_hz - h, rate);
        let slope = -turn.arg() / (std::f64::consts::TAU * 2.0 * h / rate.hz());
        let delay = group_delay_samples(&sections, freq_hz, rate);
        // The difference quotient's own error: h² times the third derivative.
        assert!((delay - slope).abs() < 1e-5, "{delay} is not {slope}");
    }
    let filter = SosFilter::new(sections.clone(), 3);
    let here = group_delay_samples(&sections, 12.0, rate);
    assert_eq!(filter.group_delay_samples(12.0, rate), here);
}

#[test]
fn what_cannot_be_designed_says_why() {
    let r = rate(160.0);
    let errors = [
        (butterworth::lowpass(0, 10.0, r).unwrap_err(), "choose 1 to 16"),
        (butterworth::lowpass(17, 10.0, r).unwrap_err(), "choose 1 to 16"),
        (butterworth::highpass(4, 80.0, r).unwrap_err(), "80 Hz, half the sampling rate"),
        (butterworth::bandpass(4, 8.0, 100.0, r).unwrap_err(), "edge of 100 Hz"),
        (butterworth::bandpass(4, 30.0, 8.0, r).unwrap_err(), "30-8 Hz is empty"),
        (butterworth::bandstop(4, f64::NAN, 8.0, r).unwrap_err(), "edge of NaN Hz"),
        (notch::iirnotch(50.0, 0.0, r).unwrap_err(), "quality 0"),
        (notch::iirnotch(50.0, f64::NAN, r).unwrap_err(), "quality NaN"),
        (notch::iirnotch(-50.0, 30.0, r).unwrap_err(), "edge of -50 Hz"),
    ];
    for (error, part) in errors {
        let text = error.to_string();
        assert!(text.contains(part), "{text} lacks {part}");
    }
}
