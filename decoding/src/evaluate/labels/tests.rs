use super::*;
use proptest::prelude::*;

const INTERVAL: TaskInterval = TaskInterval { tmin_secs: 0.0, tmax_secs: 4.0 };

fn rate(hz: f64) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

fn cue(onset_secs: f64, class: u8) -> Cue {
    Cue { onset_secs, class: ClassIdx(class) }
}

fn classes(indices: &[u8]) -> Vec<ClassIdx> {
    indices.iter().copied().map(ClassIdx).collect()
}

/// The definition, sample by sample and word for word.
fn naive_window_label(window: &[ClassIdx], n_classes: usize, rule: LabelRule) -> Option<ClassIdx> {
    let last = *window.last().unwrap();
    let n_of = |class: u8| window.iter().filter(|l| **l == ClassIdx(class)).count();
    let most = (0..n_classes as u8).map(n_of).max().unwrap();
    let tied: Vec<_> = (0..n_classes as u8).filter(|c| n_of(*c) == most).map(ClassIdx).collect();
    match rule {
        LabelRule::EndSample => Some(last),
        LabelRule::FullOverlap => window.iter().all(|l| *l == last).then_some(last),
        LabelRule::Majority if tied.contains(&last) => Some(last),
        LabelRule::Majority => tied.last().copied(),
    }
}

#[test]
fn a_task_interval_is_half_open_and_rounds_half_to_even() {
    // Boundaries 0.5 and 2.5 at 1 Hz round to 0 and 2; 1.5 and 3.5 to 2 and 4.
    let interval = TaskInterval { tmin_secs: 0.0, tmax_secs: 2.0 };
    assert_eq!(sample_labels(&[cue(0.5, 1)], interval, rate(1.0), 5), classes(&[1, 1, 0, 0, 0]));
    assert_eq!(sample_labels(&[cue(1.5, 1)], interval, rate(1.0), 5), classes(&[0, 0, 1, 1, 0]));
    // The sum is rounded, not each term: 0.25 + 0.25 is 0.5, so 0.
    let late = TaskInterval { tmin_secs: 0.25, tmax_secs: 1.25 };
    assert_eq!(late.samples(&cue(0.25, 1), rate(1.0)), 0..2);
}

#[test]
fn later_cues_win_and_the_recording_cuts() {
    let cues = [cue(3.0, 2), cue(0.0, 1), cue(7.0, 1), cue(-3.0, 2), cue(f64::NAN, 1)];
    let labels = sample_labels(&cues, INTERVAL, rate(1.0), 9);
    assert_eq!(labels, classes(&[1, 1, 1, 2, 2, 2, 2, 1, 1]));
    let equal = sample_labels(&[cue(0.0, 1), cue(0.0, 2)], INTERVAL, rate(1.0), 4);
    assert_eq!(equal, classes(&[2, 2, 2, 2]));
}

#[test]
fn ties_go_to_the_last_sample_if_tied_else_to_the_highest_class() {
    let label = |window: &[u8]| {
        let spec = WindowSpec { window_samples: window.len(), step_samples: 1 };
        window_labels(&classes(window), spec, 4, LabelRule::Majority)[0]
    };
    assert_eq!(label(&[0, 0, 2, 2]), Some(ClassIdx(2)));
    assert_eq!(label(&[2, 2, 0, 0]), Some(ClassIdx(0)));
    assert_eq!(label(&[0, 0, 1, 1, 3]), Some(ClassIdx(1)));
    assert_eq!(label(&[1, 1, 2, 2, 0]), Some(ClassIdx(2)));
}

#[test]
fn idle_is_thinned_evenly_to_the_largest_task_class() {
    // Five idle (positions 0, 1, 4, 5, 7), largest task class 2: idle 0 and floor(5/2) = 2.
    let labels = classes(&[0, 0, 1, 1, 0, 0, 2, 0]);
    assert_eq!(thin_idle(&labels), [0, 2, 3, 4, 6]);
    assert_eq!(thin_idle(&classes(&[0, 1, 1])), [0, 1, 2]);
    assert_eq!(thin_idle(&classes(&[0, 0])), Vec::<usize>::new());
}

#[test]
fn trials_are_whole_and_idle_pieces_lie_end_to_end() {
    // Idle 0..5, task 5..9, idle 9..18, task 18..22 of class 2, cut after 20.
    let cues = [cue(5.0, 1), cue(18.0, 2)];
    let whole = trial_spans(&cues, INTERVAL, rate(1.0), 22);
    let found: Vec<_> = whole.iter().map(|s| (s.start.0, s.n_samples, s.class.0)).collect();
    assert_eq!(found, [(0, 4, 0), (5, 4, 1), (9, 4, 0), (13, 4, 0), (18, 4, 2)]);
    let cut = trial_spans(&cues, INTERVAL, rate(1.0), 20);
    let classes: Vec<_> = cut.iter().map(|s| s.class).collect();
    let thinned = thin_idle(&classes);
    let found: Vec<_> = thinned.iter().map(|i| (cut[*i].start.0, cut[*i].class.0)).collect();
    assert_eq!(found, [(0, 0), (5, 1)]);
    assert!(trial_spans(&[cue(-1.0, 1)], INTERVAL, rate(1.0), 6).is_empty());
}

proptest! {
    #[test]
    fn sliding_labels_equal_the_definition(
        labels in prop::collection::vec(0_u8..4, 0..120),
        window_samples in 1_usize..20,
        step in 1_usize..20,
        rule in prop::sample::select(vec![
            LabelRule::Majority, LabelRule::EndSample, LabelRule::FullOverlap,
        ]),
    ) {
        let labels = classes(&labels);
        let step_samples = step.min(window_samples);
        let spec = WindowSpec { window_samples, step_samples };
        let naive: Vec<_> = (0..spec.count(labels.len()))
            .map(|k| naive_window_label(&labels[k * step_samples..][..window_samples], 4, rule))
            .collect();
        prop_assert_eq!(window_labels(&labels, spec, 4, rule), naive);
    }

    #[test]
    fn the_circle_holds_the_labels_of_every_rotation(
        labels in prop::collection::vec(0_u8..3, 12..60),
        window_samples in 1_usize..12,
        offset in 0_usize..60,
    ) {
        let labels = classes(&labels);
        let n = labels.len();
        let circle = circular_window_labels(&labels, window_samples, 3, LabelRule::Majority);
        let mut rotated = labels.clone();
        rotated.rotate_right(offset % n);
        let spec = WindowSpec { window_samples, step_samples: 1 };
        let expected = window_labels(&rotated, spec, 3, LabelRule::Majority);
        prop_assert_eq!(circle.len(), n);
        for (k, label) in expected.into_iter().enumerate() {
            let end = k + window_samples - 1;
            prop_assert_eq!(circle[(end + n - offset % n) % n], label);
        }
    }

    #[test]
    fn thinning_equals_its_formula(labels in prop::collection::vec(0_u8..3, 0..200)) {
        let positions = |class: u8| -> Vec<usize> {
            (0..labels.len()).filter(|i| labels[*i] == class).collect()
        };
        let (idle, m) = (positions(0), positions(1).len().max(positions(2).len()));
        let kept = if idle.len() > m {
            (0..m).map(|i| idle[i * idle.len() / m]).collect()
        } else {
            idle
        };
        let mut expected = [kept, positions(1), positions(2)].concat();
        expected.sort_unstable();
        prop_assert_eq!(thin_idle(&classes(&labels)), expected);
    }
}
