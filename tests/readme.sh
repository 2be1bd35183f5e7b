#!/usr/bin/env bash
# Runs what README.md shows, as a user would, in a folder of its own; each output is checked.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf 'plain text, again and again\n%.0s' $(seq 1000) >"$work/FILE"
cargo run --quiet --release -- pack "$work/FILE"
test -s "$work/FILE.np" && test -s "$work/FILE"

cd "$work"
np() { "$root/target/release/np-cli" "$@"; }
python3 -c 'import random; open("noise.bin", "wb").write(random.Random(42).randbytes(1 << 20))'
np pack noise.bin
test "$(stat -c %s noise.bin.np)" -le 33
np info noise.bin.np | grep -q '42 (0x0000002a)'
np info --json noise.bin.np | python3 -c 'import json, sys; json.load(sys.stdin)'
np unpack noise.bin.np -o again.bin
cmp noise.bin again.bin
np verify noise.bin.np FILE.np
np mine noise.bin | grep -q '42 (0x0000002a)'
np mine --json noise.bin | python3 -c 'import json, sys; json.load(sys.stdin)'
np bench | grep -q '14 bytes larger'
np bench --trials 2 -1 | grep -q 'np-cli found no generator in any trial'
np report -1 noise.bin -o page.html
grep -q '42 (0x0000002a)' page.html
np devices >/dev/null
np selftest
np completions bash >/dev/null
np man >/dev/null
np pack -c --backend cpu noise.bin >cpu.np
if np devices | grep -q llvmpipe; then
  np pack -c -2 --backend cpu FILE.np >small-cpu.np
  np pack -c -2 --backend gpu --device llvmpipe FILE.np >small-gpu.np
  cmp small-cpu.np small-gpu.np
  cd "$root"
  cargo xtask bench-shaders --quick --device llvmpipe
fi
echo "README's commands: ok"
