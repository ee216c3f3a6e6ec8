use super::schedule::Schedule;
use super::*;
use crate::backend::PROCESSOR;
use crate::net::eegnet::EegnetConfig;
use crate::net::encoder::EncoderConfig;
use crate::random::Random;
use std::fs;

const GEOMETRY: Geometry = Geometry { n_channels: 4, n_samples: 40, n_classes: 2 };
const RATE_HZ: f64 = 100.0;

/// Noise, and in class 1 a 10-Hz rhythm on two channels.
fn examples(n: usize, seed: u64) -> Examples {
    let mut random = Random::new(seed, 0);
    let mut found = Examples::default();
    for k in 0..n {
        let label = k % 2;
        let phase = random.between(0.0, std::f64::consts::TAU);
        for channel in 0..GEOMETRY.n_channels {
            let noise = random.normals(GEOMETRY.n_samples, 1.0);
            let is_rhythmic = label == 1 && channel < 2;
            found.windows.extend(noise.iter().enumerate().map(|(t, noise)| {
                let wave = (std::f64::consts::TAU * 10.0 * t as f64 / RATE_HZ + phase).sin();
                if is_rhythmic { noise + 2.0 * wave as f32 } else { *noise }
            }));
        }
        found.labels.push(label);
    }
    found
}

fn eegnet() -> NetworkConfig {
    NetworkConfig::Eegnet(EegnetConfig {
        n_filters: 3,
        filter_samples: 15,
        n_filters_separable: 4,
        separable_samples: 4,
        pool_2: 4,
        ..EegnetConfig::default()
    })
}

fn task(network: NetworkConfig) -> Task {
    let training = TrainingConfig {
        n_epochs: 6,
        batch_size: 16,
        learning_rate: 0.02,
        n_warmup_epochs: 1,
        augmentation: Augmentation {
            time_shift_samples: 3,
            channel_drop_probability: 0.05,
            noise_part: 0.1,
            frequency_shift_hz: 0.5,
            mixup_alpha: 0.2,
            mirror_probability: 0.5,
            ..Augmentation::default()
        },
        seed: 7,
        ..TrainingConfig::default()
    };
    let mirror = Some(Mirror { channels: vec![1, 0, 3, 2], classes: vec![0, 1] });
    let positions = vec![[0.01, 0.02, 0.08], [-0.01, 0.02, 0.08], [0.05, 0.0, 0.07], [0.0; 3]];
    let (geometry, rate_hz) = (GEOMETRY, RATE_HZ);
    Task { network, training, geometry, rate_hz, positions, mirror, start: None }
}

