use super::*;
use proptest::prelude::*;

fn run(subject: u32, session: u32) -> RunSpan {
    RunSpan { subject, session, n_samples: 100, cue_onsets: (0..10).map(|i| 10 * i).collect() }
}

fn indices<Side>(parts: &[Part<Side>]) -> Vec<usize> {
    parts.iter().map(Part::run_idx).collect()
}

#[test]
fn the_first_runs_calibrate() {
    let split = Split::within_session(&[run(1, 1), run(1, 1), run(1, 1)], 1).unwrap();
    assert_eq!((indices(split.calibration()), indices(split.scored())), (vec![0], vec![1, 2]));
    let none = Split::within_session(&[run(1, 1), run(1, 1)], 2);
    assert_eq!(none, Err(SplitError::Empty("to score")));
    let none = Split::within_session(&[run(1, 1), run(1, 1)], 0);
    assert_eq!(none, Err(SplitError::Empty("to calibrate with")));
    let two = Split::within_session(&[run(1, 1), run(1, 2)], 1);
    assert_eq!(two, Err(SplitError::SeveralSessions));
}

#[test]
fn a_single_run_is_cut_after_seven_tenths_of_its_cues() {
    let split = Split::within_session(&[run(1, 1)], 1).unwrap();
    // Ten cues: cue number 7, whose onset is sample 70.
    assert_eq!(split.calibration()[0].samples(), 0..70);
    assert_eq!(split.scored()[0].samples(), 70..100);
    // Four cues: number ceil(2.8) = 3 is there. Three: number ceil(2.1) = 3 is not.
    let mut short = run(1, 1);
    short.cue_onsets.truncate(4);
    assert_eq!(Split::within_session(&[short.clone()], 1).unwrap().scored()[0].samples().start, 30);
    short.cue_onsets.truncate(3);
    let error = Split::within_session(&[short], 1);
    assert_eq!(error, Err(SplitError::TooFewCues { n_cues: 3 }));
}

#[test]
fn windows_across_the_cut_belong_to_no_side() {
    let split = Split::within_session(&[run(1, 1)], 1).unwrap();
    let (calibration, scored) = (&split.calibration()[0], &split.scored()[0]);
    assert!(calibration.contains_window(69, 20) && !calibration.contains_window(70, 20));
    assert!(!scored.contains_window(88, 20) && scored.contains_window(89, 20));
    assert!(!calibration.contains_window(18, 20) && calibration.contains_window(19, 20));
}

#[test]
fn across_sessions_and_subjects() {
    let runs = [run(1, 1), run(1, 2), run(1, 2), run(2, 1), run(2, 1)];
    let split = Split::cross_session(&runs, 1, 1).unwrap();
    assert_eq!((indices(split.calibration()), indices(split.scored())), (vec![1, 2], vec![0]));
    let split = Split::cross_subject(&runs, 2, 1).unwrap();
    assert_eq!((indices(split.calibration()), indices(split.scored())), (vec![0, 1, 2], vec![4]));
    // Subject 1: the last three tenths of the one-run session, and the later run.
    let split = Split::cross_subject(&runs, 1, 1).unwrap();
    assert_eq!((indices(split.calibration()), indices(split.scored())), (vec![3, 4], vec![0, 2]));
    assert_eq!(split.scored()[0].samples(), 70..100);
    assert_eq!(Split::cross_subject(&runs, 9, 1), Err(SplitError::Empty("to score")));
}

#[test]
fn wrong_splits_are_refused() {
    let runs = [run(1, 1), run(1, 1)];
    let new = |calibration: Range<u64>, scored: Range<u64>| {
        Split::new(&runs, vec![(0, calibration)], vec![(0, scored)])
    };
    assert_eq!(new(0..51, 50..100), Err(SplitError::Overlap { run_idx: 0 }));
    assert_eq!(new(50..100, 0..50), Err(SplitError::NotChronological { run_idx: 0 }));
    assert!(matches!(new(0..50, 50..101), Err(SplitError::OutOfRun { end: 101, .. })));
    assert!(matches!(new(0..50, 60..60), Err(SplitError::OutOfRun { .. })));
    let later_run = Split::new(&runs, vec![(1, 0..100)], vec![(0, 0..100)]);
    assert_eq!(later_run, Err(SplitError::NotChronological { run_idx: 0 }));
    let no_run = Split::new(&runs, vec![(0, 0..100)], vec![(2, 0..100)]);
    assert!(matches!(no_run, Err(SplitError::OutOfRun { run_idx: 2, .. })));
}

proptest! {
    /// Whatever is passed, a split that exists shares no sample and is chronological.
    #[test]
    fn no_split_leaks(
        calibration in proptest::collection::vec((0..3_usize, 0..110_u64, 0..110_u64), 1..4),
        scored in proptest::collection::vec((0..3_usize, 0..110_u64, 0..110_u64), 1..4),
    ) {
        let runs = [run(1, 1), run(1, 1), run(2, 1)];
        let ranges = |list: Vec<(usize, u64, u64)>| list.into_iter().map(|(r, a, b)| (r, a..b)).collect();
        let Ok(split) = Split::new(&runs, ranges(calibration), ranges(scored)) else { return Ok(()) };
        for fit in split.calibration() {
            for test in split.scored() {
                let same_session = runs[fit.run_idx()].subject == runs[test.run_idx()].subject;
                let fit_end = (fit.run_idx(), fit.samples().end);
                let is_before = fit_end <= (test.run_idx(), test.samples().start)
                    || fit.run_idx() < test.run_idx();
                prop_assert!(!same_session || is_before);
            }
        }
    }
}
