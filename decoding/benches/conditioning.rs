//! How long channel maps take on a frame, and artefact handling on a step or a window. Ids
//! carry the size: `cargo bench -p decoding --bench conditioning`.

use acquisition::montage::TEN_TEN;
use acquisition::time::SampleRate;
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::artifact::asr::{Asr, AsrParams, CleanerParams};
use decoding::artifact::potato::{Potato, PotatoParams};
use decoding::riemann::covariance::{oas_shrink, scm};
use decoding::spatial::ChannelMap;
use decoding::spatial::laplacian::{Edge, Reach, laplacian};
use faer::Mat;
use std::hint::black_box;

/// Mixed pseudo-random sources whose size comes and goes.
fn samples(n_channels: usize, n_samples: usize, seed: u64) -> Mat<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut out = Mat::zeros(n_channels, n_samples);
    for t in 0..n_samples {
        let size = 20.0 + 5.0 * (t as f64 * 0.003).sin();
        let mut neighbour = 0.0;
        for i in 0..n_channels {
            neighbour = 0.9 * neighbour + size * uniform();
            out[(i, t)] = neighbour;
        }
    }
    out
}

fn maps(c: &mut Criterion) {
    for n in [64, 306, 1024] {
        let labels: Vec<_> = (0..n).map(|i| i.to_string()).collect();
        let map = ChannelMap::common_average(&labels).expect("labels differ");
        let plan = map.plan(&labels).expect("labels are the map's");
        let (frame, mut out) = (vec![1.0; n], vec![0.0; n]);
        c.bench_function(&format!("channel_map_dense_frame/{n}ch"), |b| {
            b.iter(|| plan.apply_frame(black_box(&frame), &mut out));
        });
    }
    let map = laplacian(&TEN_TEN, Reach::Small, Edge::Fewer).expect("a whole cap");
    let plan = map.plan(&TEN_TEN).expect("labels are the map's");
    let (frame, mut out) = (vec![1.0; 64], vec![0.0; plan.n_outputs()]);
    c.bench_function("laplacian_frame/64ch", |b| {
        b.iter(|| plan.apply_frame(black_box(&frame), &mut out));
    });
}

fn asr(c: &mut Criterion) {
    let mut group = c.benchmark_group("asr");
    group.sample_size(20);
    for (n, hz, step) in [(64, 160.0, 32), (306, 1000.0, 333)] {
        let rate = SampleRate::new(hz).expect("a usual rate");
        let clean = samples(n, 20 * hz as usize, 1);
        let params = AsrParams { cutoff: 3.0, ..Default::default() };
        let model = Asr::fit_clean(params, rate, clean.as_ref()).expect("nothing is flat");
        let params = CleanerParams { step_samples: step, ..Default::default() };
        let mut cleaner = model.cleaner(params).expect("the step is shorter than a window");
        let loud = samples(n, 4 * step, 2) * faer::Scale(3.0);
        let frames: Vec<Vec<f64>> =
            loud.col_iter().map(|col| col.iter().copied().collect()).collect();
        let mut next = frames.iter().cycle();
        group.bench_function(format!("step/{n}ch-{step}samples"), |b| {
            b.iter(|| {
                for _ in 0..step {
                    let frame = next.next().expect("a cycle has no end");
                    black_box(cleaner.push_frame(frame));
                }
            });
        });
    }
    group.finish();
}

fn potato(c: &mut Criterion) {
    for n in [22, 64, 306] {
        let covariance = |seed| {
            let mut cov = scm(samples(n, 2 * n, seed).as_ref());
            oas_shrink(cov.as_mut(), 2 * n);
            cov
        };
        let covs: Vec<_> = (0..12).map(covariance).collect();
        let model = Potato::fit(PotatoParams::default(), &covs).expect("windows differ");
        let mut gate = model.gate().expect("the mean is positive definite");
        c.bench_function(&format!("potato_judge/{n}ch"), |b| {
            b.iter(|| gate.judge(black_box(covs[3].as_ref())).z_score);
        });
        c.bench_function(&format!("potato_update/{n}ch"), |b| {
            b.iter(|| gate.update(black_box(covs[3].as_ref()), 1e-6).is_ok());
        });
    }
}

criterion_group!(benches, maps, asr, potato);
criterion_main!(benches);
