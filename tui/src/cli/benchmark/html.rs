//! The report of a benchmark: one HTML file that needs nothing else, and its figures as files.

use super::confounds;
use super::figure::{Axis, Column, ConfusionMatrix, Figure, ForestRow, Null, Series};
use super::item::{Details, Row, RunDigest};
use super::page::{FIGURES, Page, STYLE, escape, list};
use super::plan::{Benchmark, Mode, Set, SplitKind};
use super::table::{
    Class, Comparison, classes, comparisons, curves, of_dataset, split_word, subject_scores,
    unfitted,
};
use super::work::Digests;
use crate::cli::output::write_file;
use crate::cli::report::{three, verdict_words};
use anyhow::Result;
use decoding::evaluate::null::SEED;
use decoding::metric::Confusion;
use decoding::stats::Summary;
use decoding::stats::curve::LogLinear;
use std::fmt::Write as _;
use std::path::Path;

/// Most pairs of pipelines that are drawn.
const MOST_PAIRS: usize = 14;

/// Most of them that are drawn by dataset.
const MOST_FORESTS: usize = 3;

/// Writes the report and, beside it, the folder of its figures.
pub fn write(
    path: &Path,
    benchmark: &Benchmark,
    digests: &Digests,
    rows: &[Row],
    failures: &[String],
) -> Result<()> {
    let title = benchmark.file.title.as_deref().unwrap_or("Benchmark");
    let mut page = Page::default();
    write!(
        page.html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{0}</title><style>{STYLE}</style></head><body>\
         <h1>{0}</h1><p>Research software, not a medical device.</p>",
        escape(title)
    )?;
    for class in classes(rows) {
        for set in &benchmark.sets {
            let of_set = of_dataset(rows, &set.label);
            if of_set.iter().any(|row| Class::of(row) == class) {
                section(&mut page, benchmark, set, &of_set, class)?;
            }
        }
        compared(&mut page, benchmark, rows, class)?;
    }
    both_modes(&mut page, benchmark, rows)?;
    failed(&mut page.html, failures)?;
    provenance(&mut page.html, benchmark, digests)?;
    page.html.push_str("</body></html>\n");
    write_file(path, page.html.as_bytes())?;
    page.write_figures(&path.with_file_name(FIGURES))
}

fn names(benchmark: &Benchmark) -> Vec<&str> {
    benchmark.pipelines.iter().map(|pipeline| pipeline.name.as_str()).collect()
}

/// Everything about the rows of one dataset and class.
fn section(
    page: &mut Page,
    benchmark: &Benchmark,
    set: &Set,
    rows: &[Row],
    class: Class,
) -> Result<()> {
    write!(page.html, "<h2>{}, {}</h2>", escape(&set.label), escape(&class.in_words()))?;
    let of_class: Vec<&Row> = rows.iter().filter(|row| Class::of(row) == class).collect();
    let scale = scale(&of_class);
    let mut drawn = Vec::new();
    for name in names(benchmark) {
        let values: Vec<f64> = subject_scores(rows, class, name).into_values().collect();
        let summary = Summary::of(&values);
        let Some(summary) = summary else { continue };
        let behind =
            of_class.iter().filter(|row| row.pipeline == name).flat_map(|row| match &row.details {
                Details::Offline { label_null, .. } => label_null.clone(),
                Details::PseudoOnline(online) => online.clock_nmcc.into_iter().collect(),
            });
        drawn.push(Column {
            label: name.to_owned(),
            behind: behind.collect(),
            mean: Some((summary.mean, summary.interval)),
            values,
        });
    }
    let chance = (class.mode == Mode::PseudoOnline || scale == "area under the ROC").then_some(0.5);
    let about = format!("{} {}", set.label, class.in_words());
    let figure = Figure::Columns { columns: drawn, scale, reference: chance };
    page.figure(&format!("{about} scores"), figure)?;
    let behind = match class.mode {
        Mode::Offline => "what the pipeline scores with permuted labels",
        Mode::PseudoOnline => "what the paradigm's timing scores without EEG",
    };
    write!(
        page.html,
        "<p>A point per subject; bar and line: mean and its 95 % interval over subjects; behind \
         them, {behind}.</p>"
    )?;
    nulls(page, benchmark, (&of_class, rows), (class, &about))?;
    subjects_table(&mut page.html, &of_class)?;
    growth(page, benchmark, rows, (class, &about))?;
    confounds::section(page, benchmark, (set, rows), (class, &about))?;
    matrices(page, benchmark, (set, &of_class), &about)
}

