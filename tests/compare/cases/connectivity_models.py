"""Autoregressive models, their directed measures and Granger causality, graph measures,
and sliding estimates of them, beside statsmodels, mne-connectivity, NetworkX, SciPy and
NumPy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mne
import networkx as nx
import numpy as np
from mne_connectivity import envelope_correlation
from mne_connectivity.spectral import epochs_multivariate
from peers import Comparison, Data, case
from scipy.signal import fftconvolve
from scipy.sparse.csgraph import shortest_path
from statsmodels.tsa.api import VAR
from statsmodels.tsa.stattools import grangercausalitytests

mne.set_log_level("ERROR")
RATE_HZ = 160.0
FREQS_HZ = np.arange(1.0, 41.0)


def window(data: Data, n_channels: int, n_samples: int) -> Any:
    """Channels spread over the head, as recorded."""
    x = data.eegmmidb()
    picks = np.linspace(0, len(x) - 1, n_channels).astype(int)
    return np.ascontiguousarray(x[picks, 2000 : 2000 + n_samples])


def regression(x: Any, order: int) -> tuple[Any, Any]:
    """Columns ``[1, lag 1, ..., lag p]`` and what they predict."""
    n = x.shape[1]
    past = [x[:, order - k : n - k].T for k in range(1, order + 1)]
    return np.concatenate([np.ones((n - order, 1)), *past], axis=1), x[:, order:].T


def least_squares(x: Any, order: int) -> tuple[Any, Any]:
    z, y = regression(x, order)
    b = np.linalg.lstsq(z, y, rcond=None)[0]
    error = y - z @ b
    return b[1:].T, error.T @ error / len(y)


def fit(name: str, n_channels: int, n_samples: int, order: int) -> None:
    @case(name)
    def one(data: Data) -> Comparison:
        x = window(data, n_channels, n_samples)

        def statsmodels() -> Any:
            found = VAR(x.T).fit(order, trend="c")
            return np.concatenate(list(found.coefs), axis=1), found.sigma_u_mle

        peers = {"NumPy lstsq": lambda: least_squares(x, order), "statsmodels": statsmodels}
        return Comparison("mvar_fit", [x[np.newaxis]], peers, {"order": order}, list)


fit("mvar-fit/16ch-4s-p5", 16, 640, 5)
fit("mvar-fit/64ch-30s-p5", 64, 4800, 5)


@case("mvar-hop/16ch-2s-0.1s-p5")
def mvar_hop(data: Data) -> Comparison:
    x = window(data, 16, 320)
    # The first block is past only.
    seen = np.ascontiguousarray(x[:, 16 - 5 :])
    peers = {
        "NumPy lstsq": lambda: least_squares(seen, 5)[0],
        "statsmodels": lambda: np.concatenate(list(VAR(seen.T).fit(5, trend="c").coefs), axis=1),
    }
    args = {"order": 5, "step_samples": 16}
    return Comparison("mvar_sliding", [x], peers, args, lambda a: [a.ravel()])


def directed_of(a: Any, c: Any) -> list[Any]:
    """All six at all frequencies at once."""
    m = len(c)
    lags = a.reshape(m, -1, m).transpose(1, 0, 2)
    phase = np.exp(-2j * np.pi * np.outer(FREQS_HZ, np.arange(1, len(lags) + 1)) / RATE_HZ)
    abar = np.eye(m) - np.tensordot(phase, lags, axes=1)
    h = np.linalg.inv(abar)
    inverse = abar.conj().transpose(0, 2, 1) @ np.linalg.inv(c) @ abar
    power = np.einsum("fii->fi", inverse).real
    partial = np.abs(inverse) / np.sqrt(power[:, :, None] * power[:, None, :])
    size = np.abs(h)
    reach = (size**2).sum(axis=2)
    full = size / np.sqrt(reach.sum(axis=0))[:, None]
    direct = size * partial
    gain = np.abs(abar)
    scaled = gain / np.sqrt(np.diag(c))[:, None]
    return [
        size / np.sqrt(reach)[:, :, None],
        full,
        full * partial,
        direct / np.sqrt((direct**2).sum()),
        gain / np.sqrt((gain**2).sum(axis=1))[:, None, :],
        scaled / np.sqrt((scaled**2).sum(axis=1))[:, None, :],
    ]


def of_model(data: Data, n_channels: int, order: int = 5) -> tuple[Any, Any]:
    return least_squares(window(data, n_channels, 3200), order)


def directed(n_channels: int) -> None:
    @case(f"directed-six/{n_channels}ch-p5-40freqs")
    def one(data: Data) -> Comparison:
        a, c = of_model(data, n_channels)
        peers = {"NumPy": lambda: directed_of(a, c)}
        args = {"rate_hz": RATE_HZ}
        return Comparison("directed", [a, c, FREQS_HZ], peers, args, lambda v: [np.ravel(v)])


directed(16)
directed(64)


def two_regressions(x: Any, order: int) -> Any:
    """Every source left out once, all channels predicted at once."""
    z, y = regression(x, order)

    def left(z: Any) -> Any:
        error = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
        return (error**2).sum(axis=0)

    m, full = len(x), left(z)
    found = np.zeros((m, m))
    for source in range(m):
        without = np.delete(z, 1 + source + m * np.arange(order), axis=1)
        found[:, source] = np.log(left(without) / full)
    np.fill_diagonal(found, 0.0)
    return found


@case("granger-conditional/16ch-4s-p5")
def conditional(data: Data) -> Comparison:
    x = window(data, 16, 640)
    peers = {"NumPy lstsq": lambda: two_regressions(x, 5)}
    return Comparison("granger_conditional", [x[np.newaxis]], peers, {"order": 5})


@case("granger-hop/16ch-2s-0.1s-p5")
def granger_hop(data: Data) -> Comparison:
    x = window(data, 16, 320)
    seen = np.ascontiguousarray(x[:, 16 - 5 :])
    peers = {"NumPy lstsq": lambda: two_regressions(seen, 5)}
    args = {"order": 5, "step_samples": 16}
    return Comparison("granger_sliding", [x], peers, args, lambda v: [v.ravel()])


@case("granger-pairwise/6ch-4s-p5")
def pairwise(data: Data) -> Comparison:
    x = window(data, 6, 640)

    def numpy() -> Any:
        found = np.zeros((6, 6))
        for i in range(6):
            for j in range(i):
                pair = two_regressions(x[[i, j]], 5)
                found[i, j], found[j, i] = pair[0, 1], pair[1, 0]
        return found

    def statsmodels() -> Any:
        return [
            grangercausalitytests(x[[i, j]].T, [5])
            for i in range(6)
            for j in range(6)
            if i != j
        ]

    peers = {"NumPy lstsq": numpy, "statsmodels": statsmodels}
    return Comparison("granger_pairwise", [x[np.newaxis]], peers, {"order": 5})


def gc_of(a: Any, noise: Any, to: Any, source: Any) -> Any:
    """mne-connectivity's ``gc`` of a model, from 0 to half the rate."""
    base, m, d = epochs_multivariate._GCEstBase, len(noise), a.shape[1]
    me = SimpleNamespace(n_freqs=41, n_jobs=1, n_steps=1)
    me._get_block_indices = lambda block, n: np.arange(n)
    me._iss_to_tf = lambda *args: base._iss_to_tf(me, *args)
    me._partial_covar = lambda *args: base._partial_covar(me, *args)
    step, k = np.concatenate([a, np.eye(d - m, d)]), np.eye(d, m)
    model = (one[np.newaxis] for one in (step, a, k, noise))
    return base._iss_to_ugc(me, *model, source, to)[:, 0]


