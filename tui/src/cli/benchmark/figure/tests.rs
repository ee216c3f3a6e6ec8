use super::*;
use decoding::stats::Interval;
use decoding::stats::compare::{combined_effect, effect_interval};

fn column(label: &str, values: &[f64]) -> Column {
    let interval = Interval { lower: 0.55, upper: 0.7 };
    let mean = Some((0.6, Some(interval)));
    Column { label: label.to_owned(), values: values.to_vec(), behind: vec![0.45, 0.5], mean }
}

fn null(label: &str, draws: &[f64]) -> Null {
    let rotated = draws[..draws.len() / 2].to_vec();
    Null { label: label.to_owned(), permuted: draws.to_vec(), rotated, observed: 0.8 }
}

fn matrix(label: &str, classes: &[&str], counts: &[u64]) -> ConfusionMatrix {
    let classes = classes.iter().map(|class| (*class).to_owned()).collect();
    ConfusionMatrix { label: label.to_owned(), classes, counts: counts.to_vec() }
}

fn row(label: &str, effect: f64, n_subjects: usize) -> ForestRow {
    let effect = Some((effect, effect_interval(effect, n_subjects)));
    ForestRow {
        label: label.to_owned(),
        effect,
        beside: format!("p = 0.0312, {n_subjects} subjects"),
    }
}

/// One of each, with names that XML has to escape.
fn all() -> Vec<(&'static str, Figure)> {
    let effects = [(0.8, 10), (-0.2, 9), (1.6, 5)];
    let names = ["physionet-mi", "own <b> & \"c\"", "bnci2014-001"];
    let combined = combined_effect(&effects);
    let rows = names.iter().zip(effects).map(|(name, (effect, n))| row(name, effect, n));
    let draws: Vec<f64> = (0..95).map(|k| 0.35 + 0.3 * f64::from(k * k % 31) / 31.0).collect();
    let nulls = ["mdm", "ts+lr", "csp+lda", "logvar<lda"].map(|name| null(name, &draws)).into();
    vec![
        (
            "columns",
            Figure::Columns {
                columns: vec![column("mdm", &[0.5, 0.6, 0.8]), column("a<b", &[0.7, 0.4, 0.9])],
                scale: "accuracy",
                reference: Some(0.5),
            },
        ),
        (
            "scatter",
            Figure::Scatter {
                series: vec![
                    Series::with_means("mdm", vec![(0.5, 0.6), (0.7, 0.65), (0.5, 0.8)]),
                    Series::with_means("a & b", vec![(0.9, 0.8)]),
                ],
                axes: [Axis::Log10("trials"), Axis::Plain("pseudo-online nMCC")],
            },
        ),
        ("nulls", Figure::Nulls { nulls, scale: "area under the ROC" }),
        (
            "confusion",
            Figure::Confusion {
                matrices: vec![
                    matrix("mdm", &["left <b>", "right"], &[7, 3, 2, 8]),
                    matrix("ts+lr", &["idle", "left <b>", "right"], &[9, 1, 0, 2, 3, 5, 0, 0, 0]),
                ],
            },
        ),
        (
            "forest",
            Figure::Forest {
                effects: rows.collect(),
                combined: ForestRow {
                    label: "all of them".to_owned(),
                    effect: combined,
                    beside: "p = 0.0101, 24 subjects".to_owned(),
                },
                scale: "effect: ts+lr over mdm".to_owned(),
            },
        ),
    ]
}

/// Whether every tag is closed by its own, in turn, and every `&` begins an entity.
fn is_well_formed(xml: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some((text, after)) = rest.split_once('<') {
        let Some((tag, after)) = after.split_once('>') else { return false };
        let sound = |text: &str| text.split('&').skip(1).all(|t| t.contains(';'));
        if text.contains('>') || !sound(text) || !sound(tag) || tag.contains('<') {
            return false;
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') && !name.starts_with(['?', '!']) {
            open.push(name);
        }
        rest = after;
    }
    open.is_empty() && rest.trim().is_empty()
}

#[test]
fn an_svg_file_stands_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    for (name, figure) in all() {
        figure.write(folder.path(), name).unwrap();
        let svg = std::fs::read_to_string(folder.path().join(format!("{name}.svg"))).unwrap();
        assert!(is_well_formed(&svg), "{name}: {svg}");
        assert!(svg.contains("xmlns=\"http://www.w3.org/2000/svg\""), "{name}");
        assert!(svg.contains("fill=\"#FFFFFF\"") && svg.contains("#000000"), "{name}: {svg}");
        for of_a_page in ["currentColor", "var(", "#010203", "#040506", "class=", "<div"] {
            assert!(!svg.contains(of_a_page), "{name}: {of_a_page}");
        }
    }
}

