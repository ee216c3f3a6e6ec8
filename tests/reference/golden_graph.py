"""Golden values of measures of weighted graphs.

    python golden_graph.py --data-dir DIR --out ../data/golden [--only NAMES]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is read. The
undirected graph is the coherence at 10 Hz of fourteen channels, the directed one the
directed transfer function at 10 Hz of the eight of ``golden.py``; both whole and with the
strongest edges alone. Values are those of the formulas of M. Rubinov, O. Sporns (2010),
doi:10.1016/j.neuroimage.2009.10.003, and of the papers they go back to, in NumPy; those
that NetworkX has are checked to agree with it. Paths and betweenness are NetworkX's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.signal import csd

from golden import CHANNELS, eeg, run
from golden_granger import fitted
from golden_mvar import directed

Floats = NDArray[np.float64]
MONTAGE = (*CHANNELS, "Fp1", "Fp2", "O1", "O2", "T7", "T8")


# Partitions that a search by leading eigenvectors found in the graphs of `graph_file`,
# kept as its input: nothing is searched here.
FOUND = {
    ("undirected", 1.0): [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0],
    ("undirected", 0.4): [0, 1, 0, 0, 1, 0, 1, 1, 3, 3, 2, 2, 0, 1],
    ("directed", 1.0): [1, 1, 0, 0, 1, 0, 0, 1],
    ("directed", 0.7): [0, 0, 1, 1, 0, 1, 1, 0],
}


def coherence(data_dir: Path) -> Floats:
    x = eeg(data_dir, MONTAGE)[:, 2000:6000]
    spectra = np.array([[csd(a, b, 160.0, nperseg=160)[1][10] for b in x] for a in x])
    power = np.diag(spectra).real
    found = np.abs(spectra) / np.sqrt(np.outer(power, power))
    np.fill_diagonal(found, 0.0)
    return np.round((found + found.T) / 2, 6)


def transfer(data_dir: Path) -> Floats:
    """``(to, from)``."""
    x = eeg(data_dir, CHANNELS)[np.newaxis, :, 2000:4000]
    found = directed(*fitted(x - x.mean(axis=2, keepdims=True)), np.array([10.0]))
    found = found["transfer"][0]
    np.fill_diagonal(found, 0.0)
    return np.round(found, 6)


def strongest(w: Floats, share: float, is_directed: bool) -> Floats:
    """The share of all edges that the graph could have; no two weights are equal."""
    pairs = ~np.eye(len(w), dtype=bool) if is_directed else np.tri(len(w), k=-1, dtype=bool)
    ordered = np.sort(w[pairs])[::-1]
    return np.where(w >= ordered[round(share * len(ordered)) - 1], w, 0.0)


def backbone(w: Floats, level: float) -> Floats:
    """``w`` is ``(from, to)``."""
    out, into = w.sum(axis=1, keepdims=True), w.sum(axis=0, keepdims=True)
    k_out, k_in = ((w > 0).sum(axis=a, keepdims=True) for a in (1, 0))
    leaves = ((1 - w / out) ** (k_out - 1) < level) & (k_out > 1)
    arrives = ((1 - w / into) ** (k_in - 1) < level) & (k_in > 1)
    return np.where(leaves | arrives, w, 0.0)


def ratio(sums: Floats, possible: Floats) -> Floats:
    return np.divide(sums, possible, out=np.zeros_like(sums), where=possible > 0)


def triangles(w: Floats) -> tuple[Floats, Floats]:
    """Intensity of each node's directed triangles and their possible number: Fagiolo
    (2007). Without directions both are four times Onnela's."""
    roots, edges = np.cbrt(w), (w > 0).astype(float)
    degree = (edges + edges.T).sum(axis=1)
    sums = np.diag(np.linalg.matrix_power(roots + roots.T, 3)) / 2
    return sums, degree * (degree - 1) - 2 * np.diag(edges @ edges)


