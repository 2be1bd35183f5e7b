"""Inputs that lead a packer through every part of the format: name, bytes, block bits, segment bytes.

The generators behind them are NumPy's: RandomState(seed) is a genrand key, RandomState([words]) a by_array key,
the middle of a stream a state key. All is derived from fixed seeds.
"""

import random

import numpy as np

SEGMENT = 2**25


def noise(seed, count, start=0):
    """Bytes start..start + count of a stream: seed is an int (genrand) or a list (by_array)."""
    return np.random.RandomState(seed).bytes(start + count)[start:]


def flipped(data, percent, salt=0):
    """data with each bit flipped with a chance of `percent` %."""
    ones = np.random.default_rng(salt).random(8 * len(data)) < percent / 100
    return bytes(np.frombuffer(data, np.uint8) ^ np.packbits(ones))


def complement(data):
    return bytes(np.frombuffer(data, np.uint8) ^ 0xFF)


def unknown(count, salt=0):
    """Noise no packer finds a generator for."""
    return np.random.default_rng([salt, 77]).bytes(count)


def text(count, salt=0):
    words = "packer noise seed block stream segment mask weight of the a is and run gap".split()
    pick = random.Random(salt)
    return " ".join(pick.choice(words) for _ in range(count // 3)).encode()[:count]


def records(seeds, size):
    return b"".join(noise(int(seed), size) for seed in seeds)


def seed_walks(count):
    """Sequences of seeds by the way they go on."""
    pick = random.Random(5)
    drift, at = [], 5000
    for _ in range(count):
        at += pick.choice([-7, -2, 1, 1, 3, 9])
        drift.append(at)
    ten_twenty = [1000 + 10 * (i // 2) if i % 2 == 0 else 90000 - 20 * (i // 2) for i in range(count)]
    return {
        "same": [77] * count,
        "stride": [100 + 3 * i for i in range(count)],
        "stride_down": [9000 - 5 * i for i in range(count)],
        "squares": [50 + i * i for i in range(count)],
        "drift": drift,
        "random": [pick.randrange(1 << 16) for _ in range(count)],
        "alternate": [11 if i % 2 else 3000 for i in range(count)],
        "alternate_stride": ten_twenty,
        "alternate_drift": [d + 40000 * (i % 2) for i, d in enumerate(drift)],
        "near_zero": [abs(6 - i % 13) for i in range(count)],
        "breaks": [100 + 3 * i if i % 16 else pick.randrange(1 << 16) for i in range(count)],
    }


def cases():
    """Yields (name, content, block bits, segment bytes)."""

    def case(name, content, bits=512, segment=SEGMENT):
        return name, content, bits, segment

    # Nothing to find.
    yield case("empty", b"")
    for size in (1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 100):
        yield case(f"tiny_{size}", text(size, size))
        yield case(f"tiny_noise_{size}", unknown(size, size))
    yield case("text", text(200_000))
    yield case("text_segments", text(50_000), segment=9_999)
    yield case("zeros", bytes(1_000_000))
    yield case("unknown", unknown(100_000))
    yield case("unknown_segments", unknown(10_000), segment=1_100)
    yield case("archive", text(5_000) + bytes(512) + unknown(7_777) + text(3_000, 1) + bytes(9_000))

    # Runs.
    for size in (64, 200, 1_000, 2_500, 100_003):
        yield case(f"run_{size}", noise(12, size))
    yield case("run_cut", noise(12, 60_000, start=12_345))
    yield case("run_far", noise(13, 30_000, start=9_000_000))
    yield case("run_large_seed", noise(4_000_000_007, 20_000))
    yield case("run_array", noise([1, 2, 3], 20_000))
    yield case("run_array_cut", noise([9] * 700, 20_000, start=4_321))
    for percent in (0.1, 1, 2, 5, 10, 20, 30):
        for size in (6_000, 40_000):
            content = flipped(noise(21, size), percent, size)
            yield case(f"run_flips_{percent}_{size}", content)
            yield case(f"run_complement_flips_{percent}_{size}", complement(content))
    yield case("run_complement", complement(noise(3, 5_000)))
    yield case(
        "run_among",
        text(3_001) + noise(5, 20_000) + bytes(1_234) + flipped(noise(6, 9_000, 2_000), 1) + text(777, 3),
    )
    two = noise(8, 40_000)
    yield case("run_goes_on", two[:15_000] + text(1_111) + two[15_000:])
    yield case("run_skips_gap", two[:15_000] + text(1_111) + two[16_111:])
    yield case("run_repeats", two[:15_000] + text(100) + two[:15_000] + text(101) + two[20_000:])
    yield case("run_interleaved", b"".join(noise(30 + i % 3, 3_000, i // 3 * 3_000) + text(50 + i) for i in range(12)))
    yield case("run_many_keys", b"".join(noise(200 + i, 1_500) + text(40, i) for i in range(80)))
    yield case("run_crosses", text(700) + noise(40, 50_000) + text(900), segment=10_000)
    yield case("run_crosses_flips", text(700) + flipped(noise(41, 50_000), 2) + text(900), segment=10_000)
    yield case("run_crosses_30", flipped(noise(42, 60_000), 30), segment=20_000)
    yield case("run_crosses_state", text(500) + noise([4, 5], 40_000, 999), segment=7_000)

    # Blocks.
    for name, seeds in seed_walks(300).items():
        yield case(f"records_{name}", records(seeds, 64))
        yield case(f"records_{name}_flips", flipped(records(seeds, 64), 2))
    stride = [100 + 3 * i for i in range(200)]
    for percent in (0.1, 1, 5, 10):
        yield case(f"records_flips_{percent}", flipped(records(stride, 64), percent))
    yield case("records_complement", complement(records(stride, 64)))
    yield case("records_192", records(stride, 192))
    yield case("records_192_flips", flipped(records(stride, 192), 1))
    yield case("records_192_gappy", b"".join(noise(s, 192)[:64] + bytes(64) + noise(s, 192)[128:] for s in stride))
    yield case("records_mixed", b"".join(records([s], 64) if s % 4 else text(64, s) for s in stride))
    yield case("records_tail", records(stride, 64) + text(37))
    for bits in (128, 160, 256, 1024, 4096, 32768):
        yield case(f"records_bits_{bits}", flipped(records(range(60), bits // 8), 0.5), bits=bits)
    yield case("records_segments", flipped(records(stride, 64), 1), segment=64 * 33)
    yield case("records_segments_askew", records(stride, 64), segment=64 * 20 + 7)
    yield case("records_and_runs", records(stride, 64) + noise(9, 20_000) + records(stride, 64) + text(500))
    yield case(
        "everything",
        text(640)
        + flipped(noise(17, 30_000), 5)
        + records(stride, 64)
        + flipped(records(range(500, 900, 7), 64), 3)
        + complement(noise(18, 12_001))
        + unknown(2_000)
        + bytes(3_000),
        segment=25_000,
    )
    yield case("dense_large", flipped(noise(19, 300_000), 10))
