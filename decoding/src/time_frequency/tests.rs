use super::TimeFrequencyError;
use super::baseline::BaselineMode;
use super::event_related::class_map;
use super::morlet::{Admissibility, MorletPlan};
use acquisition::marker::ClassIdx;
use acquisition::time::SampleRate;
use datasets::epoch::Epochs;
use ndarray::Array3;
use realfft::num_complex::Complex64;
use serde::Deserialize;
use std::collections::HashMap;

/// Written by `tests/reference/golden_spectra.py` with MNE 1.13.2.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/morlet.json"));

#[derive(Deserialize)]
struct Golden {
    rate_hz: f64,
    frequencies_hz: Vec<f64>,
    n_cycles: Vec<f64>,
    epochs: Vec<Vec<Vec<f64>>>,
    cases: Vec<Case>,
    maps: HashMap<String, Vec<Vec<Vec<f64>>>>,
}

#[derive(Deserialize)]
struct Case {
    zero_mean: bool,
    re: Vec<Vec<f64>>,
    im: Vec<Vec<f64>>,
    average_power: Vec<Vec<Vec<f64>>>,
    itc: Vec<Vec<Vec<f64>>>,
}

/// Every tenth sample is stored.
const KEEP: usize = 10;
const N: usize = 250;

impl Golden {
    fn read() -> Self {
        serde_json::from_str(GOLDEN).unwrap()
    }

    fn epochs(&self) -> Array3<f64> {
        Array3::from_shape_fn((3, 2, N), |(k, c, t)| self.epochs[k][c][t])
    }

    fn plan(&self, zero_mean: bool) -> MorletPlan {
        let pairs: Vec<_> =
            self.frequencies_hz.iter().copied().zip(self.n_cycles.iter().copied()).collect();
        let mean = if zero_mean { Admissibility::ZeroMean } else { Admissibility::Plain };
        MorletPlan::new(&pairs, N, SampleRate::new(self.rate_hz).unwrap(), mean).unwrap()
    }
}

fn assert_map(ours: impl Iterator<Item = f64>, theirs: &[f64]) {
    let largest = theirs.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let kept: Vec<f64> = ours.step_by(KEEP).collect();
    assert_eq!(kept.len(), theirs.len());
    for (a, b) in kept.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-10 * largest, "{a} is not {b}");
    }
}

#[test]
fn transforms_are_mnes() {
    let golden = Golden::read();
    let epochs = golden.epochs();
    for case in &golden.cases {
        let mut plan = golden.plan(case.zero_mean);
        let mut out = vec![Complex64::new(f64::NAN, f64::NAN); plan.n_values()];
        plan.complex_into(&golden.epochs[0][0], &mut out);
        for ((row, re), im) in out.chunks_exact(N).zip(&case.re).zip(&case.im) {
            assert_map(row.iter().map(|c| c.re), re);
            assert_map(row.iter().map(|c| c.im), im);
        }
        let mut power = vec![f64::NAN; plan.n_values()];
        plan.power_into(&golden.epochs[0][0], &mut power);
        assert!(power.iter().zip(&out).all(|(p, c)| *p == c.norm_sqr()));
        let mut maps = [0; 2].map(|_| vec![f64::NAN; 2 * plan.n_values()]);
        plan.average_power(&epochs.view(), &[0, 1, 2], &mut maps[0]);
        plan.inter_trial_coherence(&epochs.view(), &[0, 1, 2], &mut maps[1]);
        for (map, theirs) in maps.iter().zip([&case.average_power, &case.itc]) {
            for (row, theirs) in map.chunks_exact(N).zip(theirs.iter().flatten()) {
                assert_map(row.iter().copied(), theirs);
            }
        }
    }
}

fn modes() -> [(&'static str, BaselineMode); 7] {
    [
        ("mean", BaselineMode::Mean),
        ("ratio", BaselineMode::Ratio),
        ("logratio", BaselineMode::LogRatio),
        ("percent", BaselineMode::Percent),
        ("zscore", BaselineMode::ZScore),
        ("zlogratio", BaselineMode::ZLogRatio),
        ("meanlogratio", BaselineMode::MeanLogRatio),
    ]
}

#[test]
fn maps_against_a_baseline_are_mnes() {
    let golden = Golden::read();
    let labels = vec![ClassIdx(1); 3];
    let epochs = Epochs::new(golden.epochs(), labels, vec![0.0, 1.0, 2.0]).unwrap();
    let plan = golden.plan(true);
    for (name, mode) in modes() {
        let map = class_map(&plan, &epochs, ClassIdx(1), 30..90, mode).unwrap();
        let rows = map.rows();
        for (row, theirs) in rows.into_iter().zip(golden.maps[name].iter().flatten()) {
            assert_map(row.iter().copied(), theirs);
        }
    }
}

#[test]
fn a_sine_has_its_power_at_its_frequency() {
    let rate = SampleRate::new(160.0).unwrap();
    let freqs = [(10.0, 5.0), (20.0, 5.0)];
    let mut plan = MorletPlan::new(&freqs, 480, rate, Admissibility::ZeroMean).unwrap();
    let turn = std::f64::consts::TAU * 10.0 / 160.0;
    let sine: Vec<f64> = (0..480).map(|t| (turn * f64::from(t)).sin()).collect();
    let mut power = vec![f64::NAN; plan.n_values()];
    plan.power_into(&sine, &mut power);
    assert!(power[240] > 1e3 * power[480 + 240]);
    // A constant has none where the mean is taken off.
    plan.power_into(&[100.0; 480], &mut power);
    assert!(power[240] < 1e-6 && power[480 + 240] < 1e-6, "{}", power[240]);
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let rate = SampleRate::new(160.0).unwrap();
    let plan = |freqs: &[(f64, f64)]| MorletPlan::new(freqs, 320, rate, Admissibility::Plain);
    for bad in [(0.0, 5.0), (80.0, 5.0), (f64::NAN, 5.0), (10.0, 0.0), (10.0, f64::NAN)] {
        let refused = plan(&[bad]);
        assert!(matches!(refused, Err(TimeFrequencyError::BadFrequency { .. })), "{bad:?}");
    }
    assert!(matches!(plan(&[]), Err(TimeFrequencyError::BadFrequency { .. })));
    assert!(matches!(plan(&[(1.0, 7.0)]), Err(TimeFrequencyError::TooShort { .. })));
    let plan = plan(&[(10.0, 4.0)]).unwrap();
    let epochs =
        |samples| Epochs::new(samples, vec![ClassIdx(1), ClassIdx(2)], vec![0.0, 1.0]).unwrap();
    let mut samples = Array3::from_elem((2, 1, 320), 1.0);
    samples[(1, 0, 5)] = f64::NAN;
    let epochs_320 = epochs(samples);
    let map =
        |class, range| class_map(&plan, &epochs_320, ClassIdx(class), range, BaselineMode::Percent);
    assert!(map(1, 0..100).is_ok());
    assert_eq!(map(3, 0..100).unwrap_err(), TimeFrequencyError::NoEpochs { class: 3 });
    assert_eq!(map(2, 0..100).unwrap_err(), TimeFrequencyError::NotFinite { epoch: 1 });
    assert!(matches!(map(1, 100..100), Err(TimeFrequencyError::BadBaseline { .. })));
    assert!(matches!(map(1, 100..321), Err(TimeFrequencyError::BadBaseline { .. })));
    let short = epochs(Array3::zeros((2, 1, 100)));
    let refused = class_map(&plan, &short, ClassIdx(1), 0..10, BaselineMode::Mean).unwrap_err();
    assert!(matches!(refused, TimeFrequencyError::OtherLength { .. }));
}
