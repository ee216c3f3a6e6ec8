//! How long connectivity between all channels takes. Ids carry the size:
//! `cargo bench -p decoding --bench connectivity`.

use acquisition::time::{SampleIndex, SampleRate};
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use decoding::connectivity::granger::{GrangerSpec, Scope, SlidingGranger, SpectralGranger};
use decoding::connectivity::graph::{
    Direction, GraphMeasures, GraphSpec, NodeMeasure, Threshold, WeightScale, WholeMeasure,
};
use decoding::connectivity::mvar::{Estimator, Intercept, MvarError, MvarSpec, SlidingMvar};
use decoding::connectivity::surrogate::{Surrogate, SurrogateSpec};
use decoding::connectivity::{
    BandEdges, ConnectivityError, ConnectivitySpec, Envelope, EnvelopeCorrelation,
    EpochConnectivity, Measure, NodeStrength, Orthogonalisation, Resolution, Segments,
    SlidingEnvelope, TimeConnectivity,
};
use decoding::psd::bands::BANDS;
use decoding::window::{Planar, WindowSpec};
use ndarray::Array3;

const SEVEN: [Measure; 7] = [
    Measure::Coherence,
    Measure::ImaginaryCoherence,
    Measure::PhaseLocking,
    Measure::PhaseLag,
    Measure::WeightedPhaseLag,
    Measure::DirectedPhaseLag,
    Measure::PairwisePhaseConsistency,
];

/// Pseudo-random samples.
fn noise(n: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    (0..n).map(|_| uniform()).collect()
}

fn spec(measures: &[Measure]) -> ConnectivitySpec {
    let resolution = Resolution::Bands(BANDS.to_vec());
    ConnectivitySpec { measures: measures.to_vec(), resolution, edges: BandEdges::HalfOpen }
}

fn rate() -> SampleRate {
    SampleRate::new(250.0).expect("a positive rate")
}

fn epochs(c: &mut Criterion) {
    for (n_channels, n_epochs) in [(64, 50), (306, 10), (1024, 5)] {
        let shape = (n_epochs, n_channels, 500);
        let epochs = Array3::from_shape_vec(shape, noise(n_epochs * n_channels * 500));
        let epochs = epochs.expect("as many values as the shape has");
        for (name, measures) in [("coherence", &SEVEN[..1]), ("seven", &SEVEN[..])] {
            let id = format!("epochs_{name}/{n_channels}ch-{n_epochs}x2s");
            let plan = EpochConnectivity::fourier(n_channels, 500, rate(), &spec(measures));
            let plan = plan.expect("a plan that fits");
            c.bench_function(&id, |b| b.iter(|| plan.run(&epochs.view())));
        }
    }
}

fn live(c: &mut Criterion) -> Result<(), ConnectivityError> {
    for n in [64, 306] {
        // The signal repeats itself every four seconds.
        let signal: Vec<f64> = noise(n * 1000).chunks(1000).flat_map(|x| x.repeat(2)).collect();
        let window = WindowSpec { window_samples: 500, step_samples: 25 };
        let segments = Segments::half_second(window, rate());
        let mut strength = NodeStrength::new(n, window, rate(), segments, &BANDS)?;
        let (mut out, mut start) = (vec![0.0; strength.n_values()], 0);
        c.bench_function(&format!("node_strength_hop/{n}ch-2s-0.1s"), |b| {
            b.iter(|| {
                let samples = Planar::new(&signal[start % 1000..], n, 2000, 500);
                strength.slide_into(SampleIndex(start as u64 + 499), samples, &mut out);
                start += 25;
            });
        });
        let samples = Planar::new(&signal, n, 2000, 500);
        let freqs_hz: Vec<f64> = (8..30).step_by(4).map(f64::from).collect();
        let mut time =
            TimeConnectivity::morlet(n, 500, rate(), (&freqs_hz, 5.0), &spec(&SEVEN[..1]))?;
        c.bench_function(&format!("time_coherence/{n}ch-2s-6freqs"), |b| {
            b.iter(|| time.run(samples)[0]);
        });
        let (kind, envelope) = (Orthogonalisation::Pairwise, Envelope::Amplitude);
        let mut envelopes = EnvelopeCorrelation::new(n, 500, kind, envelope)?;
        c.bench_function(&format!("envelope_pairwise/{n}ch-2s"), |b| {
            b.iter(|| envelopes.run(samples)[0]);
        });
        let kinds = (kind, envelope);
        let mut sliding = SlidingEnvelope::new(n, window, rate(), (12.0, 4.0), kinds)?;
        let mut start = 0;
        c.bench_function(&format!("envelope_hop/{n}ch-2s-0.1s"), |b| {
            b.iter(|| {
                let samples = Planar::new(&signal[start % 1000..], n, 2000, 500);
                sliding.slide(SampleIndex(start as u64 + 499), samples);
                start += 25;
            });
        });
    }
    Ok(())
}

