//! Designs and machines of filters, resampling, zero phase.

use super::{Calls, noise, rate};
use acquisition::time::SampleRate;
use decoding::filter::comb::{Comb, CombFilter, Teeth};
use decoding::filter::fir::design::{Taper, Transitions, windowed, with_transitions};
use decoding::filter::fir::minimum_phase::{Magnitude, minimum_phase};
use decoding::filter::fir::{FirFilter, group_delay_samples};
use decoding::filter::resample::{Ratio, Resampler};
use decoding::filter::sos::{Section, SosFilter};
use decoding::filter::{Band, butterworth, chebyshev, notch};
use decoding::offline::{self, Padding};
use ndarray::Array2;

/// Edges that no filter has, of every kind of band.
fn impossible_bands() -> [(&'static str, Band, [&'static str; 2]); 9] {
    let out = ["not between 0 and 64", "choose a lower edge or record faster"];
    let empty = ["is empty", "lower edge must be below"];
    let pass = |low_hz, high_hz| Band::Bandpass { low_hz, high_hz };
    [
        ("above Nyquist", Band::Lowpass { edge_hz: 80.0 }, out),
        ("at Nyquist", Band::Highpass { edge_hz: 64.0 }, out),
        ("at 0 Hz", Band::Highpass { edge_hz: 0.0 }, out),
        ("negative", Band::Lowpass { edge_hz: -3.0 }, out),
        ("NaN", Band::Lowpass { edge_hz: f64::NAN }, out),
        ("upper edge above Nyquist", pass(8.0, 70.0), out),
        ("infinite", pass(8.0, f64::INFINITY), out),
        ("the wrong way round", pass(30.0, 8.0), empty),
        ("no width", Band::Bandstop { low_hz: 8.0, high_hz: 8.0 }, empty),
    ]
}

#[test]
fn bands_that_do_not_exist() {
    let mut calls = Calls::default();
    let auto = Transitions { low_hz: 1.0, high_hz: 1.0 };
    for (name, band, wanted) in impossible_bands() {
        calls.refused(name, wanted, || band.check(rate()));
        calls.refused(name, wanted, || butterworth::sections(4, band, rate()));
        calls.refused(name, wanted, || chebyshev::sections(4, 40.0, band, rate()));
        calls.refused(name, wanted, || windowed(101, band, Taper::Hamming, rate()));
        calls.refused(name, wanted, || with_transitions(band, auto, Taper::Hamming, rate()));
    }
    for (name, low_hz, high_hz) in [("NaN below", f64::NAN, 9.0), ("NaN above", 9.0, f64::NAN)] {
        let wanted = ["between 0 and 64", "choose a lower edge"];
        calls.refused(name, wanted, || butterworth::bandpass(4, low_hz, high_hz, rate()));
        calls.refused(name, wanted, || butterworth::bandstop(4, low_hz, high_hz, rate()));
    }
    calls.finish(49);
}

#[test]
fn orders_and_attenuations() {
    let mut calls = Calls::default();
    let band = Band::Bandpass { low_hz: 8.0, high_hz: 30.0 };
    for order in [0, butterworth::MAX_ORDER + 1, usize::MAX] {
        let wanted = ["is not possible", "choose 1 to 16"];
        calls.refused(order, wanted, || butterworth::sections(order, band, rate()));
        calls.refused(order, wanted, || chebyshev::sections(order, 40.0, band, rate()));
    }
    for stop_db in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        let wanted = ["stopband", "choose a positive number"];
        calls.refused(stop_db, wanted, || chebyshev::sections(4, stop_db, band, rate()));
    }
    // The narrowest band that has a number: a filter, or an error that says so.
    let narrow = Band::Bandpass { low_hz: 1e-9, high_hz: 2e-9 };
    let wanted = ["not stable", "lower its order or widen"];
    calls.refused("a band too narrow", wanted, || butterworth::sections(16, narrow, rate()));
    calls.refused("a band too narrow", wanted, || chebyshev::sections(16, 80.0, narrow, rate()));
    calls.given("every order there is", || {
        (1..=butterworth::MAX_ORDER).all(|order| butterworth::sections(order, band, rate()).is_ok())
    });
    calls.finish(13);
}

