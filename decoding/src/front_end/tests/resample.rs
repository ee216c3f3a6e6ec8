//! Resampling as a signal step: where its windows lie, and what it refuses.

use super::*;
use crate::filter::resample::{Ratio, Resampler};
use crate::front_end::batch::span_features;
use acquisition::signal::Recording;
use acquisition::time::SampleIndex;
use ndarray::Array2;

fn resampled(rate_hz: f64) -> String {
    format!("rate_hz = {rate_hz:?}")
}

/// All frames through a resampler of the library, `[sample][channel]`.
fn library(frames: &[Vec<f32>], up: usize, down: usize) -> Vec<Vec<f64>> {
    let n_channels = frames[0].len();
    let mut resampler = Resampler::plan(Ratio::new(up, down).unwrap(), n_channels).unwrap();
    let input: Vec<f64> = frames.iter().flatten().copied().map(f64::from).collect();
    resampler.start_at(&input[..n_channels]);
    let mut output = vec![0.0; resampler.n_outputs(frames.len()) * n_channels];
    resampler.process_frames(&input, &mut output);
    output.chunks_exact(n_channels).map(<[f64]>::to_vec).collect()
}

/// Every window's samples with the index of its last stream sample; frame `k` is fed unless
/// `is_lost`.
fn windows(
    front_end: &mut FrontEnd,
    frames: &[Vec<f32>],
    is_lost: impl Fn(usize) -> bool,
) -> Vec<(u64, Samples)> {
    let mut found = Vec::new();
    for (k, frame) in frames.iter().enumerate().filter(|(k, _)| !is_lost(*k)) {
        front_end.follow(SampleIndex(k as u64));
        if front_end.push_frame(frame) == Completed::Window {
            let window = front_end.window().unwrap();
            let Some(Value::Samples(bands)) = window.features.get(0).map(View::to_value) else {
                panic!("samples")
            };
            found.push((window.end.0, bands[0].clone()));
        }
    }
    found
}

/// Rates for which windows of 100 samples every 10 at 100 Hz are whole.
const RATES: [(f64, usize, usize); 5] =
    [(50.0, 1, 2), (80.0, 4, 5), (30.0, 3, 10), (200.0, 2, 1), (130.0, 13, 10)];

#[test]
fn windows_of_another_rate_stay_where_they_are() {
    let frames = frames(3, 260);
    for (rate_hz, up, down) in RATES {
        let mut front_end = samples_behind(&[("resample", &resampled(rate_hz))], 3).unwrap();
        let whole = library(&frames, up, down);
        let found = windows(&mut front_end, &frames, |_| false);
        assert_eq!(found.len(), 17);
        for (end, samples) in found {
            let [from, to] = [end as usize + 1 - 100, end as usize + 1].map(|n| n * up / down);
            for c in 0..3 {
                let expected: Vec<_> = whole[from..to].iter().map(|frame| frame[c]).collect();
                assert_eq!(samples.as_planar().channel(c), expected, "{rate_hz} Hz to {end}");
            }
        }
    }
}

#[test]
fn after_a_gap_the_places_are_as_without() {
    let frames = frames(2, 400);
    for (rate_hz, up, down) in RATES {
        let steps = [("resample", resampled(rate_hz))];
        let steps = steps.each_ref().map(|(step, parameters)| (*step, parameters.as_str()));
        let plan = || samples_behind(&steps, 2).unwrap();
        let without = windows(&mut plan(), &frames, |_| false);
        let with = windows(&mut plan(), &frames, |k| (33..47).contains(&k));
        let expected: Vec<_> = without.into_iter().filter(|(end, _)| *end >= 47 + 99).collect();
        let ends = |windows: &[(u64, Samples)]| windows.iter().map(|w| w.0).collect::<Vec<_>>();
        let with: Vec<_> = with.into_iter().filter(|(end, _)| *end >= 47 + 99).collect();
        assert_eq!(ends(&with), ends(&expected));
        // The filter's memory, in samples of the stream.
        let memory = (20 * up.max(down) + 1).div_ceil(up) as u64;
        let is_free = |(end, _): &&(u64, Samples)| end + 1 - 100 >= 47 + memory;
        let free: Vec<_> = with.iter().filter(is_free).collect();
        assert!(free.len() > 5, "{rate_hz} Hz");
        assert_eq!(free, expected.iter().filter(is_free).collect::<Vec<_>>(), "{rate_hz} Hz");
    }
}