#[test]
fn within_a_page_a_figure_has_the_pages_colours() {
    for (name, figure) in all() {
        let svg = figure.of_the_page().unwrap();
        assert!(is_well_formed(&svg), "{name}: {svg}");
        assert!(svg.contains("currentColor") && svg.contains("var(--faint)"), "{name}");
        for fixed in ["#FFFFFF", "#000000", "#010203", "#040506"] {
            assert!(!svg.contains(fixed), "{name}: {fixed}");
        }
    }
    assert!(!is_well_formed("<a><b></a></b>") && !is_well_formed("<a>&</a>"));
}

#[test]
fn a_png_file_shows_the_same_with_its_letters() {
    for (name, figure) in all() {
        let bytes = figure.png(Look::PIXELS).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), figure.size(Look::PIXELS), "{name}");
        assert_eq!(pixels[..3], [255; 3], "{name}: the paper is white");
        // Text alone is drawn in shades between the ink and the paper.
        let is_shade = |p: &[u8]| p[0] == p[1] && p[1] == p[2] && (60..200).contains(&p[0]);
        let n_shades = pixels.chunks_exact(3).filter(|p| is_shade(p)).count();
        assert!(n_shades > 500, "{name}: {n_shades}");
        // Whole or mixed with the paper, a colour is what neither ink nor paper is.
        let is_coloured = |p: &[u8]| p[2] > 150 && u16::from(p[0]) + 40 < u16::from(p[2]);
        assert!(pixels.chunks_exact(3).any(is_coloured), "{name}: nothing is drawn");
    }
}

#[test]
fn a_histogram_counts_every_value() {
    let values = [0.0, 0.05, 0.1, 0.55, 0.999, 1.0, -3.0, 7.0];
    let eighths = |n_bins| {
        let shares = nulls::shares(&values, [0.0, 1.0], n_bins);
        shares.iter().map(|share| (8.0 * share).round() as usize).collect::<Vec<_>>()
    };
    assert_eq!(eighths(10), [3, 1, 0, 0, 0, 1, 0, 0, 0, 3]);
    for n_bins in 1..40 {
        let counts = eighths(n_bins);
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (n_bins, values.len()));
    }
    assert_eq!(nulls::shares(&[], [0.0, 1.0], 3), [0.0; 3]);
}

#[test]
fn a_line_goes_through_the_means() {
    let series = Series::with_means("a", vec![(2.0, 0.5), (1.0, 0.25), (1.0, 0.75), (2.0, 1.0)]);
    assert_eq!(series.line, [(1.0, 0.5), (2.0, 0.75)]);
    assert!(Series::with_means("a", vec![]).line.is_empty());
}

#[test]
fn a_confusion_matrix_has_the_share_of_each_row() {
    let folder = tempfile::TempDir::new().unwrap();
    let matrices = vec![matrix("a", &["x", "y"], &[1, 3, 0, 0])];
    Figure::Confusion { matrices }.write(folder.path(), "a").unwrap();
    let svg = std::fs::read_to_string(folder.path().join("a.svg")).unwrap();
    let words: Vec<&str> = svg.lines().filter(|line| !line.starts_with('<')).collect();
    assert_eq!(words, ["a", "x", "x", "y", "y", "25 %", "75 %", "-", "-"]);
}

#[test]
fn an_effect_has_the_interval_of_its_formula() {
    for (effect, n) in [(0.8, 10), (-0.2, 9), (0.0, 25)] {
        let half =
            1.959963984540054 * (1.0 / f64::from(n) + effect * effect / f64::from(2 * n)).sqrt();
        let Interval { lower, upper } = effect_interval(effect, n as usize);
        assert!((lower - (effect - half)).abs() < 1e-12 && (upper - (effect + half)).abs() < 1e-12);
        // Of one dataset, the combination is itself.
        let (combined, interval) = combined_effect(&[(effect, n as usize)]).unwrap();
        assert!((combined - effect).abs() < 1e-12 && (interval.lower - lower).abs() < 1e-12);
    }
    // Two equal datasets are known as well as one of twice the size.
    let (combined, interval) = combined_effect(&[(0.5, 8), (0.5, 8)]).unwrap();
    assert!((combined - 0.5).abs() < 1e-12);
    assert!((interval.upper - effect_interval(0.5, 16).upper).abs() < 1e-12);
    assert!(combined_effect(&[]).is_none());
}
