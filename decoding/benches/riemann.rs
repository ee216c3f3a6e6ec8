//! How long covariance, distance, tangent vector and mean take. Ids carry the size:
//! `cargo bench -p decoding --bench riemann`.

use criterion::{Criterion, criterion_group, criterion_main};
use decoding::riemann::covariance::{Estimator, SlidingCovariance, oas_shrink, scm};
use decoding::riemann::distance::{DistanceTo, DistancesTo};
use decoding::riemann::mean::{Weights, riemannian_mean};
use decoding::riemann::metric::Metric;
use decoding::riemann::spd::EigenScratch;
use decoding::riemann::tangent::TangentSpace;
use decoding::riemann::transfer::{Recentering, Rescaling, Rotation};
use faer::Mat;
use std::hint::black_box;

/// Frames of mixed pseudo-random sources, one after the other.
fn frames(n_channels: usize, n_frames: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut out = Vec::with_capacity(n_channels * n_frames);
    for _ in 0..n_frames {
        let mut neighbour = 0.0;
        for _ in 0..n_channels {
            neighbour = 0.9 * neighbour + 20.0 * uniform();
            out.push(neighbour);
        }
    }
    out
}

/// A shrunk covariance of one window of 320 samples.
fn covariance(n_channels: usize, seed: u64) -> Mat<f64> {
    let frames = frames(n_channels, 320, seed);
    let mut cov = scm(Mat::from_fn(n_channels, 320, |i, t| frames[t * n_channels + i]).as_ref());
    oas_shrink(cov.as_mut(), 320);
    cov
}

fn sliding(c: &mut Criterion) {
    let frames = frames(64, 1600, 1);
    let mut sliding = SlidingCovariance::new(64, 320, 16);
    let mut cov = Mat::zeros(64, 64);
    frames.chunks_exact(64).for_each(|frame| sliding.push_frame(frame));
    let mut hops = frames.chunks_exact(64 * 16).cycle();
    c.bench_function("sliding_covariance_hop/64ch-320samples-16step", |b| {
        b.iter(|| {
            let hop = hops.next().expect("a cycle has no end");
            hop.chunks_exact(64).for_each(|frame| sliding.push_frame(frame));
            sliding.covariance_into(cov.as_mut());
        });
    });
    c.bench_function("oas_shrink/64ch", |b| {
        b.iter(|| oas_shrink(black_box(cov.as_mut()), 320));
    });
}

fn decisions(c: &mut Criterion) {
    for n in [22, 64] {
        let (point, cov) = (covariance(n, 1), covariance(n, 2));
        let mut eigen = EigenScratch::new(n);
        c.bench_function(&format!("eigenvalues/{n}ch"), |b| {
            b.iter(|| eigen.values(black_box(cov.as_ref())).map(<[f64]>::len));
        });
        c.bench_function(&format!("eigenvectors/{n}ch"), |b| {
            b.iter(|| eigen.decompose(black_box(cov.as_ref())).map(|(values, _)| values.len()));
        });
        let mut distance = DistanceTo::new(point.as_ref()).expect("shrunk");
        c.bench_function(&format!("distance/{n}ch"), |b| {
            b.iter(|| distance.squared(black_box(cov.as_ref())));
        });
        let mut space = TangentSpace::at(point.as_ref()).expect("shrunk");
        let mut vector = vec![0.0; space.dim()];
        c.bench_function(&format!("tangent_vector/{n}ch"), |b| {
            b.iter(|| space.vector_into(black_box(cov.as_ref()), &mut vector));
        });
    }
}

fn estimators(c: &mut Criterion) {
    for (n, n_samples) in [(22, 750), (306, 2000), (1024, 2000)] {
        let frames = frames(n, n_samples, 1);
        let window = Mat::from_fn(n, n_samples, |i, t| frames[t * n + i]);
        let mut cov = Mat::zeros(n, n);
        for (name, estimator) in [
            ("oas", Estimator::Oas),
            ("ledoit_wolf", Estimator::LedoitWolf),
            ("schaefer_strimmer", Estimator::SchaeferStrimmer),
        ] {
            let mut runtime = estimator.plan(n, n_samples).expect("enough samples");
            c.bench_function(&format!("covariance_{name}/{n}ch-{n_samples}samples"), |b| {
                b.iter(|| runtime.covariance_into(black_box(window.as_ref()), cov.as_mut()));
            });
        }
    }
}

fn metrics(c: &mut Criterion) {
    let covs: Vec<_> = (0..9).map(|seed| covariance(22, seed)).collect();
    let points: Vec<_> = covs[..5].iter().map(Mat::as_ref).collect();
    let mut group = c.benchmark_group("metric");
    for metric in Metric::ALL {
        let mut distances = DistancesTo::in_metric(metric, &points).expect("shrunk");
        let mut squared = [0.0; 5];
        group.bench_function(format!("distances_{metric}/22ch-to-5"), |b| {
            b.iter(|| distances.squared_into(black_box(covs[7].as_ref()), &mut squared));
        });
        let mut space = TangentSpace::in_metric(metric, covs[0].as_ref()).expect("shrunk");
        let mut vector = vec![0.0; space.dim()];
        group.bench_function(format!("tangent_vector_{metric}/22ch"), |b| {
            b.iter(|| space.vector_into(black_box(covs[7].as_ref()), &mut vector));
        });
        let mut back = Mat::zeros(22, 22);
        group.bench_function(format!("tangent_back_{metric}/22ch"), |b| {
            b.iter(|| space.spd_into(black_box(&vector), back.as_mut()));
        });
        group.bench_function(format!("mean_{metric}/9x22ch"), |b| {
            b.iter(|| {
                metric.mean(black_box(&covs), &Weights::equal(), 1e-8, 50).map(|m| m.n_steps)
            });
        });
    }
    group.finish();
}

fn transfer(c: &mut Criterion) {
    let covs: Vec<_> = (0..6).map(|seed| covariance(22, seed)).collect();
    let mut out = Mat::zeros(22, 22);
    let mut centre = Recentering::at(covs[0].as_ref()).expect("shrunk");
    c.bench_function("recentering/22ch", |b| {
        b.iter(|| centre.apply_into(black_box(covs[1].as_ref()), out.as_mut()));
    });
    let mut scale = Rescaling::at(covs[0].as_ref(), 0.8).expect("shrunk");
    c.bench_function("rescaling/22ch", |b| {
        b.iter(|| scale.apply_into(black_box(covs[1].as_ref()), out.as_mut()));
    });
    c.bench_function("rotation_fit/3x22ch", |b| {
        let (pairs, weights) = ((&covs[..3], &covs[3..]), Weights::equal());
        b.iter(|| {
            Rotation::fit(Metric::Euclidean, black_box(pairs), &weights, (1e-6, 2000)).is_ok()
        });
    });
}

fn mean(c: &mut Criterion) {
    let covs: Vec<_> = (0..100).map(|seed| covariance(64, seed)).collect();
    let mut group = c.benchmark_group("mean");
    group.sample_size(10);
    group.bench_function("riemannian/100x64ch", |b| {
        b.iter(|| riemannian_mean(black_box(&covs), 1e-8, 50).map(|m| m.n_steps));
    });
    group.finish();
}

criterion_group!(benches, sliding, estimators, decisions, metrics, transfer, mean);
criterion_main!(benches);
