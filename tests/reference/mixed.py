"""Mixed segments: key table, runs, block grid, pieces and plain bytes (FORMAT.md, "Mixed segments" to "Block grid")."""

from collections import namedtuple

from damage import Damage
from mt19937 import Stream, array_words, seed_words
from range_coder import Bit, RangeDecoder, Tree, UInt
from residuals import EXACT, SPARSE, RansDecoder, SparseDecoder, dense_from_side
from seeds import SeedDecoder

GENERATORS = {1: "MT19937"}
GENRAND, BY_ARRAY, STATE = 0, 1, 2
KEYS_MAX, KEY_WORDS_MAX = 2**20, 2**24
RUNS_MAX = 65536
POSITION_MAX = 2**44
STREAMS_KEPT = 64

# A run or a packed block: bytes start..start + length of the segment.
Piece = namedtuple("Piece", "start length stream_key position bias complement")


class KeyTable:
    """The keys of a file, and the stream byte where the last run of each left it."""

    def __init__(self, skip_limit):
        self.keys = []  # (seeding, words)
        self.left_at = []
        self.words = 0
        self.streams = {}  # number of a key: its Stream, the last ones used
        self.skip_left = self.skip_limit = skip_limit

    def add(self, coder, seeding, words):
        self.words += len(words)
        if len(self.keys) == KEYS_MAX or self.words > KEY_WORDS_MAX:
            raise coder.damage("too many keys")
        self.keys.append((seeding, words))
        self.left_at.append(0)

    def read(self, number, position, length, offset):
        """`length` bytes of a key's stream from `position` on."""
        stream = self.streams.pop(number, None)
        if stream is None or stream.position > position:
            seeding, words = self.keys[number]
            if seeding == GENRAND:
                words = seed_words(words[0])
            elif seeding == BY_ARRAY:
                words = array_words(words)
            stream = Stream(words)
        self.skip_left -= position - stream.position
        if self.skip_left < 0:
            raise Damage(offset, f"more than {self.skip_limit} bytes of stream to skip (see --skip-limit)")
        stream.skip_to(position)
        if len(self.streams) == STREAMS_KEPT:
            del self.streams[next(iter(self.streams))]
        self.streams[number] = stream
        return stream.read(length)


class KeyDecoder:
    """The four models of keys."""

    def __init__(self):
        self.generator, self.seeding, self.seed, self.count = UInt(), UInt(), UInt(), UInt()

    def decode(self, coder):
        """(seeding, words)."""
        generator = self.generator.decode(coder)
        if generator not in GENERATORS:
            raise coder.damage(f"unknown generator {generator}")
        seeding = self.seeding.decode(coder)
        if seeding == GENRAND:
            seed = self.seed.decode(coder)
            if seed >= 2**32:
                raise coder.damage(f"seed {seed} is not below 2^32")
            return seeding, [seed]
        if seeding == BY_ARRAY:
            count = self.count.decode(coder)
            if not 1 <= count <= 624:
                raise coder.damage(f"a by_array key of {count} words")
        elif seeding == STATE:
            count = 624
        else:
            raise coder.damage(f"unknown seeding {seeding} of {GENERATORS[generator]}")
        return seeding, [coder.direct(32) for _ in range(count)]


def decode_runs(coder, keys, content_length):
    """The runs of a segment."""
    count = UInt().decode(coder)
    if count > RUNS_MAX:
        raise coder.damage(f"{count} runs")
    gap_model, length_model, distance_model, position_model = UInt(), UInt(), UInt(), UInt()
    new_key_model, complement_model = Bit(), Bit()
    position_kind_model, bias_model = Tree(2), Tree(6)
    key_decoder = KeyDecoder()
    runs, end, key_before = [], 0, None
    for _ in range(count):
        gap = gap_model.decode(coder)
        length = length_model.decode(coder) + 1
        start = end + gap
        end = start + length
        if end > content_length:
            raise coder.damage("a run past the end of its segment")
        if new_key_model.decode(coder):
            keys.add(coder, *key_decoder.decode(coder))
            number = len(keys.keys) - 1
        else:
            number = len(keys.keys) - 1 - distance_model.decode(coder)
            if number < 0:
                raise coder.damage("a run of a key that is not in the table")
        position_kind = position_kind_model.decode(coder)
        key = keys.keys[number]
        position = keys.left_at[number]
        if position_kind == 1 and key == key_before:
            position += gap
        elif position_kind == 2:
            position = position_model.decode(coder)
        elif position_kind == 3:
            raise coder.damage("position kind 3")
        if position > POSITION_MAX - content_length:
            raise coder.damage(f"stream position {position}")
        bias = bias_model.decode(coder)
        complement = complement_model.decode(coder)
        runs.append(Piece(start, length, number, position, bias, complement))
        keys.left_at[number] = position + length
        key_before = key
    return runs


