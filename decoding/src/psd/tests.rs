mod oracles;

use super::PsdError;
use super::welch::{Welch, WelchPlan};
use acquisition::time::SampleRate;
use proptest::prelude::*;
use realfft::num_complex::Complex64;
use serde::Deserialize;
use std::f64::consts::TAU;

/// Written by `tests/reference/golden.py` with SciPy 1.17.1.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/welch.json"));

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rate_hz: f64,
    segment_samples: usize,
    overlap_samples: usize,
    input: Vec<Vec<f64>>,
    frequencies_hz: Vec<f64>,
    psd: Vec<Vec<f64>>,
}

#[test]
fn spectra_are_scipys() {
    let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
    for case in golden.cases {
        let rate = SampleRate::new(case.rate_hz).unwrap();
        let (n, segment) = (case.input[0].len(), case.segment_samples);
        let mut plan = WelchPlan::new(n, rate, segment, case.overlap_samples).unwrap();
        assert_eq!(plan.freqs_hz(), case.frequencies_hz);
        // Dirty from channel to channel on purpose: `run` must not read what it finds.
        let mut psd = vec![f64::NAN; plan.n_bins()];
        let mut single = Welch::<f32>::new(n, rate, segment, case.overlap_samples).unwrap();
        let mut psd_f32 = vec![f32::NAN; plan.n_bins()];
        for (samples, golden) in case.input.iter().zip(&case.psd) {
            plan.run(samples, &mut psd);
            let samples: Vec<f32> = samples.iter().map(|x| *x as f32).collect();
            single.run(&samples, &mut psd_f32);
            let largest = golden.iter().fold(0.0_f64, |m, p| m.max(*p));
            for (ours, theirs) in psd.iter().zip(golden) {
                // Two FFTs of one signal agree to roundings of its largest component.
                assert!((ours - theirs).abs() < 1e-13 * largest, "{ours} is not {theirs}");
            }
            for (ours, theirs) in psd_f32.iter().zip(golden) {
                let error = (f64::from(*ours) - theirs).abs();
                assert!(error < 1e-5 * largest, "{ours} is not {theirs}");
            }
        }
        let mut all = vec![f64::NAN; plan.n_bins() * case.input.len()];
        plan.run_channels(&case.input.concat(), &mut all);
        let flat = case.input.concat().into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let mut all_f32 = vec![f32::NAN; all.len()];
        single.run_channels(&flat, &mut all_f32);
        let of_channels = all.chunks(psd.len()).zip(all_f32.chunks(psd.len())).zip(&case.psd);
        for ((psd, psd_f32), golden) in of_channels {
            let largest = golden.iter().fold(0.0_f64, |m, p| m.max(*p));
            for ((ours, single), theirs) in psd.iter().zip(psd_f32).zip(golden) {
                assert!((ours - theirs).abs() < 1e-13 * largest, "{ours} is not {theirs}");
                let error = (f64::from(*single) - theirs).abs();
                assert!(error < 1e-5 * largest, "{single} is not {theirs}");
            }
        }
    }
}

/// The definition, term by term.
fn naive(samples: &[f64], rate_hz: f64, segment: usize, overlap: usize) -> Vec<f64> {
    let step = segment - overlap;
    let n_segments = (samples.len() - segment) / step + 1;
    let window = |t: usize| (TAU * t as f64 / segment as f64 / 2.0).sin().powi(2);
    let power: f64 = (0..segment).map(|t| window(t).powi(2)).sum();
    let density = |k: usize| {
        let one = |s: usize| {
            let part = &samples[s * step..][..segment];
            let mean = part.iter().sum::<f64>() / segment as f64;
            let turn = |t: usize| Complex64::cis(-TAU * (k * t) as f64 / segment as f64);
            let sum: Complex64 = (0..segment).map(|t| turn(t) * (part[t] - mean) * window(t)).sum();
            sum.norm_sqr() / (rate_hz * power)
        };
        let sides = if k == 0 || 2 * k == segment { 1.0 } else { 2.0 };
        sides * (0..n_segments).map(one).sum::<f64>() / n_segments as f64
    };
    (0..=segment / 2).map(density).collect()
}

proptest! {
    #[test]
    fn spectra_are_the_definition(
        samples in prop::collection::vec(-50.0_f64..50.0, 2..90),
        segment in 2_usize..60,
        overlap in 0_usize..59,
    ) {
        let (segment, rate) = (segment.min(samples.len()), SampleRate::new(160.0).unwrap());
        let overlap = overlap.min(segment - 1);
        let mut plan = WelchPlan::new(samples.len(), rate, segment, overlap).unwrap();
        let mut psd = vec![f64::NAN; plan.n_bins()];
        plan.run(&samples, &mut psd);
        let mut by_twos = vec![f64::NAN; plan.n_bins()];
        plan.run_channels(&samples, &mut by_twos);
        let expected = naive(&samples, 160.0, segment, overlap);
        prop_assert_eq!(psd.len(), expected.len());
        for ((ours, by_twos), theirs) in psd.iter().zip(by_twos).zip(expected) {
            // Densities of order 1 to 100 from sums of at most 60 roundings.
            prop_assert!((ours - theirs).abs() < 1e-10, "{} is not {}", ours, theirs);
            prop_assert!((by_twos - theirs).abs() < 1e-10, "{} is not {}", by_twos, theirs);
        }
    }
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let plan = |n, segment, overlap| WelchPlan::new(n, rate, segment, overlap).map(|_| ());
    assert_eq!(plan(320, 160, 80), Ok(()));
    assert!(matches!(plan(100, 160, 80), Err(PsdError::BadSegment { .. })));
    assert!(matches!(plan(100, 1, 0), Err(PsdError::BadSegment { .. })));
    assert!(matches!(plan(320, 160, 160), Err(PsdError::BadOverlap { .. })));
}
