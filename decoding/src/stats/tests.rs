use super::*;
use crate::stats::bootstrap::{CountRows, MIN_BLOCKS, mean_interval};
use proptest::prelude::*;

#[test]
fn percentiles_interpolate_as_numpy_does() {
    // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 97.5, 100])
    let values = [8.0, 1.0, 4.0, 2.0];
    for (percent, expected) in [(0.0, 1.0), (25.0, 1.75), (50.0, 3.0), (97.5, 7.7), (100.0, 8.0)] {
        let got = percentile(&values, percent).unwrap();
        assert!((got - expected).abs() < 1e-14, "{percent} %: {got}");
    }
    assert_eq!(percentile(&[], 50.0), None);
    assert_eq!(median(&[3.0]), Some(3.0));
}

#[test]
fn spread_says_its_degrees_of_freedom() {
    let values = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(mean(&values), Some(2.5));
    assert_eq!(std(&values, 0), Some(1.25_f64.sqrt()));
    assert_eq!(std(&values, 1), Some((5.0_f64 / 3.0).sqrt()));
    assert_eq!((std(&[1.0], 1), std(&[], 0), mean(&[])), (None, None, None));
}

#[test]
fn an_interval_over_subjects_is_repeatable_and_about_as_wide_as_theory_says() {
    let values: Vec<f64> = (0..30).map(|k| f64::from(k % 6)).collect();
    let summary = Summary::of(&values).unwrap();
    let interval = summary.interval.unwrap();
    assert_eq!(mean_interval(&values), Some(interval));
    assert!(interval.contains(summary.mean));
    // 2 * 1.96 standard errors; the ends of 2000 resamples scatter by some percent.
    let width = 2.0 * 1.96 * std(&values, 0).unwrap() / 30.0_f64.sqrt();
    assert!(((interval.upper - interval.lower) / width - 1.0).abs() < 0.15);
    let one = Summary::of(&[0.7]).unwrap();
    assert_eq!((one.mean, one.std, one.interval), (0.7, None, None));
    assert_eq!(Summary::of(&[]), None);
}

/// Windows of two classes whose rightness comes in stretches of `stretch`.
fn rows(n: usize, stretch: usize) -> CountRows {
    let mut rows = CountRows::new(2);
    for k in 0..n {
        let (truth, noise) = ((k / 40) % 2, (k / stretch).wrapping_mul(2_654_435_761) >> 7);
        let predicted = if noise % 10 < 7 { truth } else { 1 - truth };
        rows.push_row()[truth * 2 + predicted] = 1;
    }
    rows.end_run();
    rows
}

#[test]
fn blocks_widen_the_interval_of_windows_that_repeat_each_other() {
    let width = |block| {
        let interval = rows(2400, 20).nmcc_interval(block).unwrap();
        interval.upper - interval.lower
    };
    // Twenty windows in a row are right or wrong together: sqrt(20) = 4.5 at best.
    assert!(width(40) > 2.0 * width(1), "{} against {}", width(40), width(1));
}

#[test]
fn too_few_blocks_give_no_interval() {
    assert_eq!(rows(40 * MIN_BLOCKS - 21, 5).nmcc_interval(40), None);
    assert!(rows(40 * MIN_BLOCKS, 5).nmcc_interval(40).is_some());
    assert_eq!(CountRows::new(2).nmcc_interval(40), None);
}

#[test]
fn perfect_windows_have_an_interval_of_no_width_in_blocks_of_two_classes() {
    let mut perfect = CountRows::new(2);
    for k in 0..200 {
        perfect.push_row()[(k % 2) * 3] = 1;
    }
    let interval = perfect.nmcc_interval(10).unwrap();
    assert_eq!((interval.lower, interval.upper), (1.0, 1.0));
}

#[test]
fn folding_halves_the_rows_within_runs_and_keeps_the_counts() {
    let mut counts = CountRows::new(1);
    for n in [3, 4, 1] {
        for k in 0..n {
            counts.push_row()[0] = 10 + k;
        }
        if n != 1 {
            counts.end_run();
        }
    }
    counts.fold_pairs();
    // 10+11, 12 | 10+11, 12+13 | 10, and the last run is still open.
    assert_eq!(counts.n_rows(), 5);
    counts.push_row()[0] = 7;
    counts.end_run();
    counts.fold_pairs();
    assert_eq!(counts.n_rows(), 3);
    assert_eq!(counts.last_row().unwrap(), [17]);
}

proptest! {
    #[test]
    fn one_class_and_one_place_leave_nothing_to_chance(n in 1_usize..9) {
        // Every block of `n` windows of one alternation holds the same counts.
        let mut counts = CountRows::new(2);
        for k in 0..n * 2 * 10 {
            counts.push_row()[[0, 1, 3, 2][k % 4]] = 1;
        }
        let interval = counts.nmcc_interval(4 * n);
        if let Some(interval) = interval {
            prop_assert_eq!((interval.lower, interval.upper), (0.5, 0.5));
        } else {
            prop_assert!(n * 2 * 10 / (4 * n) < MIN_BLOCKS);
        }
    }
}
