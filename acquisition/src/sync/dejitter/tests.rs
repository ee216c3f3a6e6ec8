use super::*;
use proptest::prelude::*;

/// What a run over stamps found.
struct Outcome {
    n_frames: usize,
    gaps: Vec<(u64, u64)>,
    n_resets: usize,
    fit: Dejitter,
}

/// Feeds frames as they arrive: `(stamp, arrival)`, in batches.
fn run(rate_hz: f64, frames: &[(f64, f64)]) -> Outcome {
    let mut fit = Dejitter::new(SampleRate::new(rate_hz).unwrap());
    let (mut gaps, mut n_resets, mut at, mut next) = (Vec::new(), 0, 0, 0);
    let end = frames.last().map_or(0.0, |f| f.1) + 1.0;
    let mut now = frames.first().map_or(0.0, |f| f.1);
    while at < frames.len() && now <= end {
        let n_here = frames.partition_point(|f| f.1 <= now);
        let stamps: Vec<f64> = frames[at..n_here.max(at)].iter().map(|f| f.0).collect();
        let accepted = fit.accept(&stamps, 50, now);
        assert_eq!(accepted.first.0, next + accepted.n_missing);
        if accepted.n_missing > 0 {
            gaps.push((next, accepted.n_missing));
        }
        n_resets += usize::from(accepted.clock_reset);
        next = accepted.first.0 + accepted.n_frames as u64;
        at += accepted.n_frames;
        if accepted.n_frames == 0 {
            now += 0.004;
        }
    }
    Outcome { n_frames: at, gaps, n_resets, fit }
}

/// A sender that pushes chunks of `size`, each late by one of `delays`; stamps within
/// a chunk are deduced backwards from its last frame.
fn chunked(rate_hz: f64, n_frames: usize, size: usize, delays: &[f64]) -> Vec<(f64, f64)> {
    (0..n_frames)
        .map(|k| {
            let chunk = k / size;
            let delay = delays[chunk % delays.len()];
            let pushed = 1000.0 + ((chunk + 1) * size) as f64 / rate_hz + delay;
            (1000.0 + k as f64 / rate_hz + delay, pushed)
        })
        .collect()
}

