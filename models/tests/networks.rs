//! Networks against PyTorch: the golden files of `tests/reference/networks.py`.
#![cfg(feature = "neural")]

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use models::backend::{Cpu, CpuTraining, PROCESSOR};
use models::export::{to_torch, torch_names, write_torch};
use models::import::{from_torch, read_torch};
use models::net::layers::Pass;
use models::net::{Geometry, Network, NetworkConfig};
use models::random::Random;
use models::train::adamw::{AdamW, AdamWParams, gradient_norm};
use models::weights::{Values, Weights, WeightsError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const CASES: [&str; 9] = [
    "eegnet",
    "eegnet_odd",
    "shallow",
    "deep4",
    "basenet",
    "ctnet",
    "conformer",
    "encoder",
    "encoder_sensors",
];
/// Largest difference of logits, as a part of the largest logit.
const FORWARD: f32 = 1e-4;
/// The same of the gradients of each parameter.
const GRADIENT: f32 = 1e-3;

/// A golden file, and the network it is about, with its weights.
struct Golden<B: Backend> {
    name: &'static str,
    file: Weights,
    config: NetworkConfig,
    geometry: Geometry,
    network: Network<B>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/golden/networks")
}

/// The part of a file whose names begin with `prefix`, which is cut off.
fn part(file: &Weights, prefix: &str) -> Weights {
    let tensors = file
        .tensors
        .iter()
        .filter_map(|(name, values)| Some((name.strip_prefix(prefix)?.to_owned(), values.clone())));
    Weights { tensors: tensors.collect(), ..Weights::default() }
}

/// What a file says about itself.
fn about(file: &Weights) -> Value {
    serde_json::from_str(&file.metadata["about"]).expect("JSON")
}

/// The description in a file, with everything that drops values set to 0.
fn description(file: &Weights) -> NetworkConfig {
    let mut value = about(file)["network"].take();
    let kind = value["kind"].as_str().expect("a kind").to_owned();
    let drops: &[&str] = match kind.as_str() {
        "ctnet" => &[
            "convolution_drop_probability",
            "token_drop_probability",
            "block_drop_probability",
            "final_drop_probability",
        ],
        "conformer" => &["drop_probability", "block_drop_probability"],
        _ => &["drop_probability"],
    };
    for drop in drops {
        value[*drop] = json!(0.0);
    }
    if kind == "conformer" {
        value["hidden_drop_probabilities"] = json!([0.0, 0.0]);
    }
    serde_json::from_value(value).expect("a description")
}

fn golden<B: Backend>(name: &'static str, device: &B::Device) -> Golden<B> {
    let file = Weights::read(&folder().join(format!("{name}.safetensors"))).expect("golden");
    let config = description(&file);
    let geometry: Geometry =
        serde_json::from_value(about(&file)["geometry"].take()).expect("a geometry");
    let positions: Vec<[f64; 3]> = file.tensors.get("positions").map_or_else(Vec::new, |values| {
        let (rows, _) = values.values.as_chunks::<3>();
        rows.iter().map(|row| row.map(f64::from)).collect()
    });
    let network = config.build(geometry, &positions, 1, device).expect("a network");
    let network = from_torch(part(&file, "state."), network).expect("its weights");
    Golden { name, file, config, geometry, network }
}

fn tensor<B: Backend, const D: usize>(values: &Values, device: &B::Device) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values.values.clone(), values.shape.clone()), device)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

/// The largest difference must be below `part` of the largest expected value, or of
/// `least`, below which there is nothing but rounding.
fn assert_close(what: &str, found: &Values, expected: &Values, part: f32, least: f32) {
    assert_eq!(found.shape, expected.shape, "{what}");
    let scale = largest(&expected.values).max(least);
    let pairs = found.values.iter().zip(&expected.values);
    let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        difference <= part * scale,
        "{what}: {difference:e} off, of {scale:e}: {:.1e}",
        difference / scale
    );
}

fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Values {
    Values { shape: tensor.dims().to_vec(), values: tensor.into_data().to_vec().expect("f32") }
}

/// Windows and their classes.
fn examples<B: Backend>(file: &Weights, device: &B::Device) -> (Tensor<B, 3>, Tensor<B, 2, Int>) {
    let labels: Vec<i32> =
        file.tensors["labels"].values.iter().map(|&label| label as i32).collect();
    let shape = [labels.len(), 1];
    let labels = Tensor::from_data(TensorData::new(labels, shape), device);
    (tensor(&file.tensors["input"], device), labels)
}

fn cross_entropy<B: Backend>(logits: Tensor<B, 2>, labels: Tensor<B, 2, Int>) -> Tensor<B, 1> {
    -log_softmax(logits, 1).gather(1, labels).mean()
}

/// Logits, and gradients of the mean cross-entropy with respect to input and parameters.
fn run<B: AutodiffBackend>(
    golden: &Golden<B>,
    pass: &mut Pass,
    device: &B::Device,
) -> (Values, Weights) {
    let (x, labels) = examples::<B>(&golden.file, device);
    let x = x.require_grad();
    let logits = golden.network.forward(x.clone(), pass);
    let found = cross_entropy(logits.clone(), labels).backward();
    let names = torch_names(&golden.network);
    let ours = Weights::of_gradients(&golden.network, &found);
    let mut gradients = ours.renamed(|name| names[name].clone());
    let input = x.grad(&found).expect("a gradient of the input");
    gradients.tensors.insert("input".to_owned(), values(input));
    (values(logits), gradients)
}

fn assert_gradients(what: &str, found: &Weights, expected: &Weights) {
    let names = |weights: &Weights| weights.tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    let all = expected.tensors.values().map(|values| largest(&values.values));
    let least = 1e-3 * all.fold(0.0, f32::max);
    for (name, expected) in &expected.tensors {
        assert_close(&format!("{what}: {name}"), &found.tensors[name], expected, GRADIENT, least);
    }
}

