#!/usr/bin/env bash
# The reference decoder against its known answers, and against what np-cli packs of inputs.py's inputs.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
if ! python3 -c 'import numpy, zstandard' 2>/dev/null; then
  python3 -m pip install --quiet --target "$packages" numpy zstandard
  export PYTHONPATH=$packages
fi
python3 -m unittest discover -s tests/reference
python3 tests/reference/golden.py
cargo build --quiet --release
python3 tests/reference/roundtrip.py target/release/np-cli pack -q -f -3 --backend cpu \
  --block-bits '{bits}' --segment-size '{segment}' '{in}' -o '{out}'
python3 tests/reference/fresh.py 1 target/release/np-cli pack -q -2 --backend cpu