def distances(w: Floats) -> Floats:
    """``(from, to)``, an edge being one over its weight long."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(w)))
    graph.add_weighted_edges_from((i, j, 1 / w[i, j]) for i, j in zip(*np.nonzero(w)))
    return nx.floyd_warshall_numpy(graph, nodelist=range(len(w)))


def efficiencies(w: Floats) -> Floats:
    """One over the distances between two nodes; 0 without a path, and of one node."""
    d = distances(w)
    np.fill_diagonal(d, np.inf)
    return 1 / d


def local_efficiency(w: Floats) -> Floats:
    """Rubinov and Sporns' of weights: paths among a node's neighbours, its own edges
    in both directions weighing them, all by cube roots (Wang et al. 2017)."""
    roots, edges = np.cbrt(w), (w > 0).astype(int)
    found = np.zeros(len(w))
    for i, (ties, count) in enumerate(zip(roots + roots.T, edges + edges.T)):
        near = np.flatnonzero(count)
        sums = ties[near] @ efficiencies(roots[np.ix_(near, near)]) @ ties[near]
        # Pairs of edges that end at two neighbours.
        found[i] = ratio(sums, np.float64(count.sum() ** 2 - (count**2).sum()))
    return found


def betweenness(w: Floats, graph: Any) -> Floats:
    for _, _, edge in graph.edges(data=True):
        edge["length"] = 1.0 / edge["weight"]
    found = np.array(list(nx.betweenness_centrality(graph, weight="length").values()))
    # One shortest path leads from one node to another here, over those it is no detour to.
    d = distances(w)
    for v, value in enumerate(found):
        others = np.delete(np.arange(len(w)), v)
        direct = d[np.ix_(others, others)]
        over = d[others, v][:, np.newaxis] + d[v, others]
        is_over = np.isfinite(direct) & np.isclose(over, direct, rtol=1e-12, atol=0)
        np.fill_diagonal(is_over, False)
        assert np.isclose(value, is_over.sum() / ((len(w) - 1) * (len(w) - 2)), atol=1e-12)
    return found


def eigenvector(w: Floats, graph: Any, is_directed: bool) -> Floats:
    if is_directed:
        values, vectors = np.linalg.eig(w.T)
        vector = np.abs(vectors[:, np.argmax(values.real)].real)
        vector = vector / np.linalg.norm(vector)
    else:
        vector = np.abs(np.linalg.eigh(w)[1][:, -1])
    theirs = nx.eigenvector_centrality(graph, max_iter=10000, tol=1e-14, weight="weight")
    assert np.allclose(vector, list(theirs.values()), rtol=0, atol=1e-9)
    return vector


def assortativity(w: Floats, graph: Any) -> float:
    sender, receiver = np.nonzero(w)
    found = np.corrcoef(w.sum(axis=1)[sender], w.sum(axis=0)[receiver])[0, 1]
    theirs = nx.degree_pearson_correlation_coefficient(graph, x="out", y="in", weight="weight")
    assert np.isclose(found, theirs, rtol=1e-9)
    return theirs


def modularity(w: Floats, graph: Any, modules: list[int]) -> float:
    """Leicht and Newman's (2008), which without directions is Newman's (2006)."""
    labels, total = np.array(modules), w.sum()
    excess = w - np.outer(w.sum(axis=1), w.sum(axis=0)) / total
    found = excess[labels[:, np.newaxis] == labels].sum() / total
    sets = [set(np.flatnonzero(labels == k).tolist()) for k in np.unique(labels)]
    theirs = nx.community.modularity(graph, sets)
    assert np.isclose(found, theirs, rtol=0, atol=1e-14)
    return theirs


def measures(
    w: Floats, is_directed: bool, modules: list[int], found: list[int]
) -> dict[str, Any]:
    """``w`` is ``(from, to)``, as NetworkX has it."""
    n = len(w)
    graph = nx.from_numpy_array(w, create_using=nx.DiGraph if is_directed else nx.Graph)
    clustering = ratio(*triangles(w))
    # NetworkX divides weights by the largest.
    theirs = np.array(list(nx.clustering(graph, weight="weight").values())) * w.max()
    assert np.allclose(clustering, theirs, rtol=1e-12, atol=0)
    density = (w > 0).sum() / (n * (n - 1))
    assert np.isclose(density, nx.density(graph), rtol=1e-15)
    d = distances(w)
    apart = ~np.eye(n, dtype=bool) & np.isfinite(d)
    return {
        "in_strength": w.sum(axis=0),
        "out_strength": w.sum(axis=1),
        "in_degree": (w > 0).sum(axis=0),
        "out_degree": (w > 0).sum(axis=1),
        "clustering": clustering,
        "eigenvector": eigenvector(w, graph, is_directed),
        "density": density,
        "transitivity": ratio(*map(np.sum, triangles(w))),
        "assortativity": assortativity(w, graph),
        "modularity_given": modularity(w, graph, modules),
        "modularity_found": modularity(w, graph, found),
        "modules_found": found,
        "path_length": d[apart].mean(),
        "global_efficiency": efficiencies(w).sum() / (n * (n - 1)),
        "local_efficiency": local_efficiency(w),
        "betweenness": betweenness(w, graph),
    }


def graph_file(data_dir: Path) -> dict[str, Any]:
    plain, arrows = coherence(data_dir), transfer(data_dir)
    modules = {"undirected": [i % 3 for i in range(14)], "directed": [0, 0, 1, 1, 1, 0, 2, 2]}
    cases = []
    for (direction, share), found in FOUND.items():
        is_directed = direction == "directed"
        kept = strongest(arrows.T if is_directed else plain, share, is_directed)
        cases.append(
            {
                "direction": direction,
                "proportional": share,
                "values": measures(kept, is_directed, modules[direction], found),
            }
        )
    return {
        "about": "Weights (to, from); values of weights as given, of the strongest edges. "
        "modularity_given is that of `modules`, modularity_found that of modules_found, by its "
        "formula: a partition from a search by leading eigenvectors, given to the script, that "
        "another search should not fall below. backbone: which edges (to, from) the disparity "
        "filter keeps at its level, by NumPy.",
        "undirected": plain,
        "directed": arrows,
        "modules": modules,
        "cases": cases,
        "backbone_level": 0.25,
        "backbone": {
            "undirected": (backbone(plain, 0.25) > 0).astype(int),
            "directed": (backbone(arrows.T, 0.25).T > 0).astype(int),
        },
    }


FILES = {"graph": graph_file}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("networkx",), seed=None)
