//! `mindloop download`: a dataset's files into the cache, or a folder of choice.

use super::args::DownloadArgs;
use super::text::{note, say};
use acquisition::text::printable;
use anyhow::{Result, ensure};
use datasets::catalog::Dataset;
use datasets::download::{Plan, Progress, Step, cache_dir, download};
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;

/// Runs the command.
pub fn run(args: &DownloadArgs) -> Result<ExitCode> {
    let dataset = Dataset::find(&args.dataset)?;
    dataset.files_url()?;
    let subjects = dataset.parse_subjects(&args.subjects)?;
    let dir = match &args.data_dir {
        Some(dir) => dir.clone(),
        None => cache_dir(dataset)?,
    };
    let runs = args.runs.as_deref();
    ensure!(runs.is_none_or(|runs| !runs.is_empty()), "--runs names no run");
    note(format!("{}: {} ({})", dataset.title, dataset.licence, dataset.doi));
    let mut plan = Plan::new(dataset, dir, &subjects, runs)?;
    if let Some(url) = &args.base_url {
        url.trim_end_matches('/').clone_into(&mut plan.base_url);
    }
    let bar = ProgressBar::new(0);
    let style = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(style)?);
    let report = download(&plan, |progress| show(&bar, &progress))?;
    bar.finish_and_clear();
    say(format!(
        "{} files fetched, {} were here already: {}\n",
        report.n_fetched,
        report.n_already_here,
        plan.dir.display(),
    ))?;
    if report.n_unchecked > 0 {
        note(format!(
            "mindloop: no checksum is published for {} of them: only their length was checked",
            report.n_unchecked
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(bar: &ProgressBar, progress: &Progress<'_>) {
    let place =
        format!("{}/{} {}", progress.file_idx + 1, progress.n_files, printable(progress.name));
    match &progress.step {
        Step::Receiving { n_bytes, n_total_bytes } => {
            bar.set_length(n_total_bytes.unwrap_or(*n_bytes));
            bar.set_position(*n_bytes);
        }
        Step::Retrying { cause, .. } => {
            bar.println(format!("{place}: {}, trying again", printable(cause)));
        }
        Step::Refetching => bar.println(format!("{place}: wrong checksum, fetching it anew")),
        Step::AlreadyHere | Step::Done => {}
    }
    bar.set_message(place);
}
