//! One subject, evaluated: fit on the calibration side of a split, decide on the scored
//! side, score, and hold every score against its nulls.

use crate::decoder::FitError;
use crate::evaluate::null::{Clock, Nulls, Stop, Verdict, p_value, permute_cues, shift_null};
use crate::evaluate::pseudo_online::{
    Decided, EvaluateError, Pool, Protocol, Run, check_same_stream,
};
use crate::evaluate::score::{Idle, ScoreOptions, ScoredRun, SubjectScore, score_subject};
use crate::metric::itr::ItrOptions;
use crate::metric::latency::{LatencyRecorder, LatencySummary};
use crate::metric::nmcc::nmcc;
use crate::pipeline::{FittedPipeline, Pipeline, demands};
use crate::window::WindowSpec;
use acquisition::marker::Cue;
use acquisition::time::SampleIndex;
use datasets::split::{Part, Scored, Split};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Permutations of the label null whose models are kept side by side.
const PERMUTATIONS_AT_ONCE: usize = 8;

/// How many draws each null makes; none at all where it is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NullPlan {
    /// Whether the clock null is scored.
    pub clock: ClockNull,
    /// Rotations of the true labels.
    pub n_shifts: usize,
    /// Permutations of the calibration's cues, each with a refit.
    pub n_permutations: usize,
    /// When they end.
    #[serde(default)]
    pub stop: Stop,
    /// Seed of both.
    pub seed: u64,
}

/// Whether the clock null is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockNull {
    /// Beside every score.
    Scored,
    /// Left out, for timings.
    Skipped,
}

/// Everything that is evaluated of a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Windows and labels.
    pub protocol: Protocol,
    /// What is fitted.
    pub pipelines: Vec<Pipeline>,
    /// Whether idle is scored.
    pub idle: Idle,
    /// What the information transfer rate is computed from.
    pub itr: ItrOptions,
    /// Windows in a row that make an event.
    pub dwell_windows: usize,
    /// What every score is held against.
    pub nulls: NullPlan,
}

/// What came of one pipeline. One that can't be fitted does not stop the others.
#[derive(Debug)]
pub struct PipelineOutcome {
    /// Which.
    pub pipeline: Pipeline,
    /// Its scores, or why there are none.
    pub result: Result<Evaluated, FitError>,
}

/// nMCC of every draw of the nulls that have draws; none of one that was not run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    /// Of the true labels rotated against the decisions.
    pub shift: Vec<f64>,
    /// Of the pipeline fitted to permuted cues, up to where drawing ended.
    pub label: Vec<f64>,
}

/// A fitted pipeline's decisions and what they are worth.
#[derive(Debug)]
pub struct Evaluated {
    /// Pooled, per run, and events.
    pub score: SubjectScore,
    /// What chance and timing would have scored.
    pub nulls: Nulls,
    /// What was drawn for them.
    pub draws: Draws,
    /// What the nulls say; `None` where none with a p-value was run.
    pub verdict: Option<Verdict>,
    /// Every decision, with the time it took.
    pub decided: Decided,
    /// The times in brief.
    pub latency: LatencySummary,
}

impl Plan {
    /// Evaluates one subject. `now_nanos` is any monotonic clock.
    ///
    /// Batch: allocates, uses the caller's rayon pool. The scores do not depend on the
    /// number of threads.
    pub fn evaluate(
        &self,
        runs: &[Run],
        split: &Split,
        now_nanos: &(dyn Fn() -> u64 + Sync),
    ) -> Result<Vec<PipelineOutcome>, EvaluateError> {
        let calibrating = split.calibration().iter().map(Part::run_idx);
        check_same_stream(runs, calibrating.chain(split.scored().iter().map(Part::run_idx)))?;
        let learned = self.protocol.learn(runs, split.calibration(), &self.pipelines)?;
        let fits = self.protocol.fit_learned(runs, split.calibration(), &learned)?;
        let models: Vec<_> = fits.iter().filter_map(|fit| fit.as_ref().ok()).collect();
        let decided = self.decide(runs, split, &models, now_nanos)?;
        let observed = self.observed(&fits, &decided);
        let mut label_nulls = self.label_null(runs, split, &learned, &observed)?;
        let mut decided = decided.into_iter();
        let clock = self.clock(runs, split)?;
        let outcome = |(k, fit): (usize, Result<FittedPipeline, FitError>)| {
            let result = match fit {
                Ok(_) => {
                    let decided = decided.next().unwrap_or_default();
                    let label = std::mem::take(&mut label_nulls[k]);
                    Ok(self.score(runs, split, decided, clock.as_ref(), label)?)
                }
                Err(error) => Err(error),
            };
            Ok(PipelineOutcome { pipeline: self.pipelines[k].clone(), result })
        };
        fits.into_iter().enumerate().map(outcome).collect()
    }

