//! Measures of a weighted graph: channels are its nodes, connectivity its weights.
//!
//! A [`GraphSpec`] says what is to be computed, a [`GraphMeasures`] is planned for a number
//! of nodes and then run on one matrix after the other, as on those of a sliding estimate.
//!
//! # Conventions
//! A weight is an edge where it is finite and positive; the diagonal is not looked at.
//! Matrices are `(to, from)`, as the directed measures have them. An edge's *length* is one
//! over its weight. [`WeightScale::Largest`] divides all weights by the largest, after the
//! threshold, so that they lie in `(0, 1]`, as Onnela's and Fagiolo's coefficients ask;
//! the Brain Connectivity Toolbox leaves that to its caller ([`WeightScale::AsGiven`]).
//!
//! # Reference
//! M. Rubinov, O. Sporns (2010), doi:10.1016/j.neuroimage.2009.10.003.

mod centrality;
mod cluster;
mod modules;
mod paths;
mod threshold;

use self::cluster::Roots;
use self::modules::Modules;
use self::paths::{Betweenness, Distances};
use serde::{Deserialize, Serialize};

/// Why a graph's measures can't be planned.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// Choose at least three nodes: with two there are no triangles and nothing between.
    #[error("{n_nodes} nodes make no graph: choose at least three")]
    TooFewNodes {
        /// Nodes given.
        n_nodes: usize,
    },
    /// Choose a share between 0 and 1, a finite weight, or a level between 0 and 1.
    #[error("{threshold:?} keeps no edges or is no threshold: choose another")]
    BadThreshold {
        /// The threshold.
        threshold: Threshold,
    },
    /// Name at least one measure.
    #[error("no measure is asked for: name at least one")]
    NoMeasure,
}

/// Whether edges have directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// They have none: of a matrix the mean of both directions is taken.
    #[default]
    Undirected,
    /// An edge from one node to another says nothing of the way back.
    Directed,
}

/// By what weights are divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightScale {
    /// By the largest that is left: the measures are free of the weights' unit.
    #[default]
    Largest,
    /// By nothing.
    AsGiven,
}

/// Which edges are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// All.
    #[default]
    None,
    /// Those of at least this weight.
    Absolute(f64),
    /// The strongest: this share of all that the graph could have, rounded, half away
    /// from zero. Of equal weights those of lower nodes are kept.
    Proportional(f64),
    /// Those that stand out at one of their nodes: `(1 - w / s)^(k - 1) < level`, of `s`
    /// the node's strength and `k` its degree (leaving or arriving, where edges have
    /// directions). The disparity filter of M. A. Serrano, M. Boguñá and A. Vespignani
    /// (2009), doi:10.1073/pnas.0808904106.
    Backbone(f64),
}

/// A value per node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeMeasure {
    /// Sum of the weights of edges that arrive; of all edges, where they have no
    /// direction.
    InStrength,
    /// Sum of the weights of edges that leave; likewise.
    OutStrength,
    /// Number of edges that arrive; likewise.
    InDegree,
    /// Number of edges that leave; likewise.
    OutDegree,
    /// Mean intensity of the triangles that a node could have, `(w_ij w_jk w_ki)^(1/3)`,
    /// and 0 where it has none. J.-P. Onnela et al. (2005), doi:10.1103/PhysRevE.71.065103;
    /// of all eight directed triangles: G. Fagiolo (2007), doi:10.1103/PhysRevE.76.026107.
    Clustering,
    /// Efficiency among a node's neighbours without it, each path weighted with the cube
    /// roots of the weights that tie its ends to the node, lengths being the cube roots of
    /// lengths. Costs up to `n³` a node. Y. Wang et al. (2017), <https://doi.org/10.1162/NECO_a_00914>.
    LocalEfficiency,
    /// Share of the other nodes' shortest paths that lead over a node: over
    /// `(n - 1) (n - 2)` ordered pairs, paths of equal length sharing one pair. U. Brandes
    /// (2001), doi:10.1080/0022250X.2001.9990249.
    Betweenness,
    /// The eigenvector of the largest eigenvalue, of norm 1: a node is central where
    /// central nodes send to it. Where the two largest eigenvalues are equal, as in a
    /// graph of equal parts, there is no one vector. P. Bonacich (1972),
    /// doi:10.1080/0022250X.1972.9989806.
    Eigenvector,
}

