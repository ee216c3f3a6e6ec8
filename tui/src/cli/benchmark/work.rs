//! The work of a benchmark: items that share recordings and features are computed together
//! and land one by one; how many at once, memory says.

use super::budget::Budget;
use super::estimate::{Estimate, Extent};
use super::item::{Details, OnlineDetails, Place, Row, RunDigest, key};
use super::offline::offline;
use super::plan::{Benchmark, Mode, Set, SplitKind};
use super::store::{Store, Stored};
use crate::cli::data::{fingerprint, span};
use crate::cli::evaluate::in_words;
use crate::cli::networks::CPU;
use acquisition::signal::Recording;
use anyhow::{Context as _, Result, anyhow, bail};
use datasets::split::{RunSpan, Split};
use decoding::evaluate::pseudo_online::Run;
use decoding::pipeline::Pipeline;
use models::checkpoint::sha256_hex;
use rayon::ThreadPool;
use rayon::prelude::*;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Instant;

/// What came of one item.
pub struct Done {
    /// Where it stands.
    pub place: Place,
    /// Its pipeline, by its position in the plan.
    pub pipeline: usize,
    /// Its rows, or why there are none.
    pub rows: Result<Vec<Row>>,
    /// Whether they were there before.
    pub was_known: bool,
}

/// Digests of the runs of every subject of every dataset; why there are none.
pub type Digests = HashMap<(usize, usize), std::result::Result<SubjectRuns, String>>;

/// A subject's runs.
#[derive(Clone, Debug)]
pub struct SubjectRuns {
    /// In the order of recording.
    pub runs: Vec<RunDigest>,
    extent: Extent,
}

/// Digests of all runs as they are understood: samples, channels, gaps, sessions and cues,
/// whichever files these were read from.
pub fn digests(benchmark: &Benchmark) -> Digests {
    let subject = |(set, at): (usize, usize)| {
        let Set { selection, subjects, .. } = &benchmark.sets[set];
        let read = || -> Result<SubjectRuns> {
            let mut found = SubjectRuns { runs: vec![], extent: Extent::default() };
            for (session, run) in selection.load_sessions(subjects[at])? {
                found.extent.add_run(&run);
                found.runs.push(digest(session, &run)?);
            }
            Ok(found)
        };
        ((set, at), read().map_err(|error| format!("{error:#}")))
    };
    let all = benchmark.sets.iter().enumerate();
    let all: Vec<_> =
        all.flat_map(|(set, of)| (0..of.subjects.len()).map(move |at| (set, at))).collect();
    all.into_par_iter().map(subject).collect()
}

fn digest(session: u32, run: &Run) -> Result<RunDigest> {
    let Recording { info, gaps, .. } = &*run.recording;
    let of_samples = fingerprint(&run.recording);
    let channels: Vec<_> =
        info.channels.iter().map(|c| (&c.label, format!("{:?}", c.kind))).collect();
    let cues: Vec<_> = run.cues.iter().map(|cue| (cue.onset_secs, cue.class)).collect();
    let gaps: Vec<_> = gaps.iter().map(|gap| (gap.at.0, gap.n_missing)).collect();
    let all = (session, &of_samples.sha256, info.rate.hz(), channels, cues, gaps);
    Ok(RunDigest { name: of_samples.name, sha256: sha256_hex(&serde_json::to_vec(&all)?) })
}

/// Items that are computed together: the pipelines of one place.
struct Group {
    place: Place,
    /// Pipelines by their position in the plan, with their keys.
    pending: Vec<(usize, String)>,
    /// Estimate of what it takes.
    n_bytes: u64,
}

/// A part of a plan: every `n`-th place.
#[derive(Clone, Copy, Debug)]
pub struct Shard {
    at: usize,
    n: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { at: 0, n: 1 };

    /// As it is written, `1/4`.
    pub fn parse(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').and_then(|(at, n)| {
            let (at, n): (usize, usize) = (at.trim().parse().ok()?, n.trim().parse().ok()?);
            (at >= 1 && at <= n).then(|| Self { at: at - 1, n })
        });
        numbers.with_context(|| format!("--shard is written 1/4 to 4/4, not {text}"))
    }
}

