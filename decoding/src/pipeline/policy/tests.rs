//! What is decided of posteriors that follow each other.

use super::*;

const STEP: usize = 10;

fn planned(policy: DecisionPolicy) -> PolicyRuntime {
    let rate = SampleRate::new(100.0).unwrap();
    PolicyRuntime::plan(&policy, (rate, STEP), 3).unwrap()
}

/// The posterior that says `class`, not with certainty.
fn says(class: usize) -> [f64; 3] {
    let mut posterior = [0.2; 3];
    posterior[class] = 0.6;
    posterior
}

/// What is decided of classes that follow each other every tenth of a second.
fn decided(policy: DecisionPolicy, classes: &[usize]) -> Vec<usize> {
    let mut runtime = planned(policy);
    let decide = |(k, class): (usize, &usize)| {
        let mut posterior = says(*class);
        runtime.apply(SampleIndex((k * STEP) as u64), &mut posterior);
        assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        decide_class(&posterior).index()
    };
    classes.iter().enumerate().map(decide).collect()
}

#[test]
fn without_anything_it_changes_no_bit() {
    let mut runtime = planned(DecisionPolicy::default());
    for k in 0..5 {
        let mut posterior = [0.1, 0.7, 0.2];
        runtime.apply(SampleIndex(k * STEP as u64), &mut posterior);
        assert_eq!(posterior, [0.1, 0.7, 0.2]);
    }
}

#[test]
fn a_dwell_holds_a_task_back_and_then_as_long_as_it_lasts() {
    let policy = DecisionPolicy { dwell_windows: 3, ..DecisionPolicy::default() };
    let classes = [0, 1, 1, 1, 1, 2, 1, 1, 1, 0, 2, 2, 2];
    assert_eq!(decided(policy, &classes), [0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 2]);
}

#[test]
fn after_a_task_there_is_a_pause_in_which_nothing_counts() {
    let policy = DecisionPolicy { dwell_windows: 2, refractory_secs: 0.3, smooth_secs: 0.0 };
    //                        decided         pause of two, then two that count
    let classes = [1, 1, 1, 2, 2, 2, 2, 2, 0, 1, 1, 1];
    assert_eq!(decided(policy, &classes), [0, 1, 1, 0, 0, 0, 2, 2, 0, 0, 0, 1]);
}

#[test]
fn a_held_back_task_leaves_the_tasks_in_their_order() {
    let mut runtime = planned(DecisionPolicy { dwell_windows: 2, ..DecisionPolicy::default() });
    let mut posterior = [0.0, 0.3, 0.7];
    runtime.apply(SampleIndex(0), &mut posterior);
    assert_eq!(decide_class(&posterior).index(), 0);
    assert!(posterior[2] > posterior[1]);
}

#[test]
fn smoothing_is_the_mean_of_the_last_seconds() {
    let mut runtime = planned(DecisionPolicy { smooth_secs: 0.3, ..DecisionPolicy::default() });
    let values = [0.9, 0.6, 0.3, 0.0, 0.6];
    for (k, value) in values.into_iter().enumerate() {
        let mut posterior = [value, 1.0 - value, 0.0];
        runtime.apply(SampleIndex((k * STEP) as u64), &mut posterior);
        let of = &values[(k + 1).saturating_sub(3)..=k];
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        assert!((posterior[0] - mean).abs() < 1e-12, "{k}: {posterior:?}");
    }
}

#[test]
fn a_gap_and_an_unusable_window_start_anew() {
    let policy = DecisionPolicy { dwell_windows: 2, smooth_secs: 1.0, refractory_secs: 0.0 };
    for gap in [false, true] {
        let mut runtime = planned(policy);
        let mut at = 0;
        let mut next = |posterior: [f64; 3], skip: u64| {
            let mut posterior = posterior;
            at += STEP as u64 * (1 + skip);
            runtime.apply(SampleIndex(at), &mut posterior);
            posterior
        };
        next(says(1), 0);
        assert_eq!(next(says(1), 0), says(1));
        if gap {
            next(says(2), 1);
        } else {
            assert!(next([f64::NAN; 3], 0)[0].is_nan());
            next(says(2), 0);
        }
        // Nothing of class 1 is left in it.
        assert_eq!(decide_class(&next(says(2), 0)).index(), 2);
    }
}

#[test]
fn policies_are_read_and_named() {
    let name = |text: &str| {
        let pipeline = Pipeline { name: "mdm".into(), ..Pipeline::default() };
        pipeline.with_decision(DecisionPolicy::parse(text).unwrap()).name
    };
    assert_eq!(name("raw"), "mdm");
    assert_eq!(DecisionPolicy::parse("smoothed:0"), Ok(None));
    assert_eq!(DecisionPolicy::parse("dwell:1:0"), Ok(None));
    assert_eq!(name("smoothed"), "mdm+smoothed");
    assert_eq!(name("smoothed:0.5"), "mdm+smoothed0.5");
    assert_eq!(name("dwell"), "mdm+dwell");
    assert_eq!(name("dwell:5"), "mdm+dwell5-1");
    assert_eq!(name("dwell:5:2.5"), "mdm+dwell5-2.5");
    for bad in ["", "smooth", "smoothed:", "smoothed:-1", "smoothed:nan", "dwell:0", "dwell:1:2:3"]
    {
        assert!(DecisionPolicy::parse(bad).is_err(), "{bad}");
    }
    let dwelling = Pipeline { name: "mdm".into(), ..Pipeline::default() }
        .with_decision(Some(DecisionPolicy::DWELL));
    assert_eq!(dwelling.with_decision(None).name, "mdm");
    assert_eq!(dwelling.with_decision(Some(DecisionPolicy::SMOOTHED)).name, "mdm+smoothed");
}
