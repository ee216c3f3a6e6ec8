//! `mindloop streams` and `mindloop serve`: what is on the network, and how to put a
//! recording there.

use super::args::{ServeArgs, StreamsArgs};
use super::data::tell_findings;
use super::live::seconds;
use super::text::printable_json;
use super::text::{note, say};
use acquisition::lsl::outlet::{Board, ServeOptions, Served, WaitFor};
use acquisition::lsl::resolve::{Found, list};
use acquisition::signal::Recording;
use acquisition::source::Feed;
use acquisition::source::replay::{RecordingFeed, Repeat};
use acquisition::source::synthetic::{Simulator, SimulatorConfig};
use acquisition::text::printable;
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One stream, as listed.
#[derive(Serialize)]
struct StreamRow<'a> {
    name: &'a str,
    r#type: &'a str,
    n_channels: usize,
    rate_hz: f64,
    format: &'a str,
    host: &'a str,
    source_id: &'a str,
}

/// Runs `mindloop streams`.
pub fn run(args: &StreamsArgs) -> Result<ExitCode> {
    let mut found = list(seconds(args.timeout, "--timeout")?)?;
    found.sort_by(|a, b| (&a.name, &a.source_id).cmp(&(&b.name, &b.source_id)));
    if args.json {
        let rows: Vec<_> = found.iter().map(row).collect();
        say(format!("{}\n", printable_json(&rows)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        say(format!("no stream answered within {} s\n", args.timeout))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format!(
        "{:<28} {:<10} {:>8} {:>9}  {:<9} {:<16} source_id\n",
        "name", "type", "channels", "rate", "format", "host"
    ))?;
    for stream in &found {
        let rate = match stream.rate_hz {
            0.0 => "irregular".to_owned(),
            hz => format!("{hz} Hz"),
        };
        say(format!(
            "{:<28} {:<10} {:>8} {:>9}  {:<9} {:<16} {}\n",
            printable(&stream.name),
            printable(&stream.kind),
            stream.n_channels,
            rate,
            stream.format.name(),
            printable(&stream.host),
            printable(&stream.source_id),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(found: &Found) -> StreamRow<'_> {
    StreamRow {
        name: &found.name,
        r#type: &found.kind,
        n_channels: found.n_channels,
        rate_hz: found.rate_hz,
        format: found.format.name(),
        host: &found.host,
        source_id: &found.source_id,
    }
}

/// Runs `mindloop serve`.
pub fn serve(args: &ServeArgs) -> Result<ExitCode> {
    ensure!(args.speed.is_finite() && args.speed > 0.0, "--speed is a positive number");
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = Arc::clone(&stop);
    ctrlc::set_handler(move || on_signal.store(true, Ordering::Relaxed))
        .context("signals can't be handled")?;
    let served = if args.recording == Path::new("simulator") {
        ensure!(!args.repeat, "the simulator never ends: leave --loop out");
        let simulator = Simulator::new(&SimulatorConfig::default())?;
        play(simulator, args, &stop)?
    } else {
        serve_file(args, &stop)?
    };
    note(format!("served {} frames and {} markers", served.n_frames, served.n_markers));
    Ok(ExitCode::SUCCESS)
}

/// From the file as it is read, or from memory where it is played again and again.
fn serve_file(args: &ServeArgs, stop: &AtomicBool) -> Result<Served> {
    if args.repeat {
        let recording: Recording = datasets::reader::read_recording(&args.recording)?;
        tell_findings(&args.recording, &recording.findings);
        return play(RecordingFeed::new(Arc::new(recording), Repeat::Forever), args, stop);
    }
    let reader = datasets::reader::open(&args.recording)?;
    tell_findings(&args.recording, reader.findings());
    let feed: Box<dyn Feed> = reader;
    play(feed, args, stop)
}

fn play(feed: impl Feed, args: &ServeArgs, stop: &AtomicBool) -> Result<Served> {
    let mut options = ServeOptions::new(feed.info());
    if let Some(name) = &args.name {
        options.name.clone_from(name);
        options.source_id.clone_from(name);
    }
    if let Some(source_id) = &args.source_id {
        options.source_id.clone_from(source_id);
    }
    options.speed = args.speed;
    options.wait = if args.no_wait { WaitFor::Nobody } else { WaitFor::Consumer };
    let info = feed.info();
    note(format!(
        "serving {} ({} channels, {} Hz, source_id {}){}",
        printable(&options.name),
        info.n_channels(),
        info.rate.hz(),
        printable(&options.source_id),
        match (info.simulated, args.no_wait) {
            (true, true) => ", simulated",
            (true, false) => ", simulated, waiting for a consumer",
            (false, true) => "",
            (false, false) => ", waiting for a consumer",
        },
    ));
    Ok(Board::new(feed, options)?.run(stop)?)
}
