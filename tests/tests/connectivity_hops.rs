//! No allocation per hop in the sliding estimates of connectivity and in what is computed
//! from them.

use acquisition::time::{SampleIndex, SampleRate};
use decoding::connectivity::directed::{DirectedConnectivity, DirectedMeasure};
use decoding::connectivity::granger::{GroupGranger, Scope, SlidingGranger, SpectralGranger};
use decoding::connectivity::graph::{
    Direction, GraphMeasures, GraphSpec, NodeMeasure, Threshold, WeightScale, WholeMeasure,
};
use decoding::connectivity::mvar::SlidingMvar;
use decoding::connectivity::{Envelope, Orthogonalisation, SlidingEnvelope};
use decoding::window::{Planar, WindowSpec};
use tests::alloc::{Counting, n_calls};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const N_CHANNELS: usize = 6;
const N_SAMPLES: usize = 1600;
const WINDOW: WindowSpec = WindowSpec { window_samples: 320, step_samples: 16 };

fn rate() -> SampleRate {
    SampleRate::new(160.0).expect("a positive rate")
}

/// Pseudo-random samples.
fn noise() -> Vec<f64> {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    (0..N_CHANNELS * N_SAMPLES).map(|_| uniform()).collect()
}

/// How often the allocator is called by all hops after the first.
fn calls_of(mut hop: impl FnMut(SampleIndex, Planar<'_>)) -> u64 {
    let samples = noise();
    let mut run = |start: usize| {
        let window = Planar::new(&samples[start..], N_CHANNELS, N_SAMPLES, 320);
        hop(SampleIndex(start as u64 + 319), window);
    };
    run(0);
    n_calls(|| (16..=N_SAMPLES - 320).step_by(16).for_each(run))
}

#[test]
fn models_allocate_nothing() {
    let mut sliding = SlidingMvar::new(N_CHANNELS, 4, WINDOW).unwrap();
    let (shape, freqs) = ((N_CHANNELS, 4), [5.0, 10.0, 20.0]);
    let measures = [DirectedMeasure::DirectTransfer, DirectedMeasure::PartialCoherence];
    let mut directed = DirectedConnectivity::new(shape, rate(), &freqs, &measures).unwrap();
    let mut spectral = SpectralGranger::new(shape, rate(), &freqs).unwrap();
    let mut group = GroupGranger::new(shape, rate(), &freqs, (&[0, 1], &[4, 2])).unwrap();
    let mut band = vec![0.0; N_CHANNELS * N_CHANNELS];
    let n = calls_of(|end, samples| {
        let model = sliding.slide(end, samples).expect("independent channels");
        directed.run(model);
        spectral.run(model);
        spectral.band_into((5.0, 10.0), &mut band);
        group.run(model);
    });
    assert_eq!(n, 0);
}

#[test]
fn granger_causality_allocates_nothing() {
    for scope in [Scope::Conditional, Scope::Pairwise] {
        let mut sliding = SlidingGranger::new(N_CHANNELS, 4, WINDOW, scope).unwrap();
        let n = calls_of(|end, samples| assert!(sliding.slide(end, samples).is_some()));
        assert_eq!(n, 0, "{scope:?}");
    }
}

#[test]
fn envelopes_and_their_graph_allocate_nothing() {
    let kinds = (Orthogonalisation::Pairwise, Envelope::Amplitude);
    let mut sliding = SlidingEnvelope::new(N_CHANNELS, WINDOW, rate(), (12.0, 4.0), kinds).unwrap();
    for (direction, threshold) in [
        (Direction::Undirected, Threshold::Proportional(0.5)),
        (Direction::Directed, Threshold::Backbone(0.3)),
    ] {
        let spec = GraphSpec {
            direction,
            threshold,
            scale: WeightScale::Largest,
            node_measures: vec![
                NodeMeasure::InStrength,
                NodeMeasure::Clustering,
                NodeMeasure::LocalEfficiency,
                NodeMeasure::Betweenness,
                NodeMeasure::Eigenvector,
            ],
            whole_measures: vec![
                WholeMeasure::Transitivity,
                WholeMeasure::GlobalEfficiency,
                WholeMeasure::Assortativity,
                WholeMeasure::Modularity,
            ],
        };
        let mut graph = GraphMeasures::new(N_CHANNELS, &spec).unwrap();
        let n = calls_of(|end, samples| graph.run_pairs(sliding.slide(end, samples)));
        assert_eq!(n, 0, "{direction:?}");
    }
}
