//! Tests of the simulated head. Powers come from a naive Fourier sum over segments of
//! one second, so they have a resolution of 1 Hz.

use super::*;
use crate::signal::{ChannelKind, Unit};
use proptest::prelude::*;
use std::f64::consts::TAU;

const RATE_HZ: f64 = 250.0;

/// 32 electrodes without artefacts.
fn clean(separability: f64) -> SimulatorConfig {
    SimulatorConfig {
        n_channels: 32,
        separability,
        artefacts: Artefacts::none(),
        ..SimulatorConfig::default()
    }
}

fn only(artefacts: Artefacts) -> SimulatorConfig {
    SimulatorConfig { artefacts, ..clean(0.0) }
}

fn channel(recording: &Recording, label: &str) -> Vec<f64> {
    let found = recording.info.channels.iter().position(|c| c.label == label);
    recording.samples.row(found.expect(label)).iter().map(|&x| f64::from(x)).collect()
}

fn rms(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// One-sided power density at whole `hz` of one second of samples.
fn density_at(second: &[f64], hz: f64) -> f64 {
    let n = second.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (k, x) in second.iter().enumerate() {
        let (sin, cos) = (TAU * hz * k as f64 / n).sin_cos();
        re += x * cos;
        im += x * sin;
    }
    2.0 * (re * re + im * im) / (n * n)
}

/// Mean density over the whole seconds of a signal.
fn density(signal: &[f64], hz: f64) -> f64 {
    let seconds = signal.chunks_exact(RATE_HZ as usize);
    let n_seconds = seconds.len() as f64;
    seconds.map(|s| density_at(s, hz)).sum::<f64>() / n_seconds
}

/// Mean power at `label` from `min` to `max` hertz in seconds 1 to 4 after the cues of
/// `text`, or in the last two seconds before any cue where there is no text.
fn power_after(recording: &Recording, label: &str, text: Option<&str>, band: [u32; 2]) -> f64 {
    let signal = channel(recording, label);
    let starts: Vec<f64> = match text {
        Some(text) => recording
            .markers
            .iter()
            .filter(|m| m.text.as_str() == text)
            .flat_map(|m| [1.0, 2.0, 3.0].map(|s| m.onset_secs + s))
            .collect(),
        None => {
            recording.markers.iter().flat_map(|m| [-1.0, -2.0].map(|s| m.onset_secs + s)).collect()
        }
    };
    let n = RATE_HZ as usize;
    let powers: Vec<f64> = starts
        .iter()
        .map(|start| (start * RATE_HZ).round() as usize)
        .filter(|start| start + n <= signal.len())
        .map(|start| {
            let second = &signal[start..start + n];
            (band[0]..=band[1]).map(|hz| density_at(second, f64::from(hz))).sum()
        })
        .collect();
    assert!(powers.len() > 20, "too few seconds to compare");
    powers.iter().sum::<f64>() / powers.len() as f64
}

/// All frames and markers read in chunks of the given sizes, over and over.
fn read_in(config: &SimulatorConfig, sizes: &[usize]) -> (Vec<f32>, Vec<Marker>) {
    let mut simulator = Simulator::new(config).unwrap();
    let (mut samples, mut markers) = (Vec::new(), Vec::new());
    for &size in sizes.iter().cycle() {
        let mut chunk = Chunk::new(config.n_channels, size);
        let n_before = markers.len();
        let more = simulator.read(&mut chunk, &mut markers).unwrap();
        assert_eq!(more, !chunk.is_empty());
        if !more {
            break;
        }
        assert_eq!(chunk.first().0 as usize * config.n_channels, samples.len());
        let end_secs = config_rate(config).secs(chunk.end());
        assert!(markers[n_before..].iter().all(|m| m.onset_secs < end_secs));
        samples.extend_from_slice(chunk.samples());
    }
    (samples, markers)
}

fn config_rate(config: &SimulatorConfig) -> SampleRate {
    SampleRate::new(config.rate_hz).unwrap()
}

/// Short, with every artefact busy, so that a few seconds exercise all of them.
fn busy() -> SimulatorConfig {
    let artefacts = Artefacts {
        blinks_per_min: 60.0,
        bursts_per_min: 60.0,
        pops_per_min: 60.0,
        ..Artefacts::default()
    };
    let cues =
        CueSchedule { first_secs: 0.5, task_secs: 1.0, rest_min_secs: 0.0, rest_max_secs: 1.0 };
    SimulatorConfig {
        artefacts,
        cues,
        rate_hz: 100.0,
        n_channels: 8,
        duration_secs: Some(6.0),
        ..SimulatorConfig::default()
    }
}

proptest! {
    #[test]
    fn chunking_changes_no_bit(sizes in prop::collection::vec(1usize..97, 1..8), seed: u64) {
        let config = SimulatorConfig { run_seed: seed, ..busy() };
        prop_assert_eq!(read_in(&config, &sizes), read_in(&config, &[600]));
    }
}

#[test]
fn a_recording_is_the_stream() {
    let config = busy();
    let recording = Simulator::record(&config, 6.0).unwrap();
    let (samples, markers) = read_in(&config, &[7]);
    let frames: Vec<f32> = recording.samples.t().iter().copied().collect();
    assert_eq!((frames, recording.markers), (samples, markers));
    assert!(recording.info.simulated);
}

#[test]
fn seeds_are_all_that_differs() {
    let config = clean(0.6);
    let first = Simulator::record(&config, 2.0).unwrap().samples;
    assert_eq!(first, Simulator::record(&config, 2.0).unwrap().samples);
    let run = SimulatorConfig { run_seed: 2, ..config.clone() };
    let head = SimulatorConfig { head_seed: 2, ..config };
    assert_ne!(first, Simulator::record(&run, 2.0).unwrap().samples);
    assert_ne!(first, Simulator::record(&head, 2.0).unwrap().samples);
}

#[test]
fn another_run_of_a_head_has_the_same_spectrum_and_other_cues() {
    let runs = [1, 2].map(|run_seed| {
        Simulator::record(&SimulatorConfig { run_seed, ..clean(0.0) }, 120.0).unwrap()
    });
    assert_ne!(runs[0].markers, runs[1].markers);
    // A density from 120 s has a spread of about 9 %, two of them 13 %: four times that.
    for (label, hz) in [("O1", 10.0), ("C3", 20.0), ("Fz", 5.0)] {
        let [a, b] = [0, 1].map(|k: usize| density(&channel(&runs[k], label), hz));
        assert!((a / b).ln().abs() < 0.5, "{label} {hz} Hz: {a} {b}");
    }
}

#[test]
fn without_separability_the_samples_ignore_the_cues() {
    let config = SimulatorConfig { separability: 0.0, ..busy() };
    let cues = CueSchedule { first_secs: 1.5, task_secs: 0.3, ..config.cues };
    let other = SimulatorConfig { cues, ..config.clone() };
    let (a, b) =
        (Simulator::record(&config, 60.0).unwrap(), Simulator::record(&other, 60.0).unwrap());
    assert_ne!(a.markers, b.markers);
    assert_eq!(a.samples, b.samples);
}

#[test]
fn cues_are_balanced_on_whole_frames_and_in_time() {
    let config = SimulatorConfig { rate_hz: 300.0, n_channels: 8, ..SimulatorConfig::default() };
    let markers = Simulator::record(&config, 300.0).unwrap().markers;
    assert_eq!(markers[0].onset_secs, 2.0);
    for block in markers.chunks_exact(4) {
        assert_eq!(block.iter().filter(|m| m.text.as_str() == CLASSES[0]).count(), 2);
        assert_eq!(block.iter().filter(|m| m.text.as_str() == CLASSES[1]).count(), 2);
    }
    let firsts: Vec<_> = markers.chunks_exact(4).map(|b| b[0].text).collect();
    assert!(firsts.iter().any(|text| *text != firsts[0]), "blocks are shuffled");
    for pair in markers.windows(2) {
        let gap_secs = pair[1].onset_secs - pair[0].onset_secs;
        assert!((6.99..8.01).contains(&gap_secs), "{gap_secs}");
        let frame = pair[1].onset_secs * 300.0;
        assert!((frame - frame.round()).abs() < 1e-6);
    }
}

#[test]
fn spectra_fall_and_peak_where_they_should() {
    let recording = Simulator::record(&clean(0.0), 120.0).unwrap();
    let peak = |label: &str, hz: [f64; 3], flanks: [f64; 2]| {
        let signal = channel(&recording, label);
        let top = hz.map(|hz| density(&signal, hz)).into_iter().fold(0.0, f64::max);
        top / flanks.map(|hz| density(&signal, hz)).into_iter().fold(0.0, f64::max)
    };
    for label in ["O1", "O2"] {
        assert!(peak(label, [9.0, 10.0, 11.0], [5.0, 15.0]) > 3.0, "alpha at {label}");
    }
    for label in ["C3", "C4"] {
        assert!(peak(label, [10.0, 11.0, 12.0], [6.0, 16.0]) > 1.5, "mu at {label}");
        assert!(peak(label, [19.0, 20.0, 21.0], [26.0, 28.0]) > 1.3, "beta at {label}");
    }
    // 1/f: three octaves fall by a factor of about eight, seen through broad tolerances.
    let fz = channel(&recording, "Fz");
    let fall = density(&fz, 4.0) / density(&fz, 32.0);
    assert!((4.0..16.0).contains(&fall), "{fall}");
    for label in ["C3", "O1", "Fz", "P7"] {
        let size_uv = rms(&channel(&recording, label));
        assert!((6.0..25.0).contains(&size_uv), "{label}: {size_uv} uV");
    }
}

#[test]
fn imagery_weakens_the_opposite_hand_area_most() {
    let recording = Simulator::record(&clean(1.0), 240.0).unwrap();
    for (label, opposite, same) in [("C3", CLASSES[1], CLASSES[0]), ("C4", CLASSES[0], CLASSES[1])]
    {
        let [idle, contra, ipsi] = [None, Some(opposite), Some(same)]
            .map(|text| power_after(&recording, label, text, [9, 13]));
        // The background in the band stays: about half of what is left on the same side.
        assert!(contra < 0.7 * ipsi, "{label}: {contra} against {ipsi}");
        assert!(ipsi < 0.85 * idle, "{label}: {ipsi} against {idle}");
        let beta = [None, Some(opposite)].map(|t| power_after(&recording, label, t, [18, 22]));
        assert!(beta[1] < 0.9 * beta[0], "{label}: beta {beta:?}");
    }
    let alpha = CLASSES.map(|t| power_after(&recording, "O1", Some(t), [9, 11]));
    assert!((alpha[0] / alpha[1]).ln().abs() < 0.5, "alpha knows no hand: {alpha:?}");
}

#[test]
fn weakening_grows_with_separability() {
    let depth = |separability| {
        let recording = Simulator::record(&clean(separability), 240.0).unwrap();
        power_after(&recording, "C3", Some(CLASSES[1]), [9, 13])
            / power_after(&recording, "C3", None, [9, 13])
    };
    let [none, half, full] = [0.0, 0.5, 1.0].map(depth);
    // Each ratio compares some 48 seconds of Rayleigh-like power: spread near 0.2.
    assert!((0.6..1.6).contains(&none), "{none}");
    assert!(full < half && half < none, "{none} {half} {full}");
}

#[test]
fn the_line_stands_out_at_its_frequency_only() {
    for (line_hz, other_hz) in [(50.0, 60.0), (60.0, 50.0)] {
        let config = only(Artefacts { line_hz, line_uv: 10.0, ..Artefacts::none() });
        let signal = channel(&Simulator::record(&config, 10.0).unwrap(), "Cz");
        assert!(density(&signal, line_hz) > 10.0 * density(&signal, other_hz));
    }
    let config = only(Artefacts { line_uv: 5.0, ..Artefacts::none() });
    let (slow, without) = (
        SimulatorConfig { rate_hz: 100.0, ..config },
        SimulatorConfig { rate_hz: 100.0, ..clean(0.0) },
    );
    let [slow, without] = [slow, without].map(|c| Simulator::record(&c, 2.0).unwrap().samples);
    assert_eq!(slow, without, "a line at half the rate is filtered away");
}

/// What `artefacts` add to the head alone.
fn difference(artefacts: Artefacts, secs: f64) -> Recording {
    let mut with = Simulator::record(&only(artefacts), secs).unwrap();
    let without = Simulator::record(&clean(0.0), secs).unwrap();
    with.samples -= &without.samples;
    with
}

#[test]
fn blinks_are_frontal_and_positive() {
    let blinks = difference(Artefacts { blinks_per_min: 20.0, ..Artefacts::none() }, 60.0);
    let top = |label: &str| channel(&blinks, label).into_iter().fold(0.0, f64::max);
    assert!((60.0..150.0).contains(&top("Fp1")), "{}", top("Fp1"));
    assert!((60.0..150.0).contains(&top("Fp2")), "{}", top("Fp2"));
    assert!(top("Fz") < 0.7 * top("Fp1") && top("Cz") < 0.3 * top("Fp1"));
    let busy = channel(&blinks, "Fp1").iter().filter(|x| x.abs() > 1.0).count() as f64;
    // Twenty blinks of 0.32 to 0.4 s take about a tenth of the minute; Poisson spread.
    assert!((0.03..0.25).contains(&(busy / (60.0 * RATE_HZ))), "{busy}");
}

#[test]
fn muscle_bursts_are_temporal_brief_and_fast() {
    let bursts = difference(Artefacts { bursts_per_min: 20.0, ..Artefacts::none() }, 60.0);
    let t7 = channel(&bursts, "T7");
    assert!(rms(&t7) > 3.0 * rms(&channel(&bursts, "Cz")));
    let quiet = t7.iter().filter(|x| x.abs() < 0.5).count() as f64 / t7.len() as f64;
    assert!((0.5..0.99).contains(&quiet), "{quiet}");
    // 20 times by the shape of the band; a single second in 60 varies by half.
    assert!(density(&t7, 50.0) > 5.0 * density(&t7, 10.0));
}

#[test]
fn electrodes_drift_and_pop() {
    let drift = difference(Artefacts { drift_uv: 30.0, ..Artefacts::none() }, 60.0);
    let levels: Vec<f64> = (0..32).map(|c| f64::from(drift.samples[[c, 0]])).collect();
    // 32 independent draws: the rms has a spread of 13 %.
    assert!((15.0..45.0).contains(&rms(&levels)), "{}", rms(&levels));
    let first = drift.samples.row(0);
    let step = first.windows(2).into_iter().map(|w| (w[1] - w[0]).abs());
    assert!(step.fold(0.0, f32::max) < 5.0, "drift is slow");

    let pops =
        difference(Artefacts { pops_per_min: 20.0, pop_uv: 80.0, ..Artefacts::none() }, 60.0);
    let mut n_steps = 0;
    for row in pops.samples.rows() {
        let steps = row.windows(2).into_iter().filter(|w| (w[1] - w[0]).abs() > 20.0).count();
        n_steps += steps;
    }
    assert!((5..60).contains(&n_steps), "{n_steps}");
}

#[test]
fn a_bad_channel_is_bad_and_alone() {
    let bad = |fault| {
        let bad_channel = Some(BadChannel { channel_idx: 4, fault });
        Simulator::record(&only(Artefacts { bad_channel, ..Artefacts::none() }), 4.0).unwrap()
    };
    let [flat, noisy] = [Fault::Flat, Fault::Noisy].map(bad);
    assert!(flat.samples.row(4).iter().all(|x| *x == 0.0));
    let size = rms(&channel(&noisy, "FC4"));
    // The rms of 1000 normal numbers has a spread of 2 %.
    assert!((180.0..220.0).contains(&size), "{size}");
    let sound = Simulator::record(&clean(0.0), 4.0).unwrap();
    for c in (0..32).filter(|&c| c != 4) {
        assert_eq!(sound.samples.row(c), flat.samples.row(c));
        assert_eq!(sound.samples.row(c), noisy.samples.row(c));
    }
}

#[test]
fn any_rate_and_any_length_stay_finite_and_steady() {
    for (rate_hz, secs) in [(50.0, 600.0), (250.0, 600.0), (20_000.0, 3.0)] {
        let config = SimulatorConfig { rate_hz, n_channels: 8, ..SimulatorConfig::default() };
        let samples = Simulator::record(&config, secs).unwrap().samples;
        assert!(samples.iter().all(|x| x.is_finite() && x.abs() < 2000.0), "{rate_hz} Hz");
    }
    let sizes = [100.0, 1000.0].map(|rate_hz| {
        let config = SimulatorConfig { rate_hz, ..clean(0.0) };
        let signal = channel(&Simulator::record(&config, 100.0).unwrap(), "Fz");
        let step = (rate_hz / 50.0) as usize;
        // Averages over 20 ms compare the same band at both rates.
        rms(&signal.chunks(step).map(|c| c.iter().sum::<f64>() / step as f64).collect::<Vec<_>>())
    });
    assert!((sizes[0] / sizes[1]).ln().abs() < 0.3, "{sizes:?}");
}

#[test]
fn meg_has_its_sensors_units_and_sizes() {
    let config = SimulatorConfig { artefacts: Artefacts::none(), ..SimulatorConfig::meg() };
    let recording = Simulator::record(&config, 6.0).unwrap();
    let channels = &recording.info.channels;
    let of = |kind| (0..306).filter(|&c| channels[c].kind == kind).collect::<Vec<usize>>();
    let (mags, grads) = (of(ChannelKind::MegMag), of(ChannelKind::MegGrad));
    assert_eq!((mags.len(), grads.len(), recording.info.kind.as_str()), (102, 204, "MEG"));
    assert!(mags.iter().all(|&c| channels[c].unit == Unit::Femtotesla));
    assert!(grads.iter().all(|&c| channels[c].unit == Unit::FemtoteslaPerCm));
    for (set, range) in [(mags, 100.0..1500.0), (grads, 30.0..500.0)] {
        for c in set {
            let row: Vec<f64> = recording.samples.row(c).iter().map(|&x| f64::from(x)).collect();
            assert!(range.contains(&rms(&row)), "{}: {}", channels[c].label, rms(&row));
        }
    }
}

#[test]
fn configurations_out_of_range_are_refused() {
    let base = SimulatorConfig::default;
    let channels = |n_channels| SimulatorConfig { n_channels, ..base() };
    for config in
        [channels(7), channels(65), SimulatorConfig { n_channels: 64, ..SimulatorConfig::meg() }]
    {
        assert!(matches!(Simulator::new(&config), Err(SimulatorError::Channels { .. })));
    }
    let line = Artefacts { line_hz: 55.0, ..Artefacts::default() };
    let rest = CueSchedule { rest_min_secs: 5.0, ..CueSchedule::default() };
    for (config, name) in [
        (SimulatorConfig { rate_hz: 49.0, ..base() }, "rate_hz"),
        (SimulatorConfig { rate_hz: f64::NAN, ..base() }, "rate_hz"),
        (SimulatorConfig { separability: 1.1, ..base() }, "separability"),
        (SimulatorConfig { artefacts: line, ..base() }, "line_hz"),
        (SimulatorConfig { cues: rest, ..base() }, "rest_max_secs"),
        (SimulatorConfig { duration_secs: Some(-1.0), ..base() }, "duration_secs"),
    ] {
        match Simulator::new(&config) {
            Err(SimulatorError::Range { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let bad_channel = Some(BadChannel { channel_idx: 16, fault: Fault::Flat });
    let config = only(Artefacts { bad_channel, ..Artefacts::none() });
    let config = SimulatorConfig { n_channels: 16, ..config };
    assert!(matches!(Simulator::new(&config), Err(SimulatorError::NoSuchChannel { .. })));
}

#[test]
fn a_finite_stream_ends() {
    let config = SimulatorConfig { duration_secs: Some(0.1), ..SimulatorConfig::default() };
    let mut simulator = Simulator::new(&config).unwrap();
    let mut chunk = Chunk::new(16, 20);
    let mut n_frames = Vec::new();
    while simulator.read(&mut chunk, &mut Vec::new()).unwrap() {
        n_frames.push(chunk.n_frames());
    }
    assert_eq!(n_frames, [20, 5]);
    assert!(!simulator.read(&mut chunk, &mut Vec::new()).unwrap());
}