#[test]
fn forward_passes_are_those_of_pytorch() {
    for name in CASES {
        let device = PROCESSOR;
        let golden = golden::<Cpu>(name, &device);
        let x = tensor::<Cpu, 3>(&golden.file.tensors["input"], &device);
        let logits = values(golden.network.forward(x, &mut Pass::Infer));
        assert_close(golden.name, &logits, &golden.file.tensors["logits"], FORWARD, 0.0);
    }
}

#[test]
fn gradients_are_those_of_pytorch() {
    for name in CASES {
        let device = PROCESSOR;
        let golden = golden::<CpuTraining>(name, &device);
        let (logits, gradients) = run(&golden, &mut Pass::Infer, &device);
        assert_close(name, &logits, &golden.file.tensors["logits"], FORWARD, 0.0);
        assert_gradients(name, &gradients, &part(&golden.file, "grad."));
    }
}

#[test]
fn training_is_that_of_pytorch() {
    for name in CASES {
        let device = PROCESSOR;
        let golden = golden::<CpuTraining>(name, &device);
        let mut random = Random::new(1, 1);
        let (logits, mut gradients) = run(&golden, &mut Pass::Train(&mut random), &device);
        assert_close(name, &logits, &golden.file.tensors["train.logits"], FORWARD, 0.0);
        gradients.tensors.remove("input");
        assert_gradients(name, &gradients, &part(&golden.file, "train.grad."));
        let after = to_torch(&golden.network);
        for (key, expected) in &part(&golden.file, "train.state.").tensors {
            let what = format!("{name}: {key}");
            assert_close(&what, &after.tensors[key], expected, FORWARD, 0.0);
        }
    }
}

#[test]
fn steps_are_those_of_pytorch() {
    let device = PROCESSOR;
    let golden = golden::<CpuTraining>("eegnet_odd", &device);
    // Gradients that are nothing but rounding make small steps with this epsilon.
    let params = AdamWParams { weight_decay: 0.1, epsilon: 1e-3, ..AdamWParams::default() };
    let (mut adamw, mut random) = (AdamW::new(params), Random::new(1, 1));
    let mut network = golden.network;
    // The golden file's first pass in training mode moved its running statistics.
    for step in 0..6 {
        let (x, labels) = examples::<CpuTraining>(&golden.file, &device);
        let logits = network.forward(x, &mut Pass::Train(&mut random));
        if step > 0 {
            let found = cross_entropy(logits, labels).backward();
            let scale = (0.05 / (gradient_norm(&network, &found) + 1e-6)).min(1.0);
            assert!(scale < 1.0, "gradients are clipped, or clipping is not tested");
            network = adamw.step(network, &found, scale, 0.01);
        }
    }
    let after = to_torch(&network);
    for (name, expected) in &part(&golden.file, "stepped.").tensors {
        assert_close(name, &after.tensors[name], expected, GRADIENT, 0.0);
    }
}

#[test]
fn parameters_and_operations_are_as_pytorch_counts_them() {
    for name in CASES {
        let golden = golden::<Cpu>(name, &PROCESSOR);
        let cost = golden.config.cost(golden.geometry).expect("a cost");
        let about = about(&golden.file);
        let count = |key: &str| about[key].as_u64().expect("a count");
        assert_eq!(cost.n_parameters, count("n_parameters"), "{name}");
        // PyTorch does not count Fourier transforms; braindecode's Conformer does not
        // merge its filters.
        if !["conformer", "encoder", "encoder_sensors"].contains(&name) {
            assert_eq!(cost.n_flops, count("n_flops"), "{name}");
        }
    }
}

/// With `MINDLOOP_EXPORTS` the files stay in that folder, for `networks.py --check`.
#[test]
fn weights_survive_the_way_to_pytorch_and_back() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = std::env::var_os("MINDLOOP_EXPORTS")
        .map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    for name in CASES {
        let golden = golden::<Cpu>(name, &PROCESSOR);
        let path = folder.join(format!("{name}.safetensors"));
        write_torch(&path, &golden.network).expect("written");
        let state = part(&golden.file, "state.");
        assert_eq!(Weights::read(&path).expect("read").tensors, state.tensors, "{name}");
        let positions = vec![[0.0; 3]; golden.geometry.n_channels];
        let other = golden.config.build::<Cpu>(golden.geometry, &positions, 2, &PROCESSOR);
        let other = read_torch(&path, other.expect("a network")).expect("its weights");
        assert_eq!(to_torch(&other).tensors, state.tensors, "{name}");
    }
}

#[test]
fn weights_of_another_network_are_refused_with_their_names() {
    let shallow = golden::<Cpu>("shallow", &PROCESSOR);
    let mut state = part(&shallow.file, "state.");
    let bias = state.tensors.remove("bnorm.bias").expect("a bias");
    state.tensors.insert("bnorm.offset".to_owned(), bias);
    state.tensors.get_mut("bnorm.weight").expect("a weight").shape = vec![3, 3];
    let error = from_torch(state, shallow.network.clone()).expect_err("another network");
    let text = error.to_string();
    for part in ["missing: bnorm.bias", "unexpected: bnorm.offset", "bnorm.weight is [3, 3]"] {
        assert!(text.contains(part), "{text}");
    }
    let mut state = part(&shallow.file, "state.");
    state.tensors.get_mut("bnorm.weight").expect("a weight").values[0] = f32::NAN;
    let error = from_torch(state, shallow.network).expect_err("not finite");
    assert!(matches!(error, WeightsError::NotFinite { .. }), "{error}");
}
