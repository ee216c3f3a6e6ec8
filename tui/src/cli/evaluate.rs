//! `mindloop evaluate`: subjects side by side, a table, and files.

use super::args::{EvaluateArgs, IdleArg, ItrPArg, ItrTArg, SplitArg};
use super::data::{Selection, check_plan, fingerprint, span};
use super::output::check_output;
use super::pipelines::pipelines;
use super::report::{Report, Row};
use super::text::note;
use super::{DONE_IN_PART, windows_file};
#[cfg(feature = "hdf5")]
use acquisition::marker::Cue;
use acquisition::signal::Finding;
use anyhow::{Context as _, Result, ensure};
use datasets::split::{RunSpan, Split};
use decoding::decoder::FitError;
use decoding::evaluate::null::{N_PERMUTATIONS, N_SHIFTS, SEED, Stop};
use decoding::evaluate::pseudo_online::Run;
use decoding::evaluate::score::Idle;
use decoding::evaluate::subject::{ClockNull, NullPlan, PipelineOutcome, Plan};
use decoding::metric::itr::{ItrOptions, ItrP, ItrT};
use indicatif::{ProgressBar, ProgressStyle};
use models::checkpoint::TrainingData;
use rayon::prelude::*;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// One subject's outcome.
pub struct SubjectOutcome {
    /// The subject's number.
    pub subject: u32,
    /// The session that was scored, `all` where several were together.
    pub session: String,
    /// Sessions of the subject that took part.
    pub n_sessions: usize,
    /// Names of its runs, by the number in the records.
    pub recordings: Vec<String>,
    /// What was read.
    pub data: Vec<DataRow>,
    /// Nominal rate.
    pub rate_hz: f64,
    /// Channels decoded from.
    pub n_channels: usize,
    /// Per pipeline.
    pub outcomes: Vec<PipelineOutcome>,
    /// Seconds it took.
    pub secs: f64,
}

/// A recording that was read.
#[derive(Debug, Serialize)]
pub struct DataRow {
    /// Its name and the digest of what it holds.
    #[serde(flatten)]
    pub fingerprint: TrainingData,
    /// What was wrong with it.
    pub findings: Vec<Finding>,
    /// Its cues, for the file of windows.
    #[cfg(feature = "hdf5")]
    #[serde(skip)]
    pub cues: Vec<Cue>,
}

/// Runs the command.
pub fn run(args: &EvaluateArgs) -> Result<ExitCode> {
    for path in [&args.json, &args.csv, &args.windows].into_iter().flatten() {
        check_output(path)?;
    }
    let selection = Selection::new(&args.data)?;
    let subjects = selection.dataset.parse_subjects(&args.subjects)?;
    let plan = plan(args, &selection)?;
    let progress = progress_bar(subjects.len());
    let outcomes: Vec<(u32, Result<SubjectOutcome>)> = match args.split {
        SplitArg::WithinSession | SplitArg::CrossSession => {
            let outcomes: Vec<Vec<_>> = subjects
                .par_iter()
                .map(|subject| {
                    let outcomes = by_session(args, &selection, &plan, *subject);
                    progress.inc(1);
                    outcomes
                })
                .collect();
            outcomes.into_iter().flatten().collect()
        }
        SplitArg::CrossSubject => cross_subject(args, &selection, &plan, &subjects, &progress),
    };
    progress.finish_and_clear();
    finish(args, &selection, &plan, outcomes)
}

