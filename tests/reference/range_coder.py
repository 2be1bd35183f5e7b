"""The range decoder, its models and their mixing (FORMAT.md, "Range coder", "Models", "Mixing")."""

from damage import Damage

ZEROS_PAST_END = 5

SQUASH = (
    1, 2, 4, 6, 10, 17, 27, 45, 74, 120, 194, 311, 488, 747, 1102, 1546, 2048,
    2550, 2994, 3349, 3608, 3785, 3902, 3976, 4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095,
)  # fmt: skip


class RangeDecoder:
    """Decodes bits from a section whose first byte is at `offset` of the packed file."""

    def __init__(self, section, offset):
        self.section = section + bytes(ZEROS_PAST_END)
        self.offset = offset
        self.range = 2**32 - 1
        self.code = int.from_bytes(self.section[:4], "big")
        self.at = 4

    def damage(self, what):
        """A Damage at about the byte being read."""
        return Damage(self.offset + min(self.at, len(self.section) - ZEROS_PAST_END), what)

    def bit(self, p):
        """A bit that is 0 with probability p / 65536."""
        bound = (self.range >> 16) * p
        if self.code < bound:
            self.range = bound
            bit = 0
        else:
            self.code -= bound
            self.range -= bound
            bit = 1
        self.normalise()
        return bit

    def direct(self, count):
        """`count` even bits, highest first, sixteen at a time."""
        value = 0
        while count:
            now = min(count, 16)
            count -= now
            self.range >>= now
            part = min(self.code // self.range, 2**now - 1)
            self.code -= part * self.range
            self.normalise()
            value = value << now | part
        return value

    def normalise(self):
        while self.range < 2**24:
            if self.at == len(self.section):
                raise self.damage("the side section is too short for what it tells")
            self.code = (self.code << 8 | self.section[self.at]) & 2**32 - 1
            self.range <<= 8
            self.at += 1


class Bit:
    """An adaptive bit."""

    def __init__(self):
        self.p = 32768
        self.seen = 0

    def decode(self, coder):
        bit = coder.bit(self.p)
        self.learn(bit)
        return bit

    def learn(self, bit):
        target = 0 if bit else 65536
        self.p += (target - self.p) * (2**17 // (2 * self.seen + 3)) >> 16
        self.p = min(max(self.p, 32), 65504)
        self.seen = min(self.seen + 1, 126)


class Tree:
    """2^depth leaves."""

    def __init__(self, depth):
        self.depth = depth
        self.nodes = [Bit() for _ in range(2**depth)]

    def decode(self, coder):
        return self.decode_levels(coder, self.depth)

    def decode_levels(self, coder, levels):
        node = 1
        for _ in range(levels):
            node = 2 * node + self.nodes[node].decode(coder)
        return node - 2**levels


class UInt:
    """An integer of up to 64 bits: its length, its top bits, the rest."""

    def __init__(self):
        self.length = Tree(7)
        self.top = {}

    def decode(self, coder):
        length = min(self.length.decode(coder), 64)
        if length <= 1:
            return length
        below = length - 1
        levels = min(below, 3)
        if length not in self.top:
            self.top[length] = Tree(3)
        top = self.top[length].decode_levels(coder, levels)
        rest = coder.direct(below - levels)
        return 2**levels + top << below - levels | rest


class Delta:
    """A signed integer that is not 0."""

    def __init__(self):
        self.sign = Bit()
        self.magnitude = UInt()

    def decode(self, coder):
        negative = self.sign.decode(coder)
        magnitude = (self.magnitude.decode(coder) & 2**62 - 1) + 1
        return -magnitude if negative else magnitude


def clamp(x, low, high):
    return min(max(x, low), high)


def squash(x):
    y = clamp(x, -2047, 2047) + 2048
    i, w = y >> 7, y & 127
    return SQUASH[i] * (128 - w) + SQUASH[i + 1] * w + 64 >> 7


def stretch_table():
    """For each q in 0..4096 the smallest x with squash(x) >= q, or 2047."""
    table, x = [], -2047
    for q in range(4096):
        while x < 2047 and squash(x) < q:
            x += 1
        table.append(x)
    return table


STRETCH = stretch_table()


class Mixer:
    """One probability from three Bits, by weights that learn."""

    def __init__(self):
        self.weights = [26214] * 3

    def decode(self, coder, bits):
        inputs = [STRETCH[min(65536 - b.p >> 4, 4095)] for b in bits]
        dot = sum(x * w for x, w in zip(inputs, self.weights)) >> 16
        one = squash(dot)
        bit = coder.bit(clamp((4096 - one) * 16, 16, 65520))
        error = (4096 * bit - one) * 6
        self.weights = [
            clamp(w + (x * error + 8192 >> 14), -524288, 524288) for x, w in zip(inputs, self.weights)
        ]
        for b in bits:
            b.learn(bit)
        return bit
