//! How long connectivity between all channels takes. Ids carry the size:
//! `cargo bench -p decoding --bench connectivity`.

use acquisition::time::{SampleIndex, SampleRate};
use criterion::{Criterion, criterion_group, criterion_main};
use decoding::connectivity::{
    BandEdges, ConnectivityError, ConnectivitySpec, Envelope, EnvelopeCorrelation,
    EpochConnectivity, Measure, NodeStrength, Orthogonalisation, Resolution, Segments,
    TimeConnectivity,
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
    }
    Ok(())
}

fn live_or_panic(c: &mut Criterion) {
    live(c).expect("plans that fit");
}

criterion_group!(benches, epochs, live_or_panic);
criterion_main!(benches);
