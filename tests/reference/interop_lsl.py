"""The other end of the Lab Streaming Layer tests, on pylsl's own liblsl.

``outlet`` sends samples that are a function of the frame and the channel alone,

    value(k, c) = ((k * 7 + c * 13) % 101) - 50        (fits every sample format)

stamped ``t0 + k / rate``. 7 has an inverse modulo 101, so a receiver reads ``k``
modulo 101 off any channel and counts what it lost. With ``--markers`` a second
stream ``NAME-markers`` carries, at the frames ``round((i + 0.5) * rate)`` for
``i = 0, 1, ...``, in turn "left_hand" and "right_hand" (``string``) or 1 and 2
(``int32``), with the stamp of their frame. The outlet waits for consumers, so
no frame is sent to nobody.

``inlet`` receives such streams, or others, for a while and says what it saw.

Both speak in JSON, one object a line, on standard output. The outlet says
``ready`` when it can be resolved, ``started`` with ``t0`` at its first frame,
and ``done`` at its end; the inlet prints its one report.

    python interop_lsl.py outlet --name N --source-id ID --seconds 5 --markers string
    python interop_lsl.py inlet --name N --seconds 10

Reference: C. Kothe et al. (2025), "The lab streaming layer for synchronized
multimodal recording", doi:10.1162/IMAG.a.136; channel metadata as in
https://github.com/sccn/xdf/wiki/EEG-Meta-Data.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
import pylsl
from numpy.typing import NDArray
from pylsl.util import LostError

FORMATS = ("float32", "double64", "int32", "int16", "int8", "int64")
MARKERS = ("left_hand", "right_hand")
MODULUS = 101
STEP = 7
STRIDE = 13
OFFSET = 50


def say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


def frames(first: int, count: int, n_channels: int) -> NDArray[np.int64]:
    """Deterministic samples of shape ``(count, n_channels)``."""
    k = np.arange(first, first + count)[:, None]
    return (k * STEP + np.arange(n_channels) * STRIDE) % MODULUS - OFFSET


def marker_frames(n_frames: int, rate_hz: float) -> list[int]:
    """Frames at which a marker falls."""
    found = []
    while (frame := round((len(found) + 0.5) * rate_hz)) < n_frames:
        found.append(frame)
    return found


# Outlet


def signal_info(args: argparse.Namespace) -> pylsl.StreamInfo:
    info = pylsl.StreamInfo(
        args.name, "EEG", args.channels, args.rate, args.format, args.source_id
    )
    info.desc().append_child_value("manufacturer", "mindloop tests")
    channels = info.desc().append_child("channels")
    for c in range(args.channels):
        channel = channels.append_child("channel")
        channel.append_child_value("label", f"Ch{c + 1}")
        channel.append_child_value("unit", args.unit)
        channel.append_child_value("type", "EEG")
    return info


def marker_info(args: argparse.Namespace) -> pylsl.StreamInfo:
    return pylsl.StreamInfo(
        f"{args.name}-markers",
        "Markers",
        1,
        pylsl.IRREGULAR_RATE,
        args.markers,
        f"{args.source_id}-markers",
    )


def run_outlet(args: argparse.Namespace) -> None:
    outlet = pylsl.StreamOutlet(signal_info(args))
    markers = pylsl.StreamOutlet(marker_info(args)) if args.markers != "none" else None
    say(event="ready", liblsl=pylsl.library_version())
    if not outlet.wait_for_consumers(args.wait_secs):
        sys.exit("no consumer")
    if markers and not markers.wait_for_consumers(args.marker_wait_secs):
        say(event="nobody takes markers")
    # A consumer counts from its connection on, but is served from its handshake on.
    time.sleep(0.3)

    rng = np.random.default_rng(args.seed)
    n_frames = round(args.seconds * args.rate)
    due = dict.fromkeys(marker_frames(n_frames, args.rate)) if markers else {}
    sent_markers = []
    t0 = pylsl.local_clock()
    say(event="started", t0=t0)
    for first in range(0, n_frames, args.chunk):
        count = min(args.chunk, n_frames - first)
        stamps = [t0 + k / args.rate for k in range(first, first + count)]
        # A chunk leaves when its last frame is there, or late by the jitter asked for.
        leaves = stamps[-1] + args.jitter_secs * rng.random()
        time.sleep(max(0.0, leaves - pylsl.local_clock()))
        outlet.push_chunk(frames(first, count, args.channels), stamps)
        for k in range(first, first + count):
            if k in due:
                which = len(sent_markers) % len(MARKERS)
                value = MARKERS[which] if args.markers == "string" else which + 1
                markers.push_sample([value], t0 + k / args.rate)
                sent_markers.append({"value": value, "frame": k})
    # What was sent is still in flight: stay until the consumers left, or long enough.
    deadline = time.monotonic() + args.linger_secs
    while outlet.have_consumers() and time.monotonic() < deadline:
        time.sleep(0.02)
    say(event="done", frames=n_frames, t0=t0, markers=sent_markers)


# Inlet


def open_inlet(name: str, timeout_secs: float) -> pylsl.StreamInlet | None:
    found = pylsl.resolve_byprop("name", name, 1, timeout_secs)
    if not found:
        return None
    inlet = pylsl.StreamInlet(found[0], recover=False)
    inlet.open_stream(timeout_secs)
    return inlet


def channel_fields(info: pylsl.StreamInfo, field: str) -> list[str]:
    """A field of every channel in the stream's metadata."""
    values = []
    channel = info.desc().child("channels").child("channel")
    while not channel.empty():
        values.append(channel.child_value(field))
        channel = channel.next_sibling("channel")
    return values


