use super::*;
use crate::backend::{Cpu, PROCESSOR};
use crate::weights::Weights;
use burn::tensor::TensorData;

const KINDS: [&str; 7] = ["eegnet", "shallow", "deep4", "basenet", "ctnet", "conformer", "encoder"];
const GEOMETRY: Geometry = Geometry { n_channels: 6, n_samples: 600, n_classes: 3 };

fn described(text: &str) -> NetworkConfig {
    toml::from_str(text).expect("a description")
}

fn default_of(kind: &str) -> NetworkConfig {
    described(&format!("kind = \"{kind}\""))
}

/// Places on a head.
fn positions(n: usize) -> Vec<[f64; 3]> {
    (0..n).map(|k| [0.08 * (k as f64).sin(), 0.08 * (k as f64).cos(), 0.01 * k as f64]).collect()
}

fn network(config: &NetworkConfig, geometry: Geometry) -> Network<Cpu> {
    let positions = positions(geometry.n_channels);
    config.build(geometry, &positions, 3, &PROCESSOR).expect("a network")
}

fn windows(n: usize, geometry: Geometry, seed: u64) -> Tensor<Cpu, 3> {
    let shape = [n, geometry.n_channels, geometry.n_samples];
    let values = Random::new(seed, 9).normals(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), &PROCESSOR)
}

