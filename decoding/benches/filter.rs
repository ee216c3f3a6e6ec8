//! How long causal filtering and a spectrum take. Ids carry the size:
//! `cargo bench -p decoding --bench filter`.

use acquisition::time::SampleRate;
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::filter::butterworth;
use decoding::filter::sos::SosFilter;
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
    for n_channels in [8, 64, 306] {
        let sections = butterworth::bandpass(4, 8.0, 30.0, rate()).expect("8-30 Hz is a band");
        let mut filter = SosFilter::new(sections, n_channels);
        let input = noise(n_channels * 10);
        let mut chunk = input.clone();
        c.bench_function(&format!("sos/4sections-{n_channels}ch-10samples"), |b| {
            b.iter(|| {
                chunk.copy_from_slice(&input);
                filter.process_frames(black_box(&mut chunk));
            });
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

criterion_group!(benches, sos, welch);
criterion_main!(benches);
