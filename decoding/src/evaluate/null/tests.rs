use super::*;
use crate::evaluate::labels::{LabelRule, window_labels};
use crate::evaluate::score::tests::{options, paradigm, run};
use crate::metric::nmcc;

/// Classes that know the truth in three of four windows.
fn informed(k: usize, truth: ClassIdx) -> u8 {
    if k % 4 == 3 { (k % 3) as u8 } else { truth.0 }
}

/// Classes that know nothing.
fn ignorant(k: usize, _: ClassIdx) -> u8 {
    ((k / 7).wrapping_mul(2_654_435_761) >> 9) as u8 % 3
}

#[test]
fn rotating_samples_and_looking_up_windows_agree() {
    for idle in [Idle::Include, Idle::Exclude] {
        for label_rule in [LabelRule::Majority, LabelRule::EndSample, LabelRule::FullOverlap] {
            let options = ScoreOptions { label_rule, idle, ..options(3) };
            let run = run(0, &paradigm(7), 613, &options, informed);
            let circle = Circle::new(&run, &options).unwrap();
            for offset in [20, 77, 300, 593] {
                let mut rotated = run.clone();
                rotated.labels.rotate_right(offset);
                let truths = window_labels(&rotated.labels, options.window, 3, label_rule);
                for (record, truth) in rotated.records.iter_mut().zip(truths) {
                    record.truth = truth;
                }
                let naive = idle.confusion(&rotated.records, 3);
                let mut counts = vec![0; naive.as_slice().len()];
                circle.count_rotated(offset, idle.n_scored(3), &mut counts);
                assert_eq!(counts, naive.as_slice(), "{idle:?} {label_rule:?} {offset}");
            }
        }
    }
}

#[test]
fn a_run_whose_head_calibrated_is_rotated_by_itself() {
    let options = options(3);
    let whole = run(0, &paradigm(7), 600, &options, informed);
    let mut tail = whole.clone();
    tail.first_sample = SampleIndex(200);
    tail.labels.drain(..200);
    tail.records.retain(|r| r.end.0 >= 219);
    let circle = Circle::new(&tail, &options).unwrap();
    assert_eq!(circle.decided.len(), tail.records.len());
    let mut counts = vec![0; 9];
    circle.count_rotated(0, 3, &mut counts);
    assert_eq!(counts, options.idle.confusion(&tail.records, 3).as_slice());
}

#[test]
fn knowing_something_beats_the_shifts_and_knowing_nothing_does_not() {
    let options = options(3);
    for (class_of, is_real) in [(informed as fn(usize, ClassIdx) -> u8, true), (ignorant, false)] {
        // Irregular gaps: a paradigm of one period would rotate onto itself.
        let cues = paradigm(24)
            .into_iter()
            .enumerate()
            .map(|(k, cue)| Cue { onset_secs: cue.onset_secs + (k * k % 5) as f64 * 0.7, ..cue });
        let cues: Vec<_> = cues.collect();
        let runs =
            [run(0, &cues, 2000, &options, class_of), run(1, &cues, 2000, &options, class_of)];
        let records: Vec<_> = runs.iter().flat_map(|r| r.records.clone()).collect();
        let observed = nmcc(&options.idle.confusion(&records, 3));
        let nulls = shift_null(&runs, &options, 199, SEED).unwrap();
        assert_eq!(shift_null(&runs, &options, 199, SEED).unwrap(), nulls);
        let p = p_value(observed, &nulls);
        assert_eq!(p <= SIGNIFICANCE, is_real, "p = {p}");
    }
}

#[test]
fn runs_without_room_for_a_shift_have_no_null() {
    let options = options(3);
    let short = run(0, &paradigm(1), 39, &options, informed);
    assert_eq!(shift_null(&[short], &options, 9, SEED), None);
    let just = run(0, &paradigm(1), 40, &options, informed);
    assert_eq!(shift_null(&[just], &options, 9, SEED).unwrap().len(), 9);
    assert_eq!(shift_null(&[], &options, 9, SEED), None);
}

#[test]
fn the_clock_votes_and_falls_back_to_the_lowest_class() {
    let at = |end, class| (SampleIndex(end), ClassIdx(class));
    let clock = Clock::fit([at(19, 1), at(19, 2), at(19, 2), at(21, 2), at(21, 1), at(23, 0)], 3);
    let predict = |end, idle| clock.predict(SampleIndex(end), idle).0;
    let include = [19, 21, 23, 25].map(|end| predict(end, Idle::Include));
    assert_eq!(include, [2, 1, 0, 0]);
    // Columns of the task classes: 0 is the first task.
    let exclude = [19, 21, 23, 25].map(|end| predict(end, Idle::Exclude));
    assert_eq!(exclude, [1, 0, 0, 0]);
}

#[test]
fn a_clock_of_the_same_paradigm_is_perfect_and_blind_to_decisions() {
    let options = options(3);
    let calibration = run(0, &paradigm(8), 680, &options, ignorant);
    let windows = calibration.records.iter().map(|r| (r.end, r.truth.unwrap()));
    let clock = Clock::fit(windows, 3);
    assert_eq!(nmcc(&clock.confusion(&calibration.records, Idle::Include)), 1.0);
    assert_eq!(nmcc(&clock.confusion(&calibration.records, Idle::Exclude)), 1.0);
}

#[test]
fn permuting_keeps_onsets_and_the_number_of_each_class() {
    let runs = vec![paradigm(15), paradigm(9)];
    let permuted = permute_cues(&runs, 3, SEED);
    assert_eq!(permuted, permute_cues(&runs, 3, SEED));
    assert_ne!(permuted, permute_cues(&runs, 4, SEED));
    for (run, of) in permuted.iter().zip(&runs) {
        let sorted = |cues: &[Cue]| {
            let mut classes: Vec<_> = cues.iter().map(|cue| cue.class).collect();
            classes.sort_unstable();
            classes
        };
        assert_eq!(sorted(run), sorted(of));
        assert!(run.iter().zip(of).all(|(a, b)| a.onset_secs == b.onset_secs));
    }
}

#[test]
fn p_values_count_the_observed_and_ties_against_it() {
    assert_eq!(p_value(0.7, &[0.5; 19]), 0.05);
    assert_eq!(p_value(0.5, &[0.5; 19]), 1.0);
    assert_eq!(p_value(0.7, &[0.9, 0.1, 0.7]), 0.75);
    assert_eq!(p_value(0.7, &[f64::NAN]), 1.0);
    assert_eq!(p_value(0.7, &[]), 1.0);
}

#[test]
fn every_null_has_to_be_beaten() {
    let nulls = |clock_nmcc, shift_p, label_p| Nulls { clock_nmcc, shift_p, label_p };
    let (above, not) = (Some(Verdict::AboveChance), Some(Verdict::NotDistinguishable));
    assert_eq!(nulls(Some(0.6), Some(0.001), Some(0.05)).verdict(0.7), above);
    assert_eq!(nulls(Some(0.7), Some(0.001), None).verdict(0.7), not);
    assert_eq!(nulls(Some(0.6), Some(0.001), Some(0.1)).verdict(0.7), not);
    assert_eq!(nulls(None, Some(0.06), None).verdict(0.7), not);
    assert_eq!(nulls(None, Some(0.05), None).verdict(0.7), above);
    assert_eq!(nulls(Some(0.6), None, None).verdict(0.7), None);
}
