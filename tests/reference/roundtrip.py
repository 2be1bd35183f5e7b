#!/usr/bin/env python3
"""Packs every input with a packer and decodes it with the reference decoder.

    roundtrip.py [--match PART] PACKER ARGUMENT...

{in}, {out}, {bits} (block bits) and {segment} (bytes in a segment) are filled into the arguments.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from damage import Damage
from inputs import cases
from np_decode import decode


def main():
    parser = argparse.ArgumentParser(description="Decodes what a packer made of every input.")
    parser.add_argument("--match", default="", help="only inputs with this in their name")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for inputs and packed files")
    parser.add_argument("packer", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    failed = count = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for name, content, bits, segment in cases():
            if args.match not in name:
                continue
            source, packed = folder / f"{name}.in", folder / f"{name}.np"
            source.write_bytes(content)
            fill = {"in": source, "out": packed, "bits": bits, "segment": segment}
            subprocess.run([a.format(**fill) for a in args.packer], check=True)
            start = time.perf_counter()
            try:
                verdict = "ok" if decode(packed.read_bytes()) == content else "OTHER CONTENT"
            except Damage as damage:
                verdict = f"DAMAGE {damage}"
            seconds = time.perf_counter() - start
            count += 1
            failed += verdict != "ok"
            print(f"{name}: {len(content)} -> {packed.stat().st_size}, {seconds:.2f} s: {verdict}", flush=True)
    print(f"{count - failed} of {count} files decoded")
    sys.exit(1 if failed or not count else 0)


if __name__ == "__main__":
    main()
