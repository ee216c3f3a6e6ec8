use super::*;
use crate::connectivity::tests::{error, noise};
use crate::connectivity::{
    BandEdges, ConnectivitySpec, Measure, Resolution, Segments, SlidingConnectivity,
};
use crate::psd::bands::Band;
use crate::window::{Planar, WindowSpec};
use acquisition::time::{SampleIndex, SampleRate};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Written by `tests/reference/golden_graph.py` with `NetworkX` and `NumPy`.
const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/golden/graph.json"));

const NODE: [NodeMeasure; 8] = [
    NodeMeasure::InStrength,
    NodeMeasure::OutStrength,
    NodeMeasure::InDegree,
    NodeMeasure::OutDegree,
    NodeMeasure::Clustering,
    NodeMeasure::LocalEfficiency,
    NodeMeasure::Betweenness,
    NodeMeasure::Eigenvector,
];

const WHOLE: [WholeMeasure; 6] = [
    WholeMeasure::Density,
    WholeMeasure::Transitivity,
    WholeMeasure::PathLength,
    WholeMeasure::GlobalEfficiency,
    WholeMeasure::Assortativity,
    WholeMeasure::Modularity,
];

#[derive(Deserialize)]
struct Golden {
    undirected: Vec<Vec<f64>>,
    directed: Vec<Vec<f64>>,
    modules: BTreeMap<String, Vec<usize>>,
    cases: Vec<Case>,
    backbone_level: f64,
    backbone: BTreeMap<String, Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Case {
    direction: Direction,
    proportional: f64,
    values: BTreeMap<String, serde_json::Value>,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("a golden file")
}

fn name(measure: impl Serialize) -> String {
    serde_json::to_value(measure).unwrap().as_str().unwrap().to_owned()
}

fn spec(direction: Direction, threshold: Threshold, scale: WeightScale) -> GraphSpec {
    GraphSpec {
        direction,
        threshold,
        scale,
        node_measures: NODE.to_vec(),
        whole_measures: WHOLE.to_vec(),
    }
}

fn plan(n: usize, spec: &GraphSpec) -> GraphMeasures {
    GraphMeasures::new(n, spec).expect("a plan")
}

#[test]
fn measures_are_those_of_networkx_and_the_formulas() {
    let golden = golden();
    for case in &golden.cases {
        let weights = match case.direction {
            Direction::Undirected => &golden.undirected,
            Direction::Directed => &golden.directed,
        };
        let threshold = Threshold::Proportional(case.proportional);
        let spec = spec(case.direction, threshold, WeightScale::AsGiven);
        let mut graph = plan(weights.len(), &spec);
        // The second run finds what the first left.
        graph.run(&noise(weights.len() * weights.len(), 3));
        graph.run(&weights.concat());
        for measure in NODE {
            let expected: Vec<f64> =
                serde_json::from_value(case.values[&name(measure)].clone()).unwrap();
            // NetworkX's and LAPACK's eigenvectors have 1e-9 at most in the directed case.
            let error = error(graph.node(measure), &expected);
            assert!(error < 1e-9, "{:?} {measure:?} {error:e}", case.direction);
        }
        for measure in WHOLE.iter().filter(|m| **m != WholeMeasure::Modularity) {
            let expected = case.values[&name(measure)].as_f64().unwrap();
            let value = graph.whole(*measure);
            assert!((value - expected).abs() < 1e-9, "{measure:?} {value} {expected}");
        }
        let given = graph.modularity_of(&golden.modules[&name(case.direction)]);
        assert!((given - case.values["modularity_given"].as_f64().unwrap()).abs() < 1e-12);
        // A partition known to be good: the search must not find less.
        let found = graph.whole(WholeMeasure::Modularity);
        assert!(found > case.values["modularity_found"].as_f64().unwrap() - 1e-9, "{found}");
        let known: Vec<usize> =
            serde_json::from_value(case.values["modules_found"].clone()).unwrap();
        let known = graph.modularity_of(&known);
        assert!((known - case.values["modularity_found"].as_f64().unwrap()).abs() < 1e-12);
    }
}

#[test]
fn the_backbone_is_what_stands_out() {
    let golden = golden();
    for (direction, weights) in
        [(Direction::Undirected, &golden.undirected), (Direction::Directed, &golden.directed)]
    {
        let threshold = Threshold::Backbone(golden.backbone_level);
        let n = weights.len();
        let mut graph = plan(n, &spec(direction, threshold, WeightScale::AsGiven));
        graph.run(&weights.concat());
        let kept = &golden.backbone[&name(direction)];
        assert!(kept.concat().iter().sum::<f64>() > 0.0);
        for to in 0..n {
            for from in 0..n {
                let expected = kept[to][from] * weights[to][from];
                assert_eq!(graph.weight(to, from), expected, "{direction:?} {to} {from}");
            }
        }
    }
}

/// Modularity of all partitions of a few nodes, labels in order of appearance.
fn best_modularity(graph: &GraphMeasures, labels: &mut Vec<usize>, n: usize) -> f64 {
    if labels.len() == n {
        return graph.modularity_of(labels);
    }
    let n_labels = labels.iter().max().map_or(0, |l| l + 1);
    let mut best = f64::NEG_INFINITY;
    for label in 0..=n_labels {
        labels.push(label);
        best = best.max(best_modularity(graph, labels, n));
        labels.pop();
    }
    best
}

#[test]
fn no_partition_of_a_real_graph_is_much_better() {
    let golden = golden();
    let mut graph = plan(8, &spec(Direction::Directed, Threshold::None, WeightScale::Largest));
    graph.run(&golden.directed.concat());
    let best = best_modularity(&graph, &mut Vec::new(), 8);
    let found = graph.whole(WholeMeasure::Modularity);
    assert!(found <= best + 1e-12 && found > 0.9 * best, "{found} {best}");
}

/// Two cliques of four nodes and a bridge.
fn cliques() -> Vec<f64> {
    let same = |i: usize, j: usize| i / 4 == j / 4;
    let bridge = |i: usize, j: usize| (i.min(j), i.max(j)) == (3, 4);
    (0..64)
        .map(|at| (at / 8, at % 8))
        .map(|(i, j)| if same(i, j) { 2.0 } else { f64::from(u8::from(bridge(i, j))) })
        .collect()
}

#[test]
fn two_cliques_are_two_modules_with_a_bridge() {
    let mut graph = plan(8, &spec(Direction::Undirected, Threshold::None, WeightScale::Largest));
    graph.run(&cliques());
    assert_eq!(graph.modules(), [0, 0, 0, 0, 1, 1, 1, 1]);
    // 12 edges of weight 1 inside, one of a half between: each clique has 6 of 12.5.
    let expected = 2.0 * (6.0 / 12.5 - 0.25);
    assert!((graph.whole(WholeMeasure::Modularity) - expected).abs() < 1e-12);
    // All 3 * 4 pairs of one's own side and the other pass over an end of the bridge, both
    // ways.
    let between = graph.node(NodeMeasure::Betweenness);
    assert!((between[3] - 24.0 / 42.0).abs() < 1e-12 && between[0].abs() < 1e-12);
    assert_eq!(graph.node(NodeMeasure::Clustering)[0], 1.0);
    assert_eq!(graph.node(NodeMeasure::InDegree)[3], 4.0);
    assert!((graph.whole(WholeMeasure::Density) - 26.0 / 56.0).abs() < 1e-12);
    // The bridge is the weakest of all edges.
    let proportional = Threshold::Proportional(12.0 / 28.0);
    for threshold in [Threshold::Absolute(1.5), proportional] {
        let mut graph = plan(8, &spec(Direction::Undirected, threshold, WeightScale::AsGiven));
        graph.run(&cliques());
        assert_eq!((graph.weight(3, 4), graph.weight(0, 1)), (0.0, 2.0), "{threshold:?}");
        assert_eq!(graph.node(NodeMeasure::Betweenness), [0.0; 8]);
        assert_eq!(graph.whole(WholeMeasure::PathLength), 0.5, "of those with a path");
    }
}

#[test]
fn what_is_no_weight_is_no_edge() {
    for direction in [Direction::Undirected, Direction::Directed] {
        let mut graph = plan(4, &spec(direction, Threshold::None, WeightScale::Largest));
        let mut weights = vec![-1.0; 16];
        (weights[1], weights[4]) = (f64::NAN, f64::INFINITY);
        graph.run(&weights);
        assert!(graph.node_values().iter().all(|x| *x == 0.0), "{:?}", graph.node_values());
        assert_eq!(graph.whole(WholeMeasure::Density), 0.0);
        assert_eq!(graph.whole(WholeMeasure::Modularity), 0.0);
        assert!(graph.whole(WholeMeasure::PathLength).is_nan());
        assert!(graph.whole(WholeMeasure::Assortativity).is_nan());
        for threshold in [Threshold::Backbone(0.1), Threshold::Proportional(0.5)] {
            plan(4, &spec(direction, threshold, WeightScale::Largest)).run(&weights);
        }
    }
}

#[test]
fn plans_that_cannot_be_are_refused() {
    let refused = |n, threshold| {
        let spec = spec(Direction::Directed, threshold, WeightScale::Largest);
        GraphMeasures::new(n, &spec).map(|_| ())
    };
    assert_eq!(refused(3, Threshold::None), Ok(()));
    assert_eq!(refused(2, Threshold::None), Err(GraphError::TooFewNodes { n_nodes: 2 }));
    for threshold in [
        Threshold::Absolute(f64::NAN),
        Threshold::Proportional(0.0),
        Threshold::Proportional(1.5),
        Threshold::Backbone(1.0),
    ] {
        assert!(matches!(refused(3, threshold), Err(GraphError::BadThreshold { .. })));
    }
    let nothing = GraphMeasures::new(3, &GraphSpec::default()).map(|_| ());
    assert_eq!(nothing, Err(GraphError::NoMeasure));
}

#[test]
fn it_runs_per_hop_on_a_sliding_estimate() {
    let window = WindowSpec { window_samples: 160, step_samples: 16 };
    let segments = Segments { length_samples: 64, step_samples: 16 };
    let spec_of = ConnectivitySpec {
        measures: vec![Measure::Coherence],
        resolution: Resolution::Bands(vec![Band { low_hz: 8.0, high_hz: 30.0 }]),
        edges: BandEdges::Closed,
    };
    let rate = SampleRate::new(160.0).unwrap();
    let (n, len) = (6, 800);
    let signal = noise(n * len, 11);
    let spec = spec(Direction::Undirected, Threshold::Proportional(0.5), WeightScale::Largest);
    let mut sliding = SlidingConnectivity::new(n, window, rate, segments, &spec_of).unwrap();
    let (mut alone, mut graph) = (sliding.clone(), plan(n, &spec));
    for start in (0..=len - 160).step_by(16) {
        let samples = Planar::new(&signal[start..], n, len, 160);
        sliding.slide(SampleIndex(start as u64 + 159), samples);
        graph.run_pairs(sliding.pairs(Measure::Coherence, 0));
        alone.run(samples);
        let mut fresh = plan(n, &spec);
        fresh.run_pairs(alone.pairs(Measure::Coherence, 0));
        assert_eq!(graph.node_values(), fresh.node_values(), "{start}");
        assert_eq!(graph.whole_values(), fresh.whole_values(), "{start}");
        assert_eq!(graph.modules(), fresh.modules());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nodes in another order, and weights in another unit, are the same graph.
    #[test]
    fn order_and_unit_do_not_matter(seed in 0_u64..999, shift in 1_usize..7, unit in 0.01_f64..99.0) {
        let n = 7;
        let weights: Vec<f64> = noise(n * n, seed).iter().map(|x| x + 0.4).collect();
        let turned: Vec<f64> = (0..n * n)
            .map(|at| unit * weights[(at / n + shift) % n * n + (at % n + shift) % n])
            .collect();
        for direction in [Direction::Undirected, Direction::Directed] {
            for threshold in [Threshold::None, Threshold::Proportional(0.5)] {
                let spec = spec(direction, threshold, WeightScale::Largest);
                let (mut a, mut b) = (plan(n, &spec), plan(n, &spec));
                a.run(&weights);
                b.run(&turned);
                for measure in NODE.iter().filter(|m| **m != NodeMeasure::Eigenvector) {
                    for i in 0..n {
                        let (x, y) = (a.node(*measure)[(i + shift) % n], b.node(*measure)[i]);
                        prop_assert!((x - y).abs() < 1e-9, "{measure:?} {x} {y}");
                    }
                }
                // The search may tie; everything else is a formula.
                for measure in WHOLE.iter().filter(|m| **m != WholeMeasure::Modularity) {
                    let (x, y) = (a.whole(*measure), b.whole(*measure));
                    prop_assert!((x - y).abs() < 1e-9 || x.is_nan() && y.is_nan(), "{measure:?}");
                }
            }
        }
    }

    /// A graph without directions is one whose edges lead both ways.
    #[test]
    fn both_ways_is_no_direction(seed in 0_u64..999) {
        let n = 6;
        let pairs: Vec<f64> = noise(15, seed).iter().map(|x| x + 0.5).collect();
        let [mut a, mut b] = [Direction::Undirected, Direction::Directed]
            .map(|direction| plan(n, &spec(direction, Threshold::None, WeightScale::Largest)));
        a.run_pairs(&pairs);
        b.run_pairs(&pairs);
        prop_assert!(error(a.node_values(), b.node_values()) < 1e-12);
        for (x, y) in a.whole_values().iter().zip(b.whole_values()) {
            prop_assert!((x - y).abs() < 1e-12 || x.is_nan() && y.is_nan());
        }
    }
}
