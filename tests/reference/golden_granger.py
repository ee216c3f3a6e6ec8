"""Golden values of Granger causality in time and over frequencies.

    python golden_granger.py --data-dir DIR --out ../data/golden [--only NAMES]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is read, the
channels and samples of ``golden_mvar.py``. Tests in time are statsmodels'; conditional
log ratios are two regressions in NumPy. Spectra follow Barnett and Seth (2015), equations
11 and 17, on the whole state space, with SciPy's solution of the Riccati equation; those
of groups are mne-connectivity's, from the same model.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from mne_connectivity.spectral import epochs_multivariate
from numpy.typing import NDArray
from scipy.linalg import solve_discrete_are
from statsmodels.tsa.api import VAR
from statsmodels.tsa.stattools import grangercausalitytests

from golden import run
from golden_connectivity import epochs, recording

Floats = NDArray[np.float64]
RATE_HZ = 160.0
ORDER = 4
FREQS_HZ = np.array([0.0, 4.0, 10.5, 21.0, 40.0, 80.0])
TESTS = {"fisher": "ssr_ftest", "chi_squared": "ssr_chi2test", "likelihood_ratio": "lrtest"}


def residual_squares(x: Floats, to: int, sources: list[int], constant: bool) -> float:
    """Of epochs ``(n, m, t)``: channel ``to`` from the past of ``sources``."""
    n, _, t = x.shape
    past = [x[:, sources, ORDER - k : t - k] for k in range(1, ORDER + 1)]
    z = np.concatenate([p.transpose(0, 2, 1).reshape(-1, len(sources)) for p in past], axis=1)
    if constant:
        z = np.concatenate([np.ones((len(z), 1)), z], axis=1)
    y = x[:, to, ORDER:].reshape(-1)
    error = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
    return float(error @ error)


def log_ratios(x: Floats, conditional: bool, constant: bool) -> Floats:
    m = x.shape[1]
    found = np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            if i == j:
                continue
            full = list(range(m)) if conditional else [i, j]
            left = residual_squares(x, i, full, constant)
            without = residual_squares(x, i, [c for c in full if c != j], constant)
            found[i, j] = np.log(without / left)
    return found


def pairwise_tests(x: Floats) -> dict[str, Any]:
    """``(to, from)`` of statistics and p-values; 0 and 1 on the diagonal."""
    m = len(x)
    found = {name: np.stack([np.zeros((m, m)), np.ones((m, m))]) for name in TESTS}
    for i in range(m):
        for j in range(m):
            if i != j:
                tests = grangercausalitytests(x[[i, j]].T, [ORDER])[ORDER][0]
                for name, theirs in TESTS.items():
                    found[name][:, i, j] = tests[theirs][:2]
    return found


def conditional_tests(x: Floats) -> dict[str, Any]:
    """Statistics; p-values of ``wald``. Its F has other degrees below, so no p-value."""
    m = len(x)
    fit = VAR(x.T).fit(ORDER, trend="c")
    f, wald = np.zeros((m, m)), np.stack([np.zeros((m, m)), np.ones((m, m))])
    for i in range(m):
        for j in range(m):
            if i != j:
                f[i, j] = fit.test_causality(i, [j], kind="f").test_statistic
                test = fit.test_causality(i, [j], kind="wald")
                wald[:, i, j] = test.test_statistic, test.pvalue
    return {"fisher": f, "wald": wald}


def state_space(a: Floats, m: int) -> tuple[Floats, Floats, Floats]:
    """Innovations form of coefficients ``(m, p m)``."""
    d = a.shape[1]
    step = np.concatenate([a, np.eye(d - m, d)])
    return step, a, np.eye(d, m)


def transfer(step: Floats, c: Floats, k: Floats, freq: float) -> Any:
    z = np.exp(2j * np.pi * freq / RATE_HZ)
    return np.eye(len(c)) + c @ np.linalg.solve(z * np.eye(len(step)) - step, k)


def causality(a: Floats, noise: Floats, to: list[int], source: list[int]) -> dict[str, Any]:
    """Spectrum and total, given all other channels."""
    m = len(noise)
    step, c, k = state_space(a, m)
    rest = to + [i for i in range(m) if i not in to + source]
    others = [i for i in range(m) if i not in to]
    q, r, s = k @ noise @ k.T, noise[np.ix_(rest, rest)], k @ noise[:, rest]
    cr = c[rest]
    p = solve_discrete_are(step.T, cr.T, q, r, s=s)
    left = cr @ p @ cr.T + r
    gain = (step @ p @ cr.T + s) @ np.linalg.inv(left)
    n = len(to)
    inner = noise[np.ix_(others, to)] @ np.linalg.inv(noise[np.ix_(to, to)])
    partial = noise[np.ix_(others, others)] - inner @ noise[np.ix_(to, others)]
    spectrum = []
    for freq in FREQS_HZ:
        z = np.exp(2j * np.pi * freq / RATE_HZ)
        whole = transfer(step, c, k, freq)
        inverse = np.eye(len(rest)) - cr @ np.linalg.solve(
            z * np.eye(len(step)) - step + gain @ cr, gain
        )
        h = inverse[:n] @ whole[np.ix_(rest, others)]
        rest_of = left[:n, :n] - h @ partial @ h.conj().T
        spectrum.append(np.linalg.slogdet(left[:n, :n])[1] - np.linalg.slogdet(rest_of)[1])
    total = np.linalg.slogdet(left[:n, :n])[1] - np.linalg.slogdet(noise[np.ix_(to, to)])[1]
    return {"spectrum": np.array(spectrum), "total": total}


def all_pairs(a: Floats, noise: Floats) -> dict[str, Floats]:
    m = len(noise)
    spectra, totals = np.zeros((len(FREQS_HZ), m, m)), np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            if i != j:
                found = causality(a, noise, [i], [j])
                spectra[:, i, j], totals[i, j] = found["spectrum"], found["total"]
    return {"spectra": spectra, "totals": totals}


def fitted(x: Floats) -> tuple[Floats, Floats]:
    """Without a constant over epochs ``(n, m, t)``."""
    n, m, t = x.shape
    past = [x[:, :, ORDER - k : t - k] for k in range(1, ORDER + 1)]
    z = np.concatenate([p.transpose(0, 2, 1).reshape(-1, m) for p in past], axis=1)
    y = x[:, :, ORDER:].transpose(0, 2, 1).reshape(-1, m)
    b = np.linalg.lstsq(z, y, rcond=None)[0]
    error = y - z @ b
    return b.T, error.T @ error / len(y)


def pairwise_spectra(x: Floats) -> dict[str, Floats]:
    m = x.shape[1]
    spectra, totals = np.zeros((len(FREQS_HZ), m, m)), np.zeros((m, m))
    for i in range(m):
        for j in range(i):
            found = all_pairs(*fitted(x[:, [i, j]]))
            for to, source, row in ((i, j, 0), (j, i, 1)):
                spectra[:, to, source] = found["spectra"][:, row, 1 - row]
                totals[to, source] = found["totals"][row, 1 - row]
    return {"spectra": spectra, "totals": totals}


def by_mne(a: Floats, noise: Floats, to: list[int], source: list[int], n_freqs: int) -> Floats:
    """mne-connectivity's ``gc`` of a model, at frequencies from 0 to half the rate."""
    base = epochs_multivariate._GCEstBase
    me = SimpleNamespace(n_freqs=n_freqs, n_jobs=1, n_steps=1)
    me._get_block_indices = lambda block, n: np.arange(n)
    me._iss_to_tf = lambda *args: base._iss_to_tf(me, *args)
    me._partial_covar = lambda *args: base._partial_covar(me, *args)
    step, c, k = (one[np.newaxis] for one in state_space(a, len(noise)))
    return base._iss_to_ugc(me, step, c, k, noise[np.newaxis], source, to)[:, 0]