    /// Decisions per model over all scored parts, in their order.
    fn decide(
        &self,
        runs: &[Run],
        split: &Split,
        models: &[&FittedPipeline],
        now_nanos: &(dyn Fn() -> u64 + Sync),
    ) -> Result<Vec<Decided>, EvaluateError> {
        let per_part: Vec<Vec<Decided>> = split
            .scored()
            .par_iter()
            .map(|part| self.protocol.decide(runs, part, models, now_nanos))
            .collect::<Result<_, _>>()?;
        let mut per_model = vec![Decided::default(); models.len()];
        for part in per_part {
            for (all, one) in per_model.iter_mut().zip(part) {
                all.records.extend(one.records);
                all.took_nanos.extend(one.took_nanos);
                all.n_unusable += one.n_unusable;
            }
        }
        Ok(per_model)
    }

    /// What the score depends on besides the decisions.
    fn options(&self, run: &Run) -> Result<ScoreOptions, EvaluateError> {
        Ok(ScoreOptions {
            n_classes: self.protocol.n_classes,
            window: self.protocol.window(run)?,
            rate: run.recording.info.rate,
            interval: self.protocol.interval,
            label_rule: self.protocol.label_rule,
            idle: self.idle,
            itr: self.itr,
            dwell_windows: self.dwell_windows,
        })
    }

    /// Scores one pipeline's decisions, nulls beside them.
    fn score(
        &self,
        runs: &[Run],
        split: &Split,
        decided: Decided,
        clock: Option<&Clock>,
        label: Vec<f64>,
    ) -> Result<Evaluated, EvaluateError> {
        let scored_runs = self.scored_runs(runs, split, &decided);
        let first = &runs[split.scored()[0].run_idx()];
        let options = self.options(first)?;
        let score = score_subject(&scored_runs, &options);
        let observed = score.pooled.nmcc;
        let shift = match self.nulls.n_shifts {
            0 => None,
            n => shift_null(&scored_runs, &options, n, self.nulls.seed),
        };
        let draws = Draws { shift: shift.unwrap_or_default(), label };
        let p_of_labels = |drawn| self.nulls.stop.p(observed, drawn, self.nulls.n_permutations);
        let nulls = Nulls {
            clock_nmcc: clock.map(|c| nmcc(&c.confusion(&decided.records, self.idle))),
            shift_p: (!draws.shift.is_empty()).then(|| p_value(observed, &draws.shift)),
            label_p: (!draws.label.is_empty()).then(|| p_of_labels(&draws.label)),
        };
        let mut times = LatencyRecorder::new();
        decided.took_nanos.iter().for_each(|nanos| times.record(*nanos));
        let verdict = nulls.verdict(observed);
        Ok(Evaluated { score, nulls, draws, verdict, latency: times.summary(), decided })
    }

    /// The decisions by run, beside the truth of each scored part.
    fn scored_runs(&self, runs: &[Run], split: &Split, decided: &Decided) -> Vec<ScoredRun> {
        let of_part = |part: &Part<Scored>| {
            let (run, samples) = (&runs[part.run_idx()], part.samples());
            let number = part.run_idx() as u32;
            let labels = self.protocol.sample_labels(run);
            let inside = samples.start as usize..samples.end as usize;
            ScoredRun {
                run: number,
                first_sample: SampleIndex(samples.start),
                labels: labels[inside].to_vec(),
                cues: self.cues_within(run, &samples),
                records: decided.records.iter().copied().filter(|r| r.run == number).collect(),
            }
        };
        split.scored().iter().map(of_part).collect()
    }

    /// The cues whose tasks begin within a range of samples.
    fn cues_within(&self, run: &Run, samples: &Range<u64>) -> Vec<Cue> {
        let rate = run.recording.info.rate;
        let start = |cue: &Cue| self.protocol.interval.samples(cue, rate).start;
        run.cues.iter().filter(|cue| samples.contains(&start(cue))).copied().collect()
    }

    /// The clock null's table, from the calibration side's labels.
    fn clock(&self, runs: &[Run], split: &Split) -> Result<Option<Clock>, EvaluateError> {
        if self.nulls.clock == ClockNull::Skipped {
            return Ok(None);
        }
        let mut labelled = Vec::new();
        for part in split.calibration() {
            let run = &runs[part.run_idx()];
            let window: WindowSpec = self.protocol.window(run)?;
            for (k, label) in self.protocol.window_labels(run)?.into_iter().enumerate() {
                let end = window.end(k);
                if let Some(class) = label
                    && part.contains_window(end.0, window.window_samples as u64)
                {
                    labelled.push((end, class));
                }
            }
        }
        Ok(Some(Clock::fit(labelled, self.protocol.n_classes)))
    }

