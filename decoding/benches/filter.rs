//! How long causal filtering and a spectrum take. Ids carry the size:
//! `cargo bench -p decoding --bench filter`.

use acquisition::time::SampleRate;
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::filter::fir::FirFilter;
use decoding::filter::fir::design::{Taper, Transitions, with_transitions};
use decoding::filter::resample::{Ratio, Resampler};
use decoding::filter::sos::SosFilter;
use decoding::filter::{Band, butterworth};
use decoding::psd::welch::WelchPlan;
use std::hint::black_box;

fn rate() -> SampleRate {
    SampleRate::new(160.0).expect("160 Hz is a rate")
}

/// Values without a pattern that the arithmetic could profit from.
fn noise(n: usize) -> Vec<f64> {
    (0..n).map(|k| ((k * 7919 + 13) % 1009) as f64 / 50.0 - 10.0).collect()
}

fn sos(c: &mut Criterion) {
    for n_channels in [8, 64, 306, 1024] {
        let sections = butterworth::bandpass(4, 8.0, 30.0, rate()).expect("8-30 Hz is a band");
        let mut filter = SosFilter::new(sections, n_channels);
        let input = noise(n_channels * 10);
        // Not a whole number of pages behind the input: some machines copy slowly then.
        let mut chunk = vec![0.0; 256 + input.len()];
        let chunk = &mut chunk[256..];
        c.bench_function(&format!("sos/4sections-{n_channels}ch-10samples"), |b| {
            b.iter(|| {
                chunk.copy_from_slice(&input);
                filter.process_frames(black_box(chunk));
            });
        });
    }
}

fn fir(c: &mut Criterion) {
    let band = Band::Bandpass { low_hz: 8.0, high_hz: 30.0 };
    let widths = Transitions::auto(band, rate());
    let taps = with_transitions(band, widths, Taper::Hamming, rate()).expect("8-30 Hz is a band");
    for n_channels in [64, 306, 1024] {
        let mut filter = FirFilter::new(&taps, n_channels).expect("designed taps are finite");
        let mut chunk = noise(n_channels * 10);
        let id = format!("fir/{}taps-{n_channels}ch-10samples", taps.len());
        c.bench_function(&id, |b| b.iter(|| filter.process_frames(black_box(&mut chunk))));
    }
}

fn resample(c: &mut Criterion) {
    let ratio = Ratio::new(16, 25).expect("250 Hz to 160 Hz");
    for n_channels in [64, 306, 1024] {
        let mut resampler = Resampler::plan(ratio, n_channels).expect("a designed filter");
        let chunk = noise(n_channels * 10);
        let mut out = vec![0.0; n_channels * 8];
        c.bench_function(&format!("resample/16:25-{n_channels}ch-10samples"), |b| {
            b.iter(|| resampler.process_frames(black_box(&chunk), &mut out));
        });
    }
}

fn welch(c: &mut Criterion) {
    let mut plan = WelchPlan::new(320, rate(), 160, 80).expect("a segment fits the window");
    let window = noise(320);
    let mut psd = vec![0.0; plan.n_bins()];
    c.bench_function("welch/64ch-2s", |b| {
        b.iter(|| (0..64).for_each(|_| plan.run(black_box(&window), &mut psd)));
    });
}

criterion_group!(benches, sos, fir, resample, welch);
criterion_main!(benches);
