//! From a dataset's name and a subject to runs with cues: what `evaluate` and `train`
//! have in common.

use super::args::{DataArgs, LabelRuleArg, TrainOnArg};
use super::text::note;
use acquisition::signal::{Finding, Recording};
use acquisition::time::SampleRate;
use anyhow::{Result, anyhow, bail};
use datasets::catalog::{CueOn, Dataset, Execution, RunFile, RunSpec};
use datasets::download::cache_dir;
use datasets::split::RunSpan;
use decoding::evaluate::labels::{LabelRule, TaskInterval};
use decoding::evaluate::pseudo_online::{Protocol, Run, TrainOn};
use decoding::front_end::FrontEndSpec;
use decoding::pipeline::{Pipeline, demands};
use models::checkpoint::{TrainingData, sha256_hex};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A dataset with the choices made on the command line.
pub struct Selection {
    /// The catalogue's entry.
    pub dataset: Cow<'static, Dataset>,
    /// Class names, idle first.
    pub classes: Vec<String>,
    /// How windows are made and labelled.
    pub protocol: Protocol,
    execution: Execution,
    data_dir: PathBuf,
}

impl Selection {
    /// Checks the arguments against the catalogue.
    pub fn new(args: &DataArgs) -> Result<Self> {
        let entry = Dataset::find(&args.dataset)?;
        let data_dir = match &args.data_dir {
            Some(dir) => dir.clone(),
            None => cache_dir(entry)?,
        };
        let dataset = entry.at(&data_dir)?;
        let execution = if args.executed { Execution::Executed } else { Execution::Imagined };
        dataset.check_classes(&args.classes)?;
        let mut classes = vec!["idle".to_owned()];
        classes.extend(args.classes.iter().cloned());
        let [tmin_secs, tmax_secs] = dataset.task_interval_secs;
        let protocol = Protocol {
            front_end: FrontEndSpec {
                filter_order: args.order,
                low_hz: args.low,
                high_hz: args.high,
                window_secs: args.window,
                step_secs: args.step,
            },
            interval: TaskInterval { tmin_secs, tmax_secs },
            label_rule: match args.label_rule {
                LabelRuleArg::Majority => LabelRule::Majority,
                LabelRuleArg::EndSample => LabelRule::EndSample,
                LabelRuleArg::FullOverlap => LabelRule::FullOverlap,
            },
            train_on: match args.train_on {
                TrainOnArg::Windows => TrainOn::Windows,
                TrainOnArg::Trials => TrainOn::Trials,
            },
            n_classes: classes.len(),
        };
        Ok(Self { dataset, classes, protocol, execution, data_dir })
    }

    /// Reads the selected runs of a subject, each with the number of its session, in the
    /// order in which they were recorded.
    pub fn load_sessions(&self, subject: u32) -> Result<Vec<(u32, Run)>> {
        let specs = self.dataset.runs_for(subject, &self.classes[1..], self.execution)?;
        if specs.is_empty() {
            bail!("subject {subject} has no such runs of these classes (see --executed)");
        }
        // A file that holds several recordings is read once.
        let files: Vec<&[RunSpec]> = specs.chunk_by(|a, b| a.file.path == b.file.path).collect();
        let runs: Vec<Vec<(u32, Run)>> =
            files.par_iter().map(|specs| self.load_file(specs)).collect::<Result<_>>()?;
        Ok(runs.into_iter().flatten().collect())
    }

    /// Reads the runs of one file.
    fn load_file(&self, specs: &[RunSpec]) -> Result<Vec<(u32, Run)>> {
        let path = self.dataset.locate(&self.data_dir, &specs[0].file)?;
        let mut recordings: Vec<_> = self.dataset.read(&path)?.into_iter().map(Some).collect();
        let mut run_of = |spec: &RunSpec| {
            let RunFile { session, run, part, .. } = spec.file;
            let Some(recording) = recordings.get_mut(part).and_then(Option::take) else {
                bail!("run {run} of session {session} is not in this file: {}", path.display());
            };
            tell_findings(&path, &recording.findings);
            let interval = self.dataset.task_interval_secs;
            let cues = spec.cues(&recording, &self.classes[1..], interval);
            if cues.is_empty() {
                bail!("no cue of the classes asked for: {}", path.display());
            }
            Ok((session, Run { recording: Arc::new(recording), cues }))
        };
        specs.iter().map(&mut run_of).collect()
    }

    /// The cue texts of the task classes, where each class has one text in all runs.
    pub fn cue_texts(&self) -> Result<Vec<String>> {
        let text_of = |class: &String| match self.dataset.cues_of(class, self.execution).as_slice()
        {
            [CueOn::Marker(text)] => Ok(text.clone().into_owned()),
            [CueOn::WholeRun] => Err(anyhow!(
                "class {class} has no cue, it fills its runs: a live session could not \
                     tell when it begins"
            )),
            _ => Err(anyhow!("class {class} is cued by several annotation texts")),
        };
        let texts: Vec<String> = self.classes[1..].iter().map(text_of).collect::<Result<_>>()?;
        for (k, text) in texts.iter().enumerate() {
            if let Some(twin) = texts[..k].iter().position(|t| t == text) {
                let (a, b) = (&self.classes[twin + 1], &self.classes[k + 1]);
                bail!(
                    "{a} and {b} are both cued by {text}, in different runs: a live session \
                     could not tell them apart; train on classes of one kind of run"
                );
            }
        }
        Ok(texts)
    }
}

/// Says what was wrong with a file, and what was done about it.
pub fn tell_findings(path: &Path, findings: &[Finding]) {
    for finding in findings {
        note(format!("mindloop: {}: {}: {}", path.display(), finding.place, finding.what));
    }
}

/// Fails early, with nothing read, where the plan can't work at the dataset's rate.
pub fn check_plan(selection: &Selection, pipelines: &[Pipeline]) -> Result<()> {
    let rate = SampleRate::new(selection.dataset.rate_hz)?;
    Ok(selection.protocol.front_end.check(rate, &demands(pipelines))?)
}

/// What a split needs to know of a run.
pub fn span(protocol: &Protocol, subject: u32, session: u32, run: &Run) -> RunSpan {
    let rate = run.recording.info.rate;
    let onset = |secs: f64| rate.samples(secs + protocol.interval.tmin_secs).max(0) as u64;
    RunSpan {
        subject,
        session,
        n_samples: run.n_indices() as u64,
        cue_onsets: run.cues.iter().map(|cue| onset(cue.onset_secs)).collect(),
    }
}

/// Name and digest of what a recording holds: samples, then markers.
pub fn fingerprint(recording: &Recording) -> TrainingData {
    let mut bytes = Vec::with_capacity(recording.samples.len() * 4);
    for sample in &recording.samples {
        bytes.extend_from_slice(&sample.to_le_bytes());
    }
    for marker in &recording.markers {
        bytes.extend_from_slice(&marker.onset_secs.to_le_bytes());
        bytes.extend_from_slice(marker.text.as_str().as_bytes());
    }
    TrainingData { name: recording.info.name.clone(), sha256: sha256_hex(&bytes) }
}