def gaps(pieces, content_length):
    """(first byte, end) of the maximal stretches that sorted pieces leave uncovered."""
    end = 0
    for piece in pieces:
        if piece.start > end:
            yield end, piece.start
        end = piece.start + piece.length
    if end < content_length:
        yield end, content_length


def block_starts(coder, gaps, length):
    """First bytes of the blocks of all stretches."""
    numbers = UInt()
    pitch = length + numbers.decode(coder)
    count = numbers.decode(coder) + 1
    starts, at = [], 0  # at: the bytes of gaps before the place reached
    for _ in range(count):
        at += numbers.decode(coder)
        blocks = numbers.decode(coder) + 1
        before = 0
        for first, end in gaps:
            if at < before + end - first:
                break
            before += end - first
        else:
            raise coder.damage("a stretch of blocks that begins past the end of its segment")
        start = first + at - before
        extent = (blocks - 1) * pitch + length
        if start + extent > end:
            raise coder.damage("a stretch of blocks that goes past the end of its gap")
        starts.extend(range(start, start + extent, pitch))
        at += extent
    return starts


def decode_grid(coder, runs, content_length):
    """The packed blocks of a segment; their stream_key is a genrand seed."""
    if not coder.bit(32768):
        return []
    generator, seeding, words = coder.direct(8), coder.direct(8), coder.direct(11)
    if generator not in GENERATORS:
        raise coder.damage(f"unknown generator {generator}")
    if seeding != GENRAND:
        raise coder.damage(f"unknown seeding {seeding} of a block grid")
    if not 4 <= words <= 1024:
        raise coder.damage(f"blocks of {32 * words} bits")
    length = 4 * words
    packed_models = [Bit() for _ in range(8)]
    seeds, bias_model, complement_model = SeedDecoder(), Tree(6), Bit()
    repeats_model = UInt()
    starts = block_starts(coder, list(gaps(runs, content_length)), length)
    blocks, history = [], 0
    way_before, left = None, 0  # of the block before, if it was packed and coded by itself; repeats to come
    for number, start in enumerate(starts):
        if left:
            left -= 1
            seed, position = seeds.decode_as(coder, way[0], start)
            history = (2 * history + 1) & 7
            blocks.append(Piece(start, length, seed, position, *way[1:]))
            continue
        packed = packed_models[history].decode(coder)
        history = (2 * history + packed) & 7
        if not packed:
            way_before = None
            continue
        kind, seed, position = seeds.decode(coder, start)
        way = (kind, bias_model.decode(coder), complement_model.decode(coder))
        blocks.append(Piece(start, length, seed, position, *way[1:]))
        if way != way_before:
            way_before = way
            continue
        way_before = None
        left = repeats_model.decode(coder)
        if left > len(starts) - number - 1:
            raise coder.damage(f"{left} blocks like the one before, but fewer are left")
    return blocks


def decode_mixed(segment, keys):
    """The content of a mixed segment, of which `plain(length)` yields the plain bytes."""
    coder = RangeDecoder(segment.side, segment.side_offset)
    runs = decode_runs(coder, keys, segment.length)
    blocks = decode_grid(coder, runs, segment.length)

    rans = RansDecoder(segment.rans, segment.rans_offset) if segment.rans else None
    sparse = SparseDecoder(coder)
    content = bytearray(segment.length)
    seed, stream = None, None
    for n, piece in enumerate(runs + blocks):
        if n < len(runs):
            mask = keys.read(piece.stream_key, piece.position, piece.length, segment.offset)
        else:
            # Blocks of the same stream follow the block at its start.
            if piece.position == 0 or piece.stream_key != seed:
                seed = piece.stream_key
                stream = Stream(seed_words(seed))
            stream.skip_to(piece.position)
            mask = stream.read(piece.length)
        if piece.bias == EXACT:
            residual = bytes(piece.length)
        elif piece.bias == SPARSE:
            residual = sparse.residual(piece.length)
        elif rans:
            residual = rans.residual(piece.length, piece.bias)
        else:
            residual = dense_from_side(coder, piece.length, piece.bias)
        content[piece.start : piece.start + piece.length] = xor(mask, residual, piece.complement)
    if rans:
        rans.finish()

    stretches = list(gaps(sorted(runs + blocks), segment.length))
    plain = segment.plain(sum(end - start for start, end in stretches))
    at = 0
    for start, end in stretches:
        content[start:end] = plain[at : at + end - start]
        at += end - start
    return bytes(content)


def xor(mask, residual, complement):
    value = int.from_bytes(mask, "little") ^ int.from_bytes(residual, "little")
    if complement:
        value ^= (1 << 8 * len(mask)) - 1
    return value.to_bytes(len(mask), "little")
