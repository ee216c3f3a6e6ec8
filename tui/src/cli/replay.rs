//! `mindloop replay`: a model on a recording, through the very threads of a live session.

use super::args::ReplayArgs;
use super::conclude::{check, conclude};
use super::pipelines::model;
use super::text::note;
use crate::app::Mode;
use crate::runtime::{self, Setup};
use acquisition::health::Health;
use acquisition::ring::Overflow;
use acquisition::source::Feed;
use acquisition::source::replay::{Paced, Speed, WallClock};
use anyhow::{Context as _, Result, ensure};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Result<ExitCode> {
    ensure!((1..=65_536).contains(&args.chunk), "--chunk is 1 to 65536 frames");
    let speed = parse_speed(&args.speed)?;
    let outputs = args.output.outputs();
    check(&outputs)?;
    let model = model(&args.model, args.decision.as_deref(), &args.device.device)?;
    let reader = datasets::reader::open(&args.recording)?;
    for finding in reader.findings() {
        note(format!("mindloop: {}: {}", finding.place, finding.what));
    }
    let engine = model.plan(reader.info())?;
    let feed: Box<dyn Feed> = reader;
    let source = Paced::new(feed, speed, args.chunk, Box::<WallClock>::default());
    let outcome = runtime::run(Setup {
        source: Box::new(source),
        health: Arc::new(Health::default()),
        engine,
        model,
        overflow: match speed {
            Speed::Max => Overflow::Wait,
            Speed::RealTime(_) => Overflow::DropNewest,
        },
        chunk_frames: args.chunk,
        mode: Mode::Replay,
        outputs,
    })?;
    conclude(&outcome)
}

/// `max`, or a positive number of times real time.
fn parse_speed(text: &str) -> Result<Speed> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let factor: f64 =
        text.parse().with_context(|| format!("no speed: {text} (a number or max)"))?;
    ensure!(factor.is_finite() && factor > 0.0, "speed must be positive: {text}");
    Ok(Speed::RealTime(factor))
}