/// What pipelines score by chance, where that was drawn.
fn nulls(
    page: &mut Page,
    benchmark: &Benchmark,
    (of_class, rows): (&[&Row], &[Row]),
    (class, about): (Class, &str),
) -> Result<()> {
    let null = |name: &str| -> Option<Null> {
        let scores: Vec<f64> = subject_scores(rows, class, name).into_values().collect();
        let observed = decoding::stats::mean(&scores)?;
        let of_pipeline = || of_class.iter().filter(|row| row.pipeline == name);
        let permuted: Vec<f64> = of_pipeline().flat_map(|row| row.label_null()).copied().collect();
        let rotated: Vec<f64> = of_pipeline().flat_map(|row| row.shift_null()).copied().collect();
        let is_drawn = !(permuted.is_empty() && rotated.is_empty());
        is_drawn.then(|| Null { label: name.to_owned(), permuted, rotated, observed })
    };
    let nulls: Vec<Null> = names(benchmark).into_iter().filter_map(null).collect();
    if nulls.is_empty() {
        return Ok(());
    }
    page.figure(&format!("{about} nulls"), Figure::Nulls { nulls, scale: scale(of_class) })?;
    page.html.push_str(
        "<p>What is scored by chance, all draws of all subjects. Bars: the \
        pipeline fitted to permuted labels; a subject's draws end as soon as it can't be above \
        chance any more.",
    );
    if class.mode == Mode::PseudoOnline {
        page.html.push_str(" Outline: its decisions held against the truth of other times.");
    }
    page.html.push_str(" Line: the mean score.</p>");
    Ok(())
}

fn scale(rows: &[&Row]) -> &'static str {
    use decoding::offline::cross_validation::OfflineMetric::{Accuracy, RocAuc};
    match rows.first().map(|row| &row.details) {
        Some(Details::Offline { metric: RocAuc, .. }) => "area under the ROC",
        Some(Details::Offline { metric: Accuracy, .. }) => "accuracy",
        _ => "nMCC",
    }
}

/// A line per row.
fn subjects_table(page: &mut String, rows: &[&Row]) -> Result<()> {
    page.push_str(
        "<details><summary>Every row</summary><table><tr><th>dataset</th><th>subject</th>\
         <th>session</th><th>pipeline</th><th>score</th><th>no-idle</th><th>clock</th>\
         <th>p(shift)</th><th>p(label)</th><th>verdict</th></tr>",
    );
    for row in rows {
        let online = match &row.details {
            Details::PseudoOnline(online) => Some(online),
            Details::Offline { .. } => None,
        };
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.3}</td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&row.dataset),
            row.subject,
            escape(&row.session),
            escape(&row.pipeline),
            row.score,
            three(online.map(|o| o.nmcc_idle_excluded)),
            three(online.and_then(|o| o.clock_nmcc)),
            three(online.and_then(|o| o.shift_p)),
            three(row.label_p),
            verdict_words(row.verdict),
        )?;
    }
    page.push_str("</table></details>");
    Ok(())
}

