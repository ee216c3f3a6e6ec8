"""Golden values of measures of weighted graphs.

    python golden_graph.py --data-dir DIR --out ../data/golden [--only NAMES]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is read. The
undirected graph is the coherence at 10 Hz of fourteen channels, the directed one the
directed transfer function at 10 Hz of the eight of ``golden.py``; both whole and with the
strongest edges alone. Values are bctpy's where it has them, NetworkX's else; where both
have one they are checked to agree.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bct
import networkx as nx
import numpy as np
from numpy.typing import NDArray
from bct.algorithms import modularity
from scipy.signal import csd

from golden import CHANNELS, eeg, run
from golden_granger import fitted
from golden_mvar import directed

Floats = NDArray[np.float64]
MONTAGE = (*CHANNELS, "Fp1", "Fp2", "O1", "O2", "T7", "T8")


def labels(modules: list[list[int]]) -> NDArray[np.int64]:
    """bctpy's own cannot make an array of parts of unlike sizes with NumPy 2."""
    found = np.zeros(sum(map(len, modules)), dtype=int)
    for k, members in enumerate(modules):
        found[members] = k
    return found


modularity.ls2ci = labels


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


def lengths(w: Floats) -> Floats:
    return np.divide(1.0, w, out=np.zeros_like(w), where=w > 0)


def backbone(w: Floats, level: float) -> Floats:
    """``w`` is ``(from, to)``."""
    out, into = w.sum(axis=1, keepdims=True), w.sum(axis=0, keepdims=True)
    k_out, k_in = ((w > 0).sum(axis=a, keepdims=True) for a in (1, 0))
    leaves = ((1 - w / out) ** (k_out - 1) < level) & (k_out > 1)
    arrives = ((1 - w / into) ** (k_in - 1) < level) & (k_in > 1)
    return np.where(leaves | arrives, w, 0.0)


def path_values(w: Floats, graph: Any) -> dict[str, Any]:
    n = len(w)
    distances, _ = bct.distance_wei(lengths(w))
    apart = ~np.eye(n, dtype=bool) & np.isfinite(distances)
    between = bct.betweenness_wei(lengths(w)) / ((n - 1) * (n - 2))
    for _, _, edge in graph.edges(data=True):
        edge["length"] = 1.0 / edge["weight"]
    theirs = list(nx.betweenness_centrality(graph, weight="length").values())
    assert np.allclose(between, theirs, rtol=0, atol=1e-12)
    return {
        "path_length": distances[apart].mean(),
        "global_efficiency": bct.efficiency_wei(w),
        "local_efficiency": bct.efficiency_wei(w, local=True),
        "betweenness": between,
    }


def undirected(w: Floats, modules: list[int]) -> dict[str, Any]:
    graph = nx.from_numpy_array(w)
    vector = np.linalg.eigh(w)[1][:, -1]
    assert np.allclose(np.abs(vector), bct.eigenvector_centrality_und(w), atol=1e-9)
    onnela = bct.clustering_coef_wu(w)
    assert np.allclose(onnela / w.max(), list(nx.clustering(graph, weight="weight").values()))
    assortativity = nx.degree_pearson_correlation_coefficient(graph, weight="weight")
    assert np.isclose(assortativity, bct.assortativity_wei(w, 0))
    found, best = bct.modularity_und(w)
    sets = [{i for i, m in enumerate(modules) if m == k} for k in set(modules)]
    given = nx.community.modularity(graph, sets)
    assert np.isclose(given, bct.modularity_und(w, kci=np.array(modules))[1])
    return {
        "in_strength": bct.strengths_und(w),
        "out_strength": bct.strengths_und(w),
        "in_degree": bct.degrees_und(w),
        "out_degree": bct.degrees_und(w),
        "clustering": onnela,
        "eigenvector": np.abs(vector),
        "density": bct.density_und(w)[0],
        "transitivity": bct.transitivity_wu(w),
        "assortativity": assortativity,
        "modularity_given": given,
        "modularity_found": best,
        "modules_found": found,
        **path_values(w, graph),
    }


def with_directions(w: Floats, modules: list[int]) -> dict[str, Any]:
    """``w`` is ``(from, to)``, as both libraries have it."""
    graph = nx.from_numpy_array(w, create_using=nx.DiGraph)
    into, out = w.sum(axis=0), w.sum(axis=1)
    assert np.allclose(into + out, bct.strengths_dir(w))
    k_in, k_out, _ = bct.degrees_dir(w)
    clustering = bct.clustering_coef_wd(w)
    assert np.allclose(clustering / w.max(), list(nx.clustering(graph, weight="weight").values()))
    values, vectors = np.linalg.eig(w.T)
    vector = np.abs(vectors[:, np.argmax(values.real)].real)
    theirs = list(nx.eigenvector_centrality_numpy(graph, weight="weight").values())
    assert np.allclose(vector / np.linalg.norm(vector), theirs, atol=1e-6)
    assortativity = nx.degree_pearson_correlation_coefficient(
        graph, x="out", y="in", weight="weight"
    )
    sets = [{i for i, m in enumerate(modules) if m == k} for k in set(modules)]
    given = nx.community.modularity(graph, sets)
    found, best = bct.modularity_dir(w)
    return {
        "in_strength": into,
        "out_strength": out,
        "in_degree": k_in,
        "out_degree": k_out,
        "clustering": clustering,
        "eigenvector": vector / np.linalg.norm(vector),
        "density": bct.density_dir(w)[0],
        "transitivity": bct.transitivity_wd(w),
        "assortativity": assortativity,
        "modularity_given": given,
        "modularity_found": best,
        "modules_found": found,
        **path_values(w, graph),
    }


def graph_file(data_dir: Path) -> dict[str, Any]:
    plain, arrows = coherence(data_dir), transfer(data_dir)
    modules = {"undirected": [i % 3 for i in range(14)], "directed": [0, 0, 1, 1, 1, 0, 2, 2]}
    cases = []
    for share in (1.0, 0.4):
        kept = bct.threshold_proportional(plain, share)
        cases.append(
            {
                "direction": "undirected",
                "proportional": share,
                "values": undirected(kept, modules["undirected"]),
            }
        )
    for share in (1.0, 0.7):
        kept = bct.threshold_proportional(arrows.T, share)
        cases.append(
            {
                "direction": "directed",
                "proportional": share,
                "values": with_directions(kept, modules["directed"]),
            }
        )
    return {
        "about": "Weights (to, from); values of weights as given, of the strongest edges. "
        "modularity_given is that of `modules`, modularity_found bctpy's own. backbone: which "
        "edges (to, from) the disparity filter keeps at its level, by NumPy.",
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
    run(__file__, __doc__, FILES, ("bctpy", "networkx"), seed=None)