/// The plan that the arguments describe.
fn plan(args: &EvaluateArgs, selection: &Selection) -> Result<Plan> {
    let pipelines = pipelines(&args.pipelines, &args.decision, &args.device.device)?;
    check_plan(selection, &pipelines)?;
    ensure!(args.dwell > 0, "--dwell is at least 1 window");
    ensure!(
        args.permutations == 0 || args.permutations >= N_PERMUTATIONS,
        "--permutations is 0 or at least {N_PERMUTATIONS}: with fewer no p can reach 0.05"
    );
    let nulls = NullPlan {
        clock: if args.no_null { ClockNull::Skipped } else { ClockNull::Scored },
        n_shifts: if args.no_null { 0 } else { N_SHIFTS },
        n_permutations: if args.no_null { 0 } else { args.permutations },
        stop: Stop::Exhausted,
        seed: SEED,
    };
    ensure!(
        !(args.no_null && args.permutations > 0),
        "--no-null and --permutations exclude each other"
    );
    Ok(Plan {
        protocol: selection.protocol.clone(),
        pipelines,
        idle: match args.idle {
            IdleArg::Include => Idle::Include,
            IdleArg::Exclude => Idle::Exclude,
        },
        itr: ItrOptions {
            p: match args.itr_p {
                ItrPArg::BalancedAccuracy => ItrP::BalancedAccuracy,
                ItrPArg::Accuracy => ItrP::Accuracy,
            },
            t: match args.itr_t {
                ItrTArg::WindowLength => ItrT::WindowLength,
                ItrTArg::WindowStep => ItrT::WindowStep,
            },
        },
        dwell_windows: args.dwell,
        nulls,
    })
}

fn progress_bar(n_subjects: usize) -> ProgressBar {
    let bar = ProgressBar::new(n_subjects as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} subjects, {eta} left");
    bar.set_style(style.expect("a valid template"));
    bar.tick();
    bar
}

/// Runs, and what splits need to know of each.
#[derive(Default)]
struct Spanned {
    runs: Vec<Run>,
    spans: Vec<RunSpan>,
}

impl Spanned {
    fn load(selection: &Selection, plan: &Plan, subject: u32) -> Result<Self> {
        let mut spanned = Self::default();
        for (session, run) in selection.load_sessions(subject)? {
            spanned.spans.push(span(&plan.protocol, subject, session, &run));
            spanned.runs.push(run);
        }
        Ok(spanned)
    }

    fn extend(&mut self, more: Self) {
        self.runs.extend(more.runs);
        self.spans.extend(more.spans);
    }

    /// The sessions of a subject, in order.
    fn sessions(&self, subject: u32) -> Vec<u32> {
        let of_subject = self.spans.iter().filter(|span| span.subject == subject);
        let mut sessions: Vec<u32> = of_subject.map(|span| span.session).collect();
        sessions.dedup();
        sessions
    }

    /// The runs of one session alone.
    fn of_session(&self, session: u32) -> Self {
        let both = self.runs.iter().zip(&self.spans).filter(|(_, span)| span.session == session);
        let (runs, spans) = both.map(|(run, span)| (run.clone(), span.clone())).unzip();
        Self { runs, spans }
    }
}

/// Every session of a subject is scored once: its later runs after its first, or all of it
/// after the other sessions.
fn by_session(
    args: &EvaluateArgs,
    selection: &Selection,
    plan: &Plan,
    subject: u32,
) -> Vec<(u32, Result<SubjectOutcome>)> {
    let all = match Spanned::load(selection, plan, subject) {
        Ok(all) => all,
        Err(error) => return vec![(subject, Err(error))],
    };
    let sessions = all.sessions(subject);
    let score = |session: u32| -> Result<SubjectOutcome> {
        let mut outcome = if let SplitArg::CrossSession = args.split {
            ensure!(
                sessions.len() > 1,
                "there is one session only, none is left to calibrate with"
            );
            let split = Split::cross_session(&all.spans, subject, session)?;
            evaluate_one(plan, subject, &all, &split)?
        } else {
            let here = all.of_session(session);
            let split = Split::within_session(&here.spans, args.data.calibration_runs)?;
            evaluate_one(plan, subject, &here, &split)?
        };
        outcome.session = session.to_string();
        outcome.n_sessions = sessions.len();
        Ok(outcome)
    };
    let named = |session: u32| {
        let outcome = score(session);
        if sessions.len() > 1 { outcome.context(format!("session {session}")) } else { outcome }
    };
    sessions.iter().map(|&session| (subject, named(session))).collect()
}

