#!/bin/sh
# Times mindloop's evaluation against the Python reference on the same subjects, in one
# run, turn and turn about, and compares their scores.
#
#     cargo build --release
#     tests/compare/evaluate.sh --data-dir DIR [--subjects 1-10] [--repeats 3]
#                               [--pipelines mdm,ts+lr,csp+lda] [--variants default,best]
#
# DIR holds EEGMMIDB, or a folder `eegmmidb` with it. Python is the interpreter named by
# MINDLOOP_PYTHON (default python3), with tests/reference/requirements.txt installed.
#
# ours     target/release/mindloop evaluate ... --no-null, on all cores.
# default  tests/reference/pseudo_online.py as it is: one process, the thread count that
#          its libraries choose, pyRiemann's covariances.
# best     The same with what made it fastest: `--oas numpy` (one batched product for
#          all windows instead of pyRiemann's call per window) and one BLAS thread.
#
# OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, where a machine sets them, are unset together
# for the Python commands alone: OpenBLAS is to choose its kernels by itself.
#
# Medians over the repeats of wall-clock time, start of the process included. Other
# work on the machine spoils the figures: the load is printed with them.
set -eu
cd "$(dirname "$0")/../.."
exec "${MINDLOOP_PYTHON:-python3}" tests/compare/evaluate.py "$@"