/// The places of a part of a plan, in its order.
pub fn places(benchmark: &Benchmark, shard: Shard) -> Vec<Place> {
    let mut places = Vec::new();
    for (set, of) in benchmark.sets.iter().enumerate() {
        for &split in &benchmark.file.splits {
            for &mode in &benchmark.file.modes {
                let subjects = 0..of.subjects.len();
                places.extend(subjects.map(|subject| Place { set, subject, split, mode }));
            }
        }
    }
    places.into_iter().skip(shard.at).step_by(shard.n).collect()
}

/// Does what is not in the store, and says what came of every item, each as it is there.
pub fn run(
    benchmark: &Benchmark,
    store: &Store,
    digests: &Digests,
    (shard, pool): (Shard, &ThreadPool),
    tell: &(dyn Fn(Done) + Sync),
) {
    let mut groups = Vec::new();
    for place in places(benchmark, shard) {
        match pending(benchmark, store, digests, place, tell) {
            Ok(found) => groups.extend(found),
            Err(error) => {
                let all = benchmark.of_mode(place.mode).map(|(at, _)| at);
                fail(place, all, &format!("{error:#}"), tell);
            }
        }
    }
    let budget = Budget::new(benchmark.file.memory_mib.saturating_mul(1 << 20));
    let next = Mutex::new(groups.iter());
    let take = || next.lock().ok().and_then(|mut groups| groups.next());
    let work = || {
        while let Some(group) = take() {
            let _held = budget.hold(group.n_bytes);
            let compute = || compute(benchmark, store, group, tell);
            // Whatever a defect stops, stops alone.
            if catch_unwind(AssertUnwindSafe(|| pool.install(compute))).is_err() {
                let all = group.pending.iter().map(|(at, _)| *at);
                fail(group.place, all, "stopped by a defect of this program", tell);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..pool.current_num_threads().min(groups.len()) {
            scope.spawn(work);
        }
    });
}

/// What of a place is not in the store, in groups that memory allows; what is, is told, and
/// what memory does not allow.
fn pending(
    benchmark: &Benchmark,
    store: &Store,
    digests: &Digests,
    place: Place,
    tell: &(dyn Fn(Done) + Sync),
) -> Result<Vec<Group>> {
    let set = &benchmark.sets[place.set];
    let (data, extent) = runs(benchmark, digests, place)?;
    let about = (set.label.as_str(), set.subjects[place.subject], set.selection.classes.as_slice());
    let mut pending = Vec::new();
    for (at, pipeline) in benchmark.of_mode(place.mode) {
        let of = (pipeline, benchmark.file.device.as_deref().unwrap_or(CPU));
        let key = match place.mode {
            Mode::Offline => {
                let plan = benchmark.file.offline.for_split(place.split);
                let settings = (&set.trials, plan, benchmark.variables(place.split));
                key(place, about, &settings, &data, of)?
            }
            Mode::PseudoOnline => {
                let settings = (benchmark.online(set, vec![]), &benchmark.file.pseudo_online);
                key(place, about, &settings, &data, of)?
            }
        };
        match store.get(&key) {
            Some(stored) => {
                let rows = Ok(stored.rows.clone());
                tell(Done { place, pipeline: at, rows, was_known: true });
            }
            None => pending.push((at, key)),
        }
    }
    let estimate = Estimate::new(benchmark, (set, place.split, place.mode), extent);
    Ok(groups(benchmark, (place, &estimate), pending, tell))
}

/// As many pipelines together as memory allows: they share recordings and features.
fn groups(
    benchmark: &Benchmark,
    (place, estimate): (Place, &Estimate),
    pending: Vec<(usize, String)>,
    tell: &(dyn Fn(Done) + Sync),
) -> Vec<Group> {
    let limit = benchmark.file.memory_mib.saturating_mul(1 << 20);
    let bytes_of = |pending: &[(usize, String)]| {
        let of: Vec<_> = pending.iter().map(|(at, _)| &benchmark.pipelines[*at]).collect();
        estimate.bytes(&of)
    };
    let mut groups: Vec<Group> = Vec::new();
    for one in pending {
        let alone = bytes_of(std::slice::from_ref(&one));
        if alone > limit {
            let (needed, limit) = (alone.div_ceil(1 << 20), benchmark.file.memory_mib);
            let why = format!(
                "it needs about {needed} MiB of memory and the plan allows {limit}: raise `memory_mib`"
            );
            fail(place, [one.0], &why, tell);
            continue;
        }
        if let Some(last) = groups.last_mut() {
            last.pending.push(one);
            let n_bytes = bytes_of(&last.pending);
            if n_bytes <= limit {
                last.n_bytes = n_bytes;
                continue;
            }
            let one = last.pending.pop().into_iter().collect();
            groups.push(Group { place, pending: one, n_bytes: alone });
        } else {
            groups.push(Group { place, pending: vec![one], n_bytes: alone });
        }
    }
    groups
}

/// The runs that a place reads, and what they amount to.
fn runs(
    benchmark: &Benchmark,
    digests: &Digests,
    place: Place,
) -> Result<(Vec<RunDigest>, Extent)> {
    let set = &benchmark.sets[place.set];
    let chosen = match place.split {
        SplitKind::WithinSession | SplitKind::CrossSession => place.subject..place.subject + 1,
        SplitKind::CrossSubject => 0..set.subjects.len(),
    };
    let (mut runs, mut extent) = (Vec::new(), Extent::default());
    for at in chosen {
        match &digests[&(place.set, at)] {
            Ok(of) => {
                runs.extend(of.runs.iter().cloned());
                extent.add(&of.extent);
            }
            Err(why) if at == place.subject => bail!("{why}"),
            Err(why) => {
                let subject = set.subjects[at];
                bail!("subject {subject} can't calibrate: {why}: leave it out of the plan")
            }
        }
    }
    Ok((runs, extent))
}

fn fail(
    place: Place,
    pipelines: impl IntoIterator<Item = usize>,
    why: &str,
    tell: &(dyn Fn(Done) + Sync),
) {
    for pipeline in pipelines {
        tell(Done { place, pipeline, rows: Err(anyhow!("{why}")), was_known: false });
    }
}

/// Computes a group; every item's rows go to the store, then on.
fn compute(benchmark: &Benchmark, store: &Store, group: &Group, tell: &(dyn Fn(Done) + Sync)) {
    let land = |at: usize, rows: Result<Vec<Row>>| {
        let Some((pipeline, key)) = group.pending.get(at) else { return };
        let stored = |rows: Vec<Row>| {
            let stored = Stored { key: key.clone(), rows };
            store.append(&stored).map(|()| stored.rows)
        };
        let rows = rows.and_then(stored);
        tell(Done { place: group.place, pipeline: *pipeline, rows, was_known: false });
    };
    let pipelines: Vec<_> =
        group.pending.iter().map(|(at, _)| benchmark.pipelines[*at].clone()).collect();
    let (set, place) = (&benchmark.sets[group.place.set], group.place);
    let done = match place.mode {
        Mode::Offline => offline(benchmark, set, place, &pipelines, &land),
        Mode::PseudoOnline => online(benchmark, set, place, &pipelines, &land),
    };
    if let Err(error) = done {
        let all = group.pending.iter().map(|(at, _)| *at);
        fail(place, all, &format!("{error:#}"), tell);
    }
}

/// Where the rows of one of the pipelines of a group go.
pub type Land<'a> = &'a (dyn Fn(usize, Result<Vec<Row>>) + Sync);

/// The subjects' runs with their sessions, in the order of the plan's subjects.
pub struct Loaded {
    /// In the order of recording.
    pub runs: Vec<Run>,
    /// Subject and session of each.
    pub of: Vec<(u32, u32)>,
}

/// Reads what a place needs.
pub fn load(set: &Set, place: Place) -> Result<Loaded> {
    let own = set.subjects[place.subject];
    let subjects = match place.split {
        SplitKind::CrossSubject => set.subjects.clone(),
        SplitKind::WithinSession | SplitKind::CrossSession => vec![own],
    };
    let mut loaded = Loaded { runs: Vec::new(), of: Vec::new() };
    for subject in subjects {
        let runs = set.selection.load_sessions(subject);
        for (session, run) in runs.with_context(|| format!("subject {subject}"))? {
            loaded.runs.push(run);
            loaded.of.push((subject, session));
        }
    }
    Ok(loaded)
}

impl Loaded {
    /// Those of a subject.
    pub fn sessions(&self, subject: u32) -> Vec<u32> {
        let mut sessions: Vec<u32> =
            self.of.iter().filter(|of| of.0 == subject).map(|of| of.1).collect();
        sessions.dedup();
        sessions
    }
}

fn online(
    benchmark: &Benchmark,
    set: &Set,
    place: Place,
    pipelines: &[Pipeline],
    land: Land<'_>,
) -> Result<()> {
    let subject = set.subjects[place.subject];
    let loaded = load(set, place)?;
    // What one pipeline lacks must not fail the others.
    let protocol = &set.selection.protocol;
    let checks: Vec<_> =
        pipelines.iter().map(|pipeline| protocol.check(&loaded.runs, pipeline)).collect();
    let able: Vec<usize> = (0..pipelines.len()).filter(|at| checks[*at].is_ok()).collect();
    for (at, check) in checks.into_iter().enumerate() {
        if let Err(error) = check {
            land(at, Err(error.into()));
        }
    }
    if able.is_empty() {
        return Ok(());
    }
    let pipelines: Vec<_> = able.iter().map(|at| pipelines[*at].clone()).collect();
    let plan = benchmark.online(set, pipelines.clone());
    let span = |(run, (subject, session)): (&Run, &(u32, u32))| {
        span(&plan.protocol, *subject, *session, run)
    };
    let spans: Vec<RunSpan> = loaded.runs.iter().zip(&loaded.of).map(span).collect();
    let sessions = loaded.sessions(subject);
    let mut rows: Vec<Result<Vec<Row>>> = pipelines.iter().map(|_| Ok(Vec::new())).collect();
    let n_calibration = benchmark.file.pseudo_online.calibration_runs;
    for (name, split) in splits(place.split, (subject, &sessions), &spans, n_calibration)? {
        let started = Instant::now();
        let now_nanos = || started.elapsed().as_nanos() as u64;
        let outcomes = plan.evaluate(&loaded.runs, &split, &now_nanos)?;
        let secs = started.elapsed().as_secs_f64() / pipelines.len() as f64;
        let info = &loaded.runs[split.scored()[0].run_idx()].recording.info;
        for (outcome, rows) in outcomes.into_iter().zip(&mut rows) {
            let row = match &outcome.result {
                Err(error) => Err(anyhow!("{}", in_words(error, &set.selection.classes))),
                Ok(evaluated) => Ok(Row {
                    dataset: set.label.clone(),
                    subject,
                    session: name.clone(),
                    pipeline: outcome.pipeline.name.clone(),
                    memory: outcome.pipeline.memory(),
                    mode: place.mode,
                    split: place.split,
                    score: evaluated.score.pooled.nmcc,
                    secs,
                    n_samples: evaluated.score.pooled.n_windows,
                    n_channels: info.brain_channels().len(),
                    n_sessions: sessions.len(),
                    label_p: evaluated.nulls.label_p,
                    verdict: evaluated.verdict,
                    confusion: evaluated.score.pooled.confusion.clone(),
                    details: Details::PseudoOnline(Box::new(OnlineDetails::of(
                        evaluated, plan.idle,
                    ))),
                }),
            };
            match (&mut *rows, row) {
                (Ok(rows), Ok(row)) => rows.push(row),
                (rows @ Ok(_), Err(error)) => *rows = Err(error),
                (Err(_), _) => {}
            }
        }
    }
    able.into_iter().zip(rows).for_each(|(at, rows)| land(at, rows));
    Ok(())
}

/// The splits of one subject, with the name of the session that each scores.
fn splits(
    kind: SplitKind,
    (subject, sessions): (u32, &[u32]),
    spans: &[RunSpan],
    n_calibration_runs: usize,
) -> Result<Vec<(String, Split)>> {
    let one = |session: &u32| {
        let split = match kind {
            SplitKind::CrossSession => Split::cross_session(spans, subject, *session)?,
            _ => Split::within_session_of(spans, subject, *session, n_calibration_runs)?,
        };
        Ok((session.to_string(), split))
    };
    match kind {
        SplitKind::CrossSubject => {
            let split = Split::cross_subject(spans, subject, n_calibration_runs)?;
            Ok(vec![("all".to_owned(), split)])
        }
        SplitKind::CrossSession if sessions.len() < 2 => {
            bail!("subject {subject} has one session: leave cross-session out of `splits`")
        }
        SplitKind::CrossSession | SplitKind::WithinSession => sessions.iter().map(one).collect(),
    }
}
