use super::*;
use crate::evaluate::labels::{LabelRule, sample_labels, window_labels};
use crate::evaluate::score::tests::{decide, options, paradigm, run};
use crate::evaluate::score::{Idle, WindowRecord, score};
use proptest::prelude::*;

fn feed(running: &mut RunningScore, cues: &[Cue], decisions: &[Decision], late_secs: f64) {
    // A cue arrives once the decisions have reached its task's start and the delay.
    let options = running.options;
    let mut cues = cues.iter().peekable();
    for decision in decisions {
        let now_secs = options.rate.secs(decision.end);
        let arrived = |cue: &&Cue| cue.onset_secs + late_secs <= now_secs;
        while let Some(cue) = cues.next_if(arrived) {
            running.push_cue(*cue);
        }
        running.push_decision(*decision);
    }
    for cue in cues {
        running.push_cue(*cue);
    }
}

#[test]
fn nothing_is_said_before_two_true_classes() {
    let options = options(3);
    let mut running = RunningScore::new(options, SETTLE_SECS);
    for k in 0..40 {
        running.push_decision(decide(19 + 2 * k, 0, 3));
    }
    let early = running.summary();
    assert_eq!((early.nmcc, early.itr_bits_per_min, early.interval), (None, None, None));
    assert_eq!((early.n_true_classes, early.n_pending), (1, 3));
    running.push_cue(Cue { onset_secs: 9.8, class: ClassIdx(2) });
    for k in 40..80 {
        running.push_decision(decide(19 + 2 * k, 2, 3));
    }
    let later = running.summary();
    assert!(later.nmcc.is_some_and(|nmcc| nmcc > 0.5));
    assert_eq!(later.n_true_classes, 2);
}

#[test]
fn the_interval_is_that_of_the_batch_score() {
    let options = options(3);
    let class_of = |k: usize, truth: ClassIdx| match k % 5 {
        0 => (k / 5 % 3) as u8,
        _ => truth.0,
    };
    let runs = [
        run(0, &paradigm(20), 1640, &options, class_of),
        run(1, &paradigm(9), 760, &options, class_of),
    ];
    let mut running = RunningScore::new(options, SETTLE_SECS);
    for run in &runs {
        let decisions: Vec<_> = run.records.iter().map(|r| r.decision).collect();
        feed(&mut running, &run.cues, &decisions, 0.0);
        // What is remembered from before the end must not be shown after it.
        running.summary();
        running.finish();
    }
    let records: Vec<_> = runs.iter().flat_map(|r| r.records.clone()).collect();
    let (live, batch) = (running.summary(), score(&records, &options));
    assert_eq!(live.confusion, batch.confusion);
    assert_eq!(live.interval, batch.interval);
    assert_eq!(live.nmcc, Some(batch.nmcc));
    assert_eq!(live.itr_bits_per_min, Some(batch.itr_bits_per_min));
}

#[test]
fn a_cue_too_late_changes_only_what_is_not_settled() {
    let mut running = RunningScore::new(options(3), 0.5);
    for k in 0..30 {
        running.push_decision(decide(19 + 2 * k, 1, 3));
    }
    let before = running.summary().confusion;
    running.push_cue(Cue { onset_secs: 0.0, class: ClassIdx(1) });
    assert_eq!(running.summary().confusion, before);
    running.finish();
    assert_eq!(running.summary().n_pending, 0);
}

#[test]
fn floods_are_bounded_and_counted() {
    let mut running = RunningScore::new(options(3), 0.5);
    for k in 0..MAX_CUES + 5 {
        running.push_cue(Cue { onset_secs: 1e6 + k as f64, class: ClassIdx(1) });
    }
    running.push_cue(Cue { onset_secs: f64::NAN, class: ClassIdx(1) });
    running.push_cue(Cue { onset_secs: 0.0, class: ClassIdx(9) });
    running.push_decision(decide(21, 1, 3));
    running.push_decision(decide(21, 1, 3));
    running.push_decision(decide(19, 1, 3));
    let summary = running.summary();
    assert_eq!((summary.n_dropped_cues, summary.n_out_of_order, summary.n_pending), (5, 2, 1));
    assert_eq!(running.cues.len(), MAX_CUES);
}

