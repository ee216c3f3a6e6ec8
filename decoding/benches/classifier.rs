//! How long fits and decisions of the classifiers take. Ids carry the size:
//! `cargo bench -p decoding --bench classifier`.

use acquisition::marker::ClassIdx;
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::adaptation::Rate;
use decoding::adaptation::lda::{AdaptiveLdaParams, Covariance};
use decoding::adaptation::recenter::{Centre, RecenterState};
use decoding::classifier::elastic_net::ElasticNetParams;
use decoding::classifier::fgmdm::FgMdmModel;
use decoding::classifier::knn::{KnnModel, Vote};
use decoding::classifier::lda::LdaModel;
use decoding::classifier::logistic::LogisticModel;
use decoding::classifier::mdm::MdmModel;
use decoding::classifier::mean_field::{Combination, MeanFieldModel};
use decoding::classifier::svm::SvmModel;
use decoding::riemann::covariance::{oas_shrink, scm};
use decoding::riemann::mean::riemannian_mean;
use decoding::riemann::metric::Metric;
use decoding::riemann::tangent::TangentSpace;
use decoding::spatial_filter::csp::CspModel;
use faer::Mat;
use std::hint::black_box;

const N_CHANNELS: usize = 64;
const N_CLASSES: usize = 3;

/// Shrunk covariances of windows of 320 samples, overlapping by 304 as the windows of a
/// session do, and their classes: twenty windows of one, then of the next.
fn examples(n: usize) -> (Vec<Mat<f64>>, Vec<ClassIdx>) {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let class = |window: usize| window / 20 % N_CLASSES;
    let mut samples = Mat::<f64>::zeros(N_CHANNELS, 320 + 16 * n);
    for t in 0..samples.ncols() {
        let mut neighbour = 0.0;
        for i in 0..N_CHANNELS {
            let gain = if i % N_CLASSES == class(t / 16) { 26.0 } else { 20.0 };
            neighbour = 0.9 * neighbour + gain * uniform();
            samples[(i, t)] = neighbour;
        }
    }
    let covariance = |k: usize| {
        let mut covariance = scm(samples.as_ref().subcols(16 * k, 320));
        oas_shrink(covariance.as_mut(), 320);
        covariance
    };
    let labels = (0..n).map(|k| ClassIdx(class(k) as u8)).collect();
    ((0..n).map(covariance).collect(), labels)
}

/// Tangent vectors at the mean.
fn tangent_vectors(covariances: &[Mat<f64>]) -> Vec<Vec<f64>> {
    let mean = riemannian_mean(covariances, 1e-8, 50).expect("shrunk").mean;
    let mut space = TangentSpace::at(mean.as_ref()).expect("a mean");
    let mut to_vector = |covariance: &Mat<f64>| {
        let mut vector = vec![0.0; space.dim()];
        space.vector_into(covariance.as_ref(), &mut vector);
        vector
    };
    covariances.iter().map(&mut to_vector).collect()
}

fn fits(c: &mut Criterion) {
    let (covariances, labels) = examples(600);
    let borrowed: Vec<_> = covariances.iter().collect();
    let vectors = tangent_vectors(&covariances);
    let log_variances: Vec<Vec<f64>> = covariances
        .iter()
        .map(|c| c.diagonal().column_vector().iter().map(|v| v.ln()).collect())
        .collect();
    let mut group = c.benchmark_group("fit");
    group.sample_size(10);
    group.bench_function("logistic/600x2080-3classes", |b| {
        b.iter(|| LogisticModel::fit(black_box(&vectors), &labels, N_CLASSES));
    });
    group.bench_function("elastic_net/600x2080-3classes", |b| {
        let params = ElasticNetParams::default();
        b.iter(|| params.fit(black_box(&vectors), &labels, N_CLASSES));
    });
    group.bench_function("svm_rbf/600x2080-3classes", |b| {
        b.iter(|| SvmModel::fit(black_box(&vectors), &labels, N_CLASSES));
    });
    group.bench_function("csp/600x64ch-3classes", |b| {
        b.iter(|| CspModel::fit(black_box(&borrowed), &labels, N_CLASSES));
    });
    group.bench_function("lda/600x64-3classes", |b| {
        b.iter(|| LdaModel::fit(black_box(&log_variances), &labels, N_CLASSES));
    });
    group.finish();
}