#[test]
fn notches_and_combs() {
    let mut calls = Calls::default();
    let out = ["not between 0 and 64", "choose a lower edge"];
    let quality = ["notch of quality", "choose a positive number"];
    for line_hz in [0.0, -50.0, 64.0, 200.0, f64::NAN, f64::INFINITY] {
        calls.refused(line_hz, out, || notch::iirnotch(line_hz, 30.0, rate()));
        calls.refused(line_hz, out, || notch::harmonics(line_hz, 3, 30.0, rate()));
        calls.refused(line_hz, out, || Comb::design(line_hz, 30.0, Teeth::Every, rate()));
    }
    for q in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-3] {
        calls.refused(q, quality, || notch::iirnotch(50.0, q, rate()));
        calls.refused(q, quality, || Comb::design(32.0, q, Teeth::Every, rate()));
    }
    let none = ["no harmonic", "ask for 1"];
    calls.refused("no harmonic", none, || notch::harmonics(50.0, 0, 30.0, rate()));
    let uneven = ["multiple of that", "use notches, or resample"];
    calls.refused("no multiple", uneven, || Comb::design(50.0, 30.0, Teeth::Every, rate()));
    calls.refused("no multiple", uneven, || Comb::design(60.0, 30.0, Teeth::Odd, rate()));
    calls.given("a million harmonics", || {
        notch::harmonics(50.0, 1_000_000, 30.0, rate()).is_ok_and(|sections| sections.len() == 1)
    });
    calls.finish(32);
}

#[test]
fn impulse_responses() {
    let mut calls = Calls::default();
    let band = Band::Lowpass { edge_hz: 20.0 };
    let high = Band::Highpass { edge_hz: 20.0 };
    let taps = ["taps is not possible", "give finite taps"];
    for n_taps in [0, usize::MAX] {
        calls.refused(n_taps, taps, || windowed(n_taps, band, Taper::Hann, rate()));
    }
    calls.refused("an even number", taps, || windowed(100, high, Taper::Hann, rate()));
    for beta in [-1.0, f64::NAN, 501.0, f64::INFINITY] {
        let wanted = ["Kaiser taper of shape", "choose 0 to 500"];
        calls.refused(beta, wanted, || windowed(51, band, Taper::Kaiser { beta }, rate()));
    }
    let width = |high_hz| Transitions { low_hz: high_hz, high_hz };
    for hz in [0.0, -1.0, 60.0, f64::NAN, f64::INFINITY] {
        let wanted = ["do not fit the band", "choose positive widths"];
        calls.refused(hz, wanted, || with_transitions(band, width(hz), Taper::Hann, rate()));
    }
    calls.refused("a width that takes millions", taps, || {
        with_transitions(band, width(1e-6), Taper::Hann, rate())
    });
    let kaiser = Taper::Kaiser { beta: 5.0 };
    let rule = ["no rule for the number of taps", "choose another"];
    calls.refused("no rule", rule, || with_transitions(band, width(2.0), kaiser, rate()));
    for (name, bad) in [("none", vec![]), ("NaN", vec![0.1, f64::NAN, 0.1])] {
        calls.refused(name, taps, || FirFilter::new(&bad, 2));
        calls.refused(name, taps, || minimum_phase(&bad, Magnitude::Kept));
        calls.refused(name, taps, || {
            Resampler::with_taps(Ratio::new(1, 2).expect("a ratio"), &bad, 2)
        });
    }
    for bad in [vec![0.0; 5], vec![1.0, 1.0]] {
        calls.refused(bad.len(), taps, || minimum_phase(&bad, Magnitude::SquareRoot));
    }
    calls.given("no delay of no taps", || group_delay_samples(&[], 10.0, rate()).is_nan());
    calls.given("no channels", || {
        let mut filter = FirFilter::new(&[0.5, 0.5], 0).expect("sound taps");
        filter.process_frames(&mut []);
        filter.n_channels() == 0
    });
    calls.finish(23);
}

#[test]
fn rates_without_a_ratio() {
    let mut calls = Calls::default();
    let wanted = ["resampling by", "choose factors from 1 to 100000"];
    for (up, down) in [(0, 1), (1, 0), (0, 0), (100_001, 1), (1, usize::MAX)] {
        calls.refused(format!("{up}/{down}"), wanted, || Ratio::new(up, down));
    }
    let to = SampleRate::new(std::f64::consts::PI).expect("a rate");
    let wanted = ["no ratio of integers", "choose another rate"];
    calls.refused("pi", wanted, || Ratio::between(rate(), to));
    let tiny = SampleRate::new(1e-300).expect("a rate");
    calls.refused("next to nothing", wanted, || Ratio::between(rate(), tiny));
    calls.refused("from next to nothing", wanted, || Ratio::between(tiny, rate()));
    calls.given("no channels", || {
        let ratio = Ratio::new(1, 2).expect("a ratio");
        Resampler::plan(ratio, 0).is_ok_and(|mut plan| plan.process_frames(&[], &mut []) == 0)
    });
    calls.finish(9);
}

