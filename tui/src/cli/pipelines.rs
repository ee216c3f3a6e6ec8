//! `mindloop pipelines`: what can be fitted; and the pipelines that other commands name.

use super::args::PipelinesArgs;
use super::networks::{model_on_device, networks, on_device};
use super::text::say;
use acquisition::text::printable;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use decoding::pipeline::policy::DecisionPolicy;
use decoding::pipeline::step::Step;
use decoding::pipeline::text::did_you_mean;
use decoding::pipeline::{Memory, Pipeline, built_in};
use models::checkpoint::Model;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// Largest description that is read: far above any that a person wrote.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Runs the command.
pub fn run(args: &PipelinesArgs) -> Result<ExitCode> {
    match &args.pipeline {
        Some(name) => say(printable_lines(&pipeline(name)?.to_toml()))?,
        None => say(list()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One line per built-in pipeline: its name and its steps.
fn list() -> Result<String> {
    let pipelines = built_in::all();
    let width = pipelines.iter().map(|pipeline| pipeline.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let in_words = |steps: &[Step]| steps.iter().map(Step::name).collect::<Vec<_>>().join(", ");
    for pipeline in &pipelines {
        let Pipeline { name, steps, vote, .. } = pipeline;
        let mark = match pipeline.memory() {
            Memory::Memoryless => "",
            Memory::Stateful => "  (stateful)",
        };
        let line = format!("{name:<width$}  {}{mark}", in_words(steps));
        writeln!(text, "{}", line.trim_end())?;
        for voter in vote {
            writeln!(text, "{:<width$}    {}", "", in_words(&voter.steps))?;
        }
    }
    Ok(text)
}

/// The pipeline of a name, or of the file at a path.
pub fn pipeline(name: &str) -> Result<Pipeline> {
    if let Some(pipeline) = built_in::find(name) {
        return Ok(pipeline);
    }
    let path = Path::new(name);
    let is_path = path.extension().is_some() || path.components().count() > 1 || path.exists();
    if !is_path {
        let known = built_in::all();
        let hint = did_you_mean(name, known.iter().map(|pipeline| pipeline.name.as_str()));
        bail!(
            "no pipeline is called {name}{hint} (`mindloop pipelines` lists them; a path names a file of one)"
        );
    }
    let text = read_bounded(path)?;
    let is_moabb = path.extension().is_some_and(|e| e == "yml" || e == "yaml");
    let pipeline = if is_moabb {
        Pipeline::from_moabb(&text).map_err(anyhow::Error::from)
    } else {
        Pipeline::from_toml(&text).map_err(anyhow::Error::from)
    };
    pipeline.with_context(|| format!("no pipeline in {}", path.display()))
}

/// The pipelines of these names, each with every decision policy, or with its own where none
/// is named, to be fitted on a device; no two may be called the same.
pub fn pipelines(names: &[String], decisions: &[String], device: &str) -> Result<Vec<Pipeline>> {
    let networks = networks(device, false)?;
    let decisions: Vec<_> = decisions.iter().map(|text| policy(text)).collect::<Result<_>>()?;
    let mut all: Vec<Pipeline> = Vec::new();
    for name in names {
        let pipeline = on_device(pipeline(name)?, networks.as_ref())?;
        for policy in &decisions {
            all.push(checked(pipeline.with_decision(*policy))?);
        }
        if decisions.is_empty() {
            all.push(pipeline);
        }
    }
    for (k, Pipeline { name, .. }) in all.iter().enumerate() {
        let is_twin = all[..k].iter().any(|other| other.name == *name);
        ensure!(!is_twin, "two pipelines are called {name}: give each a name of its own");
    }
    Ok(all)
}

/// The pipeline of a name with the decision policy that is asked for, if one is, to be fitted
/// on a device.
pub fn decided(name: &str, decision: Option<&str>, device: &str) -> Result<Pipeline> {
    let pipeline = on_device(pipeline(name)?, networks(device, true)?.as_ref())?;
    match decision {
        Some(text) => checked(pipeline.with_decision(policy(text)?)),
        None => Ok(pipeline),
    }
}

/// The policy's name behind its own may be too much.
fn checked(pipeline: Pipeline) -> Result<Pipeline> {
    pipeline.check().with_context(|| format!("with its decision policy: {}", pipeline.name))?;
    Ok(pipeline)
}

/// A decision policy as it is written; `raw` is none.
fn policy(text: &str) -> Result<Option<DecisionPolicy>> {
    DecisionPolicy::parse(text).map_err(|why| anyhow!("{}", printable(&why)))
}

/// The model of a file, with the decision policy that is asked for, if one is, to be run on a
/// device.
pub fn model(path: &Path, decision: Option<&str>, device: &str) -> Result<Model> {
    let mut model = Model::load(path)?;
    model.decoder = model_on_device(model.decoder, networks(device, false)?.as_ref())?;
    if let Some(text) = decision {
        model.decoder = model.decoder.with_decision(policy(text)?);
    }
    Ok(model)
}

fn read_bounded(path: &Path) -> Result<String> {
    let file = File::open(path).with_context(|| format!("can't be read: {}", path.display()))?;
    let mut text = String::new();
    let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
    read.with_context(|| format!("can't be read as text: {}", path.display()))?;
    ensure!(
        text.len() as u64 <= MAX_FILE_BYTES,
        "no description is larger than {} MiB: {}",
        MAX_FILE_BYTES >> 20,
        path.display()
    );
    Ok(text)
}

/// A description's texts come from a file.
fn printable_lines(text: &str) -> String {
    text.lines().flat_map(|line| [printable(line).into_owned(), "\n".to_owned()]).collect()
}
