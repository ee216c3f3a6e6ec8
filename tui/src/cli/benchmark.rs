//! `mindloop benchmark PLAN.toml`: datasets x subjects x pipelines x splits x modes, each
//! result kept as it lands, so that a run goes on where the last one stopped.

#[cfg(feature = "hdf5")]
mod archive;
mod budget;
mod confounds;
mod estimate;
mod figure;
mod html;
mod item;
mod offline;
mod page;
mod people;
mod plan;
mod store;
mod table;
mod work;

use self::item::Row;
use self::plan::Benchmark;
use self::store::Store;
use self::work::{Digests, Done, Shard};
use super::DONE_IN_PART;
use super::args::{BenchmarkArgs, MergeArgs};
use super::text::{note, say};
use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPool;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

/// Runs the command.
pub fn run(args: &BenchmarkArgs) -> Result<ExitCode> {
    let benchmark = Benchmark::read(&args.plan)?;
    let folder = args.output.clone().unwrap_or_else(|| beside(&args.plan));
    let store = Store::open(&folder)?;
    if store.n_damaged > 0 {
        note(format!(
            "mindloop: {} lines of the store were cut or changed: they are computed anew",
            store.n_damaged
        ));
    }
    let shard = args.shard.as_deref().map_or(Ok(Shard::WHOLE), Shard::parse)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build();
    let pool = pool.context("the threads")?;
    let (digests, done) = all(&benchmark, &store, shard, &pool);
    conclude(&benchmark, &folder, &digests, done)
}

/// Puts the stores of several runs together, for a run of the plan that computes nothing.
pub fn merge(args: &MergeArgs) -> Result<ExitCode> {
    let store = Store::open(&args.output)?;
    let (mut n_new, mut n_damaged, mut added) = (0, 0, HashSet::new());
    for part in &args.parts {
        let found = Store::read_folder(part)?;
        n_damaged += found.1;
        let mut stored: Vec<_> = found.0.into_values().collect();
        stored.sort_by(|a, b| a.key.cmp(&b.key));
        for stored in stored {
            if store.get(&stored.key).is_none() && added.insert(stored.key.clone()) {
                store.append(&stored)?;
                n_new += 1;
            }
        }
    }
    note(format!(
        "mindloop: {n_new} items from {} folders; run the plan with --output {} for its tables",
        args.parts.len(),
        args.output.display(),
    ));
    if n_damaged == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    note(format!("mindloop: {n_damaged} lines were cut or changed, their items are left out"));
    Ok(ExitCode::from(DONE_IN_PART))
}

/// The folder of a plan's results where none is named.
fn beside(plan: &Path) -> PathBuf {
    plan.with_extension("results")
}

/// Every item, computed or known, in the order of the plan.
fn all(
    benchmark: &Benchmark,
    store: &Store,
    shard: Shard,
    pool: &ThreadPool,
) -> (Digests, Vec<Done>) {
    let digests = pool.install(|| work::digests(benchmark));
    let places = work::places(benchmark, shard);
    let n_items = places.iter().map(|place| benchmark.of_mode(place.mode).count()).sum();
    let progress = progress_bar(n_items);
    let done = Mutex::new(Vec::with_capacity(n_items));
    let tell = |one: Done| {
        // The time left is that of what is still to be computed.
        if one.was_known {
            progress.set_length(progress.length().unwrap_or_default().saturating_sub(1));
        } else {
            progress.inc(1);
        }
        if let Ok(mut done) = done.lock() {
            done.push(one);
        }
    };
    work::run(benchmark, store, &digests, (shard, pool), &tell);
    progress.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|one| (one.place, one.pipeline));
    (digests, done)
}

fn progress_bar(n_items: usize) -> ProgressBar {
    let bar = ProgressBar::new(n_items as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} items, {eta} left");
    bar.set_style(style.expect("a valid template"));
    bar.tick();
    bar
}

/// Writes the results, prints the tables, names what failed.
fn conclude(
    benchmark: &Benchmark,
    folder: &Path,
    digests: &Digests,
    done: Vec<Done>,
) -> Result<ExitCode> {
    let n_known = done.iter().filter(|one| one.was_known).count();
    let (mut rows, mut failures): (Vec<Row>, Vec<String>) = (Vec::new(), Vec::new());
    for Done { place, pipeline, rows: found, .. } in done {
        match found {
            Ok(found) => rows.extend(found),
            Err(error) => failures.push(table::failure(benchmark, place, pipeline, &error)),
        }
    }
    let csv = table::write_csv(&folder.join("results.csv"), &rows);
    failures.extend(csv.err().map(|error| format!("{error:#}")));
    // Without a row too: what an earlier run left must not be taken for this one's.
    #[cfg(feature = "hdf5")]
    failures.extend(
        archive::export(&folder.join("results.h5"), benchmark, digests, &rows)
            .err()
            .map(|error| format!("{error:#}")),
    );
    let failed = failures.clone();
    let report = folder.join("report.html");
    failures.extend(
        html::write(&report, benchmark, digests, &rows, &failed)
            .err()
            .map(|error| format!("{error:#}")),
    );
    for failure in &failures {
        note(format!("mindloop: {failure}"));
    }
    if n_known > 0 {
        note(format!("mindloop: {n_known} items were in the store already"));
    }
    if !rows.is_empty() {
        say(table::print(benchmark, &rows)?)?;
    }
    Ok(match (failures.is_empty(), rows.is_empty()) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::from(DONE_IN_PART),
    })
}
