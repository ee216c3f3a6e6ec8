//! How long fits and one window of the fitted spatial filters take. Ids carry the size:
//! `cargo bench -p decoding --bench spatial_filter`.

use acquisition::marker::ClassIdx;
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::riemann::covariance::{Estimator, oas_shrink, scm};
use decoding::spatial_filter::augmented::AugmentedParams;
use decoding::spatial_filter::cca::{CcaParams, FilterBankCcaParams};
use decoding::spatial_filter::csp::{CspFilters, CspParams, CspRegularisation};
use decoding::spatial_filter::erp_covariance::ErpCovarianceParams;
use decoding::spatial_filter::filter_bank::BandWeights;
use decoding::spatial_filter::filter_bank_csp::FilterBankCspParams;
use decoding::spatial_filter::spoc::SpocParams;
use decoding::spatial_filter::trca::TrcaParams;
use decoding::spatial_filter::xdawn::XdawnParams;
use decoding::window::Planar;
use faer::Mat;
use std::hint::black_box;

/// Windows of noise that neighbours share, and classes in turn, each louder on channels
/// of its own.
struct Windows {
    data: Vec<f64>,
    shape: (usize, usize),
    labels: Vec<ClassIdx>,
}

impl Windows {
    fn new(n: usize, n_classes: usize, shape: (usize, usize)) -> Self {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let labels: Vec<_> = (0..n).map(|k| ClassIdx((k % n_classes) as u8)).collect();
        let (n_channels, n_samples) = shape;
        let mut data = vec![0.0; n * n_channels * n_samples];
        for (window, label) in data.chunks_exact_mut(n_channels * n_samples).zip(&labels) {
            let mut before = vec![0.0; n_samples];
            for (c, channel) in window.chunks_exact_mut(n_samples).enumerate() {
                let gain = if c % n_classes == label.index() { 26.0 } else { 20.0 };
                for (x, before) in channel.iter_mut().zip(&mut before) {
                    *before = 0.5 * *before + gain * uniform();
                    *x = *before;
                }
            }
        }
        Self { data, shape, labels }
    }

    fn planar(&self) -> Vec<Planar<'_>> {
        let (n_channels, n_samples) = self.shape;
        let windows = self.data.chunks_exact(n_channels * n_samples);
        windows.map(|w| Planar::new(w, n_channels, n_samples, n_samples)).collect()
    }

    fn covariances(&self) -> Vec<Mat<f64>> {
        let covariance = |window: &Planar<'_>| {
            let mut covariance = scm(window.as_mat());
            oas_shrink(covariance.as_mut(), window.n_samples());
            covariance
        };
        self.planar().iter().map(covariance).collect()
    }
}

fn fits_to_covariances(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    for (n, n_channels, n_samples) in [(288, 22, 750), (40, 306, 400), (20, 1024, 400)] {
        let windows = Windows::new(n, 2, (n_channels, n_samples));
        let covariances = windows.covariances();
        let borrowed: Vec<_> = covariances.iter().collect();
        let params = CspParams::usual(2);
        group.bench_function(format!("csp/{n}x{n_channels}ch-2classes"), |b| {
            b.iter(|| params.fit(black_box(&borrowed), &windows.labels, 2));
        });
    }
    let windows = Windows::new(288, 4, (22, 750));
    let covariances = windows.covariances();
    let borrowed: Vec<_> = covariances.iter().collect();
    let filters = CspFilters::Joint { n_filters: 8 };
    let joint = CspParams { filters, regularisation: CspRegularisation::None };
    group.bench_function("csp-joint/288x22ch-4classes", |b| {
        b.iter(|| joint.fit(black_box(&borrowed), &windows.labels, 4));
    });
    let bands = vec![borrowed.as_slice(); 9];
    group.bench_function("filter-bank-csp/288x22ch-9bands-4classes", |b| {
        let params = FilterBankCspParams::default();
        b.iter(|| params.fit(black_box(&bands), &windows.labels, 4));
    });
    let targets: Vec<f64> = (0..288).map(|k| f64::from(k % 7)).collect();
    group.bench_function("spoc/288x22ch", |b| {
        b.iter(|| SpocParams::default().fit(black_box(&borrowed), &targets));
    });
    group.finish();
}

