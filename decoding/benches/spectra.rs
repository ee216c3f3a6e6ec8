//! How long spectra and Morlet power take. Ids carry the size:
//! `cargo bench -p decoding --bench spectra`.

use acquisition::time::{SampleIndex, SampleRate};
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::psd::burg::{BurgPlan, BurgSpec};
use decoding::psd::multitaper::{Multitaper, MultitaperSpec};
use decoding::psd::specparam::{AperiodicMode, SpecParamSpec, fit};
use decoding::psd::welch::Welch;
use decoding::psd::welch::sliding::SlidingWelch;
use decoding::time_domain::hjorth;
use decoding::time_frequency::morlet::{Admissibility, MorletPlan};
use decoding::window::{Planar, WindowSpec};
use std::hint::black_box;

fn rate(hz: f64) -> SampleRate {
    SampleRate::new(hz).expect("it is a rate")
}

/// Values without a pattern that the arithmetic could profit from.
fn noise(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919 + 13) % 1009) as f64 / 50.0 - 10.0).collect()
}

fn welch(c: &mut Criterion) {
    for (n_channels, hz, secs) in [(64, 250, 60), (306, 1000, 60), (1024, 1000, 10)] {
        let n = secs * hz;
        let samples = noise(n_channels * n);
        let plan = Welch::<f64>::new(n, rate(hz as f64), 2 * hz, hz).expect("it fits");
        let mut psd = vec![0.0; n_channels * plan.n_bins()];
        c.bench_function(&format!("welch/{n_channels}ch-{secs}s-{hz}Hz"), |b| {
            b.iter(|| plan.run_channels(black_box(&samples), &mut psd));
        });
        let samples: Vec<f32> = samples.iter().map(|x| *x as f32).collect();
        let plan = Welch::<f32>::new(n, rate(hz as f64), 2 * hz, hz).expect("it fits");
        let mut psd = vec![0.0; n_channels * plan.n_bins()];
        c.bench_function(&format!("welch-f32/{n_channels}ch-{secs}s-{hz}Hz"), |b| {
            b.iter(|| plan.run_channels(black_box(&samples), &mut psd));
        });
    }
}

fn live(c: &mut Criterion) {
    for (n_channels, hz) in [(64, 250), (306, 1000), (1024, 1000)] {
        let spec = WindowSpec { window_samples: 2 * hz, step_samples: hz / 10 };
        let mut sliding = SlidingWelch::new(n_channels, spec, rate(hz as f64), hz, hz / 2)
            .expect("segments fit the window");
        let samples = noise(n_channels * 2 * hz);
        let mut psd = vec![0.0; n_channels * sliding.n_bins()];
        let mut first = 0;
        c.bench_function(&format!("sliding-welch/{n_channels}ch-2s-{hz}Hz"), |b| {
            b.iter(|| {
                let window = Planar::new(&samples, n_channels, 2 * hz, 2 * hz);
                sliding.run(SampleIndex(first), black_box(window), &mut psd);
                first += spec.step_samples as u64;
            });
        });
    }
}

fn others(c: &mut Criterion) {
    let samples = noise(64 * 500);
    let taper = Multitaper::new(&MultitaperSpec::new(4.0), 500, rate(250.0)).expect("it fits");
    let mut psd = vec![0.0; 64 * taper.n_bins()];
    c.bench_function("multitaper/64ch-2s-250Hz", |b| {
        b.iter(|| taper.run_channels(black_box(&samples), &mut psd));
    });
    let spec = BurgSpec::happy_feat(rate(250.0));
    let mut burg = BurgPlan::new(spec, 500, rate(250.0)).expect("it fits");
    let mut psd = vec![0.0; burg.n_bins()];
    c.bench_function("burg/64ch-2s-250Hz", |b| {
        b.iter(|| samples.chunks_exact(500).for_each(|x| burg.run(black_box(x), &mut psd)));
    });
    let freqs: Vec<(f64, f64)> = (8..31).map(|f| (f64::from(f), 5.0)).collect();
    let plan = MorletPlan::new(&freqs, 500, rate(250.0), Admissibility::ZeroMean);
    let mut plan = plan.expect("wavelets fit the window");
    let mut power = vec![0.0; plan.n_values()];
    c.bench_function("morlet/1ch-2s-23freqs", |b| {
        b.iter(|| plan.power_into(black_box(&samples[..500]), &mut power));
    });
    c.bench_function("hjorth/64ch-2s-250Hz", |b| {
        b.iter(|| samples.chunks_exact(500).map(|x| hjorth(black_box(x)).mobility).sum::<f64>());
    });
}

fn specparam(c: &mut Criterion) {
    let freqs: Vec<f64> = (0..=80).map(|k| 0.5 * f64::from(k)).collect();
    let bell = |f: f64| 0.8 * (-0.5 * ((f - 10.0) / 1.2).powi(2)).exp();
    let power = |f: &f64| 10_f64.powf(1.0 - (0.1 + f).log10() + bell(*f));
    let psd: Vec<f64> = freqs.iter().map(power).collect();
    let spec = SpecParamSpec::new(2.0, 40.0, AperiodicMode::Fixed);
    c.bench_function("specparam/1ch-80bins", |b| {
        b.iter(|| fit(&spec, black_box(&freqs), &psd).expect("it has a background"));
    });
}

criterion_group!(benches, welch, live, others, specparam);
criterion_main!(benches);
