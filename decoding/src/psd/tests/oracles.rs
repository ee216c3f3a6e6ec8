//! Multitaper, tapers and autoregressive models against MNE, SciPy and `statsmodels`.

use crate::psd::PsdError;
use crate::psd::burg::{Burg, BurgPlan, BurgSpec};
use crate::psd::dpss::{Dpss, Symmetry};
use crate::psd::multitaper::{
    Multitaper, MultitaperSpec, Normalisation, TaperChoice, TaperWeights,
};
use acquisition::time::SampleRate;
use proptest::prelude::*;
use serde::Deserialize;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/", $name))
    };
}

#[derive(Deserialize)]
struct Golden<C> {
    cases: Vec<C>,
}

fn rate() -> SampleRate {
    SampleRate::new(160.0).unwrap()
}

fn assert_spectrum(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs.iter().fold(0.0_f64, |m, p| m.max(*p));
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * largest, "{a} is not {b}");
    }
}

#[derive(Deserialize)]
struct DpssCase {
    n_samples: usize,
    half_bandwidth: f64,
    n_tapers: usize,
    is_symmetric: bool,
    rows: Vec<usize>,
    tapers: Vec<Vec<f64>>,
    concentrations: Vec<f64>,
}

#[test]
fn tapers_are_scipys() {
    let golden: Golden<DpssCase> = serde_json::from_str(golden!("dpss.json")).unwrap();
    for case in golden.cases {
        let symmetry = if case.is_symmetric { Symmetry::Symmetric } else { Symmetry::Periodic };
        let (n, k) = (case.n_samples, case.n_tapers);
        let dpss = Dpss::new(n, case.half_bandwidth, k, symmetry).unwrap();
        for (row, taper) in case.rows.iter().zip(&case.tapers) {
            for (a, b) in dpss.taper(*row).iter().zip(taper) {
                assert!((a - b).abs() < 1e-11, "taper {row} of {n}: {a} is not {b}");
            }
        }
        for (a, b) in dpss.concentrations().iter().zip(&case.concentrations) {
            assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        }
    }
}

#[test]
fn tapers_are_orthonormal_at_any_length() {
    for n in [8, 65, 1000] {
        let dpss = Dpss::new(n, 3.0, 5, Symmetry::Symmetric).unwrap();
        for i in 0..5 {
            for j in 0..=i {
                let pairs = dpss.taper(i).iter().zip(dpss.taper(j));
                let dot: f64 = pairs.map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-11, "{n}: {i} {j} {dot}");
            }
        }
    }
}

#[derive(Deserialize)]
struct MultitaperCase {
    input: Vec<Vec<f64>>,
    bandwidth_hz: f64,
    is_adaptive: bool,
    is_low_bias: bool,
    frequencies_hz: Vec<f64>,
    psd: Vec<Vec<f64>>,
}

impl MultitaperCase {
    fn spec(&self) -> MultitaperSpec {
        let weights =
            if self.is_adaptive { TaperWeights::Adaptive } else { TaperWeights::Eigenvalue };
        let tapers = if self.is_low_bias { TaperChoice::LowBias } else { TaperChoice::All };
        MultitaperSpec { weights, tapers, ..MultitaperSpec::new(self.bandwidth_hz) }
    }
}

#[test]
fn multitaper_spectra_are_mnes() {
    let golden: Golden<MultitaperCase> = serde_json::from_str(golden!("multitaper.json")).unwrap();
    for case in golden.cases {
        let n = case.input[0].len();
        let mut plan = Multitaper::<f64>::new(&case.spec(), n, rate()).unwrap();
        assert_eq!(plan.freqs_hz().len(), case.frequencies_hz.len());
        let mut half = Multitaper::<f32>::new(&case.spec(), n, rate()).unwrap();
        let mut psd = vec![f64::NAN; plan.n_bins()];
        let mut psd_f32 = vec![f32::NAN; plan.n_bins()];
        for (samples, theirs) in case.input.iter().zip(&case.psd) {
            plan.run(samples, &mut psd);
            assert_spectrum(&psd, theirs, 1e-11);
            let samples: Vec<f32> = samples.iter().map(|x| *x as f32).collect();
            half.run(&samples, &mut psd_f32);
            let psd: Vec<f64> = psd_f32.iter().map(|p| f64::from(*p)).collect();
            assert_spectrum(&psd, theirs, 1e-5);
        }
        let flat: Vec<f64> = case.input.concat();
        let mut all = vec![f64::NAN; plan.n_bins() * case.input.len()];
        plan.run_channels(&flat, &mut all);
        assert_eq!(all[all.len() - psd.len()..], psd);
    }
}

