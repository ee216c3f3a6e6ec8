"""Every method beside the Python library that computes the same: results and times.

Each case runs turn and turn about with its peers, on the same arrays, in one run: a
batch of calls of ours, a batch of each peer's, and again. The ratio is the fastest
peer's median over ours. The error is ``max |ours - peer| / max |peer|`` over each
output, against the peer named first.

    python tests/compare/peers.py --data-dir DIR [--only riemann,welch/64] [--threads 1]
                                  [--repeats 15] [--memory] [--json OUT.json]
                                  [--markdown OUT.md]

``DIR`` holds EEGMMIDB in a folder ``eegmmidb`` (and the other recordings that some cases
name). ``--threads 1`` gives each side one thread, and the peers the settings that made
them fastest (see ``SETTINGS``); ``--threads all`` gives each side every core.
``--memory`` adds what ours takes: the bytes that its plan keeps, the case's copy of its
inputs among them, and those that a call needs beside it at most (Linux). Ours is
``cargo bench -p decoding --bench peers``, built here. See README.md for adding cases.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# glibc gives big blocks back to the system at every call unless it is told not to, which
# makes NumPy-heavy peers up to three times slower than they need to be.
SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "64000000",
}
AREAS = sorted(p.stem for p in (Path(__file__).parent / "cases").glob("[a-z]*.py"))
# Least time of one batch: far above the clock's and the pipe's own.
BATCH_SECS = 0.02
# A pause before each batch, of either side: threads of a BLAS keep spinning for some 20 ms
# after their last call, on the cores that the other side is about to use.
PAUSE_SECS = 0.1


@dataclass
class Comparison:
    """One case: ours by name, the peers as functions of nothing."""

    ours: str
    inputs: list[Any]
    peers: dict[str, Callable[[], Any]]
    args: dict[str, Any] = field(default_factory=dict)
    # What the first peer's return value has to become to be compared: a list of arrays.
    outputs: Callable[[Any], list[Any]] | None = lambda value: [value]
    # Work units in one call of ours per call of a peer, where they can't be the same.
    units: float = 1.0


@dataclass
class Case:
    name: str
    area: str
    # Least ratio that is asked for, one thread each; None where none is.
    target: float | None
    # Largest error; None where results are not comparable number by number, with `why`.
    tolerance: float | None
    why: str
    make: Callable[["Data"], Comparison]


CASES: list[Case] = []


def case(
    name: str,
    *,
    target: float | None = None,
    tolerance: float | None = 1e-9,
    why: str = "",
) -> Callable[[Callable[["Data"], Comparison]], Callable[["Data"], Comparison]]:
    """Registers a case; the area is the file's name."""

    def register(make: Callable[["Data"], Comparison]) -> Callable[["Data"], Comparison]:
        area = make.__module__.rpartition(".")[2]
        CASES.append(Case(f"{area}/{name}", area, target, tolerance, why, make))
        return make

    return register


