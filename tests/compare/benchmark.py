"""Ten people, nine pipelines, offline and pseudo-online: ours against Python, in one run.

    cargo build --release
    python tests/compare/benchmark.py --data-dir DIR [--subjects 1-10] [--json OUT]

Runs ``mindloop benchmark tests/compare/benchmark/plan.toml`` on all cores, without nulls,
then the same work in Python: MOABB's offline evaluation (``tests/reference/offline_scores.py``)
and a pseudo-online one with SciPy, pyRiemann and scikit-learn
(``tests/reference/pseudo_online.py``, with more decoders beside the plan), one process each with as
many threads as its libraries choose. Prints both times, their ratio, and the largest
difference of scores. ``DIR`` holds EEGMMIDB as PhysioNet lays it out.

The machines' pseudo-online scores are not compared: their posteriors are coupled from
sigmoids here, and voted for there.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OFFLINE = "mdm,fgmdm,ts+lr,ts+el,ts+svm,logvar+lda,csp+lda,csp+svm,acm2.4+ts+svm"
MACHINES = {"ts+svm", "csp+svm", "acm2.4+ts+svm"}


def ours(data_dir: Path, subjects: str, work: Path) -> tuple[float, list[dict[str, str]]]:
    plan = (HERE / "benchmark" / "plan.toml").read_text()
    plan = plan.replace(
        'subjects = "1-10"', f'subjects = "{subjects}"\ndata_dir = "{data_dir.resolve()}"'
    )
    for file in (HERE / "benchmark").glob("*.toml"):
        (work / file.name).write_text(file.read_text())
    (work / "plan.toml").write_text(plan)
    out = work / "results"
    started = time.perf_counter()
    command = [ROOT / "target/release/mindloop", "benchmark", work / "plan.toml", "-o", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    secs = time.perf_counter() - started
    with (out / "results.csv").open() as file:
        return secs, list(csv.DictReader(file))


def reference(script: list[str], out: Path) -> tuple[float, list[dict]]:
    started = time.perf_counter()
    subprocess.run([sys.executable, *script, "--json", out], check=True, stderr=subprocess.DEVNULL)
    secs = time.perf_counter() - started
    document = json.loads(out.read_text())
    return secs, document.get("scores") or document["rows"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--subjects", default="1-10")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        our_secs, rows = ours(args.data_dir, args.subjects, work)
        shared = ["--data-dir", str(args.data_dir), "--subjects", args.subjects]
        script = str(ROOT / "tests/reference/offline_scores.py")
        offline_secs, offline = reference(
            [script, *shared, "--pipelines", OFFLINE], work / "offline.json"
        )
        script = str(HERE / "benchmark" / "pseudo_online_nine.py")
        online_secs, online = reference([script, *shared], work / "online.json")
    theirs = {("offline", r["pipeline"], r["subject"]): r["score"] for r in offline}
    theirs |= {("pseudo-online", r["pipeline"], r["subject"]): r["nmcc"] for r in online}
    worst: dict[tuple[str, str], float] = {}
    for row in rows:
        mode, name = row["mode"], row["pipeline"]
        if mode == "pseudo-online" and name in MACHINES:
            continue
        other = theirs[mode, name, int(row["subject"])]
        difference = abs(float(row["score"]) - other)
        worst[mode, name] = max(worst.get((mode, name), 0.0), difference)
    for (mode, name), difference in worst.items():
        print(f"{mode:<14} {name:<15} largest difference over subjects {difference:.4f}")
    total = offline_secs + online_secs
    print(
        f"mindloop {our_secs:.1f} s; Python {total:.1f} s (offline {offline_secs:.1f} s, "
        f"pseudo-online {online_secs:.1f} s): {total / our_secs:.1f} times"
    )
    if args.json:
        figures = {"mindloop_secs": our_secs, "offline_secs": offline_secs}
        figures |= {"pseudo_online_secs": online_secs, "ratio": total / our_secs}
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