fn models(c: &mut Criterion) -> Result<(), MvarError> {
    for (n, order) in [(16, 5), (64, 5)] {
        let signal: Vec<f64> = noise(n * 1000).chunks(1000).flat_map(|x| x.repeat(2)).collect();
        let epoch = Array3::from_shape_vec((1, n, 2000), noise(n * 2000));
        let epoch = epoch.expect("as many values as the shape has");
        let (estimator, intercept) = (Estimator::LeastSquares, Intercept::Estimated);
        let spec = MvarSpec { order, estimator, intercept };
        c.bench_function(&format!("mvar_fit/{n}ch-8s-p{order}"), |b| {
            b.iter(|| spec.fit(&epoch.view()));
        });
        let model = spec.fit(&epoch.view())?;
        let freqs: Vec<f64> = (1..=40).map(f64::from).collect();
        let measures = [DirectedMeasure::DirectTransfer, DirectedMeasure::PartialCoherence];
        let mut plan = DirectedConnectivity::new((n, order), rate(), &freqs, &measures)?;
        c.bench_function(&format!("ddtf_pdc/{n}ch-p{order}-40freqs"), |b| {
            b.iter(|| plan.run(model.view())[1]);
        });
        let mut plan = SpectralGranger::new((n, order), rate(), &freqs)?;
        c.bench_function(&format!("granger_spectral/{n}ch-p{order}-40freqs"), |b| {
            b.iter(|| plan.run(model.view())[1]);
        });
        // A window of four seconds has enough samples for all these channels.
        let window = WindowSpec { window_samples: 1000, step_samples: 25 };
        let mut sliding = SlidingMvar::new(n, order, window)?;
        let mut start = 0;
        let mut hop = |slide: &mut dyn FnMut(SampleIndex, Planar<'_>)| {
            let samples = Planar::new(&signal[start % 1000..], n, 2000, 1000);
            slide(SampleIndex(start as u64 + 999), samples);
            start += 25;
        };
        c.bench_function(&format!("mvar_hop/{n}ch-4s-0.1s-p{order}"), |b| {
            b.iter(|| hop(&mut |end, x| assert!(sliding.slide(end, x).is_some())));
        });
        for (name, scope) in [("conditional", Scope::Conditional), ("pairwise", Scope::Pairwise)] {
            let mut sliding = SlidingGranger::new(n, order, window, scope)?;
            c.bench_function(&format!("granger_{name}_hop/{n}ch-4s-0.1s-p{order}"), |b| {
                b.iter(|| hop(&mut |end, x| assert!(sliding.slide(end, x).is_some())));
            });
        }
    }
    Ok(())
}

fn surrogates(c: &mut Criterion) {
    let epoch = Array3::from_shape_vec((1, 8, 1000), noise(8000)).expect("as many values");
    let (intercept, scope) = (Intercept::Estimated, Scope::Conditional);
    let granger = GrangerSpec { order: 5, intercept, scope };
    let spec = SurrogateSpec { n_surrogates: 99, ..SurrogateSpec::new(Surrogate::Phases, 1) };
    c.bench_function("surrogates_granger/8ch-4s-p5-99", |b| {
        b.iter(|| {
            let measure =
                |x: &ndarray::ArrayView3<'_, f64>| granger.run(x).map(|map| map.values().to_vec());
            spec.test(&epoch.view(), measure)
        });
    });
}

fn graphs(c: &mut Criterion) {
    for n in [32, 64] {
        let weights: Vec<f64> = noise(n * n).iter().map(|x| x.abs()).collect();
        let of_nodes = |measure| (vec![measure], Vec::new());
        let of_whole = |measure| (Vec::new(), vec![measure]);
        for (name, (node_measures, whole_measures)) in [
            ("clustering", of_nodes(NodeMeasure::Clustering)),
            ("local_efficiency", of_nodes(NodeMeasure::LocalEfficiency)),
            ("betweenness", of_nodes(NodeMeasure::Betweenness)),
            ("eigenvector", of_nodes(NodeMeasure::Eigenvector)),
            ("global_efficiency", of_whole(WholeMeasure::GlobalEfficiency)),
            ("modularity", of_whole(WholeMeasure::Modularity)),
        ] {
            let (direction, threshold) = (Direction::Directed, Threshold::Proportional(0.3));
            let scale = WeightScale::Largest;
            let spec = GraphSpec { direction, threshold, scale, node_measures, whole_measures };
            let mut graph = GraphMeasures::new(n, &spec).expect("a plan that fits");
            c.bench_function(&format!("graph_{name}/{n}ch"), |b| b.iter(|| graph.run(&weights)));
        }
    }
}

fn models_or_panic(c: &mut Criterion) {
    models(c).expect("plans that fit");
}

fn live_or_panic(c: &mut Criterion) {
    live(c).expect("plans that fit");
}

criterion_group!(benches, epochs, live_or_panic, models_or_panic, surrogates, graphs);
criterion_main!(benches);