/// Removes frames `at..at + n` as a lossy link would.
fn cut(frames: &mut Vec<(f64, f64)>, at: usize, n: usize) {
    frames.drain(at..at + n);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Chunks late by up to five periods, at random: nothing is missing.
    #[test]
    fn late_chunks_are_no_losses(
        size in 1_usize..33,
        delays in prop::collection::vec(0.0_f64..0.02, 7..60),
    ) {
        let out = run(250.0, &chunked(250.0, 5000, size, &delays));
        prop_assert_eq!((out.n_frames, out.gaps, out.n_resets), (5000, vec![], 0));
    }

    /// Each frame stamped off by up to three periods either way: nothing is missing.
    #[test]
    fn jittered_stamps_are_no_losses(jitter in prop::collection::vec(-0.012_f64..0.012, 100..300)) {
        let mut frames = chunked(250.0, 5000, 5, &[0.0]);
        for (k, frame) in frames.iter_mut().enumerate() {
            frame.0 += jitter[k % jitter.len()];
        }
        let out = run(250.0, &frames);
        prop_assert_eq!((out.n_frames, out.gaps, out.n_resets), (5000, vec![], 0));
    }

    /// A sender that stalls and catches up in a burst, up to 80 ms: nothing is missing.
    #[test]
    fn stalls_are_no_losses(at in 300_usize..2000, stall_secs in 0.0_f64..0.08) {
        let mut frames = chunked(250.0, 4000, 4, &[0.0]);
        let until = frames[at].1 + stall_secs;
        for frame in frames.iter_mut().skip(at).filter(|f| f.1 < until) {
            frame.0 += until - frame.1;
            frame.1 = until;
        }
        let out = run(250.0, &frames);
        prop_assert_eq!((out.n_frames, out.gaps, out.n_resets), (4000, vec![], 0));
    }

    /// Clean stamps: a gap of three frames or more is found where it is, to the frame.
    #[test]
    fn gaps_in_clean_stamps_are_exact(
        rate_hz in prop_oneof![Just(160.0_f64), Just(250.0), Just(512.0), Just(1000.0)],
        size in 1_usize..20,
        after_secs in 1.5_f64..5.0,
        n_missing in 3_usize..2000,
    ) {
        let mut frames = chunked(rate_hz, 10 * rate_hz as usize + n_missing, size, &[0.0]);
        let at = (after_secs * rate_hz) as usize;
        cut(&mut frames, at, n_missing);
        let out = run(rate_hz, &frames);
        prop_assert_eq!(out.n_frames, frames.len());
        prop_assert_eq!(out.gaps, vec![(at as u64, n_missing as u64)]);
    }

    /// Jittering stamps: a gap of 100 ms or more is found, to within the jitter.
    #[test]
    fn long_gaps_are_found_under_jitter(
        delays in prop::collection::vec(0.0_f64..0.008, 20..60),
        n_missing in 30_usize..500,
    ) {
        let mut frames = chunked(250.0, 4000, 8, &delays);
        cut(&mut frames, 1600, n_missing);
        let out = run(250.0, &frames);
        prop_assert_eq!(out.gaps.len(), 1);
        prop_assert_eq!(out.gaps[0].0, 1600);
        prop_assert!(out.gaps[0].1.abs_diff(n_missing as u64) <= 2);
    }

    /// A sender whose clock runs fast or slow by up to 500 ppm loses nothing, and its
    /// true rate is found.
    #[test]
    fn drift_is_followed(ppm in -500.0_f64..500.0) {
        let true_hz = 250.0 * (1.0 + ppm * 1e-6);
        let out = run(250.0, &chunked(true_hz, 10_000, 4, &[0.0]));
        prop_assert_eq!(out.gaps.len(), 0);
        // Forty seconds are twenty time constants: what is left is rounding.
        prop_assert!((out.fit.fitted_rate_hz() / true_hz - 1.0).abs() < 1e-6);
    }

    /// With stamps exactly at the nominal rate an instant maps to itself minus the
    /// stamp of sample 0, gap or not, for any uptime of the machine.
    #[test]
    fn exact_stamps_map_exactly(origin in 0.0_f64..1e7, onset_secs in 0.0_f64..40.0, n_missing in 3_usize..500) {
        let mut frames: Vec<_> = (0..7000)
            .map(|k| { let t = origin + f64::from(k) / 160.0; (t, t) })
            .collect();
        cut(&mut frames, 1000, n_missing);
        let out = run(160.0, &frames);
        let found = out.fit.onset_secs(origin + onset_secs).unwrap();
        // A double holds 1e7 s to 2e-9 s.
        prop_assert!((found - onset_secs).abs() < 2e-8, "{} for {}", found, onset_secs);
    }
}

#[test]
fn a_clock_that_steps_back_is_no_loss() {
    let mut frames = chunked(250.0, 2000, 4, &[0.0]);
    for frame in &mut frames[1000..] {
        frame.0 -= 500.0;
    }
    let out = run(250.0, &frames);
    assert_eq!((out.n_frames, out.gaps, out.n_resets), (2000, vec![], 1));
}

#[test]
fn after_a_clock_step_the_silence_counts() {
    let mut frames = chunked(250.0, 2000, 4, &[0.0]);
    for frame in &mut frames[1000..] {
        *frame = (frame.0 - 500.0, frame.1 + 3.0);
    }
    let out = run(250.0, &frames);
    assert_eq!((out.n_frames, out.n_resets, out.gaps.len()), (2000, 1, 1));
    // The caller looks every 4 ms and chunks come every 16 ms.
    assert!(out.gaps[0].1.abs_diff(750) <= 5, "{:?}", out.gaps);
}

#[test]
fn stamps_that_are_no_numbers_change_nothing() {
    let mut frames = chunked(250.0, 1000, 4, &[0.0]);
    for k in [0, 17, 500] {
        frames[k].0 = f64::NAN;
    }
    frames[600].0 = f64::INFINITY;
    let out = run(250.0, &frames);
    assert_eq!((out.n_frames, out.gaps, out.n_resets), (1000, vec![], 0));
}
