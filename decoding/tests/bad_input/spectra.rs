//! Spectra, their description, description over time, and wavelets.

use super::{Calls, all_finite, noise, planar, rate};
use acquisition::marker::ClassIdx;
use acquisition::time::{SampleIndex, SampleRate};
use datasets::epoch::Epochs;
use decoding::front_end::band_power::BandPower;
use decoding::front_end::step;
use decoding::psd::bands::{Band, absolute_power, mean_power, relative_power, spectral_entropy};
use decoding::psd::burg::{Burg, BurgPlan, BurgSpec};
use decoding::psd::dpss::{Dpss, Symmetry};
use decoding::psd::multitaper::{Multitaper, MultitaperSpec, TaperWeights};
use decoding::psd::specparam::{AperiodicMode, SpecParamSpec, fit};
use decoding::psd::welch::sliding::SlidingWelch;
use decoding::psd::welch::{Welch, WelchPlan};
use decoding::time_domain::{TimeFeature, hjorth, line_length, log_variance};
use decoding::time_frequency::baseline::BaselineMode;
use decoding::time_frequency::event_related::class_map;
use decoding::time_frequency::morlet::{Admissibility, MorletPlan};
use decoding::window::WindowSpec;
use ndarray::Array3;

const SEGMENT: [&str; 2] = ["is not between 2 and the window's", "choose another"];
const OVERLAP: [&str; 2] = ["is not below the segment's", "choose a smaller one"];

/// The power in one band.
fn of(band_hz: [f64; 2]) -> step::BandPower {
    step::BandPower { bands_hz: vec![band_hz], ..step::BandPower::default() }
}

#[test]
fn segments_that_do_not_fit() {
    let mut calls = Calls::default();
    let spec = WindowSpec { window_samples: 256, step_samples: 16 };
    for (n, segment) in [(256, 0), (256, 1), (256, 257), (0, 0), (1, 1), (256, usize::MAX)] {
        calls.refused(segment, SEGMENT, || WelchPlan::new(n, rate(), segment, 0));
        calls.refused(segment, SEGMENT, || Welch::<f32>::new(n, rate(), segment, 0));
        let spec = WindowSpec { window_samples: n, ..spec };
        calls.refused(segment, SEGMENT, || SlidingWelch::new(2, spec, rate(), segment, 0));
    }
    for overlap in [128, 200, usize::MAX] {
        calls.refused(overlap, OVERLAP, || WelchPlan::new(256, rate(), 128, overlap));
        calls.refused(overlap, OVERLAP, || SlidingWelch::new(2, spec, rate(), 128, overlap));
    }
    let short = WindowSpec { window_samples: 100, ..spec };
    calls.refused("bands of a window below a second", SEGMENT, || {
        BandPower::new(&of([8.0, 12.0]), 2, short, rate()).map(|plan| plan.n_bands())
    });
    let slow = SampleRate::new(1.0).expect("a rate");
    calls.refused("bands at one sample a second", SEGMENT, || {
        BandPower::new(&of([0.1, 0.3]), 2, short, slow).map(|plan| plan.n_bands())
    });
    calls.finish(26);
}

#[test]
fn bands_without_a_frequency() {
    let mut calls = Calls::default();
    let freqs_hz: Vec<f64> = (0..65).map(f64::from).collect();
    let wanted = ["no frequency of the spectrum lies in", "choose longer segments or another band"];
    let window = WindowSpec { window_samples: 256, step_samples: 16 };
    let edges = [
        ("above Nyquist", [70.0, 80.0]),
        ("between two bins", [8.2, 8.7]),
        ("the wrong way round", [12.0, 8.0]),
        ("NaN", [f64::NAN, 12.0]),
        ("NaN", [8.0, f64::NAN]),
        ("below zero", [-5.0, -1.0]),
    ];
    for (name, [low_hz, high_hz]) in edges {
        calls.refused(name, wanted, || Band { low_hz, high_hz }.bins(&freqs_hz));
        calls.refused(name, wanted, || Band { low_hz, high_hz }.bins(&[]));
        calls.refused(name, wanted, || {
            BandPower::new(&of([low_hz, high_hz]), 2, window, rate()).map(|plan| plan.n_bands())
        });
    }
    calls.given("a constant has no power, and no more than that", || {
        let zeros = [0.0; 8];
        let powers = [
            mean_power(&zeros, 2..4),
            absolute_power(&zeros, 2..4, 1.0),
            relative_power(&zeros, 2..4, 0..8),
            spectral_entropy(&zeros, 0..8),
        ];
        powers == [0.0; 4]
    });
    calls.given("NaN stays one", || {
        let nan = [f64::NAN; 8];
        mean_power(&nan, 2..4).is_nan()
            && absolute_power(&nan, 2..4, 1.0).is_nan()
            && relative_power(&nan, 2..4, 0..8).is_nan()
            && spectral_entropy(&nan, 0..8).is_nan()
    });
    calls.finish(20);
}

