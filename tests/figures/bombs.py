#!/usr/bin/env python3
"""What it costs to refuse each bomb of tests/golden/bombs: bombs.py NP_CLI. Prints the table of docs/TRUST.md.

Time and peak memory are those of one `np-cli verify`, process and all: the best of five.
"""

import os
import pathlib
import sys
import time

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"


def measure(argv, stdin=None):
    """(seconds, peak MiB, exit code) of a run with nothing on its outputs."""
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(os.open(stdin, os.O_RDONLY) if stdin else null, 0)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(argv[0], argv)
    _, status, usage = os.wait4(pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    np_cli = sys.argv[1]
    print("| file | bytes | what it claims | refused as | time | peak memory |")
    print("|---|---:|---|---|---:|---:|")
    for line in (GOLDEN / "bombs.tsv").read_text().splitlines():
        name, error, claims = line.split("\t")
        path = GOLDEN / "bombs" / f"{name}.np"
        runs = [measure([np_cli, "verify", "-q", str(path)]) for _ in range(5)]
        assert all(code == 1 for _, _, code in runs), name
        seconds, memory, _ = min(runs)
        print(f"| {name} | {path.stat().st_size:,} | {claims} | {error} | {1000 * seconds:.0f} ms | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