def granger_file(data_dir: Path) -> dict[str, Any]:
    window = recording(data_dir)[:, 2000:2400]
    x = epochs(data_dir, 3, 160)
    a, noise = fitted(x)
    groups = ([0, 2], [1, 3, 4])
    some = {"to": [0, 2], "from": [4, 1]}
    own = causality(a, noise, *groups)
    theirs = by_mne(a, noise, *groups, 9)
    assert np.allclose(theirs[[0, -1]], own["spectrum"][[0, -1]], rtol=1e-9)
    return {
        "about": "Causality (to, from) of order 4: of one window with a constant (statsmodels' "
        "tests [statistic, p], NumPy's log ratios), of epochs without (log ratios; spectra and "
        "totals of the model of all channels, and of models of pairs), of groups of the former "
        "(mne: mne-connectivity's gc at 0, 10 ... 80 Hz).",
        "rate_hz": RATE_HZ,
        "order": ORDER,
        "window": window,
        "epochs": x,
        "with_constant": {
            "pairwise": log_ratios(window[np.newaxis], False, True),
            "conditional": log_ratios(window[np.newaxis], True, True),
            "pairwise_tests": pairwise_tests(window),
            "conditional_tests": conditional_tests(window),
        },
        "over_epochs": {
            "pairwise": log_ratios(x, False, False),
            "conditional": log_ratios(x, True, False),
        },
        "freqs_hz": FREQS_HZ,
        "conditional_spectra": all_pairs(a, noise),
        "pairwise_spectra": pairwise_spectra(x),
        "groups": {"to": groups[0], "from": groups[1], "mne": theirs, "total": own["total"]},
        "conditional_groups": {**some, **causality(a, noise, some["to"], some["from"])},
    }


FILES = {"granger": granger_file}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("mne-connectivity", "statsmodels"), seed=None)
