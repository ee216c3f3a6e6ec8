//! `mindloop train`: the calibration runs of one subject become a model file.

use super::args::TrainArgs;
use super::data::{Selection, check_plan, fingerprint, span};
use super::output::check_output;
use super::pipelines::decided;
use super::text::say;
use acquisition::text::printable;
use anyhow::{Context as _, Result, ensure};
use datasets::split::{Calibration, Part, Split, calibrate_wholly};
use decoding::evaluate::pseudo_online::{Protocol, Run};
use decoding::pipeline::Pipeline;
use models::checkpoint::Model;
use std::process::ExitCode;

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<ExitCode> {
    ensure!(!args.output.exists(), "there is a file already: {}", args.output.display());
    check_output(&args.output)?;
    let selection = Selection::new(&args.data)?;
    let cue_texts = selection.cue_texts()?;
    let pipeline = decided(&args.pipeline, args.decision.as_deref(), &args.device.device)?;
    check_plan(&selection, std::slice::from_ref(&pipeline))?;
    let (sessions, runs): (Vec<u32>, Vec<Run>) =
        selection.load_sessions(args.subject)?.into_iter().unzip();
    // A model is for what comes next, and the first session is what was there first.
    let n_first = sessions.iter().take_while(|session| **session == sessions[0]).count();
    let runs = &runs[..n_first];
    let protocol = &selection.protocol;
    let spans: Vec<_> =
        runs.iter().map(|run| span(protocol, args.subject, sessions[0], run)).collect();
    let calibration = match args.data.calibration_runs {
        n if n >= runs.len() && n > 1 => calibrate_wholly(&spans),
        n => Split::within_session(&spans, n)?.calibration().to_vec(),
    };
    let naming = Naming { classes: selection.classes.clone(), cue_texts };
    let model = fit_model(protocol, &pipeline, runs, &calibration, naming)?;
    model.save(&args.output)?;
    let trained_on: Vec<_> = model.trained_on.iter().map(|data| data.name.as_str()).collect();
    say(format!(
        "{}: {} on {} channels at {} Hz, fitted on {} (model {})\n",
        args.output.display(),
        pipeline.name,
        model.channels.len(),
        model.rate_hz,
        printable(&trained_on.join(", ")),
        &model.digest()[..12],
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What classes and their cues are called.
pub struct Naming {
    /// Class names, idle first.
    pub classes: Vec<String>,
    /// Marker text of each task class.
    pub cue_texts: Vec<String>,
}

/// Fits one pipeline to the calibration parts of `runs`.
pub fn fit_model(
    protocol: &Protocol,
    pipeline: &Pipeline,
    runs: &[Run],
    calibration: &[Part<Calibration>],
    naming: Naming,
) -> Result<Model> {
    let fits = protocol.fit(runs, calibration, std::slice::from_ref(pipeline))?;
    let decoder = fits.into_iter().next().context("one fit per pipeline")??;
    let first = calibration.first().context("nothing to fit on")?;
    let info = &runs[first.run_idx()].recording.info;
    let label = |c: usize| info.channels[c].label.clone();
    Ok(Model {
        classes: naming.classes,
        cue_texts: naming.cue_texts,
        interval: protocol.interval,
        channels: info.brain_channels().into_iter().map(label).collect(),
        rate_hz: info.rate.hz(),
        front_end: protocol.front_end,
        decoder,
        trained_on: calibration
            .iter()
            .map(|part| fingerprint(&runs[part.run_idx()].recording))
            .collect(),
        simulated: info.simulated,
    })
}
