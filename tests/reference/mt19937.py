"""MT19937, its three seedings and its stream (FORMAT.md, "Generators").

The 624 state words are the 32-bit lanes of one large integer, lowest word in the lowest lane: a twist is then
a few operations on long integers instead of 624 turns of a loop.
"""

N, M = 624, 397
WORD = 0xFFFFFFFF
TWIST_BYTES = 4 * N


def lanes(word, count):
    """`word` in each of `count` lanes."""
    return int.from_bytes(word.to_bytes(4, "little") * count, "little")


def seed_words(seed):
    """genrand(seed): 624 state words."""
    x = [seed]
    for i in range(1, N):
        seed = (1812433253 * (seed ^ seed >> 30) + i) & WORD
        x.append(seed)
    return x


def array_words(key):
    """by_array(key): 624 state words."""
    x = seed_words(19650218)
    i, j = 1, 0
    for _ in range(max(N, len(key))):
        x[i] = ((x[i] ^ (x[i - 1] ^ x[i - 1] >> 30) * 1664525) + key[j] + j) & WORD
        i, j = i + 1, j + 1
        if i == N:
            x[0], i = x[N - 1], 1
        if j == len(key):
            j = 0
    for _ in range(N - 1):
        x[i] = ((x[i] ^ (x[i - 1] ^ x[i - 1] >> 30) * 1566083941) - i) & WORD
        i += 1
        if i == N:
            x[0], i = x[N - 1], 1
    x[0] = 0x80000000
    return x


# A twist makes words in steps of at most N - M, as many as there are before it needs one of its own.
STEP = N - M
HIGH, LOW = lanes(0x80000000, STEP), lanes(0x7FFFFFFF, STEP)
ODD, STEP_ALL = lanes(1, STEP), lanes(WORD, STEP)
# Tempering: what a shift moves in from the neighbouring lane is masked off.
T11, T7 = lanes(WORD >> 11, N), lanes(0x9D2C5680, N)
T15, T18 = lanes(0xEFC60000, N), lanes(WORD >> 18, N)


def twist(x):
    """The 624 words that follow the 624 words x."""
    made = 0
    while made < N:
        # Lane 0 of x is word `made`; the words made so far follow the old ones.
        count = min(STEP, N - made)
        y = x & HIGH | x >> 32 & LOW
        new = x >> 32 * M & STEP_ALL ^ y >> 1 & LOW ^ (y & ODD) * 0x9908B0DF
        new &= (1 << 32 * count) - 1
        x = x >> 32 * count | new << 32 * (N - count)
        made += count
    return x


def temper(y):
    y ^= y >> 11 & T11
    y ^= y << 7 & T7
    y ^= y << 15 & T15
    return y ^ y >> 18 & T18


class Stream:
    """The stream of a key as bytes; `position` is that of the next byte."""

    def __init__(self, state_words):
        self.state = int.from_bytes(b"".join(w.to_bytes(4, "little") for w in state_words), "little")
        self.position = 0
        self.twists = 0

    def read(self, count):
        """The next `count` bytes."""
        start = self.position % TWIST_BYTES
        self._twist_to(self.position // TWIST_BYTES + 1)
        out = [self.tempered]
        have = TWIST_BYTES - start
        while have < count:
            self._twist_to(self.twists + 1)
            out.append(self.tempered)
            have += TWIST_BYTES
        self.position += count
        return b"".join(out)[start : start + count]

    def skip_to(self, position):
        """Goes on at `position`, not before the present one."""
        assert position >= self.position
        self.position = position

    def _twist_to(self, twists):
        if self.twists < twists:
            while self.twists < twists:
                self.state = twist(self.state)
                self.twists += 1
            self.tempered = temper(self.state).to_bytes(TWIST_BYTES, "little")
