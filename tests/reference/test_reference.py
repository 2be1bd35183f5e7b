"""The reference decoder on its own: known answers from outside, FORMAT.md's examples, and damage to each of their bytes.

Needs no packer: python3 -m unittest discover -s tests/reference
"""

import pathlib
import random
import re
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from damage import Damage
from mt19937 import Stream, array_words, seed_words
from np_decode import decode
from xxh64 import xxh64

FORMAT = pathlib.Path(__file__).parents[2] / "docs" / "FORMAT.md"


def examples():
    """The packed files in FORMAT.md's last section, in order."""
    section = FORMAT.read_text().split("\n## Examples\n")[1]
    return [bytes.fromhex(line) for line in re.findall(r"^    (4e 50 f7 01 .*)$", section, re.MULTILINE)]


def genrand(seed, count):
    return Stream(seed_words(seed)).read(count)


class KnownAnswers(unittest.TestCase):
    def test_xxh64(self):
        self.assertEqual(xxh64(b""), 0xEF46DB3751D8E999)
        self.assertEqual(xxh64(b"abc"), 0x44BC2CF5AD770999)

    def test_genrand(self):
        # C++ [rand.predef]: the 10,000th output of mt19937 with its default seed 5489.
        self.assertEqual(struct.unpack("<I", genrand(5489, 40_000)[-4:])[0], 4123659995)

    def test_by_array(self):
        # mt19937ar.out of the authors.
        words = struct.unpack("<3I", Stream(array_words([0x123, 0x234, 0x345, 0x456])).read(12))
        self.assertEqual(words, (1067595299, 955945823, 477289528))

    def test_state_as_cpython(self):
        peer = random.Random(2024)
        state = Stream(peer.getstate()[1][:624])
        self.assertEqual(state.read(100_003), peer.randbytes(100_004)[:-1])

    def test_skip(self):
        stream = Stream(seed_words(7))
        stream.skip_to(12_345)
        self.assertEqual(stream.read(6_000) + stream.read(1), genrand(7, 18_346)[12_345:])


class Examples(unittest.TestCase):
    def test_contents(self):
        records = bytearray(b"".join(genrand(seed, 64) for seed in range(100, 122, 3)))
        records[5] ^= 0x10
        self.assertEqual([decode(e) for e in examples()], [b"", b"hello", genrand(1, 1000), records])

    def test_damage(self):
        for packed in examples():
            for i in range(len(packed)):
                with self.assertRaises(Damage):
                    decode(packed[:i])
                for bit in range(8):
                    damaged = bytearray(packed)
                    damaged[i] ^= 1 << bit
                    with self.assertRaises(Damage):
                        decode(bytes(damaged))
            with self.assertRaises(Damage):
                decode(packed + b"\0")


if __name__ == "__main__":
    unittest.main()