#[test]
fn length_is_density_times_the_rate() {
    let samples: Vec<f64> = (0..100).map(|k| f64::from(k * 37 % 101)).collect();
    for weights in [TaperWeights::Eigenvalue, TaperWeights::Adaptive] {
        let density = MultitaperSpec { weights, ..MultitaperSpec::new(8.0) };
        let length = MultitaperSpec { normalisation: Normalisation::Length, ..density };
        let [mut a, mut b] = [vec![0.0; 51], vec![0.0; 51]];
        Multitaper::new(&density, 100, rate()).unwrap().run(&samples, &mut a);
        Multitaper::new(&length, 100, rate()).unwrap().run(&samples, &mut b);
        for p in &mut a {
            *p *= 160.0;
        }
        assert_spectrum(&a, &b, 1e-14);
    }
}

#[derive(Deserialize)]
struct BurgCase {
    input: Vec<f64>,
    order: usize,
    coefficients: Vec<f64>,
    residual_variance: f64,
    noise_variance: f64,
    n_fft: usize,
    psd: Vec<f64>,
}

#[test]
fn autoregressive_models_are_statsmodels() {
    let golden: Golden<BurgCase> = serde_json::from_str(golden!("burg.json")).unwrap();
    for case in golden.cases {
        let n = case.input.len();
        let mut model = Burg::new(case.order, n).unwrap();
        model.fit(&case.input);
        let largest = case.coefficients.iter().fold(0.0_f64, |m, a| m.max(a.abs()));
        for (a, b) in model.coefficients().iter().zip(&case.coefficients) {
            assert!((a - b).abs() < 1e-9 * largest, "{a} is not {b}");
        }
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} is not {b}");
        near(model.residual_variance(), case.residual_variance);
        near(model.noise_variance(), case.noise_variance);
        let spec = BurgSpec::whole(case.order, n, case.n_fft);
        let mut plan = BurgPlan::new(spec, n, rate()).unwrap();
        let mut psd = vec![f64::NAN; plan.n_bins()];
        plan.run(&case.input, &mut psd);
        assert_spectrum(&psd, &case.psd, 1e-9);
    }
}

#[test]
fn sub_windows_are_averaged() {
    let spec = BurgSpec::happy_feat(rate());
    assert_eq!((spec.order, spec.window_samples, spec.shift_samples), (6, 40, 26));
    let samples: Vec<f64> = (0..70).map(|k| f64::from(k * 37 % 101)).collect();
    let mut whole = BurgPlan::new(spec, 70, rate()).unwrap();
    let mut part = BurgPlan::new(spec, 40, rate()).unwrap();
    let [mut psd, mut a, mut b] = [0; 3].map(|_| vec![f64::NAN; 81]);
    whole.run(&samples, &mut psd);
    part.run(&samples[..40], &mut a);
    part.run(&samples[26..66], &mut b);
    let mean: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 0.5 * (a + b)).collect();
    assert_spectrum(&psd, &mean, 1e-14);
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let taper = |bandwidth| Multitaper::<f64>::new(&MultitaperSpec::new(bandwidth), 320, rate());
    for bandwidth in [0.0, 0.3, 170.0, -1.0, f64::NAN] {
        assert!(matches!(taper(bandwidth), Err(PsdError::BadBandwidth { .. })), "{bandwidth}");
    }
    assert!(matches!(Burg::new(0, 10), Err(PsdError::BadOrder { .. })));
    assert!(matches!(Burg::new(10, 10), Err(PsdError::BadOrder { .. })));
    let short = BurgPlan::new(BurgSpec::whole(4, 20, 160), 10, rate());
    assert!(matches!(short, Err(PsdError::BadSegment { .. })));
    let coarse = BurgPlan::new(BurgSpec::whole(4, 20, 4), 20, rate());
    assert!(matches!(coarse, Err(PsdError::BadOrder { .. })));
}

#[test]
fn a_constant_has_no_spectrum() {
    let mut psd = vec![f64::NAN; 51];
    Multitaper::new(&MultitaperSpec::new(8.0), 100, rate()).unwrap().run(&[3.0; 100], &mut psd);
    assert_eq!(psd, [0.0; 51]);
    BurgPlan::new(BurgSpec::whole(4, 100, 100), 100, rate()).unwrap().run(&[3.0; 100], &mut psd);
    assert_eq!(psd, [0.0; 51]);
}

proptest! {
    #[test]
    fn scaling_samples_scales_spectra(
        samples in prop::collection::vec(-50.0_f64..50.0, 64),
        offset in -20.0_f64..20.0,
    ) {
        let other: Vec<f64> = samples.iter().map(|x| 3.0 * x + offset).collect();
        let mut taper = Multitaper::new(&MultitaperSpec::new(10.0), 64, rate()).unwrap();
        let mut burg = BurgPlan::new(BurgSpec::whole(5, 64, 64), 64, rate()).unwrap();
        let mut psd = [0; 4].map(|_| vec![f64::NAN; 33]);
        taper.run(&samples, &mut psd[0]);
        taper.run(&other, &mut psd[1]);
        burg.run(&samples, &mut psd[2]);
        burg.run(&other, &mut psd[3]);
        for pair in psd.chunks_exact(2) {
            let scaled: Vec<f64> = pair[0].iter().map(|p| 9.0 * p).collect();
            assert_spectrum(&pair[1], &scaled, 1e-9);
        }
    }
}
