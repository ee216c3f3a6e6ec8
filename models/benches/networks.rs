//! What a decision and a step of training cost, on one core of the CPU.

use burn::module::AutodiffModule;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use criterion::{Criterion, criterion_group, criterion_main};
use models::backend::{Cpu, CpuTraining, PROCESSOR};
use models::net::layers::Pass;
use models::net::{Geometry, Network, NetworkConfig};
use models::random::Random;
use models::train::adamw::{AdamW, AdamWParams, gradient_norm};
use std::hint::black_box;

const KINDS: [&str; 7] = ["eegnet", "shallow", "deep4", "basenet", "ctnet", "conformer", "encoder"];
const GEOMETRIES: [Geometry; 2] = [
    Geometry { n_channels: 22, n_samples: 1001, n_classes: 4 },
    Geometry { n_channels: 64, n_samples: 320, n_classes: 4 },
];
/// Windows of a step of training.
const N_BATCH: usize = 32;

fn network(kind: &str, geometry: Geometry) -> Option<Network<CpuTraining>> {
    let config: NetworkConfig = toml::from_str(&format!("kind = \"{kind}\"")).ok()?;
    let positions: Vec<[f64; 3]> =
        (0..geometry.n_channels).map(|k| [0.01 * k as f64, 0.0, 0.0]).collect();
    // Deep4 asks for longer windows than 320 samples.
    config.build(geometry, &positions, 1, &PROCESSOR).ok()
}

fn windows<B: Backend>(n: usize, geometry: Geometry, device: &B::Device) -> Tensor<B, 3> {
    let shape = [n, geometry.n_channels, geometry.n_samples];
    let values = Random::new(1, 1).normals(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn name(kind: &str, geometry: Geometry) -> String {
    format!("{kind}/{}ch-{}", geometry.n_channels, geometry.n_samples)
}

fn forward(criterion: &mut Criterion) {
    for geometry in GEOMETRIES {
        for kind in KINDS {
            let Some(network) = network(kind, geometry) else { continue };
            let network = network.valid();
            let x = windows::<Cpu>(1, geometry, &PROCESSOR);
            let id = format!("forward/{}", name(kind, geometry));
            criterion.bench_function(&id, |bencher| {
                bencher
                    .iter(|| black_box(network.forward(x.clone(), &mut Pass::Infer).into_data()));
            });
        }
    }
}

fn step(criterion: &mut Criterion) {
    for geometry in GEOMETRIES {
        for kind in KINDS {
            let Some(mut network) = network(kind, geometry) else { continue };
            let x = windows::<CpuTraining>(N_BATCH, geometry, &PROCESSOR);
            let mut adamw = AdamW::new(AdamWParams::default());
            let mut random = Random::new(1, 2);
            let id = format!("step-of-{N_BATCH}/{}", name(kind, geometry));
            let mut group = criterion.benchmark_group("training");
            group.sample_size(10);
            group.bench_function(&id, |bencher| {
                bencher.iter(|| {
                    let pass = &mut Pass::Train(&mut random);
                    let logits = network.forward(x.clone(), pass);
                    let loss = -log_softmax(logits, 1).narrow(1, 0, 1).mean();
                    let gradients = loss.backward();
                    let scale = (1.0 / gradient_norm(&network, &gradients)).min(1.0);
                    network = adamw.step(network.clone(), &gradients, scale, 1e-4);
                });
            });
        }
    }
}

criterion_group!(benches, forward, step);
criterion_main!(benches);