fn logits(network: &Network<Cpu>, x: Tensor<Cpu, 3>) -> Vec<f32> {
    network.forward(x, &mut Pass::Infer).into_data().to_vec().expect("f32")
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_network_is_described_by_its_kind_alone() {
    for kind in KINDS {
        let config = default_of(kind);
        assert_eq!(config.kind(), kind);
        let text = toml::to_string(&config).expect("TOML");
        assert_eq!(described(&text), config);
        assert_eq!(logits(&network(&config, GEOMETRY), windows(2, GEOMETRY, 1)).len(), 6);
    }
}

#[test]
fn descriptions_with_unknown_words_are_refused() {
    for text in ["kind = \"resnet\"", "kind = \"eegnet\"\nfilters = 8", "drop_probability = 0.5"] {
        assert!(toml::from_str::<NetworkConfig>(text).is_err(), "{text}");
    }
}

#[test]
fn parameters_are_counted_before_they_are_drawn() {
    let other = Geometry { n_channels: 3, n_samples: 523, n_classes: 2 };
    let learned = "kind = \"encoder\"\ntime = \"learned\"\npooling = \"attention\"\nn_subjects = 5";
    let sensors = "kind = \"encoder\"\nn_virtual_sensors = 0\nspectrum_scales = []";
    let configs = KINDS.map(default_of).into_iter().chain([learned, sensors].map(described));
    for config in configs {
        for geometry in [GEOMETRY, other] {
            let weights = Weights::of(&network(&config, geometry));
            let learned = weights.tensors.iter().filter(|(name, _)| !name.contains("running_"));
            let n: usize = learned.map(|(_, values)| values.values.len()).sum();
            let cost = config.cost(geometry).expect("a cost");
            assert_eq!(cost.n_parameters, n as u64, "{}", config.kind());
            assert!(cost.n_flops > cost.n_parameters, "{}", config.kind());
        }
    }
}

#[test]
fn windows_too_short_are_refused_and_the_shortest_are_not() {
    for kind in KINDS {
        let config = default_of(kind);
        let of = |n_samples| Geometry { n_samples, ..GEOMETRY };
        let shortest = (1..1000)
            .find(|&n| config.cost(of(n)).is_ok())
            .unwrap_or_else(|| panic!("{kind}: nothing is long enough"));
        for n in 1..shortest {
            let error = config.cost(of(n)).expect_err("too short");
            assert!(matches!(error, NetError::TooShort { .. }), "{kind} {n}: {error}");
        }
        let geometry = of(shortest);
        let found = logits(&network(&config, geometry), windows(1, geometry, 1));
        assert!(found.iter().all(|logit| logit.is_finite()), "{kind}");
    }
}

#[test]
fn bad_numbers_are_refused_by_name() {
    let refused = [
        ("kind = \"eegnet\"\nn_filters = 0", "n_filters"),
        ("kind = \"eegnet\"\npool_1 = 0", "pool_1"),
        ("kind = \"eegnet\"\nspatial_max_norm = -1.0", "spatial_max_norm"),
        ("kind = \"eegnet\"\ndrop_probability = 1.0", "drop_probability"),
        ("kind = \"eegnet\"\ndrop_probability = nan", "drop_probability"),
        ("kind = \"shallow\"\npool_stride = 0", "pool_stride"),
        ("kind = \"deep4\"\nfilter_samples = [10, 10, 0, 10]", "filter_samples"),
        ("kind = \"basenet\"\nstride_samples = 0", "stride_samples"),
        ("kind = \"ctnet\"\nn_heads = 7", "n_heads"),
        ("kind = \"conformer\"\nn_heads = 7", "n_heads"),
        ("kind = \"conformer\"\nhidden_drop_probabilities = [0.5, 2.0]", "hidden_drop"),
        ("kind = \"encoder\"\npatch_samples = 0", "patch_samples"),
        ("kind = \"encoder\"\nspectrum_scales = [0]", "spectrum_scales"),
        ("kind = \"encoder\"\nn_spectrum_bins = 13", "n_spectrum_bins"),
        ("kind = \"encoder\"\ntoken_size = 60\nn_heads = 4", "token_size"),
        ("kind = \"encoder\"\nposition_wave_metres = inf", "position_wave_metres"),
    ];
    for (text, name) in refused {
        let error = described(text).cost(GEOMETRY).expect_err(text);
        assert!(matches!(error, NetError::BadParameter { .. }), "{text}: {error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn geometries_without_anything_and_absurd_sizes_are_refused() {
    for kind in KINDS {
        let config = default_of(kind);
        for geometry in [
            Geometry { n_channels: 0, ..GEOMETRY },
            Geometry { n_samples: 0, ..GEOMETRY },
            Geometry { n_classes: 0, ..GEOMETRY },
            Geometry { n_samples: usize::MAX, ..GEOMETRY },
        ] {
            assert!(config.cost(geometry).is_err(), "{kind} {geometry:?}");
        }
    }
    let config = described("kind = \"deep4\"\nn_filters = [1000000, 1000000, 1000000, 1000000]");
    let error = config.cost(GEOMETRY).expect_err("too large");
    assert!(matches!(error, NetError::TooLarge { .. }), "{error}");
}

#[test]
fn a_window_does_not_know_the_others_of_its_batch() {
    for kind in KINDS {
        let network = network(&default_of(kind), GEOMETRY);
        let x = windows(3, GEOMETRY, 1);
        let together = logits(&network, x.clone());
        let alone = logits(&network, x.narrow(0, 1, 1));
        let difference = largest_difference(&together[3..6], &alone);
        assert!(difference < 1e-5, "{kind}: {difference}");
    }
}

#[test]
fn dropout_is_drawn_from_the_generator_alone() {
    for kind in KINDS {
        let network = network(&default_of(kind), GEOMETRY);
        let x = windows(4, GEOMETRY, 1);
        let drawn = |seed| -> Vec<f32> {
            let random = &mut Random::new(seed, 0);
            network.forward(x.clone(), &mut Pass::Train(random)).into_data().to_vec().expect("f32")
        };
        let first = drawn(1);
        assert_eq!(drawn(1), first, "{kind}");
        assert_ne!(drawn(2), first, "{kind}");
    }
}

#[test]
fn weights_depend_on_the_seed_alone() {
    for kind in KINDS {
        let build = |seed| {
            let positions = positions(GEOMETRY.n_channels);
            let network = default_of(kind).build::<Cpu>(GEOMETRY, &positions, seed, &PROCESSOR);
            Weights::of(&network.expect("a network"))
        };
        assert_eq!(build(1), build(1), "{kind}");
        assert_ne!(build(1), build(2), "{kind}");
    }
}

#[test]
fn the_encoder_knows_sensors_by_their_places_alone() {
    let order = [3, 0, 5, 1, 4, 2];
    let places = positions(GEOMETRY.n_channels);
    let exchanged: Vec<[f64; 3]> = order.iter().map(|&k| places[k]).collect();
    for extra in ["", "\nn_virtual_sensors = 0", "\nn_virtual_sensors = 0\ntime = \"learned\""] {
        let config = described(&format!("kind = \"encoder\"{extra}"));
        let build = |places: &[[f64; 3]]| {
            config.build::<Cpu>(GEOMETRY, places, 3, &PROCESSOR).expect("a network")
        };
        let x = windows(2, GEOMETRY, 1);
        let rows = order.map(|k| x.clone().narrow(1, k, 1));
        let expected = logits(&build(&places), x);
        let found = logits(&build(&exchanged), Tensor::cat(rows.to_vec(), 1));
        assert!(largest_difference(&expected, &found) < 1e-5, "{extra}");
    }
}

#[test]
fn the_weights_of_an_encoder_fit_another_montage() {
    let config = default_of("encoder");
    let weights = Weights::of(&network(&config, GEOMETRY));
    let larger = network(&config, Geometry { n_channels: 19, ..GEOMETRY });
    assert!(weights.put_into(larger).is_ok());
    let error = config.build::<Cpu>(GEOMETRY, &positions(5), 1, &PROCESSOR).expect_err("refused");
    assert_eq!(error, NetError::Positions { n_positions: 5, n_channels: 6 });
}

#[test]
fn a_subject_that_is_told_changes_the_encoder_and_no_other() {
    let with = network(&described("kind = \"encoder\"\nn_subjects = 3"), GEOMETRY);
    let x = windows(2, GEOMETRY, 1);
    let of = |network: &Network<Cpu>, subjects: Option<&[usize]>| -> Vec<f32> {
        let found = network.forward_of(x.clone(), subjects, &mut Pass::Infer);
        found.into_data().to_vec().expect("f32")
    };
    assert_eq!(of(&with, None), of(&with, Some(&[0, 0])));
    let told = of(&with, Some(&[0, 2]));
    assert_eq!(told[..3], of(&with, None)[..3]);
    assert_ne!(told[3..], of(&with, None)[3..]);
    for kind in KINDS {
        let without = network(&default_of(kind), GEOMETRY);
        assert_eq!(of(&without, None), of(&without, Some(&[1, 2])), "{kind}");
    }
}

#[test]
fn a_stream_decides_as_its_windows_do_where_nothing_is_padded() {
    let config = described("kind = \"basenet\"\nwindow_samples = 64\nstride_samples = 32");
    let Network::Basenet(net) = network(&config, GEOMETRY) else { panic!("a BaseNet") };
    let x = windows(1, GEOMETRY, 1);
    let stream = net.stream(x.clone(), &mut Pass::Infer);
    let n_decisions = (GEOMETRY.n_samples - 64) / 32 + 1;
    assert_eq!(stream.dims(), [1, n_decisions, 3]);
    let all: Vec<f32> = stream.clone().mean_dim(1).into_data().to_vec().expect("f32");
    let mean = logits(&Network::Basenet(net.clone()), x.clone());
    assert!(largest_difference(&all, &mean) < 1e-6);
    // Decision 5 sees samples 160 to 224, and 19 more on both sides through two filters.
    let wide = net.stream(x.narrow(2, 128, 128), &mut Pass::Infer);
    let ours: Vec<f32> = wide.narrow(1, 1, 1).into_data().to_vec().expect("f32");
    let theirs: Vec<f32> = stream.narrow(1, 5, 1).into_data().to_vec().expect("f32");
    assert!(largest_difference(&ours, &theirs) < 1e-5);
}