class Data:
    """Recordings and what is cut from them, read once."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.cache: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def eegmmidb(self, subject: int = 1, run: int = 4) -> Any:
        """``(64, n_samples)`` in microvolts, 160 Hz, as recorded."""
        import mne

        def read() -> Any:
            name = f"S{subject:03}/S{subject:03}R{run:02}.edf"
            folder = self.data_dir / "eegmmidb"
            path = (folder if folder.is_dir() else self.data_dir) / name
            raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
            return raw.get_data(picks="eeg") * 1e6

        return self.once(("eegmmidb", subject, run), read)

    def filtered(self, subject: int = 1, run: int = 4) -> Any:
        """The same, filtered causally at 8-30 Hz."""
        from scipy.signal import butter, sosfilt

        sos = butter(4, [8, 30], btype="bandpass", fs=160, output="sos")
        return self.once(
            ("filtered", subject, run), lambda: sosfilt(sos, self.eegmmidb(subject, run), axis=1)
        )

    def epochs(self, n_epochs: int, n_channels: int, n_samples: int, subject: int = 1) -> Any:
        """``(n_epochs, n_channels, n_samples)``: filtered windows, evenly over runs 4, 8, 12."""
        import numpy as np

        runs = [self.filtered(subject, run) for run in (4, 8, 12)]
        x = np.concatenate(runs, axis=1)[:n_channels]
        starts = np.linspace(0, x.shape[1] - n_samples, n_epochs).astype(int)
        return np.stack([x[:, s : s + n_samples] for s in starts])

    def wide(self, n_channels: int, n_samples: int) -> Any:
        """More channels than any recording here: recorded ones of several subjects, mixed.

        Times depend on sizes, not on values, and the values stay those of EEG.
        """
        import numpy as np

        rng = np.random.default_rng(20240229)
        subjects = range(1, 11)
        x = np.concatenate([self.eegmmidb(s)[:, :19000] for s in subjects if self.eegmmidb(s).shape[1] > 19000])
        length = -(-n_samples // 19000)
        x = np.concatenate([x[:, :19000]] * length, axis=1)[:, :n_samples]
        mixing = rng.standard_normal((n_channels, x.shape[0])) / math.sqrt(x.shape[0])
        return mixing @ x


class Ours:
    """The bench binary at the other end of a pipe."""

    def __init__(self, threads: str, env: dict[str, str] | None = None) -> None:
        env = dict(os.environ) if env is None else env
        if threads != "all":
            env["RAYON_NUM_THREADS"] = threads
        self.process = subprocess.Popen(
            [binary()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )

    def ask(self, request: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request).encode() + b"\n" + data)
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise RuntimeError(f"{request}: {answer['error']}")
        return answer

    def load(self, comparison: Comparison) -> list[str]:
        import numpy as np

        names = []
        for k, array in enumerate(comparison.inputs):
            array = np.ascontiguousarray(array, dtype="<f8")
            names.append(f"input{k}")
            self.ask({"do": "load", "name": names[-1], "shape": array.shape}, array.tobytes())
        return names

    def plan(self, comparison: Comparison) -> None:
        names = self.load(comparison)
        self.ask(
            {"do": "plan", "case": comparison.ours, "inputs": names, "args": comparison.args}
        )

    def secs(self, calls: int) -> float:
        return self.ask({"do": "time", "calls": calls})["nanos"] * 1e-9

    def outputs(self) -> list[Any]:
        import numpy as np

        assert self.process.stdout
        shapes = self.ask({"do": "outputs"})["shapes"]
        arrays = []
        for shape in shapes:
            data = self.process.stdout.read(8 * math.prod(shape))
            arrays.append(np.frombuffer(data, dtype="<f8").reshape(shape))
        return arrays


def binary() -> str:
    """Builds the bench and returns its path."""
    command = ["cargo", "bench", "-q", "-p", "decoding", "--bench", "peers", "--no-run"]
    text = subprocess.run(
        [*command, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    for line in text.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "peers":
            return message["executable"]
    raise SystemExit("cargo built no bench named peers")


def calls_for(secs: Callable[[int], float]) -> int:
    """How many calls make a batch long enough to time. The first one warms up."""
    secs(1)
    return max(1, math.ceil(BATCH_SECS / max(secs(1), 1e-9)))


def peer_secs(peer: Callable[[], Any]) -> Callable[[int], float]:
    def secs(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            peer()
        return time.perf_counter() - start

    return secs


def errors(ours: list[Any], peers: list[Any]) -> float:
    import numpy as np

    # `np.max` keeps a NaN, which `max` would lose.
    found = []
    if len(ours) != len(peers):
        raise RuntimeError(f"{len(ours)} outputs, the peer has {len(peers)}")
    for a, b in zip(ours, peers):
        b = np.asarray(b, dtype=float)
        if a.shape != b.shape:
            raise RuntimeError(f"shape {a.shape}, the peer's is {b.shape}")
        scale = np.abs(b).max() or 1.0
        found.append(float(np.abs(a - b).max() / scale))
    return float(np.max(found))


def memory(comparison: Comparison) -> dict[str, int]:
    """Bytes that the plan keeps, and that a call needs beside it, in a process of its own."""
    ours = Ours("1", {k: v for k, v in os.environ.items() if k not in SETTINGS})
    ours.load(comparison)
    loaded = ours.ask({"do": "memory"})
    ours.plan(comparison)
    planned = ours.ask({"do": "memory"})
    ours.secs(1)
    called = ours.ask({"do": "memory"})
    assert ours.process.stdin
    ours.process.stdin.close()
    ours.process.wait()
    return {
        "plan_bytes": max(0, planned["held"] - loaded["held"]),
        "call_bytes": max(0, called["peak"] - planned["held"]),
    }


def compare(
    case: Case, data: Data, ours: Ours, repeats: int, with_memory: bool
) -> dict[str, Any]:
    from statistics import median

    comparison = case.make(data)
    ours.plan(comparison)
    sides = {"mindloop": ours.secs} | {k: peer_secs(p) for k, p in comparison.peers.items()}
    calls = {name: calls_for(secs) for name, secs in sides.items()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, secs in sides.items():
            time.sleep(PAUSE_SECS)
            times[name].append(secs(calls[name]) / calls[name])
    error = None
    if case.tolerance is not None and comparison.outputs is not None:
        first = next(iter(comparison.peers.values()))
        error = errors(ours.outputs(), comparison.outputs(first()))
    millis = {name: median(t) * 1e3 for name, t in times.items()}
    millis["mindloop"] /= comparison.units
    best = min((name for name in millis if name != "mindloop"), key=millis.__getitem__)
    return {
        "case": case.name,
        "peer": best,
        "peer_ms": millis[best],
        "ours_ms": millis["mindloop"],
        "ratio": millis[best] / millis["mindloop"],
        "target": case.target,
        "error": error,
        "tolerance": case.tolerance,
        "why": case.why,
        "all_ms": millis,
        **(memory(comparison) if with_memory else {}),
    }


def row(r: dict[str, Any]) -> str:
    target = "-" if r["target"] is None else f"{r['target']:g}"
    error = "-" if r["error"] is None else f"{r['error']:.0e}"
    missed = []
    if r["target"] is not None and r["ratio"] < r["target"]:
        missed.append("slower than asked")
    if r["error"] is not None and not r["error"] <= r["tolerance"]:
        missed.append("differs")
    return (
        f"{r['case']:58} {r['peer']:>18} {r['peer_ms']:11.4f} {r['ours_ms']:11.4f} "
        f"{r['ratio']:7.1f} {target:>6} {error:>7}  {mib(r)}{', '.join(missed)}"
    )


def mib(r: dict[str, Any], between: str = " + ", after: str = " MiB  ") -> str:
    """What the plan keeps and what a call needs beside it, where that was asked for."""
    if "plan_bytes" not in r:
        return ""
    found = (f"{r[key] / 2**20:.1f}" for key in ("plan_bytes", "call_bytes"))
    return between.join(found) + after


def markdown(results: list[dict[str, Any]], about: str) -> Iterator[str]:
    yield about
    yield ""
    has_memory = any("plan_bytes" in r for r in results)
    yield "| case | peer | peer, ms | mindloop, ms | ratio | asked | error |" + (
        " plan, MiB | call, MiB |" if has_memory else ""
    )
    yield "|---|---|---:|---:|---:|---:|---:|" + ("---:|---:|" if has_memory else "")
    for r in results:
        target = "-" if r["target"] is None else f"{r['target']:g}"
        error = "-" if r["error"] is None else f"{r['error']:.0e}"
        yield (
            f"| {r['case']} | {r['peer']} | {r['peer_ms']:.3g} | {r['ours_ms']:.3g} "
            f"| {r['ratio']:.1f} | {target} | {error} |"
            + (f" {mib(r, ' | ', ' |')}" if has_memory else "")
        )


def machine(threads: str) -> str:
    names = ["numpy", "scipy", "scikit-learn", "mne", "mne-connectivity", "pyriemann"]
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    threads = "every core" if threads == "all" else f"{threads} thread"
    return f"{model}, {os.cpu_count()} cores; {threads} each; {', '.join(found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--only", default="", help="areas or beginnings of case names")
    parser.add_argument("--threads", default="1", choices=["1", "all"])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    prepare(args.threads)
    sys.path.insert(0, str(Path(__file__).parent))
    sys.modules["peers"] = sys.modules["__main__"]
    wanted = [w for w in args.only.split(",") if w]
    for area in AREAS:
        if not wanted or any(w.partition("/")[0] == area for w in wanted):
            importlib.import_module(f"cases.{area}")
    warnings.filterwarnings("ignore")
    ours, data, results = Ours(args.threads), Data(args.data_dir), []
    print(machine(args.threads))
    print(f"{'case':58} {'peer':>18} {'peer ms':>11} {'ours ms':>11} {'ratio':>7} "
          f"{'asked':>6} {'error':>7}")
    for case in CASES:
        if wanted and not any(case.name.startswith(w) for w in wanted):
            continue
        results.append(compare(case, data, ours, args.repeats, args.memory))
        print(row(results[-1]), flush=True)
    if args.json:
        about = {"machine": machine(args.threads), "repeats": args.repeats}
        args.json.write_text(json.dumps({**about, "cases": results}, indent=1) + "\n")
    if args.markdown:
        args.markdown.write_text("\n".join(markdown(results, machine(args.threads))) + "\n")


def prepare(threads: str) -> None:
    """Starts this script anew with the peers' best settings, which are read at start."""
    settings = dict(SETTINGS)
    if threads == "1":
        settings |= dict.fromkeys(THREADS, "1")
    if all(os.environ.get(k) == v for k, v in settings.items()):
        return
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    os.execve(sys.executable, [sys.executable, *sys.argv], {**env, **settings})


if __name__ == "__main__":
    main()