/// Every subject is scored once, with all the others calibrating.
fn cross_subject(
    args: &EvaluateArgs,
    selection: &Selection,
    plan: &Plan,
    subjects: &[u32],
    progress: &ProgressBar,
) -> Vec<(u32, Result<SubjectOutcome>)> {
    let mut all = Spanned::default();
    let mut outcomes = Vec::new();
    let mut loaded = Vec::new();
    for subject in subjects {
        match Spanned::load(selection, plan, *subject) {
            Ok(of_subject) => {
                all.extend(of_subject);
                loaded.push(*subject);
            }
            Err(error) => outcomes.push((*subject, Err(error))),
        }
    }
    for subject in loaded {
        let split = Split::cross_subject(&all.spans, subject, args.data.calibration_runs);
        let outcome =
            split.map_err(Into::into).and_then(|split| evaluate_one(plan, subject, &all, &split));
        outcomes.push((subject, outcome));
        progress.inc(1);
    }
    outcomes
}

/// Evaluates one split. The subject's own recordings are named and fingerprinted; with
/// the other subjects' they come out again under those.
fn evaluate_one(plan: &Plan, subject: u32, all: &Spanned, split: &Split) -> Result<SubjectOutcome> {
    let started = Instant::now();
    let now_nanos = move || started.elapsed().as_nanos() as u64;
    let Spanned { runs, spans } = all;
    let outcomes = plan.evaluate(runs, split, &now_nanos)?;
    let sessions = all.sessions(subject);
    let info = &runs[split.scored()[0].run_idx()].recording.info;
    Ok(SubjectOutcome {
        subject,
        session: match sessions.as_slice() {
            [only] => only.to_string(),
            _ => "all".to_owned(),
        },
        n_sessions: sessions.len(),
        recordings: runs.iter().map(|run| run.recording.info.name.clone()).collect(),
        data: runs
            .par_iter()
            .zip(spans)
            .filter(|(_, span)| span.subject == subject)
            .map(|(run, _)| DataRow {
                fingerprint: fingerprint(&run.recording),
                findings: run.recording.findings.clone(),
                #[cfg(feature = "hdf5")]
                cues: run.cues.clone(),
            })
            .collect(),
        rate_hz: info.rate.hz(),
        n_channels: info.brain_channels().len(),
        outcomes,
        secs: started.elapsed().as_secs_f64(),
    })
}

/// Prints the tables, writes the files, names what failed.
fn finish(
    args: &EvaluateArgs,
    selection: &Selection,
    plan: &Plan,
    outcomes: Vec<(u32, Result<SubjectOutcome>)>,
) -> Result<ExitCode> {
    let mut failures = Vec::new();
    let mut done = Vec::new();
    for (subject, outcome) in outcomes {
        match outcome {
            Ok(outcome) => done.push(outcome),
            Err(error) => failures.push(format!("subject {subject}: {error:#}")),
        }
    }
    let mut rows = Vec::new();
    for outcome in &done {
        for one in &outcome.outcomes {
            match &one.result {
                Ok(evaluated) => {
                    rows.push(Row::new(selection.dataset.name, outcome, &one.pipeline, evaluated));
                }
                Err(error) => failures.push(format!(
                    "subject {}, pipeline {}: {}",
                    outcome.subject,
                    one.pipeline.name,
                    in_words(error, &selection.classes),
                )),
            }
        }
    }
    let report = Report::new(args, selection, plan, &done, rows);
    let mut write = |result: Result<()>| {
        failures.extend(result.err().map(|error| format!("{error:#}")));
    };
    if let Some(path) = &args.json {
        write(report.write_json(path));
    }
    if let Some(path) = &args.csv {
        write(report.write_csv(path));
    }
    if let Some(path) = &args.windows {
        write(windows_file::write(path, &selection.classes, &done, &report));
    }
    for failure in &failures {
        note(format!("mindloop: {failure}"));
    }
    if !report.is_empty() {
        report.print()?;
    }
    Ok(match (failures.is_empty(), report.is_empty()) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::from(DONE_IN_PART),
    })
}

/// A failure to fit, with the class's name and what can be done about it here.
pub fn in_words(error: &FitError, classes: &[String]) -> String {
    match error {
        FitError::TooFewExamples { class, n_examples, n_needed } => format!(
            "the calibration has {n_examples} examples of {}, {n_needed} are needed: let more runs calibrate (--calibration-runs), shorten the window, or leave the class out",
            classes[*class],
        ),
        other => other.to_string(),
    }
}
