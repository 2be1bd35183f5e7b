#!/usr/bin/env python3
"""The golden files: the good ones decode to what their list says, the bad ones are refused."""

import pathlib
import sys

from damage import Damage
from np_decode import decode
from xxh64 import xxh64

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def lines(kind):
    """(packed file, rest of its line) of each file of a kind."""
    for line in (GOLDEN / f"{kind}.tsv").read_text().splitlines():
        name, *rest = line.split("\t")
        yield name, (GOLDEN / kind / f"{name}.np").read_bytes(), rest


def main():
    failed = good = bad = 0
    for name, packed, (size, digest) in lines("good"):
        good += 1
        try:
            content = decode(packed)
            if (len(content), f"{xxh64(content):016x}") != (int(size), digest):
                failed += 1
                print(f"{name}: other content")
        except Damage as damage:
            failed += 1
            print(f"{name}: {damage}")
    for name, packed, (error,) in lines("bad"):
        bad += 1
        try:
            decode(packed)
            failed += 1
            print(f"{name}: decoded, but np-core says {error}")
        except Damage:
            pass
    print(f"{good} good and {bad} bad golden files, {failed} failed")
    sys.exit(1 if failed or not good or not bad else 0)


if __name__ == "__main__":
    main()