fn fits_to_windows(c: &mut Criterion) {
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    for (n, n_channels, n_samples) in [(480, 16, 200), (40, 306, 200)] {
        let windows = Windows::new(n, 2, (n_channels, n_samples));
        group.bench_function(format!("xdawn/{n}x{n_channels}ch-{n_samples}"), |b| {
            let params = XdawnParams::default();
            b.iter(|| params.fit(black_box(&windows.planar()), &windows.labels, 2));
        });
    }
    let windows = Windows::new(60, 3, (8, 320));
    group.bench_function("trca/60x8ch-320-3classes", |b| {
        let params = TrcaParams::default();
        b.iter(|| params.fit(black_box(&[&windows.planar()]), &windows.labels, 3));
    });
    group.finish();
}

fn windows(c: &mut Criterion) {
    for (n_channels, n_samples) in [(16, 200), (306, 200)] {
        let windows = Windows::new(20, 2, (n_channels, n_samples));
        let params = ErpCovarianceParams::default();
        let model = params.fit(&windows.planar(), &windows.labels, 2).expect("noise");
        let mut runtime = model.plan().expect("a fitted model");
        let mut out = Mat::zeros(runtime.n_rows(), runtime.n_rows());
        c.bench_function(&format!("window/xdawn-covariance-{n_channels}ch-{n_samples}"), |b| {
            b.iter(|| runtime.covariance_into(black_box(&windows.planar()[0]), out.as_mut()));
        });
    }
    for (n_channels, order) in [(22, 4), (306, 2), (1024, 2)] {
        let windows = Windows::new(1, 1, (n_channels, 480));
        let params = AugmentedParams { order, lag: 8, estimator: Estimator::Oas };
        let mut runtime = params.plan(n_channels, 480).expect("long enough");
        let mut out = Mat::zeros(runtime.n_rows(), runtime.n_rows());
        c.bench_function(&format!("window/augmented-{n_channels}ch-480-order{order}"), |b| {
            b.iter(|| runtime.covariance_into(black_box(&windows.planar()[0]), out.as_mut()));
        });
    }
}

fn scores(c: &mut Criterion) {
    let windows = Windows::new(30, 3, (8, 320));
    let window = windows.planar()[0];
    let cca = CcaParams { frequencies_hz: vec![9.0, 11.0, 13.0], n_harmonics: 3 };
    let mut scores = [0.0; 3];
    let mut runtime = cca.plan(160.0, 8, 320).expect("a plan");
    c.bench_function("window/cca-8ch-320-3frequencies", |b| {
        b.iter(|| runtime.scores_into(black_box(&window), &mut scores));
    });
    let bank = FilterBankCcaParams { cca, n_bands: 5, weights: BandWeights::default() };
    let mut runtime = bank.plan(160.0, 8, 320).expect("a plan");
    c.bench_function("window/filter-bank-cca-8ch-320-3frequencies-5bands", |b| {
        b.iter(|| runtime.scores_into(black_box(&[window; 5]), &mut scores));
    });
    let bands = vec![windows.planar(); 5];
    let bands: Vec<_> = bands.iter().map(Vec::as_slice).collect();
    let model = TrcaParams::default().fit(&bands, &windows.labels, 3).expect("noise");
    let mut runtime = model.plan();
    c.bench_function("window/trca-8ch-320-3classes-5bands", |b| {
        b.iter(|| runtime.scores_into(black_box(&[window; 5]), &mut scores));
    });
}

criterion_group!(benches, fits_to_covariances, fits_to_windows, windows, scores);
criterion_main!(benches);
