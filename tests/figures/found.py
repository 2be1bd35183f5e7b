#!/usr/bin/env python3
"""The finding figures of docs/BENCHMARKS.md: streams from real generators, what `mine` says of them, and their packed size.

    found.py NP_CLI [--only TEXT] [ARGUMENT of pack and mine...]

Needs numpy, zstandard, a C++ compiler, mke2fs, mkfs.fat and mcopy. --only leaves out inputs without TEXT in their name.
45 % flips are asked for from level 7 on, which mines starts with longer masks.
"""

import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile
import time

import numpy as np
import zstandard

RNG = np.random.default_rng(20261122)
CPP = "#include <random>\n#include <cstdio>\nint main(){std::mt19937 g(123456789);for(int i=0;i<1<<18;i++){unsigned x=g();fwrite(&x,4,1,stdout);}}"


def flipped(data, share):
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    bits ^= (RNG.random(bits.size) < share).astype(np.uint8)
    return np.packbits(bits, bitorder="little").tobytes()


def cpp(folder):
    (folder / "g.cpp").write_text(CPP)
    subprocess.run(["c++", "-O1", folder / "g.cpp", "-o", folder / "g"], check=True)
    return subprocess.run([folder / "g"], check=True, stdout=subprocess.PIPE).stdout


def images(folder):
    """Archives and file systems that hold streams between text and true randomness: name, content, keys, most."""
    streams = {
        "numpy.bin": (np.random.RandomState(4_000_000_007).bytes(1_000_001), [4_000_000_007]),
        "python.bin": (random.Random(1_234_567_891).randbytes(700_000), [1_234_567_891]),
        "short.bin": (np.random.RandomState(31_337).bytes(5_000), [31_337]),
    }
    text = b"".join(b"%d bottles of beer on the wall, %d bottles of beer\n" % (i, i) for i in range(5000))
    files = {
        "1-readme.txt": text,
        "2-numpy.bin": streams["numpy.bin"][0],
        "3-random.bin": RNG.bytes(800_000),
        "4-python.bin": streams["python.bin"][0],
        "5-short.bin": streams["short.bin"][0],
        "6-notes.txt": text[::-1],
    }
    source = folder / "files"
    source.mkdir()
    for name, content in files.items():
        (source / name).write_bytes(content)

    tar, ext4, fat = folder / "tar", folder / "ext4", folder / "fat"
    with tarfile.open(tar, "w") as archive:
        for name in files:
            archive.add(source / name, name)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", source, ext4, "16M"], **quiet)
    subprocess.run(["mkfs.fat", "-C", fat, "16384"], **quiet)
    subprocess.run(["mcopy", "-i", fat, *sorted(source.iterdir()), "::"], **quiet)
    for image in (tar, ext4, fat):
        content = image.read_bytes()
        # What is left without the streams, by zstd, and 100 bytes a stream.
        rest = content
        for data, _ in streams.values():
            for at in range(0, len(data), 4096):
                piece = data[at : at + 4096]
                rest = rest.replace(piece, b"")
        most = len(zstandard.compress(rest, 19)) + 100 * len(streams)
        yield f"{image.name} of text, streams and randomness", content, [w for _, ws in streams.values() for w in ws], most


def cases(folder, deep):
    """Name, content, the key's words (None: any state), the most the stream may cost in bytes."""
    stream = np.random.RandomState(3_000_000_019).bytes(4 << 20)
    yield "RandomState(s).bytes, 4 MiB", stream, [3_000_000_019], 100
    yield "the same from byte 1,000,003", stream[1_000_003:], [3_000_000_019], 100
    yield "Random(31-bit).randbytes, 1 MiB", random.Random(2_000_000_011).randbytes(1 << 20), [2_000_000_011], 100
    wide = 0x0DEF_1234_5678_9ABC
    yield "Random(60-bit).randbytes, 1 MiB", random.Random(wide).randbytes(1 << 20), [wide & 0xFFFFFFFF, wide >> 32], 100
    own = random.Random()
    own.randbytes(40_000_000)
    yield "Random(), after 10,000,000 draws", own.randbytes(1 << 20), None, 2700
    npy = io.BytesIO()
    np.save(npy, np.random.RandomState(77).randint(0, 1 << 32, 1 << 18, dtype=np.uint32))
    yield ".npy of uint32 draws", npy.getvalue(), [77], 300
    yield "C++ std::mt19937, raw words", cpp(folder), [123_456_789], 100
    yield from images(folder)
    for percent in (1, 2, 5, 10, 20, 30, 40, 45) if deep else (1, 2, 5, 10, 20, 30, 40):
        clean = np.random.RandomState(9_000_011).bytes(256 << 10)
        noisy = flipped(clean, percent / 100)
        # The share of bits that really are flipped: chance moves it by up to 2 % of itself.
        share = int.bit_count(int.from_bytes(clean) ^ int.from_bytes(noisy)) / (8 * len(clean))
        entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share))
        yield f"RandomState(24-bit), 256 KiB, {percent} % flips", noisy, [9_000_011], int(entropy * (256 << 10) * 1.01)


def main():
    np_cli, options, only = sys.argv[1], sys.argv[2:], ""
    if options[:1] == ["--only"]:
        only, options = options[1], options[2:]
    missed = 0
    print("| input | bytes | key found | packed | at most | mine s | pack s |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, content, words, most in cases(folder, bool({"-7", "-8", "-9"} & set(options))):
            if only not in name:
                continue
            source, packed = folder / "in", folder / "in.np"
            source.write_bytes(content)
            start = time.perf_counter()
            out = subprocess.run([np_cli, "mine", "-q", "--json", *options, source], check=True, stdout=subprocess.PIPE).stdout
            seconds = time.perf_counter() - start
            runs = json.loads(out)["runs"]
            start = time.perf_counter()
            subprocess.run([np_cli, "pack", "-q", "-f", *options, source, "-o", packed], check=True)
            packing = time.perf_counter() - start
            subprocess.run([np_cli, "verify", "-q", packed], check=True)
            text = json.dumps(runs)
            right = bool(runs) and (words is None or all(str(word) in text for word in words))
            size = packed.stat().st_size
            missed += not right or size > most
            key = "state" if words is None else " ".join(map(str, words))
            verdict = key if right else "NOT FOUND"
            print(f"| {name} | {len(content)} | {verdict} | {size} | {most}{'' if size <= most else ' MISSED'} | {seconds:.2f} | {packing:.2f} |", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
