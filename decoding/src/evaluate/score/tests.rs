use super::*;
use crate::evaluate::labels::{sample_labels, window_labels};
use crate::session::event::Posterior;
use serde_json::Value;

pub(crate) fn options(n_classes: usize) -> ScoreOptions {
    ScoreOptions {
        n_classes,
        window: WindowSpec { window_samples: 20, step_samples: 2 },
        rate: SampleRate::new(10.0).unwrap(),
        interval: TaskInterval { tmin_secs: 0.0, tmax_secs: 4.0 },
        label_rule: LabelRule::Majority,
        idle: Idle::Include,
        itr: ItrOptions::default(),
        dwell_windows: 3,
    }
}

pub(crate) fn decision(end: u64, posterior: &[f64]) -> Decision {
    let posterior = Posterior::try_from(posterior.to_vec()).unwrap();
    Decision { end: SampleIndex(end), posterior }
}

/// A decision for `class` that leaves the rest evenly.
pub(crate) fn decide(end: u64, class: u8, n_classes: usize) -> Decision {
    let mut posterior = vec![0.5 / n_classes as f64; n_classes];
    posterior[usize::from(class)] += 0.5;
    decision(end, &posterior)
}

/// A run of `n_samples` with its true labels, decided by `decide` from the truth.
pub(crate) fn run(
    number: u32,
    cues: &[Cue],
    n_samples: usize,
    options: &ScoreOptions,
    class_of: impl Fn(usize, ClassIdx) -> u8,
) -> ScoredRun {
    let labels = sample_labels(cues, options.interval, options.rate, n_samples);
    let truths = window_labels(&labels, options.window, options.n_classes, options.label_rule);
    let records = truths.into_iter().enumerate().map(|(k, truth)| {
        let end = options.window.end(k);
        let class = class_of(k, truth.unwrap_or(ClassIdx::IDLE));
        WindowRecord { run: number, end, truth, decision: decide(end.0, class, options.n_classes) }
    });
    let records = records.collect();
    ScoredRun { run: number, first_sample: SampleIndex(0), labels, cues: cues.to_vec(), records }
}

pub(crate) fn paradigm(n_cues: usize) -> Vec<Cue> {
    let class = |k: usize| ClassIdx(1 + (k * k / 3 % 2) as u8);
    (0..n_cues).map(|k| Cue { onset_secs: 4.0 + 8.0 * k as f64, class: class(k) }).collect()
}

#[test]
fn a_perfect_decoder_scores_one_everywhere() {
    let options = options(3);
    let truth = |_: usize, truth: ClassIdx| truth.0;
    let runs = [0, 1].map(|number| run(number, &paradigm(20), 1640, &options, truth));
    let subject = score_subject(&runs, &options);
    let pooled = &subject.pooled;
    assert_eq!((pooled.nmcc, pooled.kappa, pooled.accuracy), (1.0, 1.0, 1.0));
    assert_eq!((pooled.nmcc_idle_excluded, pooled.auc_idle_excluded), (1.0, Some(1.0)));
    assert_eq!(pooled.interval, Some(Interval { lower: 1.0, upper: 1.0 }));
    assert_eq!(pooled.n_windows, 2 * options.window.count(1640) as u64);
    assert_eq!(subject.per_run.len(), 2);
    assert_eq!(subject.events.true_positive_rate, Some(1.0));
    assert_eq!(subject.events.false_positives_per_idle_min, Some(0.0));
    // Half a window until the majority, then two windows more: 1.0 s + 2 * 0.2 s, less
    // the one sample by which a window's last sample precedes its end.
    let latency = subject.events.onset_latency_secs.unwrap().median;
    assert!((latency - 1.3).abs() < 0.1 + 1e-9, "{latency}");
}

#[test]
fn one_predicted_class_scores_chance() {
    let options = options(3);
    let idle = run(0, &paradigm(20), 1640, &options, |_, _| 0);
    let score = score(&idle.records, &options);
    assert_eq!((score.nmcc, score.mcc, score.kappa, score.itr_bits_per_min), (0.5, 0.0, 0.0, 0.0));
    assert_eq!(score.auc, None);
}

#[test]
fn excluding_idle_decides_anew_among_the_tasks() {
    let options = ScoreOptions { idle: Idle::Exclude, ..options(3) };
    let record = |truth, posterior: &[f64]| WindowRecord {
        run: 0,
        end: SampleIndex(19),
        truth,
        decision: decision(19, posterior),
    };
    let records = [
        record(Some(ClassIdx(1)), &[0.8, 0.15, 0.05]),
        record(Some(ClassIdx(2)), &[0.6, 0.1, 0.3]),
        record(Some(ClassIdx(2)), &[0.6, 0.2, 0.2]),
        record(Some(ClassIdx(0)), &[0.1, 0.8, 0.1]),
        record(None, &[0.1, 0.8, 0.1]),
    ];
    let score = score(&records, &options);
    assert_eq!(Vec::from(score.confusion.clone()), [[1, 0], [1, 1]]);
    assert_eq!(score.confusion, score.confusion_idle_excluded);
    assert_eq!(score.nmcc, score.nmcc_idle_excluded);
    // Shares of the second task: 1/4 against 3/4 and 1/2.
    assert_eq!((score.auc, score.n_windows), (Some(1.0), 3));
}

#[test]
fn mixed_windows_are_decided_but_not_scored_under_full_overlap() {
    let options = ScoreOptions { label_rule: LabelRule::FullOverlap, ..options(3) };
    let run = run(0, &paradigm(10), 840, &options, |_, truth| truth.0);
    let score = score(&run.records, &options);
    let n_mixed = run.records.iter().filter(|r| r.truth.is_none()).count() as u64;
    assert!(n_mixed > 0);
    assert_eq!(score.n_windows + n_mixed, run.records.len() as u64);
}

#[test]
fn an_odd_window_keeps_a_cue_open_for_half_of_it() {
    let window = WindowSpec { window_samples: 5, step_samples: 1 };
    let options = ScoreOptions { window, ..options(3) };
    let cue = Cue { onset_secs: 1.0, class: ClassIdx(1) };
    // Task 10..50; ends below 50 + 2.5 are open, so up to 52.
    assert_eq!(options.open_cue(&cue).open, 10..53);
    assert_eq!(options.block_windows(), 40);
}

#[test]
fn scores_equal_the_reference_on_real_confusions() {
    const GOLDEN: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/data/golden/pseudo_online_physionet_mi.json"
    ));
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut n_rows = 0;
    for row in golden["rows"].as_array().unwrap() {
        let confusion: Confusion = serde_json::from_value(row["confusion"].clone()).unwrap();
        let window = WindowSpec { window_samples: 320, step_samples: 16 };
        let rate = SampleRate::new(160.0).unwrap();
        let close = |got: f64, key: &str| {
            // Ratios of the same integers, rounded in a different order.
            assert!((got - row[key].as_f64().unwrap()).abs() < 1e-12, "{key} {got}");
        };
        close(nmcc(&confusion), "nmcc");
        close(confusion.kappa(), "kappa");
        close(confusion.balanced_accuracy(), "balanced_accuracy");
        let itr = ItrOptions::default().bits_per_min(&confusion, window, rate);
        assert!((itr - row["itr_bits_per_min"].as_f64().unwrap()).abs() < 1e-9);
        n_rows += 1;
    }
    assert_eq!(n_rows, 50);
}

#[test]
fn records_are_read_back_as_written() {
    let record = run(3, &paradigm(2), 200, &options(3), |k, _| (k % 3) as u8).records[7];
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<WindowRecord>(&text).unwrap(), record);
}