/// A value for the whole graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WholeMeasure {
    /// Share of the edges that the graph could have.
    Density,
    /// Intensity of all triangles over their possible number: [`NodeMeasure::Clustering`]
    /// with numerator and denominator summed over nodes.
    Transitivity,
    /// Mean length of the shortest paths between nodes that have one (characteristic path
    /// length); NaN where there is no edge.
    PathLength,
    /// Mean of one over the length of the shortest path, 0 where there is none. V. Latora,
    /// M. Marchiori (2001), doi:10.1103/PhysRevLett.87.198701.
    GlobalEfficiency,
    /// Correlation of the strengths at both ends of an edge, each edge counting once; of
    /// the sender's leaving with the receiver's arriving strength, where edges have
    /// directions. NaN where the strengths do not vary. M. E. J. Newman (2002),
    /// doi:10.1103/PhysRevLett.89.208701.
    Assortativity,
    /// Modularity of the modules that its leading eigenvectors find,
    /// [`GraphMeasures::modules`]: parts are cut in two as long as that helps, single
    /// nodes then moved while that does. No random choices. M. E. J. Newman (2006),
    /// doi:10.1073/pnas.0601602103; with directions: E. A. Leicht, M. E. J. Newman
    /// (2008), doi:10.1103/PhysRevLett.100.118703.
    Modularity,
}

/// What is to be computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphSpec {
    /// Whether edges have directions.
    pub direction: Direction,
    /// Which edges are kept.
    pub threshold: Threshold,
    /// By what weights are divided.
    pub scale: WeightScale,
    /// Values per node.
    pub node_measures: Vec<NodeMeasure>,
    /// Values of the whole.
    pub whole_measures: Vec<WholeMeasure>,
}

/// Planned for graphs of some number of nodes, with its buffers; make one per thread.
///
/// A run costs `n³` steps for paths, triangles and betweenness each, `n⁴` for local
/// efficiency, some `n³` per module for modularity. Memory: about `8 * 10 n²` bytes.
#[derive(Clone, Debug)]
pub struct GraphMeasures {
    spec: GraphSpec,
    n: usize,
    /// `(from, to)`: what leaves a node lies together.
    weights: Vec<f64>,
    order: Vec<usize>,
    in_strength: Vec<f64>,
    out_strength: Vec<f64>,
    in_degree: Vec<f64>,
    out_degree: Vec<f64>,
    roots: Option<Roots>,
    distances: Option<Distances>,
    betweenness: Option<Betweenness>,
    modules: Option<Modules>,
    vectors: [Vec<f64>; 2],
    node_values: Vec<f64>,
    whole_values: Vec<f64>,
}

impl GraphMeasures {
    /// Plans graphs of `n_nodes`.
    pub fn new(n_nodes: usize, spec: &GraphSpec) -> Result<Self, GraphError> {
        if n_nodes < 3 {
            return Err(GraphError::TooFewNodes { n_nodes });
        }
        if spec.node_measures.is_empty() && spec.whole_measures.is_empty() {
            return Err(GraphError::NoMeasure);
        }
        spec.threshold.check()?;
        let of_nodes = |measure| spec.node_measures.contains(&measure);
        let of_whole = |measure| spec.whole_measures.contains(&measure);
        let triangles = of_nodes(NodeMeasure::Clustering) || of_whole(WholeMeasure::Transitivity);
        let paths = of_whole(WholeMeasure::PathLength) || of_whole(WholeMeasure::GlobalEfficiency);
        let local = of_nodes(NodeMeasure::LocalEfficiency);
        let (row, square) = (vec![0.0; n_nodes], n_nodes * n_nodes);
        Ok(Self {
            n: n_nodes,
            weights: vec![0.0; square],
            order: Vec::with_capacity(square),
            in_strength: row.clone(),
            out_strength: row.clone(),
            in_degree: row.clone(),
            out_degree: row.clone(),
            roots: (triangles || local).then(|| Roots::new(n_nodes)),
            distances: (paths || local).then(|| Distances::new(n_nodes)),
            betweenness: of_nodes(NodeMeasure::Betweenness).then(|| Betweenness::new(n_nodes)),
            modules: of_whole(WholeMeasure::Modularity).then(|| Modules::new(n_nodes)),
            vectors: [row.clone(), row],
            node_values: vec![0.0; spec.node_measures.len() * n_nodes],
            whole_values: vec![0.0; spec.whole_measures.len()],
            spec: spec.clone(),
        })
    }