def lost_and_wrong(samples: list[list[float]]) -> tuple[int, int]:
    """Frames missing between neighbours (modulo 101), and frames off the pattern."""
    values = np.array(samples, dtype=np.float64)
    phase = (values[:, 0] + OFFSET) * pow(STEP, -1, MODULUS) % MODULUS
    expected = (phase[:, None] * STEP + np.arange(values.shape[1]) * STRIDE) % MODULUS
    wrong = int(np.any(values != expected - OFFSET, axis=1).sum())
    lost = int(((np.diff(phase) - 1) % MODULUS).sum())
    return lost, wrong


def pull(inlet: pylsl.StreamInlet) -> tuple[list[list[Any]], list[float], bool]:
    """Everything there is; the flag says that the outlet is gone."""
    try:
        samples, stamps = inlet.pull_chunk(timeout=0.0, max_samples=4096)
    except LostError:
        return [], [], True
    return samples, stamps, False


def run_inlet(args: argparse.Namespace) -> None:
    inlet = open_inlet(args.name, args.wait_secs)
    if inlet is None:
        sys.exit("no such stream")
    marker_inlet = open_inlet(f"{args.name}-markers", args.marker_wait_secs)
    samples: list[list[float]] = []
    stamps: list[float] = []
    markers: list[dict[str, Any]] = []
    info = inlet.info(args.wait_secs)

    deadline = time.monotonic() + args.wait_secs
    last_seen = None
    while time.monotonic() < deadline:
        new_samples, new_stamps, lost = pull(inlet)
        if new_samples and last_seen is None:
            deadline = time.monotonic() + args.seconds
        if new_samples:
            last_seen = time.monotonic()
        samples.extend(new_samples)
        stamps.extend(new_stamps)
        if marker_inlet:
            values, marker_stamps, _ = pull(marker_inlet)
            markers += [
                {"value": value[0], "stamp": stamp}
                for value, stamp in zip(values, marker_stamps)
            ]
        silent = (
            last_seen is not None and time.monotonic() - last_seen > args.silence_secs
        )
        if lost or silent:
            break
        time.sleep(0.005)

    lost_frames, wrong_frames = lost_and_wrong(samples) if samples else (0, 0)
    steps = np.diff(stamps)
    say(
        name=info.name(),
        type=info.type(),
        source_id=info.source_id(),
        format=FORMAT_NAMES[info.channel_format()],
        channels=info.channel_count(),
        rate_hz=info.nominal_srate(),
        labels=channel_fields(info, "label"),
        units=channel_fields(info, "unit"),
        types=channel_fields(info, "type"),
        frames=len(samples),
        lost_frames=lost_frames,
        wrong_frames=wrong_frames,
        first_frames=samples[:5],
        first_stamps=stamps[:5],
        last_stamp=stamps[-1] if stamps else None,
        step_secs=[float(steps.min()), float(steps.max())] if len(steps) else None,
        markers=markers,
    )


FORMAT_NAMES = {
    pylsl.cf_float32: "float32",
    pylsl.cf_double64: "double64",
    pylsl.cf_string: "string",
    pylsl.cf_int32: "int32",
    pylsl.cf_int16: "int16",
    pylsl.cf_int8: "int8",
    pylsl.cf_int64: "int64",
}


# Command line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    outlet = commands.add_parser("outlet", help="send deterministic samples")
    outlet.add_argument("--name", required=True)
    outlet.add_argument("--source-id", required=True)
    outlet.add_argument("--channels", type=int, default=8)
    outlet.add_argument("--rate", type=float, default=250.0)
    outlet.add_argument("--format", choices=FORMATS, default="float32")
    outlet.add_argument("--unit", default="microvolts")
    outlet.add_argument("--seconds", type=float, default=5.0)
    outlet.add_argument(
        "--markers", choices=["string", "int32", "none"], default="none"
    )
    outlet.add_argument("--chunk", type=int, default=5, help="frames a push")
    outlet.add_argument(
        "--jitter-secs", type=float, default=0.0, help="lateness of a push, at most"
    )
    outlet.add_argument("--seed", type=int, default=0, help="of the jitter")
    outlet.add_argument("--wait-secs", type=float, default=30.0)
    outlet.add_argument("--marker-wait-secs", type=float, default=5.0)
    outlet.add_argument("--linger-secs", type=float, default=3.0)

    inlet = commands.add_parser("inlet", help="receive and report")
    inlet.add_argument("--name", required=True)
    inlet.add_argument(
        "--seconds", type=float, default=10.0, help="after the first frame"
    )
    inlet.add_argument("--wait-secs", type=float, default=30.0)
    inlet.add_argument("--marker-wait-secs", type=float, default=2.0)
    inlet.add_argument("--silence-secs", type=float, default=1.0)

    args = parser.parse_args()
    run_outlet(args) if args.command == "outlet" else run_inlet(args)


if __name__ == "__main__":
    main()