/// Learning or scaling curves, where there are any.
fn growth(
    page: &mut Page,
    benchmark: &Benchmark,
    rows: &[Row],
    (class, about): (Class, &str),
) -> Result<()> {
    let of_class: Vec<&Row> = rows.iter().filter(|row| Class::of(row) == class).collect();
    let points = |name: &str| -> Vec<(f64, f64)> {
        let of_subjects = curves(rows, class, name).into_iter().flatten();
        of_subjects.map(|(n, score)| (n.log10(), score)).collect()
    };
    let series = names(benchmark).into_iter().map(|name| Series::with_means(name, points(name)));
    let series: Vec<Series> = series.filter(|series| !series.points.is_empty()).collect();
    let without: Vec<String> =
        names(benchmark).into_iter().flat_map(|name| unfitted(rows, class, name)).collect();
    if !without.is_empty() {
        page.html.push_str("<p>Points of the curves that could not be fitted:</p>");
        list(&mut page.html, &without)?;
    }
    if series.is_empty() {
        return Ok(());
    }
    let amount = match class.split {
        SplitKind::CrossSubject => "training subjects",
        SplitKind::WithinSession | SplitKind::CrossSession => "training trials",
    };
    page.html.push_str("<h3>By the amount of training</h3>");
    let axes = [Axis::Log10(amount), Axis::Plain(scale(&of_class))];
    let fitted: Vec<String> = series.iter().map(|series| series.label.clone()).collect();
    page.figure(&format!("{about} curves"), Figure::Scatter { series, axes })?;
    page.html.push_str(
        "<p>A point per subject and amount; line: the mean. Below, what is fitted: a score at 1 and \
         what each tenfold adds, its interval by bootstrap over subjects.</p><table><tr><th>pipeline</th><th>at 1</th><th>per tenfold</th><th>95 % interval</th></tr>",
    );
    for name in &fitted {
        let Some(line) = LogLinear::fit(&curves(rows, class, name), SEED) else { continue };
        let interval = line
            .per_tenfold_interval
            .map_or("-".to_owned(), |i| format!("{:.3} to {:.3}", i.lower, i.upper));
        write!(
            page.html,
            "<tr><td>{}</td><td>{:.3}</td><td>{:.3}</td><td>{interval}</td></tr>",
            escape(name),
            line.at_one,
            line.per_tenfold,
        )?;
    }
    page.html.push_str("</table>");
    Ok(())
}

/// Pairs of pipelines, the clearest first: effect of each, and over all datasets.
fn compared(page: &mut Page, benchmark: &Benchmark, rows: &[Row], class: Class) -> Result<()> {
    let mut pairs = comparisons(rows, class, &names(benchmark));
    pairs.retain(|pair| pair.difference > 0.0);
    pairs.sort_by(|a, b| a.p_corrected.total_cmp(&b.p_corrected).then(a.p.total_cmp(&b.p)));
    pairs.truncate(MOST_PAIRS);
    if pairs.is_empty() {
        return Ok(());
    }
    page.html.push_str(
        "<table><caption>Comparisons</caption><tr><th>better</th><th>than</th><th>by</th>\
         <th>effect</th><th>p</th><th>p, corrected</th><th>subjects</th></tr>",
    );
    for Comparison { better, other, difference, effect, p, p_corrected, n_subjects, .. } in &pairs {
        write!(
            page.html,
            "<tr><td>{}</td><td>{}</td><td>{difference:.3}</td><td>{}</td><td>{p:.4}</td>\
             <td>{p_corrected:.4}</td><td>{n_subjects}</td></tr>",
            escape(better),
            escape(other),
            three(effect.map(|(effect, _)| effect)),
        )?;
    }
    page.html.push_str("</table>");
    let drawn: Vec<Column> = pairs
        .iter()
        .map(|pair| {
            let values = pair.differences.clone();
            let summary = Summary::of(&values);
            Column {
                label: format!("{} - {}", pair.better, pair.other),
                mean: summary.map(|summary| (summary.mean, summary.interval)),
                behind: Vec::new(),
                values,
            }
        })
        .collect();
    let figure = Figure::Columns { columns: drawn, scale: "difference", reference: Some(0.0) };
    page.figure(&format!("{} differences", class.in_words()), figure)?;
    page.html.push_str(
        "<p>One-tailed paired permutation test over subjects (signed ranks above 20), datasets \
         combined by Stouffer's method with the roots of their subjects, corrected after Holm \
         for all ordered pairs.</p>",
    );
    // Of one subject there is a difference, but no effect.
    pairs.retain(|pair| pair.effect.is_some());
    if pairs.is_empty() {
        return Ok(());
    }
    for pair in pairs.iter().take(MOST_FORESTS) {
        let words = format!("{} {} over {}", class.in_words(), pair.better, pair.other);
        page.figure(&words, forest(pair))?;
    }
    page.html.push_str(
        "<p>Effect of the clearest pairs by dataset: mean difference over its standard deviation, \
         with the 95 % interval of its normal approximation; p one-tailed, not corrected.</p>",
    );
    Ok(())
}

/// A pair dataset by dataset, and all of them combined.
fn forest(pair: &Comparison) -> Figure {
    let row = |label: &str, effect, p: f64, n_subjects: usize| {
        let p = if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") };
        let unit = if n_subjects == 1 { "subject" } else { "subjects" };
        ForestRow { label: label.to_owned(), effect, beside: format!("{p}, {n_subjects} {unit}") }
    };
    let datasets = pair.datasets.iter().map(|of| row(&of.label, of.effect, of.p, of.n_subjects));
    Figure::Forest {
        effects: datasets.collect(),
        combined: row("all of them", pair.effect, pair.p, pair.n_subjects),
        scale: format!("effect: {} over {}", pair.better, pair.other),
    }
}