fn decisions(c: &mut Criterion) {
    let (covariances, labels) = examples(60);
    let borrowed: Vec<_> = covariances.iter().collect();
    let mut posterior = [0.0; N_CLASSES];

    let mdm = MdmModel::fit(&borrowed, &labels, N_CLASSES).expect("shrunk");
    let mut mdm = mdm.plan().expect("means");
    c.bench_function("decide/mdm-64ch-3classes", |b| {
        b.iter(|| mdm.posterior_into(black_box(covariances[0].as_ref()), &mut posterior));
    });

    let csp = CspModel::fit(&borrowed, &labels, N_CLASSES).expect("shrunk");
    let (mut csp, mut features) = (csp.plan(), vec![0.0; csp.n_filters()]);
    c.bench_function("features/csp-64ch-6filters", |b| {
        b.iter(|| csp.features_into(black_box(covariances[0].as_ref()), &mut features));
    });

    let vectors = tangent_vectors(&covariances);
    let machines = SvmModel::fit(&vectors, &labels, N_CLASSES).expect("finite vectors");
    let mut machines = machines.plan();
    c.bench_function("decide/svm_rbf-2080-3classes", |b| {
        b.iter(|| machines.posterior_into(black_box(&vectors[0]), &mut posterior));
    });

    let logistic = LogisticModel::fit(&vectors, &labels, N_CLASSES).expect("finite vectors");
    c.bench_function("decide/logistic-2080-3classes", |b| {
        b.iter(|| logistic.posterior_into(black_box(&vectors[0]), &mut posterior));
    });
}

fn adaptive_steps(c: &mut Criterion) {
    let (covariances, labels) = examples(60);
    let mut out = Mat::zeros(N_CHANNELS, N_CHANNELS);
    for (name, centre) in [("euclidean", Centre::Euclidean), ("riemannian", Centre::Riemannian)] {
        let state = RecenterState::new(N_CHANNELS, centre, Rate::Fixed(0.01));
        let mut recenter = state.plan().expect("the identity");
        let mut next = covariances.iter().cycle();
        c.bench_function(&format!("adapt/recenter-{name}-64ch"), |b| {
            b.iter(|| {
                let covariance = next.next().expect("a cycle has no end");
                recenter.update_into(black_box(covariance.as_ref()), out.as_mut())
            });
        });
    }

    let features: Vec<Vec<f64>> = covariances
        .iter()
        .map(|c| c.diagonal().column_vector().iter().map(|v| v.ln()).collect())
        .collect();
    let covariance = Covariance::Running(0.015);
    let params = AdaptiveLdaParams { covariance, ..AdaptiveLdaParams::default() };
    let state = params.fit(&features, &labels, N_CLASSES).expect("finite features");
    let mut lda = state.plan();
    let mut next = features.iter().cycle();
    c.bench_function("adapt/lda-64-3classes", |b| {
        b.iter(|| lda.adapt(black_box(next.next().expect("a cycle has no end")), None));
    });
}

fn other_geometric_decisions(c: &mut Criterion) {
    let (covariances, labels) = examples(60);
    // A quarter of the channels: fitting the geodesic filter takes the sixth power.
    let covariances: Vec<_> =
        covariances.iter().map(|c| c.as_ref().submatrix(0, 0, 16, 16).to_owned()).collect();
    let borrowed: Vec<_> = covariances.iter().collect();
    let (metric, of) = (Metric::AffineInvariant, (borrowed.as_slice(), labels.as_slice()));
    let mut posterior = [0.0; N_CLASSES];
    let probe = covariances[0].as_ref();

    let model = FgMdmModel::fit(metric, &borrowed, &labels, N_CLASSES).expect("shrunk");
    let mut runtime = model.plan().expect("fitted");
    c.bench_function("decide/fgmdm-16ch-3classes", |b| {
        b.iter(|| runtime.posterior_into(black_box(probe), &mut posterior));
    });
    let model = KnnModel::fit(metric, 5, Vote::ByDistance, of, N_CLASSES).expect("shrunk");
    let mut runtime = model.plan().expect("fitted");
    c.bench_function("decide/knn-16ch-60examples", |b| {
        b.iter(|| runtime.posterior_into(black_box(probe), &mut posterior));
    });
    let powers = &MeanFieldModel::POWERS;
    let model = MeanFieldModel::fit(metric, Combination::Sum, powers, of, N_CLASSES);
    let mut runtime = model.expect("shrunk").plan().expect("fitted");
    c.bench_function("decide/mean_field-16ch-3classes", |b| {
        b.iter(|| runtime.posterior_into(black_box(probe), &mut posterior));
    });
}

criterion_group!(benches, fits, decisions, other_geometric_decisions, adaptive_steps);
criterion_main!(benches);
