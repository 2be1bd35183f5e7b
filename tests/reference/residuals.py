"""Residuals of the pieces: sparse and dense, range coded or rANS (FORMAT.md, "Bias classes" to "rANS section")."""

from damage import Damage
from range_coder import UInt

EXACT, SPARSE, FIRST_DENSE = 0, 1, 2
STATES = 8

CHANCE_OF_ONE = (
    31676, 30587, 29502, 28425, 27357, 26300, 25258, 24231, 23222, 22233, 21264, 20318, 19395, 18497,
    17625, 16780, 15961, 15170, 14407, 13671, 12964, 12285, 11633, 11009, 10412, 9841, 9296, 8777,
    8283, 7812, 7365, 6940, 6537, 6155, 5793, 5451, 5127, 4820, 4531, 4258, 4000, 3757,
    3528, 3312, 3108, 2917, 2736, 2567, 2407, 2257, 2117, 1984, 1860, 1743, 1633, 1531,
    1434, 1343, 1258, 1179, 1104, 1034,
)  # fmt: skip


class SparseDecoder:
    """Residuals told by the places of their ones; its two models are the segment's."""

    def __init__(self, coder):
        self.coder = coder
        self.count = UInt()
        self.zeros = UInt()

    def residual(self, length):
        out = bytearray(length)
        ones = self.count.decode(self.coder)
        if ones > 8 * length:
            raise self.coder.damage(f"{ones} ones in a piece of {length} bytes")
        place = -1
        for _ in range(ones):
            place += self.zeros.decode(self.coder) + 1
            if place >= 8 * length:
                raise self.coder.damage("a one past the end of its piece")
            out[place >> 3] |= 1 << (place & 7)
        return out


def dense_from_side(coder, length, bias):
    """A dense residual from the side section, bit by bit."""
    p = 65536 - CHANCE_OF_ONE[bias - FIRST_DENSE]
    out = bytearray(length)
    for i in range(length):
        byte = 0
        for place in range(8):
            byte |= coder.bit(p) << place
        out[i] = byte
    return out


def nibble_table(bias):
    """For each slot in 0..4096: its nibble, the nibble's frequency, and slot - start."""
    p = CHANCE_OF_ONE[bias - FIRST_DENSE]
    frequency = [0] * 16
    for nibble in range(15, 0, -1):
        k = nibble.bit_count()
        frequency[nibble] = max(1, p**k * (65536 - p) ** (4 - k) + 2**51 >> 52)
    frequency[0] = 4096 - sum(frequency)
    return [(nibble, f, i) for nibble, f in enumerate(frequency) for i in range(f)]


class RansDecoder:
    """The rANS section, whose first byte is at `offset` of the packed file."""

    def __init__(self, section, offset):
        if len(section) < 8 * STATES or len(section) % 4:
            raise Damage(offset, f"a rANS section of {len(section)} bytes")
        self.offset = offset
        self.states = [int.from_bytes(section[8 * i : 8 * i + 8], "little") for i in range(STATES)]
        if min(self.states) < 2**32:
            raise Damage(offset, "a rANS state below 2^32 at first")
        self.section = section
        self.at = 8 * STATES
        self.tables = {}

    def residual(self, length, bias):
        """A dense residual of `length` bytes."""
        if bias not in self.tables:
            self.tables[bias] = nibble_table(bias)
        table, states, section, at = self.tables[bias], self.states, self.section, self.at
        out = bytearray(length)
        for j in range(length):
            x = states[j & 7]
            low, frequency, into = table[x & 4095]
            x = frequency * (x >> 12) + into
            high, frequency, into = table[x & 4095]
            x = frequency * (x >> 12) + into
            if x < 2**32:
                if at == len(section):
                    raise Damage(self.offset + at, "the rANS section is too short")
                x = x << 32 | int.from_bytes(section[at : at + 4], "little")
                at += 4
            states[j & 7] = x
            out[j] = low | high << 4
        self.at = at
        return out

    def finish(self):
        if self.at != len(self.section):
            raise Damage(self.offset + self.at, "words left over in the rANS section")
        if any(x != 2**32 for x in self.states):
            raise Damage(self.offset + self.at, "a rANS state is not 2^32 at the end")
