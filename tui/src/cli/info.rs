//! `mindloop info`: what is in a recording.

use super::args::InfoArgs;
use super::text::say;
use acquisition::text::printable;
use anyhow::Result;
use datasets::reader::{RecordingSummary, StreamSummary, summarize};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Runs the command.
pub fn run(args: &InfoArgs) -> Result<ExitCode> {
    let summary = summarize(&args.file)?;
    if args.json {
        say(format!("{}\n", super::text::printable_json(&summary)?))?;
    } else {
        say(in_words(&args.file.display().to_string(), &summary)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(file: &str, summary: &RecordingSummary) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "{}", printable(file))?;
    writeln!(text, "format       {}", printable(&summary.format))?;
    writeln!(text, "start        {} (as written)", printable(&summary.start))?;
    writeln!(text, "duration     {:.3} s", summary.duration_secs)?;
    for (k, stream) in summary.streams.iter().enumerate() {
        let main = if summary.main_stream_idx == Some(k) { " (main)" } else { "" };
        stream_in_words(&mut text, k, main, stream)?;
    }
    let counts: Vec<_> = summary
        .annotations
        .iter()
        .take(12)
        .map(|count| format!("{} x {}", printable(&count.text), count.n))
        .collect();
    let more = summary.annotations.len().saturating_sub(counts.len());
    let more = if more > 0 { format!(" and {more} more texts") } else { String::new() };
    let listed = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    writeln!(text, "annotations  {}: {listed}{more}", summary.n_annotations)?;
    for finding in &summary.findings {
        writeln!(text, "finding      {}: {}", printable(&finding.place), printable(&finding.what))?;
    }
    Ok(text)
}

fn stream_in_words(text: &mut String, k: usize, main: &str, stream: &StreamSummary) -> Result<()> {
    writeln!(
        text,
        "stream {k}{main}  {} channels at {} Hz, {} samples, {} gaps",
        stream.channels.len(),
        f64::from(stream.rate_hz),
        stream.n_samples,
        stream.gaps.len(),
    )?;
    let mut line = String::new();
    for channel in &stream.channels {
        let item = format!("{} [{}] ", printable(&channel.label), channel.unit.symbol());
        if line.len() + item.len() > 78 {
            writeln!(text, "  {}", line.trim_end())?;
            line.clear();
        }
        line.push_str(&item);
    }
    writeln!(text, "  {}", line.trim_end())?;
    Ok(())
}
