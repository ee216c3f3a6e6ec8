use super::*;
use crate::metric::event_based::{OpenCue, count_events};
use crate::window::WindowSpec;
use acquisition::marker::ClassIdx;
use acquisition::time::{SampleIndex, SampleRate};
use proptest::prelude::*;
use serde_json::Value;

/// Ratios of exact integers differ from Python's by the rounding of one or two
/// operations; rates multiply that by up to 600.
const RELATIVE: f64 = 1e-12;

const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/metric.json"));

fn assert_close(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= RELATIVE * want.abs().max(1.0), "{what}: {got} is not {want}");
}

fn confusion(rows: &Value) -> Confusion {
    serde_json::from_value(rows.clone()).unwrap()
}

#[test]
fn scores_equal_the_reference() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let rate = SampleRate::new(10.0).unwrap();
    let window = WindowSpec { window_samples: 20, step_samples: 1 };
    for case in golden["cases"].as_array().unwrap() {
        let (c, name) = (confusion(&case["confusion"]), case["name"].as_str().unwrap());
        assert_close(mcc(&c), &case["matthews"], name);
        assert_close(nmcc(&c), &case["nmcc"], name);
        assert_close(c.accuracy(), &case["accuracy"], name);
        assert_close(c.balanced_accuracy(), &case["balanced_accuracy"], name);
        assert_close(c.kappa(), &case["kappa"], name);
        for (key, p, t) in [
            ("balanced_accuracy, 2 s", ItrP::BalancedAccuracy, ItrT::WindowLength),
            ("balanced_accuracy, 0.1 s", ItrP::BalancedAccuracy, ItrT::WindowStep),
            ("accuracy, 2 s", ItrP::Accuracy, ItrT::WindowLength),
            ("accuracy, 0.1 s", ItrP::Accuracy, ItrT::WindowStep),
        ] {
            let itr = ItrOptions { p, t }.bits_per_min(&c, window, rate);
            assert_close(itr, &case["itr_bits_per_min"][key], &format!("{name}, {key}"));
        }
    }
    for case in golden["itr"].as_array().unwrap() {
        let n_classes = case["n_classes"].as_u64().unwrap() as usize;
        let (p, secs) = (case["p"].as_f64().unwrap(), case["seconds"].as_f64().unwrap());
        let itr = itr_bits_per_min(p, n_classes, secs);
        assert_close(itr, &case["itr_bits_per_min"], &format!("P = {p}, N = {n_classes}"));
    }
}

#[test]
fn a_rate_without_information_is_zero() {
    for (p, n) in [(f64::NAN, 3), (1.0, 1), (0.3, 3), (1.0 / 3.0, 3), (0.5, 0)] {
        assert_eq!(itr_bits_per_min(p, n, 2.0), 0.0, "P = {p}, N = {n}");
    }
}

#[test]
fn a_confusion_is_written_as_nested_arrays_and_nothing_else_is_read() {
    let pairs = [(0, 0), (1, 2), (2, 2), (1, 2)].map(|(t, p)| (ClassIdx(t), ClassIdx(p)));
    let c = Confusion::from_pairs(3, pairs);
    assert_eq!(serde_json::to_string(&c).unwrap(), "[[1,0,0],[0,0,2],[0,0,1]]");
    assert_eq!(Vec::from(c.without_idle()), [[0, 2], [0, 1]]);
    for broken in ["[[1,0],[0]]", "[[1,0]]", "[[-1]]", "[[1.5]]", "3"] {
        assert!(serde_json::from_str::<Confusion>(broken).is_err(), "{broken}");
    }
    assert_eq!(nmcc(&serde_json::from_str::<Confusion>("[]").unwrap()), 0.5);
}

#[test]
fn ties_count_half_in_the_area() {
    assert_eq!(roc_auc(&mut [(0.1, false), (0.9, true)]), Some(1.0));
    assert_eq!(roc_auc(&mut [(0.5, false), (0.5, true)]), Some(0.5));
    assert_eq!(roc_auc(&mut [(0.5, true)]), None);
    assert_eq!(roc_auc(&mut []), None);
}

fn events(classes: &[u8], cues: &[OpenCue]) -> event_based::EventCounts {
    let at = |(k, c): (usize, &u8)| (SampleIndex(k as u64), ClassIdx(*c));
    let rate = SampleRate::new(1.0).unwrap();
    count_events(classes.iter().enumerate().map(at), 1, 3, cues, rate)
}

