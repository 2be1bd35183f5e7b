"""Seeds of packed blocks (FORMAT.md, "Seeds")."""

from range_coder import Bit, Delta, Mixer, UInt

SAME_STREAM, DELTA, ALTERNATE_DELTA, FRESH = 0, 6, 7, 8
QUESTIONS = 8
SEEDS_NEEDED = (1, 1, 2, 3, 4, 2, 1, 2)


class Question:
    """Is it this kind? A mixer and its three sets of Bits, and whether the kind was right of late."""

    def __init__(self):
        self.mixer = Mixer()
        self.by_last = [Bit() for _ in range(9)]
        self.by_record = [Bit() for _ in range(8)]
        self.by_two = [[Bit() for _ in range(9)] for _ in range(9)]
        self.record = 0

    def ask(self, coder, last, before):
        bits = (self.by_last[last], self.by_record[self.record], self.by_two[last][before])
        return self.mixer.decode(coder, bits)

    def judge(self, right):
        self.record = (2 * self.record + right) & 7


class SeedDecoder:
    """Tells seed and stream position of each packed block in turn."""

    def __init__(self):
        self.questions = [Question() for _ in range(QUESTIONS)]
        self.delta, self.alternate_delta, self.fresh = Delta(), Delta(), UInt()
        self.seeds = []  # of blocks with stream position 0, the last first, four at most
        self.first_byte = 0  # of the block of seeds[0]
        self.last = self.before = FRESH

    def predictions(self):
        """Kind to predicted seed, for the kinds 1 to 5 that exist."""
        s1, s2, s3, s4 = (self.seeds + [0] * 4)[:4]
        told = {1: s1, 2: 2 * s1 - s2, 3: 3 * s1 - 3 * s2 + s3, 4: 2 * s2 - s4, 5: s2}
        return {
            kind: seed
            for kind, seed in told.items()
            if len(self.seeds) >= SEEDS_NEEDED[kind] and 0 <= seed < 2**32
        }

    def kind(self, coder, predictions):
        for kind, question in enumerate(self.questions):
            if len(self.seeds) < SEEDS_NEEDED[kind]:
                continue
            if 1 <= kind <= 5:
                earlier = (seed for k, seed in predictions.items() if k < kind)
                if kind not in predictions or predictions[kind] in earlier:
                    continue
            if question.ask(coder, self.last, self.before):
                return kind
        return FRESH

    def decode(self, coder, block_start):
        """(kind, seed, stream position) of the packed block whose first byte is at block_start of the segment."""
        predictions = self.predictions()
        kind = self.kind(coder, predictions)
        seed, position = self.decode_as(coder, kind, block_start)
        for k, question in enumerate(self.questions):
            if k in predictions:
                question.judge(predictions[k] == seed and position == 0)
            else:
                question.judge(k == kind)
        self.last, self.before = kind, self.last
        return kind, seed, position

    def decode_as(self, coder, kind, block_start):
        """(seed, stream position) of a block of a known kind."""
        position = 0
        if kind == SAME_STREAM:
            seed, position = self.seeds[0], block_start - self.first_byte
        elif kind == DELTA:
            seed = self.seeds[0] + self.delta.decode(coder)
        elif kind == ALTERNATE_DELTA:
            seed = self.seeds[1] + self.alternate_delta.decode(coder)
        elif kind == FRESH:
            seed = self.fresh.decode(coder)
        else:
            predictions = self.predictions()
            if kind not in predictions:
                raise coder.damage(f"kind {kind} again, but it predicts no seed")
            seed = predictions[kind]
        if not 0 <= seed < 2**32:
            raise coder.damage(f"seed {seed} is not below 2^32")
        if position == 0:
            self.seeds = [seed, *self.seeds[:3]]
            self.first_byte = block_start
        return seed, position
