#!/usr/bin/env bash
# One entry of QUEUE.md, from the root of the repository: bash benchmarks/gpu/run.sh ENTRY DATA OUT
#
# DATA is a folder with CIFAR-10, OUT gets the records. Run folders are large and lie in WORK, in
# memory by default, where a later call finds them and continues. The exit code is that of the
# first part that failed; records of the other parts are left in OUT.
# DRY=1 tries the same lines at tiny size, in a WORK of its own.
# FINAL=1 is for the time when all settings are chosen: entry 4 trains once more on all images and
# opens the test set, and entry 6 opens it.
# EXTRA holds options that are added to the command of entries 4 to 6, such as "--set epochs=40".
# PEERS, for entry 3, is a folder with the files that benchmarks/peers/on_gpu.py names.
set -u
entry=$1 data=$(realpath "$2") out=$3
dry=${DRY:-} code=0
work=${WORK:-/dev/shm/smallvision}${dry:+-dry}
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export TMPDIR="$work/tmp" SMALLVISION_CACHE="$work/cache"
# Compiled code must lie on a file system that allows execution, which memory may not.
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-/tmp/smallvision-inductor}
export TRITON_CACHE_DIR=${TRITON_CACHE_DIR:-/tmp/smallvision-triton}
mkdir -p "$TMPDIR" "$out"
python=${PYTHON:-python3}

# Remember the first failure, and go on.
try() {
  local ended=0
  "$@" || ended=$?
  [ $code -ne 0 ] || code=$ended
}

# A signal ends training after the current step, with a checkpoint; the next call continues.
smallvision() { timeout "${SECONDS_A_CALL:-540}" "$python" -m smallvision "$@"; }

# The records and pictures of a folder, as one file.
pack() {
  tar czf "$out/$1.tgz" -C "$work" --exclude='*.safetensors' --exclude='*.npz' \
    --exclude=checkpoints "$1"
}

case $entry in
1)
  cores=$(nproc) share=$(($(nproc) > 5 ? $(nproc) / 5 : 1)) parts=()
  for part in 0 1 2 3 4; do # Small steps leave most of a GPU idle, so five run at once.
    first=$((part * share % cores)) # Each has its own cores, since waiting threads spin.
    taskset -c $first-$((first + share - 1)) "$python" -m benchmarks gpu recipes \
      "$data" "$out" --known "$work/recipes" --part $part --parts 5 ${dry:+--dry-run} &
    parts+=($!)
  done
  for part in "${parts[@]}"; do try wait "$part"; done
  ;;
2)
  try "$python" -m benchmarks gpu speed "$data" "$out" "$work/speed" ${dry:+--dry-run}
  ;;
3)
  try "$python" -m benchmarks gpu race "$PEERS" "$data" "$out" --target "${TARGET:-0.94}" \
    --runs "${RUNS:-10}" ${dry:+--dry-run}
  ;;
4)
  try smallvision train cifar10 benchmarks/recipes/best.toml --data-dir "$data" \
    --out "$work/best" --resume \
    ${dry:+--set model.depth=10 --set model.width=1 --set epochs=1} \
    ${FINAL:+--refit --evaluate} ${EXTRA:-} --json
  pack best
  ;;
5)
  scale=(--preset full --set epochs=30 --seeds 3)
  scale+=(--repeat wrn-cutmix,wrn-se-cutmix,wrn-se-cutmix-mish,speednet)
  if [ -n "$dry" ]; then scale=(--preset quick --set epochs=1); fi
  try smallvision study cifar10 "${scale[@]}" --data-dir "$data" --out "$work/full" --resume \
    ${EXTRA:-} --json
  pack full
  ;;
6)
  try smallvision distill "$work/full/runs/snapshot-ensemble" benchmarks/recipes/pretrained.toml \
    --set epochs=$([ -n "$dry" ] && echo 1 || echo 100) --set 'augment=["flip","crop","cutout"]' \
    --data-dir "$data" --out "$work/student" --resume ${EXTRA:-} --json
  [ -z "${FINAL:-}" ] || try smallvision evaluate "$work/student" cifar10 --data-dir "$data"
  pack student
  cp "$work"/student/model/* "$out"
  ;;
*)
  echo "entry is 1 to 6, not $entry" >&2
  exit 2
  ;;
esac
exit $code