    /// The measures of a matrix of weights `(to, from)`.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If the matrix is not of the planned number of nodes.
    pub fn run(&mut self, weights: &[f64]) {
        let n = self.n;
        assert_eq!(weights.len(), n * n, "a weight for each pair of the planned nodes");
        self.set(|to, from| weights[to * n + from]);
    }

    /// The measures of pairs in the order of [`pair_idx`](super::pair_idx), each edge
    /// leading both ways.
    ///
    /// Thread: any. Allocation: none.
    ///
    /// # Panics
    /// If there are not as many pairs as those of the planned nodes.
    pub fn run_pairs(&mut self, pairs: &[f64]) {
        assert_eq!(pairs.len(), super::n_pairs(self.n), "the pairs of the planned nodes");
        self.set(|to, from| pairs[super::pair_idx(to, from)]);
    }

    /// The values of the last run, `(n_node_measures, n_nodes)`.
    pub fn node_values(&self) -> &[f64] {
        &self.node_values
    }

    /// One measure of each node in the last run.
    ///
    /// # Panics
    /// If the measure is not planned.
    pub fn node(&self, measure: NodeMeasure) -> &[f64] {
        let at = self.spec.node_measures.iter().position(|known| *known == measure);
        let at = at.expect("a measure of the plan");
        &self.node_values[at * self.n..][..self.n]
    }

    /// The values of the last run, one per measure of the whole.
    pub fn whole_values(&self) -> &[f64] {
        &self.whole_values
    }

    /// One measure of the whole graph in the last run.
    ///
    /// # Panics
    /// If the measure is not planned.
    pub fn whole(&self, measure: WholeMeasure) -> f64 {
        let at = self.spec.whole_measures.iter().position(|known| *known == measure);
        self.whole_values[at.expect("a measure of the plan")]
    }

    /// The weight from one node to another in the last run, kept and scaled; 0 where there
    /// is no edge.
    pub fn weight(&self, to: usize, from: usize) -> f64 {
        self.weights[from * self.n + to]
    }

    /// The module of each node in the last run, numbered by their first nodes.
    ///
    /// # Panics
    /// If [`WholeMeasure::Modularity`] is not planned.
    pub fn modules(&self) -> &[usize] {
        self.modules.as_ref().expect("modularity in the plan").labels()
    }

    /// Modularity of given modules in the last run's graph: the weight inside them above
    /// what the nodes' strengths lead to expect, as a share of all weight. 0 where there is
    /// no edge.
    ///
    /// # Panics
    /// If there is not a module for each node.
    pub fn modularity_of(&self, modules: &[usize]) -> f64 {
        assert_eq!(modules.len(), self.n, "a module for each node");
        modules::modularity(&self.weights, (&self.out_strength, &self.in_strength), modules)
    }

    /// Takes over weights and runs everything planned.
    fn set(&mut self, weight: impl Fn(usize, usize) -> f64) {
        let n = self.n;
        let edge = |x: f64| if x > 0.0 && x.is_finite() { x } else { 0.0 };
        for from in 0..n {
            for to in 0..n {
                self.weights[from * n + to] = match self.spec.direction {
                    _ if to == from => 0.0,
                    Direction::Directed => edge(weight(to, from)),
                    Direction::Undirected => edge(0.5 * (weight(to, from) + weight(from, to))),
                };
            }
        }
        self.sum_nodes();
        self.keep();
        self.scale();
        self.sum_nodes();
        if let Some(roots) = &mut self.roots {
            roots.set(&self.weights);
        }
        if let Some(modules) = &mut self.modules {
            modules.find(&self.weights, (&self.out_strength, &self.in_strength));
        }
        self.measure_nodes();
        self.measure_whole();
    }