#[test]
fn tapers_and_orders() {
    let mut calls = Calls::default();
    let width = ["half-bandwidth", "choose a bandwidth of at least one bin"];
    for hz in [0.0, -4.0, f64::NAN, f64::INFINITY, 0.1, 1e9] {
        let spec = MultitaperSpec::new(hz);
        calls.refused(hz, width, || Multitaper::<f64>::new(&spec, 256, rate()));
        calls.refused(hz, width, || Multitaper::<f32>::new(&spec, 256, rate()));
    }
    for n in [0, 1] {
        let spec = MultitaperSpec::new(4.0);
        calls.refused(n, width, || Multitaper::<f64>::new(&spec, n, rate()));
        calls.refused(n, width, || Dpss::new(n, 0.4, 1, Symmetry::Symmetric));
    }
    for (half, n_tapers) in [(4.0, 0), (4.0, 65), (40.0, 3), (f64::NAN, 3)] {
        calls.refused(n_tapers, width, || Dpss::new(64, half, n_tapers, Symmetry::Periodic));
    }
    let order = ["is not between 1 and", "choose another or a longer window"];
    for (p, n) in [(0, 64), (64, 64), (100, 64), (1, 1), (1, 0)] {
        calls.refused(format!("{p} of {n}"), order, || Burg::new(p, n));
    }
    let whole = BurgSpec::whole(8, 128, 256);
    let n_fft = BurgSpec { n_fft: 8, ..whole };
    calls
        .refused("a transform shorter than the model", order, || BurgPlan::new(n_fft, 128, rate()));
    for bad in [
        BurgSpec { window_samples: 129, ..whole },
        BurgSpec { window_samples: 1, ..whole },
        BurgSpec { shift_samples: 0, ..whole },
    ] {
        calls.refused(format!("{bad:?}"), ["segment", "choose another"], || {
            BurgPlan::new(bad, 128, rate())
        });
    }
    calls.finish(28);
}

/// Every spectrum of a window of 256 samples.
fn spectra(samples: &[f64]) -> Vec<(&'static str, Vec<f64>)> {
    let mut found = Vec::new();
    let mut welch = WelchPlan::new(256, rate(), 128, 64).expect("a plan");
    let mut psd = vec![-1.0; welch.n_bins()];
    welch.run(samples, &mut psd);
    found.push(("welch", psd.clone()));
    let spec = WindowSpec { window_samples: 256, step_samples: 16 };
    let mut sliding = SlidingWelch::new(1, spec, rate(), 128, 64).expect("a plan");
    sliding.run(SampleIndex(0), planar(samples, 1), &mut psd);
    found.push(("sliding", psd));
    for weights in [TaperWeights::Eigenvalue, TaperWeights::Adaptive] {
        let spec = MultitaperSpec { weights, ..MultitaperSpec::new(4.0) };
        let mut plan = Multitaper::<f64>::new(&spec, 256, rate()).expect("a plan");
        let mut psd = vec![-1.0; plan.n_bins()];
        plan.run(samples, &mut psd);
        found.push(("multitaper", psd));
    }
    let mut burg = BurgPlan::new(BurgSpec::whole(8, 256, 256), 256, rate()).expect("a plan");
    let mut psd = vec![-1.0; burg.n_bins()];
    burg.run(samples, &mut psd);
    found.push(("burg", psd));
    found
}

#[test]
fn windows_that_hold_nothing_or_no_number() {
    let mut calls = Calls::default();
    for value in [0.0, 12.5] {
        calls.given(
            format!("a constant of {value} has no power, adaptive weights no number"),
            || {
                let found = spectra(&[value; 256]);
                found.iter().all(|(_, psd)| psd.iter().all(|p| *p == 0.0 || p.is_nan()))
            },
        );
    }
    for bad in [f64::NAN, f64::INFINITY] {
        calls.given(format!("{bad} is seen in every spectrum"), || {
            let mut samples = noise(1, 256);
            samples[100] = bad;
            spectra(&samples).iter().all(|(_, psd)| psd.iter().any(|p| !p.is_finite()))
        });
    }
    calls.given("a plan forgets it with the window", || {
        let mut welch = WelchPlan::new(256, rate(), 128, 64).expect("a plan");
        let mut psd = vec![-1.0; welch.n_bins()];
        welch.run(&[f64::NAN; 256], &mut psd);
        welch.run(&noise(1, 256), &mut psd);
        all_finite(&psd)
    });
    calls.finish(5);
}

