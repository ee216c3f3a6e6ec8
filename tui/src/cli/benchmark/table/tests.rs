use super::*;
use decoding::metric::Confusion;
use decoding::offline::cross_validation::OfflineMetric;

const CLASS: Class =
    Class { split: SplitKind::WithinSession, mode: Mode::Offline, is_stateful: false };

fn row(dataset: &str, subject: u32, session: u32, pipeline: &str, score: f64) -> Row {
    Row {
        dataset: dataset.to_owned(),
        subject,
        session: session.to_string(),
        pipeline: pipeline.to_owned(),
        memory: Memory::Memoryless,
        mode: CLASS.mode,
        split: CLASS.split,
        score,
        secs: 1.0,
        n_samples: 20,
        n_channels: 3,
        n_sessions: 2,
        label_p: None,
        verdict: None,
        confusion: Confusion::from_pairs(2, []),
        details: Details::Offline {
            metric: OfflineMetric::Accuracy,
            per_fold: vec![],
            folds: vec![],
            label_null: vec![],
            curve: vec![],
            unfitted: vec![],
            confounds: None,
        },
    }
}

#[test]
fn a_subject_is_above_chance_where_every_session_is() {
    use Verdict::{AboveChance, NotDistinguishable};
    let rows = [
        (1, 0, Some(AboveChance)),
        (1, 1, Some(AboveChance)),
        (2, 0, Some(AboveChance)),
        (2, 1, Some(NotDistinguishable)),
        (3, 0, Some(NotDistinguishable)),
        (4, 0, None),
    ];
    let row =
        |(subject, session, verdict)| Row { verdict, ..row("a", subject, session, "mdm", 0.5) };
    let rows = rows.map(row);
    assert_eq!(n_above_chance(&rows.iter().collect::<Vec<_>>()), (3, 1));
}

#[test]
fn a_comparison_keeps_what_each_dataset_says() {
    let differences = [("a", vec![0.1, 0.3, 0.2, -0.1]), ("b", vec![0.05, 0.02]), ("c", vec![0.4])];
    let mut rows = Vec::new();
    for (dataset, differences) in &differences {
        for (subject, difference) in (1..).zip(differences) {
            // What differs between sessions cancels: their mean is a subject's score.
            rows.push(row(dataset, subject, 0, "ts+lr", 0.6 + difference));
            rows.push(row(dataset, subject, 1, "ts+lr", 0.4 + difference));
            rows.push(row(dataset, subject, 0, "mdm", 0.5));
        }
    }
    let found = &comparisons(&rows, CLASS, &["ts+lr", "mdm"])[0];
    let labels: Vec<_> = found.datasets.iter().map(|of| (&of.label[..], of.n_subjects)).collect();
    assert_eq!(labels, [("a", 4), ("b", 2), ("c", 1)]);
    assert_eq!((found.n_subjects, found.differences.len()), (7, 7));
    for (of, (_, differences)) in found.datasets.iter().zip(&differences) {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        let Some((effect_of, interval)) = of.effect else {
            assert_eq!(of.n_subjects, 1);
            continue;
        };
        near(effect_of, effect(differences).unwrap());
        // The formula that the documentation names.
        let n = of.n_subjects as f64;
        let half = 1.959963984540054 * (1.0 / n + effect_of.powi(2) / (2.0 * n)).sqrt();
        near(interval.upper - effect_of, half);
        near(effect_of - interval.lower, half);
    }
    let (combined, interval) = found.effect.unwrap();
    assert!(interval.lower < combined && combined < interval.upper);
}

#[test]
fn points_that_are_missing_from_a_curve_are_named() {
    let mut without = row("a", 3, 1, "mdm", 0.5);
    if let Details::Offline { unfitted, .. } = &mut without.details {
        unfitted.push((2.0, "too few".to_owned()));
    }
    let rows = [row("a", 1, 0, "mdm", 0.5), without];
    assert_eq!(unfitted(&rows, CLASS, "mdm"), ["mdm, subject 3, session 1, at 2: too few"]);
    assert!(unfitted(&rows, CLASS, "ts+lr").is_empty());
    let mut text = String::new();
    growth(&mut text, &rows, CLASS, "mdm").unwrap();
    assert!(text.contains("mdm: 1 point of the curve could not be fitted"), "{text}");
}