    fn scale(&mut self) {
        let largest = self.weights.iter().fold(0.0_f64, |m, x| m.max(*x));
        if self.spec.scale == WeightScale::Largest && largest > 0.0 {
            self.weights.iter_mut().for_each(|x| *x /= largest);
        }
    }

    fn sum_nodes(&mut self) {
        for sums in [&mut self.in_strength, &mut self.in_degree] {
            sums.fill(0.0);
        }
        for (from, row) in self.weights.chunks_exact(self.n).enumerate() {
            let is_edge = |x: &f64| f64::from(u8::from(*x > 0.0));
            self.out_strength[from] = row.iter().sum();
            self.out_degree[from] = row.iter().map(is_edge).sum();
            for (to, x) in row.iter().enumerate() {
                self.in_strength[to] += x;
                self.in_degree[to] += is_edge(x);
            }
        }
    }

    fn measure_nodes(&mut self) {
        let n = self.n;
        for (measure, out) in
            self.spec.node_measures.iter().zip(self.node_values.chunks_exact_mut(n))
        {
            match measure {
                NodeMeasure::InStrength => out.copy_from_slice(&self.in_strength),
                NodeMeasure::OutStrength => out.copy_from_slice(&self.out_strength),
                NodeMeasure::InDegree => out.copy_from_slice(&self.in_degree),
                NodeMeasure::OutDegree => out.copy_from_slice(&self.out_degree),
                NodeMeasure::Clustering => {
                    let roots = self.roots.as_ref().expect("planned");
                    out.iter_mut().zip(roots.triangles()).for_each(|(out, (sum, possible))| {
                        *out = if possible > 0.0 { sum / possible } else { 0.0 };
                    });
                }
                NodeMeasure::LocalEfficiency => {
                    let roots = self.roots.as_mut().expect("planned");
                    let distances = self.distances.as_mut().expect("planned");
                    roots.local_efficiency_into(distances, out);
                }
                NodeMeasure::Betweenness => {
                    let betweenness = self.betweenness.as_mut().expect("planned");
                    betweenness.run_into(&self.weights, out);
                }
                NodeMeasure::Eigenvector => {
                    centrality::eigenvector_into(&self.weights, &mut self.vectors, out);
                }
            }
        }
    }

    fn measure_whole(&mut self) {
        let n = self.n as f64;
        let is_path = |m: &WholeMeasure| {
            matches!(m, WholeMeasure::PathLength | WholeMeasure::GlobalEfficiency)
        };
        if let Some(distances) = &mut self.distances
            && self.spec.whole_measures.iter().any(is_path)
        {
            distances.set_of(&self.weights);
        }
        for (measure, out) in self.spec.whole_measures.iter().zip(&mut self.whole_values) {
            *out = match measure {
                WholeMeasure::Density => self.out_degree.iter().sum::<f64>() / (n * (n - 1.0)),
                WholeMeasure::Transitivity => {
                    let triangles = self.roots.as_ref().expect("planned").triangles();
                    let (sum, possible) =
                        triangles.fold((0.0, 0.0), |(a, b), (sum, n)| (a + sum, b + n));
                    if possible > 0.0 { sum / possible } else { 0.0 }
                }
                WholeMeasure::PathLength => self.distances.as_ref().expect("planned").mean_length(),
                WholeMeasure::GlobalEfficiency => {
                    self.distances.as_ref().expect("planned").efficiency()
                }
                WholeMeasure::Assortativity => {
                    let strengths = (&self.out_strength[..], &self.in_strength[..]);
                    centrality::assortativity(&self.weights, strengths)
                }
                WholeMeasure::Modularity => {
                    let labels = self.modules.as_ref().expect("planned").labels();
                    let strengths = (&self.out_strength[..], &self.in_strength[..]);
                    modules::modularity(&self.weights, strengths, labels)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests;