#[test]
fn backgrounds_and_peaks() {
    let mut calls = Calls::default();
    let freqs: Vec<f64> = (0..100).map(|k| 0.5 * f64::from(k)).collect();
    let psd: Vec<f64> = freqs.iter().map(|f| 10.0 / (1.0 + f)).collect();
    for mode in [AperiodicMode::Fixed, AperiodicMode::Knee] {
        let spec = SpecParamSpec::new(2.0, 40.0, mode);
        let few = ["bins lie in", "choose a wider range or longer segments"];
        for (low_hz, high_hz) in [(40.0, 2.0), (60.0, 90.0), (f64::NAN, 40.0), (2.0, 3.0)] {
            let spec = SpecParamSpec { low_hz, high_hz, ..spec };
            calls.refused(low_hz, few, || fit(&spec, &freqs, &psd));
        }
        calls.refused("nothing", few, || fit(&spec, &[], &[]));
        let power = ["is not a positive number", "pass densities of a signal that is not constant"];
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut psd = psd.clone();
            psd[20] = bad;
            calls.refused(bad, power, || fit(&spec, &freqs, &psd));
        }
        for widths in [[0.0, 12.0], [12.0, 0.5], [f64::NAN, 12.0], [1.0, f64::NAN]] {
            let spec = SpecParamSpec { peak_width_hz: widths, ..spec };
            let wanted = ["peak widths from", "choose"];
            calls.refused(format!("{widths:?}"), wanted, || fit(&spec, &freqs, &psd));
        }
        calls.given("a flat spectrum", || {
            fit(&spec, &freqs, &[1.0; 100]).is_ok_and(|found| found.aperiodic.offset.is_finite())
        });
    }
    calls.finish(28);
}

#[test]
fn descriptions_of_short_and_flat_windows() {
    let mut calls = Calls::default();
    let all = [
        TimeFeature::LogVariance,
        TimeFeature::Activity,
        TimeFeature::Mobility,
        TimeFeature::Complexity,
        TimeFeature::LineLength,
    ];
    for n in 0..4 {
        calls.given(format!("{n} samples"), || {
            all.iter().all(|feature| feature.of(&noise(1, n)).is_finite())
        });
    }
    calls.given("a constant", || {
        let found = hjorth(&[5.0; 100]);
        let none = (found.activity, found.mobility, found.complexity) == (0.0, 0.0, 0.0);
        none && line_length(&[5.0; 100]) == 0.0 && log_variance(&[5.0; 100]).is_finite()
    });
    for bad in [f64::NAN, f64::INFINITY] {
        let mut samples = noise(1, 100);
        samples[50] = bad;
        for feature in all {
            calls.given(format!("{bad} in {feature:?} is no finite number"), || {
                !feature.of(&samples).is_finite()
            });
        }
    }
    calls.finish(15);
}

fn epochs(n_samples: usize, bad: Option<f64>) -> Epochs {
    let mut samples =
        Array3::from_shape_fn((2, 1, n_samples), |(e, _, t)| noise(e as u64 + 1, n_samples)[t]);
    if let Some(bad) = bad {
        samples[(1, 0, n_samples / 2)] = bad;
    }
    Epochs::new(samples, vec![ClassIdx(0), ClassIdx(1)], vec![0.0, 1.0]).expect("epochs")
}

#[test]
fn wavelets_and_their_baselines() {
    let mut calls = Calls::default();
    let plan =
        |freqs: &[(f64, f64)], n: usize| MorletPlan::new(freqs, n, rate(), Admissibility::ZeroMean);
    let wanted = ["can't be sampled at 128 Hz", "choose frequencies above 0 and below half"];
    for (freq, cycles) in
        [(0.0, 7.0), (-3.0, 7.0), (64.0, 7.0), (f64::NAN, 7.0), (10.0, 0.0), (10.0, f64::NAN)]
    {
        calls.refused(format!("{freq} Hz"), wanted, || plan(&[(freq, cycles)], 512));
    }
    calls.refused("no frequency", wanted, || plan(&[], 512));
    let short = ["samples, the signal", "choose longer epochs, a higher frequency or fewer cycles"];
    for (cycles, n) in [(7.0, 0), (7.0, 10), (f64::INFINITY, 512), (1e300, 512)] {
        calls.refused(n, short, || plan(&[(10.0, cycles)], n));
    }
    let sound = plan(&[(10.0, 5.0)], 512).expect("a plan");
    let map = |epochs: &Epochs, class, baseline| {
        class_map(&sound, epochs, ClassIdx(class), baseline, BaselineMode::LogRatio)
    };
    let length = ["but a plan for 512", "plan for their length"];
    calls.refused("other epochs", length, || map(&epochs(300, None), 0, 0..100));
    let class = ["no epoch is of class 7", "choose a class that occurs"];
    calls.refused("no such class", class, || map(&epochs(512, None), 7, 0..100));
    for bad in [f64::NAN, f64::INFINITY] {
        let wanted = ["epoch 1 holds a sample that is not finite", "clean it or leave it out"];
        calls.refused(bad, wanted, || map(&epochs(512, Some(bad)), 1, 0..100));
    }
    let baseline = ["the baseline from", "choose samples"];
    for (start, end) in [(100, 100), (200, 100), (0, 513), (600, 700)] {
        let range = start..end;
        calls.refused(format!("{range:?}"), baseline, || map(&epochs(512, None), 0, range.clone()));
        let mut values = noise(1, 512);
        calls.refused(format!("{range:?}"), baseline, || {
            BaselineMode::ZScore.apply(&mut values, range.clone())
        });
    }
    calls.finish(23);
}