    /// nMCC of every pipeline; of one that was not fitted, a number that nothing reaches.
    fn observed(&self, fits: &[Result<FittedPipeline, FitError>], decided: &[Decided]) -> Vec<f64> {
        let mut decided = decided.iter();
        let n_classes = self.protocol.n_classes;
        let score = |fit: &Result<FittedPipeline, FitError>| match fit {
            Ok(_) => {
                decided.next().map_or(0.5, |of| nmcc(&self.idle.confusion(&of.records, n_classes)))
            }
            Err(_) => f64::INFINITY,
        };
        fits.iter().map(score).collect()
    }

    /// nMCC of every pipeline refitted on permuted cues, per pipeline. A permutation on
    /// which a pipeline can't be fitted counts as chance, 0.5. Only what is undecided is
    /// drawn on; what comes out does not depend on the number of threads.
    fn label_null(
        &self,
        runs: &[Run],
        split: &Split,
        learned: &[Result<Pipeline, FitError>],
        observed: &[f64],
    ) -> Result<Vec<Vec<f64>>, EvaluateError> {
        let NullPlan { n_permutations, stop, .. } = self.nulls;
        if n_permutations == 0 {
            return Ok(vec![Vec::new(); learned.len()]);
        }
        let calibration = split.calibration();
        let pool = self.protocol.pool(runs, calibration, &demands(learned.iter().flatten()))?;
        let mut drawn: Vec<Vec<f64>> = vec![Vec::new(); learned.len()];
        let mut first = 0;
        while first < n_permutations {
            let is_open = |k: &usize| {
                learned[*k].is_ok()
                    && observed[*k].is_finite()
                    && stop.enough(observed[*k], &drawn[*k], n_permutations).is_none()
            };
            let open: Vec<usize> = (0..learned.len()).filter(is_open).collect();
            if open.is_empty() {
                break;
            }
            let asked: Vec<_> = open.iter().map(|k| learned[*k].clone()).collect();
            let n = stop.batch().min(PERMUTATIONS_AT_ONCE);
            let end = n_permutations.min(first.saturating_add(n));
            for of_permutation in self.permuted(runs, split, &asked, (&pool, first..end))? {
                open.iter().zip(of_permutation).for_each(|(k, score)| drawn[*k].push(score));
            }
            first = end;
        }
        for (drawn, observed) in drawn.iter_mut().zip(observed) {
            if let Some(n) = stop.enough(*observed, drawn, n_permutations) {
                drawn.truncate(n);
            }
        }
        Ok(drawn)
    }

    /// The scores of some permutations, each of every pipeline: windows of the calibration
    /// have their features from the `pool`, and the scored runs are read once for many models.
    fn permuted(
        &self,
        runs: &[Run],
        split: &Split,
        learned: &[Result<Pipeline, FitError>],
        (pool, permutations): (&Pool, Range<usize>),
    ) -> Result<Vec<Vec<f64>>, EvaluateError> {
        let fits: Vec<_> = permutations
            .into_par_iter()
            .map(|permutation| self.fit_permuted(runs, split, learned, (pool, permutation as u64)))
            .collect::<Result<_, _>>()?;
        // As many readings at once as there are threads for.
        let n_readings = rayon::current_num_threads().div_ceil(split.scored().len().max(1));
        let of_reading = fits.len().div_ceil(n_readings.max(1)).max(1);
        let score = |fits: &[Vec<Result<FittedPipeline, FitError>>]| {
            let models: Vec<_> = fits.iter().flatten().flatten().collect();
            let mut decided = self.decide(runs, split, &models, &|| 0)?.into_iter();
            let mut score = |fit: &Result<FittedPipeline, FitError>| match fit {
                Ok(_) => decided.next().map_or(0.5, |of| {
                    nmcc(&self.idle.confusion(&of.records, self.protocol.n_classes))
                }),
                Err(_) => 0.5,
            };
            Ok(fits.iter().map(|fits| fits.iter().map(&mut score).collect()).collect())
        };
        let scores: Vec<Vec<Vec<f64>>> =
            fits.par_chunks(of_reading).map(score).collect::<Result<_, EvaluateError>>()?;
        Ok(scores.into_iter().flatten().collect())
    }

    fn fit_permuted(
        &self,
        runs: &[Run],
        split: &Split,
        learned: &[Result<Pipeline, FitError>],
        (pool, permutation): (&Pool, u64),
    ) -> Result<Vec<Result<FittedPipeline, FitError>>, EvaluateError> {
        let calibration = split.calibration();
        let cues: Vec<_> = calibration
            .iter()
            .map(|part| self.cues_within(&runs[part.run_idx()], &part.samples()))
            .collect();
        let mut permuted_runs = runs.to_vec();
        for (part, cues) in
            calibration.iter().zip(permute_cues(&cues, permutation, self.nulls.seed))
        {
            permuted_runs[part.run_idx()].cues = cues;
        }
        self.protocol.fit_relabelled(&permuted_runs, calibration, learned, pool)
    }
}
