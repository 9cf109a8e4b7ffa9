#!/usr/bin/env bash
# Everything that needs a card, in under 8 minutes: ./benchmarks/gpu.sh [FIXTURES] [DEVICE]
# FIXTURES holds parity_seedA.npz and recast_seedA.npz (default ../shared/fixtures); DEVICE cuda, or cpu to rehearse.
# Prints the tests marked gpu, parity in four precisions, and milliseconds a frame; OUT (default .) keeps gpu.txt.
# On a processor parity runs in fp32 alone, limits are eight times as long, and milliseconds are those of tiny networks.
set -uo pipefail
cd "$(dirname "$0")/.."
fixtures=${1:-../shared/fixtures}
device=${2:-cuda}
out=${OUT:-.}/gpu.txt
python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=python3
failed=0
slower=1
precisions=("fp32 1" "tf32 100" "fp16 300" "bf16 3000")
speed=${SPEED_OPTIONS:-}
if [ "$device" = cpu ]; then
  slower=8
  precisions=("fp32 1")
  speed=${SPEED_OPTIONS:---tiny --no-compile --repeats 3 --precision fp32}
fi

step() { # step SECONDS TITLE COMMAND...
  local limit=$((slower * $1)) title=$2
  shift 2
  echo "== $title" | tee -a "$out"
  timeout "$limit" "$@" 2>&1 | tail -n "${LINES_SHOWN:-40}" | tee -a "$out"
  local rc=${PIPESTATUS[0]}
  [ "$rc" = 0 ] || { echo "-- failed or cut off (exit $rc)" | tee -a "$out"; failed=1; }
}

date -u +"%F %T UTC, device $device" | tee "$out"
if [ "$device" != cpu ]; then
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee -a "$out"
  "$python" -c 'import torch; assert torch.cuda.is_available(), "PyTorch sees no card"' || exit 2
fi

step 120 "tests marked gpu" "$python" -m pytest -q -p no:cacheprovider -m gpu tests/lp_core/engines tests/parity

# float32 must hold as on a processor; TF32, fp16 and bf16 shorten the products, so their tolerances are multiplied.
for run in "${precisions[@]}"; do
  set -- $run
  for recording in parity recast; do
    LINES_SHOWN=3 step 60 "parity $1 $recording (tolerances x $2)" \
      "$python" benchmarks/parity.py "$fixtures/${recording}_seedA.npz" --device "$device" --precision "$1" --slack "$2"
  done
done

step 150 "milliseconds a frame" "$python" benchmarks/gpu_speed.py --device "$device" $speed
[ "$failed" = 0 ] && echo "everything passed" | tee -a "$out"
exit "$failed"