fn run(task: &Task, checkpoint: Option<&Path>, n_epochs: usize) -> Result<Trained, TrainError> {
    let (training, validation) = examples(96, 1).split_last(0.25, 2);
    let watch = &mut |epoch: &Epoch| {
        if epoch.number == n_epochs { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    train(task, &training, &validation, Device::Cpu, checkpoint, watch)
}

#[test]
fn a_network_learns_what_can_be_learned() {
    let mut task = task(eegnet());
    task.training.n_epochs = 15;
    let trained = run(&task, None, usize::MAX).expect("trained");
    let accuracy = trained.epochs.iter().filter_map(|epoch| epoch.validation_accuracy);
    assert!(accuracy.fold(0.0, f64::max) > 0.9, "{:#?}", trained.epochs);
    assert!(trained.epochs.iter().any(|epoch| epoch.is_best));
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let encoder = EncoderConfig {
        patch_samples: 10,
        token_size: 16,
        n_blocks: 1,
        spectrum_scales: vec![1, 2],
        n_spectrum_bins: 5,
        ..EncoderConfig::default()
    };
    for network in [eegnet(), NetworkConfig::Encoder(encoder)] {
        let mut task = task(network);
        let first = run(&task, None, usize::MAX).expect("trained");
        for _ in 0..3 {
            assert_eq!(run(&task, None, usize::MAX).expect("trained"), first);
        }
        task.training.seed = 8;
        assert_ne!(run(&task, None, usize::MAX).expect("trained"), first);
    }
}

#[test]
fn a_resumed_training_ends_as_one_that_ran_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = task(eegnet());
    let through = run(&task, None, usize::MAX).expect("trained");
    assert_eq!(through.end, End::Finished);
    for n in [1, 4] {
        let path = folder.path().join(format!("after-{n}.safetensors"));
        let stopped = run(&task, Some(&path), n).expect("stopped");
        assert_eq!((stopped.end, stopped.epochs.len()), (End::Asked, n));
        // What a crash in the middle of writing leaves does no harm.
        fs::write(folder.path().join(format!("after-{n}.safetensors.part")), b"half").expect("io");
        assert_eq!(run(&task, Some(&path), usize::MAX).expect("resumed"), through);
        // And what is finished stays as it is.
        assert_eq!(run(&task, Some(&path), usize::MAX).expect("finished"), through);
    }
}

#[test]
fn another_training_is_not_continued() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let mut task = task(eegnet());
    run(&task, Some(&path), 1).expect("stopped");
    task.training.learning_rate *= 2.0;
    let error = run(&task, Some(&path), 2).expect_err("another");
    assert!(matches!(error, TrainError::OtherTraining { .. }), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state");
    let task = task(eegnet());
    run(&task, Some(&path), 1).expect("stopped");
    let whole = fs::read(&path).expect("io");
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    for bytes in [&flipped[..], &whole[..whole.len() / 2], b"", b"\xff\xff\xff\xff\xff\xff\xff\x7f"]
    {
        fs::write(&path, bytes).expect("io");
        let error = run(&task, Some(&path), 2).expect_err("damaged");
        assert!(matches!(error, TrainError::Checkpoint(_)), "{error}");
    }
}

#[test]
fn a_loss_that_is_not_finite_keeps_the_best_weights() {
    let mut task = task(eegnet());
    let (mut training, validation) = examples(96, 1).split_last(0.25, 2);
    task.training.augmentation = Augmentation::default();
    let good = run(&task, None, 1).expect("trained").weights;
    assert!(!good.tensors.is_empty());
    training.windows.fill(3e38);
    let watch = &mut |_: &Epoch| ControlFlow::Continue(());
    let error = train(&task, &training, &validation, Device::Cpu, None, watch).expect_err("NaN");
    assert!(
        matches!(error, TrainError::NotFinite { epoch: 1, step: 1, best: None, .. }),
        "{error}"
    );

    task.training.learning_rate = 1e30;
    task.training.n_warmup_epochs = 0;
    let error = run(&task, None, usize::MAX).expect_err("NaN");
    assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
}

#[test]
fn a_training_that_gets_no_better_ends() {
    let mut task = task(eegnet());
    task.training.n_epochs = 100;
    task.training.patience = 2;
    task.training.learning_rate = 1e-12;
    let trained = run(&task, None, usize::MAX).expect("trained");
    assert_eq!(trained.end, End::NoLongerBetter);
    let best = trained.epochs.iter().rposition(|epoch| epoch.is_best).expect("a best one");
    assert_eq!(trained.epochs.len(), best + 1 + 2);
}

#[test]
fn fine_tuning_begins_with_the_weights_given() {
    let mut task = task(eegnet());
    let start = run(&task, None, 3).expect("trained").weights;
    task.training.learning_rate = 1e-12;
    task.training.n_epochs = 1;
    task.start = Some(start.clone());
    let tuned = run(&task, None, usize::MAX).expect("trained").weights;
    let weight = |weights: &Weights| weights.tensors["head.weight"].values.clone();
    assert_eq!(weight(&tuned), weight(&start));
}

#[test]
fn subjects_are_learned_and_so_is_not_knowing_them() {
    let config = EncoderConfig {
        patch_samples: 10,
        token_size: 16,
        n_blocks: 1,
        spectrum_scales: vec![1],
        n_spectrum_bins: 5,
        n_subjects: 3,
        ..EncoderConfig::default()
    };
    let mut task = task(NetworkConfig::Encoder(config));
    task.training.augmentation.subject_drop_probability = 0.3;
    task.training.adamw.weight_decay = 0.0;
    let mut training = examples(64, 1);
    training.subjects = Some((0..64).map(|k| 1 + k % 2).collect());
    let watch = &mut |_: &Epoch| ControlFlow::Continue(());
    let none = Examples::default();
    let trained = train(&task, &training, &none, Device::Cpu, None, watch).expect("trained");
    let network =
        task.network.build::<crate::backend::Cpu>(GEOMETRY, &task.positions, 7, &PROCESSOR);
    let rows = |weights: &Weights| -> Vec<Vec<f32>> {
        weights.tensors["subjects"].values.chunks(16).map(<[f32]>::to_vec).collect()
    };
    let (before, after) = (rows(&Weights::of(&network.expect("built"))), rows(&trained.weights));
    let is_moved: Vec<bool> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
    // Nobody is subject 3.
    assert_eq!(is_moved, [true, true, true, false]);
    training.subjects = Some(vec![4; 64]);
    let error = train(&task, &training, &none, Device::Cpu, None, watch).expect_err("refused");
    assert!(error.to_string().contains("subject 4 is beyond 3"), "{error}");
}

#[test]
fn examples_that_do_not_fit_are_refused() {
    let task = task(eegnet());
    let good = examples(8, 1);
    let refused = |examples: Examples| {
        let watch = &mut |_: &Epoch| ControlFlow::Continue(());
        let none = Examples::default();
        let error = train(&task, &examples, &none, Device::Cpu, None, watch).expect_err("refused");
        assert!(matches!(error, TrainError::BadExamples { .. }), "{error}");
    };
    refused(Examples::default());
    refused(Examples { labels: vec![2; 8], ..good.clone() });
    refused(Examples { labels: vec![0; 7], ..good.clone() });
    refused(Examples { subjects: Some(vec![1]), ..good.clone() });
    let mut windows = good.windows.clone();
    windows[100] = f32::INFINITY;
    refused(Examples { windows, ..good });
}

#[test]
fn the_last_examples_are_validated_on() {
    let all = examples(10, 1);
    let (training, validation) = all.split_last(0.3, 2);
    assert_eq!((training.len(), validation.len()), (5, 3));
    assert_eq!(training.windows[..], all.windows[..5 * 160]);
    assert_eq!(validation.windows[..], all.windows[7 * 160..]);
    let (training, validation) = all.split_last(0.0, 2);
    assert_eq!((training.len(), validation.len()), (10, 0));
}

#[test]
fn step_sizes_rise_then_fall_as_half_a_cosine() {
    let schedule = Schedule { peak: 1.0, last: 0.1, n_warmup: 4, n_steps: 14 };
    let rates: Vec<f64> = (0..15).map(|k| schedule.rate(k)).collect();
    assert_eq!(rates[..5], [0.25, 0.5, 0.75, 1.0, 1.0]);
    assert!((rates[9] - 0.55).abs() < 1e-12);
    assert!((rates[14] - 0.1).abs() < 1e-12);
    assert!(rates[4..].windows(2).all(|pair| pair[1] < pair[0]));
}