/// A confusion matrix per pipeline, over all subjects.
fn matrices(
    page: &mut Page,
    benchmark: &Benchmark,
    (set, rows): (&Set, &[&Row]),
    about: &str,
) -> Result<()> {
    let matrix = |name: &str| -> Option<ConfusionMatrix> {
        let of = rows.iter().filter(|row| row.pipeline == name);
        let matrices: Vec<&Confusion> = of.map(|row| &row.confusion).collect();
        let n = matrices.first()?.n_classes();
        let count = |at: usize| matrices.iter().map(|matrix| matrix.as_slice()[at]).sum();
        let classes = &set.selection.classes;
        Some(ConfusionMatrix {
            label: name.to_owned(),
            classes: classes[classes.len() - n..].to_vec(),
            counts: (0..n * n).map(count).collect(),
        })
    };
    let matrices: Vec<ConfusionMatrix> = names(benchmark).into_iter().filter_map(matrix).collect();
    if matrices.is_empty() {
        return Ok(());
    }
    page.figure(&format!("{about} confusion"), Figure::Confusion { matrices })?;
    page.html.push_str(
        "<p>Rows: what was true; columns: what was decided; of all subjects, in percent of the \
         row.</p>",
    );
    Ok(())
}

/// Offline against pseudo-online, where both were scored.
fn both_modes(page: &mut Page, benchmark: &Benchmark, rows: &[Row]) -> Result<()> {
    for &split in &benchmark.file.splits {
        let class = |mode| Class { split, mode, is_stateful: false };
        let mut series = Vec::new();
        for name in names(benchmark) {
            let offline = subject_scores(rows, class(Mode::Offline), name);
            let online = subject_scores(rows, class(Mode::PseudoOnline), name);
            let points: Vec<(f64, f64)> =
                offline.iter().filter_map(|(of, x)| Some((*x, *online.get(of)?))).collect();
            if !points.is_empty() {
                series.push(Series { label: name.to_owned(), points, line: vec![] });
            }
        }
        if !series.is_empty() {
            page.html.push_str("<h2>Offline against pseudo-online</h2>");
            let axes = ["offline score", "pseudo-online nMCC"].map(Axis::Plain);
            let words = format!("{} offline against pseudo-online", split_word(split));
            page.figure(&words, Figure::Scatter { series, axes })?;
        }
    }
    Ok(())
}

fn failed(page: &mut String, failures: &[String]) -> Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>What failed</h2>");
    list(page, failures)
}

/// What it was computed from, and how to do it again.
fn provenance(page: &mut String, benchmark: &Benchmark, digests: &Digests) -> Result<()> {
    write!(
        page,
        "<h2>How to do it again</h2><p>mindloop {} on {} {}: save this plan, and beside it the \
         files of pipelines that it names, and run <code>mindloop benchmark PLAN.toml</code>. Nulls \
         and intervals are drawn from seed {SEED}. The figures are in the folder \
         <code>{FIGURES}</code> beside this page too, as SVG and PNG.</p><pre>{}</pre>",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        escape(&benchmark.text),
    )?;
    for pipeline in &benchmark.pipelines {
        write!(
            page,
            "<details><summary>{}</summary><pre>{}</pre></details>",
            escape(&pipeline.name),
            escape(&pipeline.to_toml()),
        )?;
    }
    for (at, set) in benchmark.sets.iter().enumerate() {
        let dataset = &set.selection.dataset;
        write!(
            page,
            "<p>{}: {} Licence: {}. doi {}</p><details><summary>Digests of its recordings as they were understood</summary><pre>",
            escape(&dataset.title),
            escape(&dataset.citation),
            escape(&dataset.licence),
            escape(&dataset.doi),
        )?;
        for subject in 0..set.subjects.len() {
            let Some(Ok(of)) = digests.get(&(at, subject)) else { continue };
            for RunDigest { name, sha256 } in &of.runs {
                writeln!(page, "{sha256}  {}", escape(name))?;
            }
        }
        page.push_str("</pre></details>");
    }
    Ok(())
}
