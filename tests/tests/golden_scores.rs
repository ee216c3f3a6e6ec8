//! The same numbers as the field: the whole pseudo-online evaluation of two subjects
//! against SciPy, pyRiemann and scikit-learn (`tests/reference/pseudo_online.py`).

use datasets::split::{RunSpan, Split};
use decoding::evaluate::null::Stop;
use decoding::evaluate::pseudo_online::Run;
use decoding::evaluate::score::Idle;
use decoding::evaluate::subject::{ClockNull, Evaluated, NullPlan, Plan};
use decoding::metric::confusion::Confusion;
use decoding::metric::itr::ItrOptions;
use decoding::pipeline::built_in;
use serde::Deserialize;
use tests::data::imagined_fists;
use tests::{data, golden, world};

/// What the definition asks of two implementations. The windows' classes agree exactly
/// on these subjects, so the scores could only differ by rounding.
const NMCC_TOLERANCE: f64 = 0.005;

/// The same ratios of the same counts, in another order of operations.
const ROUNDING: f64 = 1e-12;

#[derive(Deserialize)]
struct File {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    subject: u32,
    pipeline: String,
    nmcc: f64,
    itr_bits_per_min: f64,
    balanced_accuracy: f64,
    kappa: f64,
    n_windows: u64,
    confusion: Confusion,
    nmcc_idle_excluded: f64,
    confusion_idle_excluded: Confusion,
    clock_nmcc: f64,
    runs: Vec<RunRow>,
}

#[derive(Deserialize)]
struct RunRow {
    confusion: Confusion,
}

fn span(run: &Run) -> RunSpan {
    let rate = run.recording.info.rate;
    let onset = |secs: f64| rate.samples(secs) as u64;
    RunSpan {
        subject: 1,
        session: 0,
        n_samples: run.n_indices() as u64,
        cue_onsets: run.cues.iter().map(|cue| onset(cue.onset_secs)).collect(),
    }
}

fn compare(row: &Row, ours: &Evaluated) {
    let (name, score) = (format!("S{:03} {}", row.subject, row.pipeline), &ours.score.pooled);
    assert_eq!(score.n_windows, row.n_windows, "{name}");
    assert_eq!(score.confusion, row.confusion, "{name}");
    assert_eq!(score.confusion_idle_excluded, row.confusion_idle_excluded, "{name}");
    let per_run: Vec<_> = ours.score.per_run.iter().map(|(_, score)| &score.confusion).collect();
    let expected: Vec<_> = row.runs.iter().map(|run| &run.confusion).collect();
    assert_eq!(per_run, expected, "{name}");
    assert!((score.nmcc - row.nmcc).abs() < NMCC_TOLERANCE, "{name}");
    let clock_nmcc = ours.nulls.clock_nmcc.expect("the clock was scored");
    for (what, ours, golden) in [
        ("nMCC", score.nmcc, row.nmcc),
        ("nMCC without idle", score.nmcc_idle_excluded, row.nmcc_idle_excluded),
        ("ITR", score.itr_bits_per_min, row.itr_bits_per_min),
        ("balanced accuracy", score.balanced_accuracy, row.balanced_accuracy),
        ("kappa", score.kappa, row.kappa),
        ("clock", clock_nmcc, row.clock_nmcc),
    ] {
        assert!((ours - golden).abs() < ROUNDING, "{name}: {what} {ours} is not {golden}");
    }
}

fn evaluate_and_compare(subject: u32) {
    let Some(data_dir) = data::find("eegmmidb") else { return };
    let plan = Plan {
        protocol: world::protocol(),
        pipelines: built_in::reference(),
        idle: Idle::Include,
        itr: ItrOptions::default(),
        dwell_windows: 3,
        nulls: NullPlan {
            clock: ClockNull::Scored,
            n_shifts: 0,
            n_permutations: 0,
            stop: Stop::Exhausted,
            seed: 0,
        },
    };
    let runs = imagined_fists(&data_dir, subject);
    let spans: Vec<_> = runs.iter().map(span).collect();
    let split = Split::within_session(&spans, 1).expect("three runs of one session");
    let outcomes = plan.evaluate(&runs, &split, &|| 0).expect("runs of one kind");
    let file: File = golden::load("pseudo_online_physionet_mi.json");
    let mut rows: Vec<_> = file.rows.iter().filter(|row| row.subject == subject).collect();
    assert_eq!(rows.len(), outcomes.len());
    for outcome in &outcomes {
        let at = rows
            .iter()
            .position(|row| row.pipeline == outcome.pipeline.name)
            .expect("its golden row");
        compare(rows.remove(at), outcome.result.as_ref().expect("sound calibration"));
    }
}

#[test]
fn subject_1_scores_as_in_python() {
    evaluate_and_compare(1);
}

#[test]
fn subject_7_scores_as_in_python() {
    evaluate_and_compare(7);
}
