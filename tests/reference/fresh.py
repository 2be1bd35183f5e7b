#!/usr/bin/env python3
"""Packs 1,000 small inputs made from a seed and decodes each: fresh.py SEED PACKER ARGUMENT...

All inputs are packed by one run: their names are appended to the arguments, and NAME becomes NAME.np.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile

from damage import Damage
from inputs import complement, flipped, noise, records, text, unknown
from np_decode import decode

COUNT = 1000


def piece(pick, salt):
    """A stretch of something."""
    size = pick.randrange(1, 900)
    kind = pick.randrange(8)
    if kind == 0:
        return text(size, salt)
    if kind == 1:
        return bytes([pick.randrange(256)]) * size
    if kind == 2:
        return unknown(size, salt)
    if kind == 3:
        step, start, bits = pick.choice([0, 1, 3, -2]), pick.randrange(100, 60_000), pick.choice([16, 64])
        return records([start + step * i for i in range(size // 40)], bits)
    key = pick.choice([pick.randrange(1 << 16), pick.randrange(1 << 32), [pick.randrange(1 << 32), 7]])
    made = noise(key, 2 * size, pick.choice([0, 0, pick.randrange(5_000)]))
    made = flipped(made, pick.choice([0, 0, 0.1, 1, 4]), salt)
    return complement(made) if pick.randrange(5) == 0 else made


def main():
    pick = random.Random(int(sys.argv[1]))
    failed = grew = 0
    with tempfile.TemporaryDirectory() as folder:
        contents = {}
        for i in range(COUNT):
            content = b"".join(piece(pick, 1000 * i + j) for j in range(pick.randrange(4)))
            contents[f"{i}.in"] = content
            pathlib.Path(folder, f"{i}.in").write_bytes(content)
        packer = os.path.abspath(sys.argv[2])
        subprocess.run([packer, *sys.argv[3:], *contents], check=True, cwd=folder)
        for name, content in contents.items():
            packed = pathlib.Path(folder, f"{name}.np").read_bytes()
            grew += len(packed) >= len(content)
            try:
                verdict = "" if decode(packed) == content else "other content"
            except Damage as damage:
                verdict = str(damage)
            if verdict:
                failed += 1
                print(f"{name}, {len(content)} bytes: {verdict}")
    print(f"{COUNT - failed} of {COUNT} fresh files decoded, {COUNT - grew} of them smaller than their input")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