#[test]
fn samples_that_are_no_numbers_come_and_go() {
    let mut calls = Calls::default();
    let taps = windowed(21, Band::Lowpass { edge_hz: 20.0 }, Taper::Hamming, rate());
    let mut fir = FirFilter::new(&taps.expect("a design"), 1).expect("sound taps");
    calls.given("a response is over after its taps", || {
        fir.process_frames(&mut [f64::NAN]);
        let mut frames = noise(1, 40);
        fir.process_frames(&mut frames);
        frames[..20].iter().all(|x| x.is_nan()) && frames[20..].iter().all(|x| x.is_finite())
    });
    let mut resampler = Resampler::plan(Ratio::new(1, 2).expect("a ratio"), 1).expect("a plan");
    calls.given("so is that of a resampler", || {
        let mut out = vec![0.0; 100];
        resampler.process_frames(&[f64::NAN], &mut out);
        let n = resampler.process_frames(&noise(1, 120), &mut out);
        out[..n].iter().any(|x| x.is_nan()) && out[40..n].iter().all(|x| x.is_finite())
    });
    let sections = butterworth::lowpass(4, 20.0, rate()).expect("a design");
    let comb = Comb::design(32.0, 30.0, Teeth::Every, rate()).expect("a design");
    let (mut sos, mut teeth) = (SosFilter::new(sections, 2), CombFilter::new(comb, 2));
    calls.given("a recursion keeps it in its channel until it starts anew", || {
        let mut frames = [f64::NAN, 1.0].repeat(2);
        sos.process_frames(&mut frames);
        teeth.process_frames(&mut frames);
        let mut after = [0.5, 1.0].repeat(200);
        sos.process_frames(&mut after);
        let of = |channel: usize, frames: &[f64]| {
            frames.iter().skip(channel).step_by(2).copied().collect::<Vec<f64>>()
        };
        let others = of(1, &after).iter().all(|x| x.is_finite());
        let stays = of(0, &after).iter().all(|x| x.is_nan());
        let mut frame = [0.5, 1.0];
        sos.start_at(&frame);
        teeth.start_at(&frame);
        sos.process_frame(&mut frame);
        teeth.process_frame(&mut frame);
        others && stays && frame.iter().all(|x| x.is_finite())
    });
    calls.finish(3);
}

#[test]
fn pieces_that_are_filtered_both_ways() {
    let mut calls = Calls::default();
    let sections = butterworth::lowpass(4, 20.0, rate()).expect("a design");
    let taps = windowed(21, Band::Lowpass { edge_hz: 20.0 }, Taper::Hamming, rate());
    let taps = taps.expect("a design");
    let signal = |n| Array2::from_shape_fn((2, n), |(c, t)| (c + t) as f64);
    for (n, padding) in [(0, Padding::None), (0, Padding::Odd), (15, Padding::Even)] {
        let wanted = ["too few to continue", "take longer pieces"];
        let signal = signal(n);
        calls.refused(n, wanted, || offline::sos_signal(&sections, padding, &signal.view()));
    }
    let wanted = ["too few to continue", "take longer pieces"];
    calls.refused("nothing", wanted, || offline::fir_signal(&taps, &signal(0).view()));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut signal = signal(100);
        signal[(1, 7)] = bad;
        let wanted = ["sample 7 of channel 1 is not finite", "cut it out or repair it"];
        calls.refused(bad, wanted, || offline::sos_signal(&sections, Padding::Odd, &signal.view()));
        calls.refused(bad, wanted, || offline::fir_signal(&taps, &signal.view()));
    }
    let wanted = ["not symmetric and odd", "design another"];
    for taps in [vec![], vec![1.0, 1.0], vec![1.0, 2.0, 3.0], vec![f64::NAN; 3]] {
        calls.refused(taps.len(), wanted, || offline::fir_signal(&taps, &signal(50).view()));
    }
    calls.given("no channels", || {
        let none = Array2::zeros((0, 100));
        let one = offline::sos_signal(&sections, Padding::Odd, &none.view());
        let other = offline::fir_signal(&taps, &none.view());
        one.is_ok_and(|a| a.is_empty()) && other.is_ok_and(|a| a.is_empty())
    });
    calls.given("no sections", || {
        let none: [Section; 0] = [];
        offline::sos_signal(&none, Padding::Odd, &signal(50).view()).is_ok_and(|a| a == signal(50))
    });
    calls.finish(14);
}