#[test]
fn stretches_of_a_batch_are_windows_of_the_stream() {
    let frames = frames(3, 300);
    let samples = Array2::from_shape_fn((3, 300), |(c, n)| frames[n][c]);
    let recording =
        Recording { info: stream(3), samples, markers: vec![], gaps: vec![], findings: vec![] };
    for steps in [
        &[("resample", "rate_hz = 50.0")][..],
        &[
            ("resample", "rate_hz = 50.0"),
            ("band_pass", "high_hz = 20.0"),
            ("resample", "rate_hz = 100.0"),
        ],
        &[("resample", "rate_hz = 130.0")],
    ] {
        let mut front_end = samples_behind(steps, 3).unwrap();
        let found = windows(&mut front_end, &frames, |_| false);
        let starts: Vec<_> = found.iter().map(|(end, _)| SampleIndex(end + 1 - 100)).collect();
        let demands = front_end.demands().clone();
        let picks = [0, 1, 2];
        let batch = span_features(&SPEC, &recording, &picks, &demands, &starts, 100).unwrap();
        assert_eq!(batch.len(), found.len());
        for ((_, expected), (_, features)) in found.iter().zip(&batch) {
            let value = features.get(0).unwrap().to_value();
            assert_eq!(value, Value::Samples(vec![expected.clone()]), "{steps:?}");
        }
        // Stretches that begin anywhere have as many samples.
        let starts: Vec<_> = [3, 58, 101, 197].map(SampleIndex).to_vec();
        let batch = span_features(&SPEC, &recording, &picks, &demands, &starts, 100).unwrap();
        assert_eq!(batch.len(), 4, "{steps:?}");
    }
}

#[test]
fn what_comes_after_counts_the_new_samples() {
    // Features that slide: sums and segments of the new rate, against the window by itself.
    let frames = frames(3, 240);
    for feature in ["covariance", "connectivity"] {
        let signal = [("resample", "rate_hz = 50.0")];
        let parameters = if feature == "connectivity" { "bands_hz = [[8, 20]]" } else { "" };
        let steps = [&signal[..], &[(feature, parameters), ("tangent_space", "")]].concat();
        let steps = if feature == "connectivity" { &steps[..2] } else { &steps[..] };
        let mut front_end = plan(steps, 3).unwrap();
        let found = last_value(&mut front_end, &frames);
        let Value::Samples(bands) = last_value(&mut samples_behind(&signal, 3).unwrap(), &frames)
        else {
            panic!("samples")
        };
        let samples = bands[0].as_planar();
        assert_eq!(samples.n_samples(), 50);
        match found {
            Value::Matrices(matrices) => {
                let mut expected = crate::riemann::covariance::scm(samples.as_mat());
                crate::riemann::covariance::oas_shrink(expected.as_mut(), 50);
                let error = (&matrices[0] - &expected).norm_max() / expected.norm_max();
                // Sums in blocks against sums in one go.
                assert!(error < 1e-12, "{error}");
            }
            Value::Vector(strengths) => {
                use crate::connectivity::{NodeStrength, Segments};
                use crate::window::WindowSpec;
                let window = WindowSpec { window_samples: 50, step_samples: 5 };
                let rate = SampleRate::new(50.0).unwrap();
                let segments = Segments::half_second(window, rate);
                let band = crate::psd::bands::Band { low_hz: 8.0, high_hz: 20.0 };
                let mut library = NodeStrength::new(3, window, rate, segments, &[band]).unwrap();
                let mut expected = vec![0.0; 3];
                library.run_into(samples, &mut expected);
                assert_eq!(strengths, expected);
            }
            Value::Samples(_) => panic!("no samples"),
        }
    }
    // A filter after it is designed for the new rate.
    let steps = [("resample", "rate_hz = 50.0"), ("low_pass", "edge_hz = 30.0")];
    let error = samples_behind(&steps, 3).err().unwrap().to_string();
    assert!(error.contains("30 Hz is not between 0 and 25 Hz"), "{error}");
}

#[test]
fn windows_that_come_to_no_whole_samples_are_refused() {
    let refused = |steps: &[(&str, &str)]| samples_behind(steps, 3).err().unwrap();
    let error = refused(&[("resample", "rate_hz = 64.0")]);
    assert!(matches!(error, PlanError::ResampledWindow { multiple: 25, .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(
            "windows of 100 samples every 10 at 100 Hz are no whole numbers of samples at 64 Hz"
        ) && text.contains("a window of at least 25 samples and a step that are multiples of 25"),
        "{text}"
    );
    // Back at the first rate, but by way of one at which a step is 2.5 samples.
    let there_and_back = [("resample", "rate_hz = 25.0"), ("resample", "rate_hz = 100.0")];
    assert!(matches!(refused(&there_and_back), PlanError::ResampledWindow { multiple: 4, .. }));
    let error = refused(&[("resample", "rate_hz = 1700.0")]);
    assert!(matches!(error, PlanError::ResampledTooFar { .. }), "{error}");
    let error = refused(&[("resample", "rate_hz = 50.000000001")]).to_string();
    assert!(error.contains("is no ratio of integers"), "{error}");
    // Once a second one sample, of windows of a second.
    let error = refused(&[("resample", "rate_hz = 1.0")]).to_string();
    assert!(error.contains("a window of at least 200 samples"), "{error}");
    for (parameters, expected) in [
        ("", "missing field `rate_hz`"),
        ("rate_hz = 0", "rate_hz: it is a positive number of hertz"),
        ("rate = 50", "did you mean `rate_hz`?"),
    ] {
        let error = pipeline(&[("resample", parameters), ("log_variance", "")]).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
