#!/usr/bin/env python3
"""The size figures of docs/BENCHMARKS.md: makes the inputs, packs, unpacks, compares, and prints a table.

    sizes.py NP_CLI [ARGUMENT of pack...]      needs numpy, zstd and xz
"""

import io
import math
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

import numpy as np

RNG = np.random.default_rng(20261122)


def flipped(data, share):
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    bits ^= (RNG.random(bits.size) < share).astype(np.uint8)
    return np.packbits(bits, bitorder="little").tobytes()


def records(seeds, size=64, header=0):
    """Records, each the start of a stream, behind a random header each."""
    return b"".join(RNG.bytes(header) + np.random.RandomState(int(seed)).bytes(size) for seed in seeds)


def entropy(share):
    return -(share * math.log2(share) + (1 - share) * math.log2(1 - share))


def mixed_tar(text, binary):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        parts = [("text", text), ("random", RNG.bytes(100_000)), ("stream", np.random.RandomState(77).bytes(300_000)),
                 ("zeros", bytes(50_000)), ("binary", binary[:400_000])]
        for name, data in parts:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def cases():
    """Name, content, and what is asked: ('most', bytes), ('zstd', factor) or None."""
    text = b"".join(pathlib.Path(f).read_bytes() for f in sorted(pathlib.Path("/usr/share/common-licenses").iterdir()))
    binary = pathlib.Path(sys.executable).resolve().read_bytes()
    for size in (0, 1, 63, 64, 65):
        yield f"random {size}", RNG.bytes(size), ("most", size + 24)
    for name, size in (("50 KB", 51_200), ("1 MiB", 1 << 20), ("64 MiB", 64 << 20)):
        yield f"random {name}", os.urandom(size), ("zstd", 1.0)
    yield "text (licences)", text, ("zstd", 1.005)
    yield "zeros 16 MiB", bytes(16 << 20), ("zstd", 1.005)
    yield "binary (python3)", binary, ("zstd", 1.005)
    yield "tar of mixed content", mixed_tar(text, binary), None
    count = 4096
    yield "records, seeds 1000000+3i", records(1_000_000 + 3 * i for i in range(count)), ("most", 600)
    drift = (5_000_000 + 2 * i + int(d) for i, d in enumerate(RNG.integers(-4, 5, count)))
    yield "records, seeds within 4 of a drift", records(drift), ("most", count)
    yield "records, uniform 24-bit seeds", records(RNG.integers(0, 1 << 24, count)), ("most", count * 26 // 8)
    noisy = flipped(records(RNG.integers(0, 1 << 20, count)), 0.1)
    yield "records, uniform 20-bit seeds, 10 % flips", noisy, ("most", int(count * (20 + 512 * entropy(0.1)) * 1.03 / 8))
    stride = range(500, 500 + 3 * count, 3)
    yield "records, seeds 500+3i, behind 100 bytes", RNG.bytes(100) + records(stride), ("most", 700)
    yield "records of 100 bytes, seeds 500+3i", records(stride, 100), ("most", 600)
    far = (1_000_000 + 50 * i for i in range(419_430))
    yield "records of 100 bytes, seeds 1000000+50i, 40 MB", records(far, 100), ("most", 900)
    yield "records of 32 bytes, seeds 500+3i, behind 11", RNG.bytes(11) + records(stride, 32), ("most", 611)
    random24 = RNG.integers(0, 1 << 24, count)
    yield "records of 300 bytes, headers of 20, 24-bit seeds", records(random24, 300, 20), ("most", int(count * (20 + 26 / 8)))
    size = 4 << 20
    stream = np.random.RandomState(11_259_375).bytes(size)
    yield "stream of 4 MiB", stream, ("most", 100)
    for percent in (5, 10, 20, 30, 40):
        most = int(size * entropy(percent / 100) * 1.015)
        yield f"stream of 4 MiB, {percent} % flips", flipped(stream, percent / 100), ("most", most)


def size_by(command, path):
    out = subprocess.run([*command, "-c", path], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return len(out)


def main():
    np_cli, options, only = sys.argv[1], sys.argv[2:], ""
    if options[:1] == ["--only"]:
        only, options = options[1], options[2:]
    missed = 0
    print("| input | bytes | packed | asked | zstd -19 | xz -9 | pack s | unpack s |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source, packed, again = (pathlib.Path(folder, name) for name in ("in", "in.np", "again"))
        for name, content, asked in cases():
            if only not in name:
                continue
            source.write_bytes(content)
            start = time.perf_counter()
            subprocess.run([np_cli, "pack", "-q", "-f", *options, source, "-o", packed], check=True)
            middle = time.perf_counter()
            subprocess.run([np_cli, "unpack", "-q", "-f", packed, "-o", again], check=True)
            end = time.perf_counter()
            subprocess.run([np_cli, "verify", "-q", packed], check=True)
            assert again.read_bytes() == content, f"{name}: the round trip is not exact"
            size, zstd = packed.stat().st_size, size_by(["zstd", "-19"], source)
            xz = size_by(['xz', '-9'], source) if len(content) < 32 << 20 else ''
            limit = {None: None, "most": asked and asked[1], "zstd": asked and int(zstd * asked[1])}[asked and asked[0]]
            promise = len(content) + 24 + len(content) // 65536
            ok = size <= promise and (limit is None or size <= limit)
            missed += not ok
            wanted = ("" if limit is None else f"<= {limit}") + ("" if ok else " MISSED")
            print(f"| {name} | {len(content)} | {size} | {wanted} | {zstd} | {xz} "
                  f"| {middle - start:.2f} | {end - middle:.2f} |", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
