//! What holds for every runner: any chunking, any number of channels, any dirt before.

use super::rate;
use crate::filter::comb::{Comb, CombFilter, Teeth};
use crate::filter::fir::design::{Taper, Transitions, windowed, with_transitions};
use crate::filter::fir::minimum_phase::{Magnitude, minimum_phase};
use crate::filter::fir::{self, FirFilter};
use crate::filter::resample::{Ratio, Resampler};
use crate::filter::sos::{Section, SosFilter};
use crate::filter::{Band, FilterError, butterworth, chebyshev, notch};
use proptest::prelude::*;

/// Pieces of `0..n` that `cuts` divide it into.
fn pieces(n: usize, cuts: &[usize]) -> Vec<[usize; 2]> {
    let mut ends: Vec<usize> = cuts.iter().map(|c| c % (n + 1)).chain([0, n]).collect();
    ends.sort_unstable();
    ends.windows(2).map(|w| [w[0], w[1]]).collect()
}

/// The textbook recursion, one channel at a time.
fn textbook(sections: &[Section], frames: &mut [f64], n_channels: usize) {
    for channel in 0..n_channels {
        for Section { b, a } in sections {
            let (mut s0, mut s1) = (0.0, 0.0);
            for frame in frames.chunks_exact_mut(n_channels) {
                let x = frame[channel];
                let y = b[0] * x + s0;
                s0 = b[1] * x - a[0] * y + s1;
                s1 = b[2] * x - a[1] * y;
                frame[channel] = y;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sections_are_the_textbooks_to_the_bit(
        n_channels in 1_usize..75,
        cuts in prop::collection::vec(0_usize..40, 0..5),
        frames in prop::collection::vec(-100.0_f64..100.0, 75 * 30),
    ) {
        // All three kinds of numerator: even with a gain, 1 at both ends, any.
        let mut sections = butterworth::bandpass(3, 8.0, 30.0, rate(160.0)).unwrap();
        sections.extend(notch::harmonics(50.0, 2, 30.0, rate(160.0)).unwrap());
        sections.push(Section { b: [0.3, -0.1, 0.2], a: [0.1, -0.2] });
        let input = &frames[..n_channels * 30];
        let mut expected = input.to_vec();
        textbook(&sections, &mut expected, n_channels);
        let mut filter = SosFilter::new(sections, n_channels);
        filter.process_frame(&mut vec![f64::NAN; n_channels]);
        filter.reset();
        let mut out = input.to_vec();
        for [from, to] in pieces(30, &cuts) {
            filter.process_frames(&mut out[from * n_channels..to * n_channels]);
        }
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn responses_are_the_convolution_to_the_bit(
        n_channels in 1_usize..40,
        n_taps in 1_usize..30,
        cuts in prop::collection::vec(0_usize..60, 0..6),
        values in prop::collection::vec(-100.0_f64..100.0, 40 * 60),
    ) {
        let taps = &values[..n_taps];
        let input = &values[..n_channels * 60];
        let mut filter = FirFilter::new(taps, n_channels).unwrap();
        filter.process_frames(&mut vec![f64::NAN; n_channels * 7]);
        filter.start_at(&input[..n_channels]);
        let mut out = input.to_vec();
        for [from, to] in pieces(60, &cuts) {
            filter.process_frames(&mut out[from * n_channels..to * n_channels]);
        }
        for channel in 0..n_channels {
            for n in 0..60_usize {
                let x = |k: usize| input[n.saturating_sub(k) * n_channels + channel];
                let y = (0..n_taps).rev().fold(0.0, |sum, k| sum + taps[k] * x(k));
                prop_assert_eq!(out[n * n_channels + channel], y);
            }
        }
    }

    #[test]
    fn resampling_does_not_depend_on_chunks_and_comes_when_stated(
        n_channels in 1_usize..10,
        up in 1_usize..8,
        down in 1_usize..8,
        cuts in prop::collection::vec(0_usize..50, 0..6),
        values in prop::collection::vec(-100.0_f64..100.0, 10 * 50),
    ) {
        let ratio = Ratio::new(up, down).unwrap();
        let input = &values[..n_channels * 50];
        let mut whole = Resampler::plan(ratio, n_channels).unwrap();
        let mut expected = vec![0.0; whole.n_outputs(50) * n_channels];
        whole.start_at(&input[..n_channels]);
        whole.process_frames(input, &mut expected);
        let mut parts = whole.clone();
        parts.start_at(&input[..n_channels]);
        let mut out = Vec::new();
        for [from, to] in pieces(50, &cuts) {
            let n = parts.n_outputs(to - from);
            let mut piece = vec![0.0; n * n_channels];
            let piece_of = &input[from * n_channels..to * n_channels];
            prop_assert_eq!(parts.process_frames(piece_of, &mut piece), n);
            out.extend(piece);
            // Every output whose newest input is there has come out, and no other.
            let n_out = (out.len() / n_channels) as u64;
            prop_assert!(n_out == 0 || whole.newest_input(n_out - 1) < to as u64);
            prop_assert!(whole.newest_input(n_out) >= to as u64);
        }
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn combs_do_not_depend_on_chunks_or_neighbours(
        n_channels in 1_usize..6,
        cuts in prop::collection::vec(0_usize..50, 0..6),
        values in prop::collection::vec(-100.0_f64..100.0, 6 * 50),
    ) {
        let comb = Comb::design(50.0, 20.0, Teeth::Every, rate(250.0)).unwrap();
        let input = &values[..n_channels * 50];
        let mut filter = CombFilter::new(comb, n_channels);
        filter.start_at(&input[..n_channels]);
        let mut out = input.to_vec();
        for [from, to] in pieces(50, &cuts) {
            filter.process_frames(&mut out[from * n_channels..to * n_channels]);
        }
        for channel in 0..n_channels {
            let of = |x: &[f64]| -> Vec<f64> { x.chunks(n_channels).map(|f| f[channel]).collect() };
            let mut alone = CombFilter::new(comb, 1);
            let mut expected = of(input);
            alone.start_at(&expected[..1]);
            alone.process_frames(&mut expected);
            prop_assert_eq!(of(&out), expected);
        }
    }

    #[test]
    fn any_chebyshev_is_stable_and_reaches_its_attenuation(
        order in 1_usize..=10,
        stop_db in 10.0_f64..80.0,
        low in 0.05_f64..0.25,
        width in 0.05_f64..0.2,
    ) {
        let (rate, high_hz) = (rate(1.0), low + width);
        let band = Band::Bandpass { low_hz: low, high_hz };
        if let Ok(sections) = chebyshev::sections(order, stop_db, band, rate) {
            prop_assert!(sections.iter().all(Section::is_stable));
            for edge in [low, high_hz] {
                let db = -20.0 * super::response(&sections, edge, rate).norm().log10();
                // Twenty poles at worst, and the edge lies on the steepest slope.
                prop_assert!((db - stop_db).abs() < 1e-3, "{db} is not {stop_db}");
            }
        }
    }
}

#[test]
fn starts_make_no_transient() {
    let constant = [4000.0; 300];
    let after = |mut filter: FirFilter| {
        let mut out = constant.to_vec();
        filter.start_at(&constant[..1]);
        filter.process_frames(&mut out);
        out
    };
    let band = Band::Highpass { edge_hz: 2.0 };
    let high = windowed(101, band, Taper::Hamming, rate(160.0)).unwrap();
    let out = after(FirFilter::new(&high, 1).unwrap());
    assert!(out.iter().all(|y| *y == out[0]), "a constant stays one");
    let comb = Comb::design(50.0, 20.0, Teeth::Odd, rate(400.0)).unwrap();
    let mut filter = CombFilter::new(comb, 1);
    filter.start_at(&constant[..1]);
    let mut out = constant.to_vec();
    filter.process_frames(&mut out);
    assert!(out.iter().all(|y| (y - 4000.0).abs() < 1e-9));
}

#[test]
fn combs_stop_the_line_and_its_harmonics() {
    let rate = rate(1000.0);
    let comb = Comb::design(50.0, 25.0, Teeth::Every, rate).unwrap();
    for harmonic in 1..10 {
        let mut filter = CombFilter::new(comb, 1);
        let angle =
            |n: usize| std::f64::consts::TAU * 50.0 * f64::from(harmonic) * n as f64 / 1000.0;
        let mut hum: Vec<f64> = (0..6000).map(|n| angle(n).sin()).collect();
        filter.process_frames(&mut hum);
        // 6 s are some forty time constants of a tooth of 2 Hz.
        assert!(hum[5900..].iter().all(|y| y.abs() < 1e-9), "harmonic {harmonic}");
    }
}

/// The magnitude of a response at a share of the rate.
fn gain(taps: &[f64], share: f64) -> f64 {
    let angle = |k: usize| std::f64::consts::TAU * share * k as f64;
    let re: f64 = taps.iter().enumerate().map(|(k, h)| h * angle(k).cos()).sum();
    let im: f64 = taps.iter().enumerate().map(|(k, h)| h * angle(k).sin()).sum();
    re.hypot(im)
}

#[test]
fn linear_phase_is_late_by_half_its_length_and_minimum_phase_by_less() {
    let (rate, band) = (rate(160.0), Band::Bandpass { low_hz: 8.0, high_hz: 30.0 });
    let linear =
        with_transitions(band, Transitions::auto(band, rate), Taper::Hamming, rate).unwrap();
    let minimum = minimum_phase(&linear, Magnitude::Kept).unwrap();
    for freq_hz in [10.0, 20.0, 28.0] {
        let delay = fir::group_delay_samples(&linear, freq_hz, rate);
        assert!((delay - (linear.len() - 1) as f64 / 2.0).abs() < 1e-9);
        let shorter = fir::group_delay_samples(&minimum, freq_hz, rate);
        assert!(shorter < delay / 2.0, "{shorter} against {delay} at {freq_hz} Hz");
        let [was, is] = [&linear, &minimum].map(|taps| gain(taps, freq_hz / 160.0));
        // Folding aliases a little, and the floor under the logarithm adds 1e-7.
        assert!((was - is).abs() < 1e-5, "{is} is not {was} at {freq_hz} Hz");
    }
}

#[test]
fn ratios_of_rates_are_found_or_refused() {
    let of = |from, to| Ratio::between(rate(from), rate(to)).map(|r| (r.up(), r.down()));
    assert_eq!(of(250.0, 160.0), Ok((16, 25)));
    assert_eq!(of(1000.0, 128.0), Ok((16, 125)));
    assert_eq!(of(600.614990234375, 600.614990234375), Ok((1, 1)));
    assert_eq!(of(512.0, 51.2), Ok((1, 10)));
    assert!(matches!(of(250.0, std::f64::consts::PI), Err(FilterError::NoRatio { .. })));
    assert!(matches!(of(1e-3, 1e5), Err(FilterError::NoRatio { .. })));
    assert!(matches!(Ratio::new(0, 3), Err(FilterError::BadRatio { .. })));
    assert!(matches!(Ratio::new(3, 0), Err(FilterError::BadRatio { .. })));
}

#[test]
fn what_cannot_be_designed_says_why() {
    let (r, low) = (rate(160.0), Band::Lowpass { edge_hz: 30.0 });
    let high = Band::Highpass { edge_hz: 30.0 };
    let wide = Transitions { low_hz: 40.0, high_hz: 60.0 };
    let errors = [
        (chebyshev::sections(4, 0.0, low, r).unwrap_err(), "stopband 0 dB"),
        (chebyshev::sections(4, f64::NAN, low, r).unwrap_err(), "stopband NaN dB"),
        (chebyshev::sections(17, 40.0, low, r).unwrap_err(), "choose 1 to 16"),
        (chebyshev::lowpass(4, 40.0, 90.0, r).unwrap_err(), "edge of 90 Hz"),
        (notch::harmonics(50.0, 0, 30.0, r).unwrap_err(), "no harmonic"),
        (notch::harmonics(90.0, 2, 30.0, r).unwrap_err(), "edge of 90 Hz"),
        (Comb::design(50.0, 30.0, Teeth::Every, r).unwrap_err(), "use notches"),
        (Comb::design(40.0, 0.0, Teeth::Every, r).unwrap_err(), "quality 0"),
        (windowed(20, high, Taper::Hann, r).unwrap_err(), "20 taps"),
        (windowed(0, low, Taper::Hann, r).unwrap_err(), "0 taps"),
        (windowed(9, low, Taper::Kaiser { beta: -1.0 }, r).unwrap_err(), "shape -1"),
        (with_transitions(high, wide, Taper::Hann, r).unwrap_err(), "40 and 60 Hz"),
        (with_transitions(low, wide, Taper::Hann, r).unwrap_err(), "40 and 60 Hz"),
        (
            with_transitions(low, Transitions::auto(low, r), Taper::Kaiser { beta: 5.0 }, r)
                .unwrap_err(),
            "no rule",
        ),
        (minimum_phase(&[1.0, 1.0], Magnitude::Kept).unwrap_err(), "2 taps"),
        (FirFilter::new(&[], 1).unwrap_err(), "0 taps"),
        (FirFilter::new(&[f64::NAN], 1).unwrap_err(), "1 taps"),
    ];
    for (error, part) in errors {
        let text = error.to_string();
        assert!(text.contains(part), "{text} lacks {part}");
    }
}
