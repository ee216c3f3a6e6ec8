"""Runs the evaluation in Rust and in Python, turn and turn about: see evaluate.sh."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target/release/mindloop"
REFERENCE = ROOT / "tests/reference/pseudo_online.py"
# What the two may differ by, per subject and pipeline.
TOLERANCE_NMCC = 0.005
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

Scores = dict[tuple[int, str], float]


def python_environment(n_threads: int | None) -> dict[str, str]:
    """This process's environment, without settings of OpenBLAS's kernels."""
    unset = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", *THREAD_VARIABLES)
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    if n_threads is not None:
        environment.update(dict.fromkeys(THREAD_VARIABLES, str(n_threads)))
    return environment


def eegmmidb(data_dir: Path) -> Path:
    """The folder that holds `S001`."""
    inner = data_dir / "eegmmidb"
    return inner if inner.is_dir() else data_dir


def run(command: list[str], environment: dict[str, str]) -> float:
    """Seconds that the command took; its words are shown where it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    secs = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return secs


def scores(path: Path) -> Scores:
    """nMCC per subject and pipeline; ours are called `results`, the reference's `rows`."""
    document = json.loads(path.read_text())
    rows = document.get("results") or document["rows"]
    return {(row["subject"], row["pipeline"]): row["nmcc"] for row in rows}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--subjects", default="1-10")
    parser.add_argument("--pipelines", default="mdm,ts+lr,csp+lda")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--variants", default="default,best")
    args = parser.parse_args()
    args.variants = args.variants.split(",")
    if unknown := set(args.variants) - {"default", "best"}:
        parser.error(f"unknown variants {sorted(unknown)}")
    if args.repeats < 1:
        parser.error("--repeats is at least 1")
    if not OURS.exists():
        parser.error("no target/release/mindloop: cargo build --release")
    return args


def commands(args: argparse.Namespace, out: Path) -> dict[str, tuple[list[str], dict]]:
    """Command and environment of each contestant; each writes `out/NAME.json`."""
    what = ["--subjects", args.subjects, "--pipelines", args.pipelines]
    ours = [str(OURS), "evaluate", "physionet-mi", "--data-dir", str(args.data_dir)]
    python = [sys.executable, str(REFERENCE), "--data-dir", str(eegmmidb(args.data_dir))]
    return {
        "ours": (
            [*ours, *what, "--no-null", "--json", str(out / "ours.json")],
            dict(os.environ),
        ),
        "default": (
            [*python, *what, "--json", str(out / "default.json")],
            python_environment(None),
        ),
        "best": (
            [*python, *what, "--oas", "numpy", "--json", str(out / "best.json")],
            python_environment(1),
        ),
    }


def main() -> None:
    args = parse_args()
    names = ["ours", *args.variants]
    took: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        contestants = commands(args, out)
        for repeat in range(args.repeats):
            for name in names:
                load = os.getloadavg()[0]
                took[name].append(run(*contestants[name]))
                print(
                    f"repeat {repeat + 1}  {name:<8} {took[name][-1]:8.2f} s"
                    f"  (load before: {load:.1f})",
                    flush=True,
                )
        found = {name: scores(out / f"{name}.json") for name in names}
    ours = statistics.median(took["ours"])
    print(f"\nsubjects {args.subjects}, pipelines {args.pipelines}, {os.cpu_count()} cores")
    print(f"{'ours':<8} median {ours:8.2f} s")
    is_equal = True
    for name in args.variants:
        secs = statistics.median(took[name])
        if found[name].keys() != found["ours"].keys():
            sys.exit(f"{name} scored other subjects or pipelines than ours")
        worst = max(abs(found[name][key] - found["ours"][key]) for key in found[name])
        is_equal &= worst <= TOLERANCE_NMCC
        print(
            f"{name:<8} median {secs:8.2f} s  ratio {secs / ours:6.2f}"
            f"  largest nMCC difference {worst:.6f}"
        )
    if not is_equal:
        sys.exit(f"scores differ by more than {TOLERANCE_NMCC}")


if __name__ == "__main__":
    main()