fn open(class: u8, open: std::ops::Range<u64>) -> OpenCue {
    OpenCue { class: ClassIdx(class), task_start_secs: open.start as f64, open }
}

#[test]
fn an_event_is_the_third_window_of_a_run_and_only_that() {
    let found = events(&[0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0], &[open(1, 1..8)]);
    assert_eq!((found.n_hits, found.n_false), (1, 0));
    assert_eq!(found.latencies_secs, [2.0]);
}

#[test]
fn a_second_event_a_wrong_class_and_a_late_event_are_false_positives() {
    let twice = events(&[1, 1, 1, 0, 1, 1, 1], &[open(1, 0..9)]);
    assert_eq!((twice.n_hits, twice.n_false), (1, 1));
    let wrong = events(&[2, 2, 2, 2], &[open(1, 0..9)]);
    assert_eq!((wrong.n_hits, wrong.n_false), (0, 1));
    let late = events(&[0, 0, 1, 1, 1], &[open(1, 0..4)]);
    assert_eq!((late.n_hits, late.n_false), (0, 1));
    let in_time = events(&[0, 0, 1, 1, 1], &[open(1, 0..5)]);
    assert_eq!((in_time.n_hits, in_time.n_false), (1, 0));
}

#[test]
fn of_two_open_cues_the_later_takes_the_event() {
    let found = events(&[0, 0, 0, 1, 1, 1, 0, 1, 1, 1], &[open(1, 0..12), open(1, 3..12)]);
    assert_eq!((found.n_hits, found.n_false), (2, 0));
    assert_eq!(found.latencies_secs, [2.0, 9.0]);
}

#[test]
fn a_missing_window_breaks_a_run() {
    let ends = [0, 1, 3, 4].map(|e| (SampleIndex(e), ClassIdx(1)));
    let rate = SampleRate::new(1.0).unwrap();
    let found = count_events(ends, 1, 3, &[], rate);
    assert_eq!((found.n_hits, found.n_false), (0, 0));
    assert_eq!(count_events(ends, 1, 2, &[], rate).n_false, 2);
}

#[test]
fn event_rates_are_per_cue_and_per_minute_of_idle() {
    let mut counts = events(&[1, 1, 1, 0, 2, 2, 2], &[open(1, 0..4), open(1, 20..24)]);
    counts.idle_secs = 30.0;
    let figures = counts.figures();
    assert_eq!(figures.true_positive_rate, Some(0.5));
    assert_eq!(figures.false_positives_per_idle_min, Some(2.0));
    assert_eq!(figures.onset_latency_secs.unwrap().median, 2.0);
    let none = event_based::EventCounts::default().figures();
    assert_eq!((none.true_positive_rate, none.onset_latency_secs), (None, None));
}

proptest! {
    #[test]
    fn the_area_equals_all_pairs(windows in prop::collection::vec((0_u8..9, any::<bool>()), 0..60)) {
        let mut windows: Vec<_> = windows.iter().map(|(s, c)| (f64::from(*s), *c)).collect();
        let (mut won, mut n_pairs) = (0.0, 0.0);
        for (p, _) in windows.iter().filter(|w| w.1) {
            for (n, _) in windows.iter().filter(|w| !w.1) {
                n_pairs += 1.0;
                won += if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
            }
        }
        // Both are ratios of the same small integers: equal bit for bit.
        prop_assert_eq!(roc_auc(&mut windows), (n_pairs > 0.0).then(|| won / n_pairs));
    }

    #[test]
    fn renaming_classes_changes_no_score(
        counts in prop::collection::vec(0_u64..500, 9),
        order in Just([0_usize, 1, 2]).prop_shuffle(),
    ) {
        let rows = |map: &dyn Fn(usize) -> usize| -> Confusion {
            let rows = (0..3).map(|t| (0..3).map(|p| counts[map(t) * 3 + map(p)]).collect());
            Confusion::try_from(rows.collect::<Vec<Vec<_>>>()).unwrap()
        };
        let (a, b) = (rows(&|k| k), rows(&|k| order[k]));
        prop_assert!((nmcc(&a) - nmcc(&b)).abs() < RELATIVE);
        prop_assert!((a.kappa() - b.kappa()).abs() < RELATIVE);
        prop_assert!((a.balanced_accuracy() - b.balanced_accuracy()).abs() < RELATIVE);
        prop_assert!((0.0..=1.0 + RELATIVE).contains(&nmcc(&a)));
    }
}