@case("granger-groups/2x8ch-p5-41freqs")
def groups(data: Data) -> Comparison:
    a, c = of_model(data, 16)
    freqs = np.linspace(0, RATE_HZ / 2, 41)
    peers = {"mne-connectivity": lambda: gc_of(a, c, np.arange(8), np.arange(8, 16))}
    return Comparison("granger_group", [a, c, freqs], peers, {"rate_hz": RATE_HZ})


@case("granger-spectral/2ch-p5-41freqs")
def spectral(data: Data) -> Comparison:
    a, c = of_model(data, 2)
    freqs = np.linspace(0, RATE_HZ / 2, 41)

    def both() -> Any:
        found = np.zeros((41, 2, 2))
        found[:, 0, 1] = gc_of(a, c, np.array([0]), np.array([1]))
        found[:, 1, 0] = gc_of(a, c, np.array([1]), np.array([0]))
        return found.ravel()

    args = {"rate_hz": RATE_HZ}
    return Comparison("granger_spectral", [a, c, freqs], {"mne-connectivity": both}, args)


@case("envelope-hop/64ch-2s-0.1s")
def envelope_hop(data: Data) -> Comparison:
    x = window(data, 64, 320)
    sigma = 4.0 / (2 * np.pi * 12.0)
    reach = int(np.ceil(5 * sigma * RATE_HZ)) - 1
    t = np.arange(-reach, reach + 1) / RATE_HZ
    wavelet = np.exp(2j * np.pi * 12.0 * t - t**2 / (2 * sigma**2))[np.newaxis]
    first, end = -(-reach // 16) * 16, (320 - reach) // 16 * 16

    def peer() -> Any:
        analytic = fftconvolve(x, wavelet, mode="same", axes=1)[:, first:end]
        return envelope_correlation([analytic], orthogonalize="pairwise")

    def lower(found: Any) -> list[Any]:
        dense = found.get_data("dense")[0, ..., 0]
        return [dense.T[np.tril_indices(64, -1)]]

    args = {"rate_hz": RATE_HZ, "freq_hz": 12.0, "n_cycles": 4.0, "step_samples": 16}
    return Comparison("envelope_sliding", [x], {"mne-connectivity": peer}, args, lower)


def coherence(data: Data, n: int) -> Any:
    def make() -> Any:
        x = window(data, n, 3200).reshape(n, 20, 160)
        spectra = np.fft.rfft(x - x.mean(axis=2, keepdims=True))[:, :, 10]
        cross = spectra @ spectra.conj().T
        power = np.diag(cross).real
        found = np.abs(cross) / np.sqrt(np.outer(power, power))
        np.fill_diagonal(found, 0.0)
        return (found + found.T) / 2

    return data.once(("coherence", n), make)


def lengths(w: Any) -> Any:
    return np.divide(1.0, w, out=np.zeros_like(w), where=w > 0)


def of_networkx(w: Any, call: Any) -> Any:
    graph = nx.from_numpy_array(w)
    for _, _, edge in graph.edges(data=True):
        edge["length"] = 1.0 / edge["weight"]
    return call(graph)


def betweenness_of(graph: Any) -> Any:
    return np.array(list(nx.betweenness_centrality(graph, weight="length").values()))


def clustering_of(w: Any) -> Any:
    found = nx.clustering(nx.from_numpy_array(w), weight="weight")
    return np.array(list(found.values())) * w.max()


def eigenvector_of(graph: Any) -> Any:
    return np.array(list(nx.eigenvector_centrality_numpy(graph, weight="weight").values()))


def assortativity_of(graph: Any) -> Any:
    return np.array([nx.degree_pearson_correlation_coefficient(graph, weight="weight")])


def triangles(w: Any) -> tuple[Any, Any]:
    """Intensity of each node's triangles, and how many it could have."""
    roots, degree = np.cbrt(w), (w > 0).sum(axis=1)
    return ((roots @ roots) * roots).sum(axis=1), degree * (degree - 1.0)


def clustering(w: Any) -> Any:
    sums, possible = triangles(w)
    return sums / np.maximum(possible, 1.0)


def transitivity(w: Any) -> Any:
    sums, possible = triangles(w)
    return np.array([sums.sum() / possible.sum()])


def efficiencies(w: Any) -> Any:
    """One over the distances between two nodes, and 0 of one."""
    d = shortest_path(lengths(w), directed=False)
    np.fill_diagonal(d, np.inf)
    return 1.0 / d


def global_efficiency(w: Any) -> Any:
    return np.array([efficiencies(w).sum() / (len(w) * (len(w) - 1))])


def local_efficiency(w: Any) -> Any:
    roots, found = np.cbrt(w), np.zeros(len(w))
    for i, ties in enumerate(roots):
        near = np.flatnonzero(ties)
        if len(near) > 1:
            sums = ties[near] @ efficiencies(roots[np.ix_(near, near)]) @ ties[near]
            found[i] = sums / (len(near) * (len(near) - 1))
    return found


def assortativity(w: Any) -> Any:
    strength = w.sum(axis=1)
    a, b = np.nonzero(w)
    return np.array([np.corrcoef(strength[a], strength[b])[0, 1]])


GRAPH = {
    "clustering": {"NumPy": clustering, "networkx": clustering_of},
    "transitivity": {"NumPy": transitivity},
    "global_efficiency": {"SciPy": global_efficiency},
    "local_efficiency": {"SciPy": local_efficiency},
    "betweenness": {"networkx": lambda w: of_networkx(w, betweenness_of)},
    "eigenvector": {
        "NumPy": lambda w: np.abs(np.linalg.eigh(w)[1][:, -1]),
        "networkx": lambda w: of_networkx(w, eigenvector_of),
    },
    "assortativity": {
        "NumPy": assortativity,
        "networkx": lambda w: of_networkx(w, assortativity_of),
    },
}


def graph(measure: str, n: int) -> None:
    @case(f"graph-{measure}/{n}ch")
    def one(data: Data) -> Comparison:
        w = coherence(data, n)
        if measure == "assortativity":
            # All nodes of a whole graph have the same ends: keep half of the edges.
            w = np.where(w > np.median(w[np.tril_indices(n, -1)]), w, 0.0)
        peers = {k: lambda call=call: call(w) for k, call in GRAPH[measure].items()}
        args = {"direction": "undirected", "measures": measure}
        return Comparison("graph", [w], peers, args)


for name in GRAPH:
    graph(name, 32 if name == "local_efficiency" else 64)
