#!/usr/bin/env bash
# The speed figures of docs/BENCHMARKS.md: NP_CLI and zstd side by side, each pair in one run.
#
#     speed.sh NP_CLI        needs GNU time, zstd, b3sum, and 5 GiB in TMPDIR
set -euo pipefail
np=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# seconds and peak memory of a command whose output is thrown away
timed() { command time -f '%e s, %M KB' -o t "$@" >/dev/null; cat t; }
row() { local name=$1; shift; printf '| %s | %s |\n' "$name" "$(timed "$@")"; }

echo '| 1 GiB of random bytes | time, peak memory |'
echo '|---|---|'
head -c 1G /dev/urandom >random
row 'pack -1' "$np" pack -q -1 -c random
row 'zstd -3 -T2' zstd -q -3 -T2 -c random
"$np" pack -q -1 -c random | "$np" unpack -q -c - | cmp - random
"$np" pack -q -1 random
zstd -q -3 random
row 'unpack' "$np" unpack -q -c random.np
row 'unpack -T1' "$np" unpack -q -T1 -c random.np
row 'zstd -d' zstd -q -d -c random.zst
row 'cat, for comparison' cat random
echo
echo '| looking through 1 GiB of random bytes | time, peak memory |'
echo '|---|---|'
row 'mine -1 -T1' "$np" mine -q -1 -T1 random
row 'zstd -3 -T1' zstd -q -3 --single-thread -c random
row 'b3sum, one thread' b3sum --num-threads 1 random
row 'sha256sum' sha256sum random
row 'mine -1' "$np" mine -q -1 random
row 'zstd -3 -T2' zstd -q -3 -T2 -c random
row 'b3sum' b3sum random
rm random random.np random.zst

python3 - <<'PY'
import numpy as np
rng = np.random.default_rng(1)
size = 256 << 20
stream = np.random.RandomState(1).bytes(size)
open("stream", "wb").write(stream)
noise = np.zeros(size // 4, np.uint8)
bits = (rng.random(size // 4 * 8, dtype=np.float32) < 0.1).astype(np.uint8)
noisy = np.frombuffer(stream[: size // 4], np.uint8) ^ np.packbits(bits, bitorder="little")
open("noisy", "wb").write(noisy.tobytes())
open("records", "wb").write(b"".join(np.random.RandomState(1000 + 3 * i).bytes(64) for i in range(1 << 19)))
PY
echo
echo '| unpack -T1 | bytes | packed | time, peak memory |'
echo '|---|---|---|---|'
for name in stream records noisy; do
  "$np" pack -q -2 --radius 64 "$name"
  "$np" unpack -q -T1 -c "$name.np" | cmp - "$name"
  printf '| %s | %s | %s | %s |\n' "$name" "$(stat -c %s "$name")" "$(stat -c %s "$name.np")" \
    "$(timed "$np" unpack -q -T1 -c "$name.np")"
done
