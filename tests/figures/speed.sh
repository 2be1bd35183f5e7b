#!/usr/bin/env bash
# The speed figures of docs/BENCHMARKS.md: NP_CLI and zstd side by side, each pair in one run.
#
#     speed.sh NP_CLI        needs GNU time, zstd, b3sum, and 6 GiB in TMPDIR
set -euo pipefail
np=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# seconds and peak memory of a command whose output is thrown away
timed() { command time -f '%e s, %M KB' -o t "$@" >/dev/null; cat t; }
# seconds of a command whose output goes through a pipe
piped() { command time -f '%e s' -o t bash -c '"$@" | cat' - "$@" >/dev/null; cat t; }
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
printf '| %s | %s |\n' 'unpack, through a pipe' "$(piped "$np" unpack -q -c random.np)" \
  'unpack -T1, through a pipe' "$(piped "$np" unpack -q -T1 -c random.np)" 'cat, through a pipe' "$(piped cat random)"
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

U = np.uint32
PARTS, PART = 64, 1 << 24  # 1 GiB


def first_words(seeds, words=16):
    """The first words of each seed's stream, a row each: init_genrand and the first outputs of mt19937ar.c."""
    x = seeds.astype(U)
    head, late = [x], []
    for i in range(1, 397 + words):
        x = U(1812433253) * (x ^ (x >> U(30))) + U(i)
        if i <= words:
            head.append(x)
        if i >= 397:
            late.append(x)
    rows = np.empty((len(seeds), words), U)
    for k in range(words):
        y = (head[k] & U(1 << 31)) | (head[k + 1] & U((1 << 31) - 1))
        z = late[k] ^ (y >> U(1)) ^ np.where(y & U(1), U(0x9908B0DF), U(0))
        z ^= z >> U(11)
        z ^= (z << U(7)) & U(0x9D2C5680)
        z ^= (z << U(15)) & U(0xEFC60000)
        rows[:, k] = z ^ (z >> U(18))
    return rows


count = PART // 64
with open("records", "wb") as out:
    for part in range(PARTS):
        seeds = 1000 + 3 * np.arange(part * count, (part + 1) * count)
        rows = first_words(seeds).tobytes()
        assert rows[-64:] == np.random.RandomState(int(seeds[-1])).bytes(64)
        out.write(rows)
rng, stream = np.random.default_rng(1), np.random.RandomState(1)
with open("stream", "wb") as out, open("noisy", "wb") as noisy:
    for part in range(PARTS):
        data = stream.bytes(PART)
        out.write(data)
        flips = np.packbits(rng.random(8 * PART, dtype=np.float32) < 0.1)
        noisy.write((np.frombuffer(data, np.uint8) ^ flips).tobytes())
PY
echo
echo '| 1 GiB | packed | pack -2 | unpack | unpack -T1 | unpack, through a pipe |'
echo '|---|---|---|---|---|---|'
for name in stream records noisy; do
  packing=$(timed "$np" pack -q -f -2 "$name")
  "$np" unpack -q -c "$name.np" | cmp - "$name"
  printf '| %s | %s | %s | %s | %s | %s |\n' "$name" "$(stat -c %s "$name.np")" "$packing" \
    "$(timed "$np" unpack -q -c "$name.np")" "$(timed "$np" unpack -q -T1 -c "$name.np")" "$(piped "$np" unpack -q -c "$name.np")"
done