#[test]
fn a_long_session_stays_in_its_memory_and_keeps_its_counts() {
    let options = ScoreOptions { n_classes: 16, ..options(16) };
    let mut running = RunningScore::new(options, 0.0);
    let n_windows = 5000;
    for k in 0..n_windows {
        if k % 40 == 0 {
            let class = ClassIdx((k / 40 % 15 + 1) as u8);
            running.push_cue(Cue { onset_secs: 0.2 * k as f64, class });
        }
        running.push_decision(decide(19 + 2 * k, (k / 20 % 16) as u8, 16));
    }
    running.finish();
    let summary = running.summary();
    assert_eq!(summary.n_windows, n_windows);
    assert!(running.scorer.rows.n_rows() * 256 <= MAX_CELLS);
    assert_eq!(running.scorer.windows_per_row, 8);
    let interval = summary.interval.unwrap();
    assert!(interval.contains(summary.nmcc.unwrap()), "{interval:?} {:?}", summary.nmcc);
}

proptest! {
    #[test]
    fn running_and_batch_confusions_are_equal(
        onsets in prop::collection::vec((0.0_f64..60.0, 1_u8..3), 0..12),
        classes in prop::collection::vec(0_u8..3, 1..300),
        gaps in prop::collection::btree_set(0_usize..300, 0..40),
        // Half a sample less than the settling time, for a task may be rounded to begin
        // that much before its cue.
        late_secs in 0.0_f64..0.45,
        cut in 0_usize..300,
        rule in prop::sample::select(vec![
            LabelRule::Majority, LabelRule::EndSample, LabelRule::FullOverlap,
        ]),
        idle in prop::sample::select(vec![Idle::Include, Idle::Exclude]),
    ) {
        let options = ScoreOptions { label_rule: rule, idle, ..options(3) };
        let mut cues: Vec<_> = onsets
            .iter()
            .map(|(onset_secs, class)| Cue { onset_secs: *onset_secs, class: ClassIdx(*class) })
            .collect();
        cues.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        // Windows are missing where samples were lost.
        let decisions: Vec<_> = classes
            .iter()
            .enumerate()
            .filter(|(k, _)| !gaps.contains(k))
            .map(|(k, class)| decide(options.window.end(k).0, *class, 3))
            .collect();
        let n_samples = options.window.end(classes.len()).0 as usize;
        let labels = sample_labels(&cues, options.interval, options.rate, n_samples);
        let truths = window_labels(&labels, options.window, 3, rule);
        let batch = |decisions: &[Decision]| {
            let record = |d: &Decision| WindowRecord {
                run: 0,
                end: d.end,
                truth: truths[(d.end.0 as usize - 19) / 2],
                decision: *d,
            };
            let records: Vec<_> = decisions.iter().map(record).collect();
            idle.confusion(&records, 3)
        };
        let mut running = RunningScore::new(options, 0.5);
        let cut = cut.min(decisions.len());
        let (first, second) = decisions.split_at(cut);
        // In mid-session exactly the settled windows count.
        let n_cues = cues.partition_point(|c| {
            first.last().is_some_and(|d| c.onset_secs + late_secs <= options.rate.secs(d.end))
        });
        feed(&mut running, &cues[..n_cues], first, late_secs);
        let summary = running.summary();
        prop_assert_eq!(summary.confusion, batch(&first[..cut - summary.n_pending]));
        feed(&mut running, &cues[n_cues..], second, late_secs);
        running.finish();
        prop_assert_eq!(running.summary().confusion, batch(&decisions));
    }
}
