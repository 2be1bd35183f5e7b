#!/usr/bin/env python3
"""Bits a record for seeds and bitmap, as the learned experts code them, beside a plain prefix-free delta code.

    predict.py NP_CLI [ARGUMENT of pack...]      needs numpy
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

COUNT = 4096
RNG = np.random.default_rng(7)


def plain_delta_bits(seeds):
    """Elias gamma of the zigzag delta plus one: the proof of concept's idea, made prefix-free."""
    zigzag = [2 * abs(d) - (d < 0) for d in np.diff([0, *seeds]).tolist()]
    return sum(2 * (z + 1).bit_length() - 1 for z in zigzag)


def cases():
    counter = np.arange(COUNT)
    yield "constant stride", 1_000_000 + 3 * counter
    yield "drifting, within 4", 5_000_000 + 2 * counter + RNG.integers(-4, 5, COUNT)
    yield "alternating of two counters", np.where(counter % 2, 9_000_000 + 5 * counter, 2_000_000 + 3 * counter)
    yield "quadratic", 1_000_000 + counter * (counter + 1) // 2
    yield "random, 24 bits", RNG.integers(0, 1 << 24, COUNT)


def main():
    np_cli, options = sys.argv[1], sys.argv[2:]
    print("| seeds | experts, bits a record | plain delta code, bits a record |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source, packed = pathlib.Path(folder, "in"), pathlib.Path(folder, "in.np")
        for name, seeds in cases():
            source.write_bytes(b"".join(np.random.RandomState(int(s)).bytes(64) for s in seeds))
            subprocess.run([np_cli, "pack", "-q", "-f", *options, source, "-o", packed], check=True)
            info = json.loads(subprocess.run([np_cli, "info", "--json", packed], check=True, stdout=subprocess.PIPE).stdout)
            rows = [row for segment in info["segments"] for row in segment["ledger_bits"]]
            # How many blocks are told alike is in the bitmap, with the flags.
            bits = sum(row["bits"] for row in rows if row["heading"] in ("seeds", "bitmap"))
            print(f"| {name} | {bits / COUNT:.3f} | {plain_delta_bits(seeds.tolist()) / COUNT:.3f} |", flush=True)


if __name__ == "__main__":
    main()
