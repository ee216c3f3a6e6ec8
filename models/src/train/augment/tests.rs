use super::*;
use crate::net::NetworkConfig;
use crate::net::eegnet::EegnetConfig;
use crate::train::TrainingConfig;

const GEOMETRY: Geometry = Geometry { n_channels: 3, n_samples: 50, n_classes: 3 };

fn task(augmentation: Augmentation) -> Task {
    let labels = ["C3", "Cz", "C4"].map(str::to_owned);
    Task {
        network: NetworkConfig::Eegnet(EegnetConfig::default()),
        training: TrainingConfig { augmentation, ..TrainingConfig::default() },
        geometry: GEOMETRY,
        rate_hz: 100.0,
        positions: Vec::new(),
        mirror: Mirror::of_labels(&labels, 3, &[[1, 2]]),
        start: None,
    }
}

fn augmented(augmentation: Augmentation, window: &[f32]) -> (Vec<f32>, usize) {
    let task = task(augmentation);
    augmentation.check(&task).expect("good numbers");
    Augmenter::new(&task).augment(window, 1, &mut Random::new(3, 0))
}

fn wave(frequency_hz: f64) -> Vec<f32> {
    let sample = |t: usize| (TAU * frequency_hz * t as f64 / 100.0).cos() as f32;
    (0..3).flat_map(|channel| (0..50).map(move |t| (channel + 1) as f32 * sample(t))).collect()
}

#[test]
fn nothing_is_changed_by_default() {
    assert_eq!(augmented(Augmentation::default(), &wave(10.0)), (wave(10.0), 1));
}

#[test]
fn left_and_right_are_exchanged_with_their_classes() {
    let mirror = Augmentation { mirror_probability: 1.0, ..Augmentation::default() };
    let (seen, label) = augmented(mirror, &wave(10.0));
    assert_eq!(label, 2);
    assert_eq!(seen[..50], wave(10.0)[100..]);
    assert_eq!(seen[50..100], wave(10.0)[50..100]);
    assert_eq!(seen[100..], wave(10.0)[..50]);
}

#[test]
fn a_montage_without_a_mirror_image_has_no_mirror() {
    let labels = ["C3", "Cz"].map(str::to_owned);
    assert_eq!(Mirror::of_labels(&labels, 2, &[]), None);
    let labels = ["C3", "EMG"].map(str::to_owned);
    assert_eq!(Mirror::of_labels(&labels, 2, &[]), None);
    let mut task = task(Augmentation { mirror_probability: 0.5, ..Augmentation::default() });
    task.mirror = None;
    assert!(task.training.augmentation.check(&task).is_err());
    task.mirror = Some(Mirror { channels: vec![1, 2, 0], classes: vec![0, 1, 2] });
    assert!(task.training.augmentation.check(&task).is_err());
}

#[test]
fn windows_are_moved_as_a_whole() {
    let shift = Augmentation { time_shift_samples: 10, ..Augmentation::default() };
    let window: Vec<f32> = (1..=150).map(|k| k as f32).collect();
    let (seen, _) = augmented(shift, &window);
    let offset = seen[25] - window[25];
    assert!(offset.abs() <= 10.0 && offset != 0.0, "{offset}");
    for (k, (after, before)) in seen.iter().zip(&window).enumerate() {
        assert!(*after == before + offset || *after == 0.0, "sample {k}");
    }
}

#[test]
fn a_wave_becomes_a_wave_of_another_frequency() {
    // 50 samples at 100 Hz: whole periods of every even frequency.
    let task = task(Augmentation { frequency_shift_hz: 4.0, ..Augmentation::default() });
    let shifted = Augmenter::new(&task).shifted_in_frequency(&wave(10.0), 4.0);
    for (after, expected) in shifted.iter().zip(wave(14.0)) {
        assert!((after - expected).abs() < 1e-5, "{after} {expected}");
    }
}

#[test]
fn noise_is_a_part_of_each_channel() {
    let noise = Augmentation { noise_part: 0.2, ..Augmentation::default() };
    let (seen, _) = augmented(noise, &wave(10.0));
    for channel in 0..3 {
        let square: f32 =
            (0..50).map(|t| (seen[channel * 50 + t] - wave(10.0)[channel * 50 + t]).powi(2)).sum();
        let expected = 0.2 * (channel + 1) as f32 / 2.0_f32.sqrt();
        let deviation = (square / 50.0).sqrt();
        assert!((deviation / expected - 1.0).abs() < 0.4, "{deviation} {expected}");
    }
}

#[test]
fn channels_are_dropped_as_often_as_asked() {
    let drop = Augmentation { channel_drop_probability: 0.3, ..Augmentation::default() };
    let task = task(drop);
    let (augmenter, mut random) = (Augmenter::new(&task), Random::new(5, 0));
    let n_dropped: usize = (0..1000)
        .map(|_| {
            let (seen, _) = augmenter.augment(&wave(10.0), 0, &mut random);
            seen.chunks(50).filter(|channel| channel.iter().all(|x| *x == 0.0)).count()
        })
        .sum();
    // 3000 channels, standard deviation 25.
    assert!((800..1000).contains(&n_dropped), "{n_dropped}");
}

#[test]
fn mixtures_keep_the_larger_part() {
    let task = task(Augmentation { mixup_alpha: 0.4, ..Augmentation::default() });
    let (augmenter, mut random) = (Augmenter::new(&task), Random::new(5, 0));
    for _ in 0..100 {
        let (part, mut partners) = augmenter.mixture(8, &mut random).expect("a mixture");
        assert!((0.5..=1.0).contains(&part), "{part}");
        partners.sort_unstable();
        assert_eq!(partners, (0..8).collect::<Vec<_>>());
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let none = Augmentation::default();
    for bad in [
        Augmentation { time_shift_samples: 50, ..none },
        Augmentation { channel_drop_probability: 1.0, ..none },
        Augmentation { noise_part: f64::NAN, ..none },
        Augmentation { frequency_shift_hz: 25.0, ..none },
        Augmentation { mixup_alpha: -1.0, ..none },
        Augmentation { mirror_probability: 1.5, ..none },
        Augmentation { subject_drop_probability: -0.5, ..none },
    ] {
        assert!(bad.check(&task(bad)).is_err(), "{bad:?}");
    }
}
