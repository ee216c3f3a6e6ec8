"""Golden values of vector autoregressions and directed measures.

    python golden_mvar.py --data-dir DIR --out ../data/golden [--only NAMES]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is read. Five
sensorimotor channels as recorded, in microvolts, rounded to one decimal. Least squares,
orders and whiteness are statsmodels'; mne-connectivity's coefficients are checked to be
the same without a constant. The recursion of Vieira and Morf and the directed measures
are their formulas in NumPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne_connectivity
import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.api import VAR

from golden import run
from golden_connectivity import epochs, recording

Floats = NDArray[np.float64]
RATE_HZ = 160.0
ORDER = 4
CRITERIA = {
    "akaike": "aic",
    "bayesian": "bic",
    "hannan_quinn": "hqic",
    "final_prediction_error": "fpe",
}


def side_by_side(coefs: Any) -> Floats:
    """``(m, p m)`` of ``(p, m, m)``."""
    return np.concatenate(list(coefs), axis=1)


def statsmodels_fit(x: Floats, trend: str) -> dict[str, Any]:
    model = VAR(x.T)
    fit = model.fit(ORDER, trend=trend)
    companion = np.zeros((len(x) * ORDER,) * 2)
    companion[: len(x)] = side_by_side(fit.coefs)
    companion[len(x) :, : -len(x)] = np.eye(len(x) * (ORDER - 1))
    # With a constant there is an order 0 too.
    select = model.select_order(8, trend=trend)
    white = {
        name: fit.test_whiteness(12, adjusted=adjusted)
        for name, adjusted in [("ljung_box", True), ("box_pierce", False)]
    }
    return {
        "coefficients": side_by_side(fit.coefs),
        "intercept": fit.intercept if trend == "c" else np.zeros(len(x)),
        "noise": fit.sigma_u_mle,
        "unbiased_noise": fit.sigma_u,
        "spectral_radius": np.abs(np.linalg.eigvals(companion)).max(),
        "orders": {n: select.ics[t][-8:] for n, t in CRITERIA.items()},
        "whiteness": {
            n: [w.test_statistic, w.df, w.pvalue] for n, w in white.items()
        },
        "residual_head": fit.resid[:3].T,
    }


def least_squares(x: Floats) -> dict[str, Any]:
    """Without a constant over epochs ``(n, m, t)``, as mne-connectivity."""
    n, m, t = x.shape
    past = [x[:, :, ORDER - k : t - k] for k in range(1, ORDER + 1)]
    z = np.concatenate([p.transpose(0, 2, 1).reshape(-1, m) for p in past], axis=1)
    y = x[:, :, ORDER:].transpose(0, 2, 1).reshape(-1, m)
    b = np.linalg.lstsq(z, y, rcond=None)[0]
    found = mne_connectivity.vector_auto_regression(x, lags=ORDER, model="avg-epochs")
    theirs = found.get_data("dense")  # (to, from, lag)
    ours = b.T.reshape(m, ORDER, m).transpose(0, 2, 1)
    assert np.allclose(theirs, ours, rtol=1e-9, atol=1e-12)
    error = y - z @ b
    return {"coefficients": b.T, "noise": error.T @ error / len(y)}


def vieira_morf(x: Floats) -> dict[str, Any]:
    """Normalised partial correlations, lag after lag, over epochs ``(n, m, t)``."""
    x = x - x.mean(axis=(0, 2), keepdims=True)
    forward, backward = x.copy(), x.copy()
    noise_f = noise_b = np.einsum("eit,ejt->ij", x, x) / (x.shape[0] * x.shape[2])
    ahead: list[Floats] = []
    behind: list[Floats] = []
    for _ in range(ORDER):
        f, b = forward[..., 1:], backward[..., :-1]
        ff, bb = (np.einsum("eit,ejt->ij", e, e) for e in (f, b))
        fb = np.einsum("eit,ejt->ij", f, b)
        rho = np.linalg.inv(np.linalg.cholesky(ff)) @ fb
        rho = rho @ np.linalg.inv(np.linalg.cholesky(bb)).T
        root_f, root_b = np.linalg.cholesky(noise_f), np.linalg.cholesky(noise_b)
        k_f = root_f @ rho @ np.linalg.inv(root_b)
        k_b = root_b @ rho.T @ np.linalg.inv(root_f)
        eye = np.eye(len(rho))
        noise_f = root_f @ (eye - rho @ rho.T) @ root_f.T
        noise_b = root_b @ (eye - rho.T @ rho) @ root_b.T
        ahead, behind = (
            [a - k_f @ c for a, c in zip(ahead, behind[::-1])] + [k_f],
            [c - k_b @ a for c, a in zip(behind, ahead[::-1])] + [k_b],
        )
        forward, backward = f - k_f @ b, b - k_b @ f
    return {"coefficients": side_by_side(ahead), "noise": noise_f}


def directed(a: Floats, c: Floats, freqs_hz: Floats) -> dict[str, Floats]:
    m = len(c)
    lags = a.reshape(m, -1, m).transpose(1, 0, 2)
    phase = np.exp(-2j * np.pi * np.outer(freqs_hz, np.arange(1, len(lags) + 1)) / RATE_HZ)
    abar = np.eye(m) - np.einsum("fk,kij->fij", phase, lags)
    h = np.linalg.inv(abar)
    inverse = abar.conj().transpose(0, 2, 1) @ np.linalg.inv(c) @ abar
    power = np.einsum("fii->fi", inverse).real
    partial = np.abs(inverse) / np.sqrt(power[:, :, None] * power[:, None, :])
    size, reach = np.abs(h), (np.abs(h) ** 2).sum(axis=2)
    full = size / np.sqrt(reach.sum(axis=0))[:, None]
    scaled = np.abs(abar) / np.sqrt(np.diag(c))[:, None]
    return {
        "transfer": size / np.sqrt(reach)[:, :, None],
        "full_frequency_transfer": full,
        "direct_transfer": full * partial,
        "direct_transfer08": size * partial / np.sqrt(((size * partial) ** 2).sum()),
        "partial_coherence": np.abs(abar)
        / np.sqrt((np.abs(abar) ** 2).sum(axis=1))[:, None, :],
        "generalised_partial_coherence": scaled
        / np.sqrt((scaled**2).sum(axis=1))[:, None, :],
    }


def mvar_file(data_dir: Path) -> dict[str, Any]:
    window = recording(data_dir)[:, 2000:2400]
    x = epochs(data_dir, 3, 160)
    fits = {trend: statsmodels_fit(window, trend) for trend in ("c", "n")}
    freqs_hz = np.array([0.0, 4.0, 10.5, 21.0, 40.0, 80.0])
    over_epochs = least_squares(x)
    values = directed(over_epochs["coefficients"], over_epochs["noise"], freqs_hz)
    return {
        "about": "VAR of statsmodels with a constant (c) and without (n), over epochs by "
        "NumPy (checked against mne-connectivity), by Vieira and Morf's recursion, and "
        "the directed measures of the model over epochs.",
        "rate_hz": RATE_HZ,
        "order": ORDER,
        "window": window,
        "epochs": x,
        "with_constant": fits["c"],
        "without_constant": fits["n"],
        "over_epochs": over_epochs,
        "vieira_morf": vieira_morf(x),
        "freqs_hz": freqs_hz,
        "directed": values,
    }


FILES = {"mvar": mvar_file}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("mne-connectivity", "statsmodels"), seed=None)
