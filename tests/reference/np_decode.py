#!/usr/bin/env python3
"""Decodes a packed file: np_decode.py FILE.np [-o OUT]. Written from docs/FORMAT.md alone."""

import argparse
import sys

from damage import Damage
from mixed import KeyTable, decode_mixed
from xxh64 import xxh64

MAGIC, VERSION = b"NP\xf7", 1
STORED, ZSTD, MIXED, FILL = 0, 1, 2, 3
LAST = 4
PLAIN_IS_ZSTD = 1
SEGMENT_MAX = 2**25
SECTION_SLACK = 64
WINDOW_MAX = 2**25
ZSTD_STEP = 256


class Bytes:
    """The packed file, read from its start."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count, what):
        if len(self.data) - self.at < count:
            raise Damage(len(self.data), f"the file ends within its {what}")
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self, what, limit):
        start, value, shift = self.at, 0, 0
        while True:
            byte = self.take(1, what)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            if shift == 35:
                raise Damage(start, f"{what}: a varint of more than five bytes")
        if (byte == 0 and shift > 7) or value >= 2**32:
            raise Damage(start, f"{what}: not a varint in its shortest form, below 2^32")
        if value > limit:
            raise Damage(start, f"{what}: {value} is more than {limit}")
        return value


class MixedSegment:
    """The sections of a mixed segment and where they are."""

    def __init__(self, file, offset, length):
        self.offset, self.length = offset, length
        self.flags_offset = file.at
        self.flags = file.take(1, "flags")[0]
        if self.flags & ~PLAIN_IS_ZSTD:
            raise Damage(self.flags_offset, f"unknown flags {self.flags:#04x}")
        limit = length + SECTION_SLACK
        side, rans, plain = (file.varint(name, limit) for name in ("side_len", "rans_len", "plain_len"))
        self.side_offset, self.side = file.at, file.take(side, "side section")
        self.rans_offset, self.rans = file.at, file.take(rans, "rANS section")
        self.plain_offset, self.plain_section = file.at, file.take(plain, "plain section")

    def plain(self, length):
        """The plain section's `length` bytes."""
        if self.flags & PLAIN_IS_ZSTD:
            return unzstd(self.plain_section, length, self.plain_offset)
        if len(self.plain_section) != length:
            found = len(self.plain_section)
            raise Damage(self.plain_offset, f"a plain section of {found} bytes where {length} are expected")
        return self.plain_section


def unzstd(frame, length, offset):
    """The `length` bytes of a magicless zstd frame."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor(
        format=zstandard.FORMAT_ZSTD1_MAGICLESS, max_window_size=WINDOW_MAX
    ).decompressobj()
    out, at = bytearray(), 0
    try:
        # In small steps: a frame may stand for far more bytes than expected.
        while at < len(frame) and not decompressor.eof and len(out) <= length:
            out += decompressor.decompress(frame[at : at + ZSTD_STEP])
            at += ZSTD_STEP
    except zstandard.ZstdError as error:
        raise Damage(offset, f"zstd frame: {error}") from None
    if len(out) != length or not decompressor.eof:
        raise Damage(offset, f"zstd frame: it does not end after {length} bytes")
    if at < len(frame) or decompressor.unused_data:
        raise Damage(offset, "zstd frame: bytes after its end")
    return bytes(out)


def decode_segment(file, keys):
    """(content, XXH64 of the segment, whether it is the last) of the segment at the file's place."""
    start = file.at
    head = file.take(1, "head")[0]
    kind, last = head & 3, bool(head & LAST)
    if head > 7:
        raise Damage(start, f"unknown segment head {head:#04x}")
    length = file.varint("len", SEGMENT_MAX)
    if length == 0 and not (kind == STORED and last and start == len(MAGIC) + 1):
        raise Damage(start, "an empty segment in a file that is not empty")
    if kind == STORED:
        content = file.take(length, "stored content")
        return content, xxh64(file.data[start : file.at]), last
    if kind == FILL:
        content = file.take(1, "fill byte") * length
    elif kind == ZSTD:
        size = file.varint("frame length", length + SECTION_SLACK)
        offset = file.at
        content = unzstd(file.take(size, "zstd frame"), length, offset)
    else:
        content = decode_mixed(MixedSegment(file, start, length), keys)
    return content, xxh64(file.data[start : file.at] + content), last


def decode(data, skip_limit=2**30):
    """The content of the packed file `data`; raises Damage. At most skip_limit bytes of stream are skipped."""
    file = Bytes(data)
    if file.take(3, "header") != MAGIC:
        raise Damage(0, "not a packed file")
    version = file.take(1, "header")[0]
    if version != VERSION:
        raise Damage(3, f"unknown version {version}")
    keys = KeyTable(skip_limit)
    chain = xxh64(data[:4])
    contents, last = [], False
    while not last:
        start = file.at
        content, own, last = decode_segment(file, keys)
        chain = xxh64(chain.to_bytes(8, "little") + own.to_bytes(8, "little"))
        if file.take(6, "digest") != chain.to_bytes(8, "little")[:6]:
            raise Damage(file.at - 6, f"wrong digest of the segment at byte {start}")
        contents.append(content)
    if file.at != len(data):
        raise Damage(file.at, "bytes after the last segment")
    return b"".join(contents)


def main():
    parser = argparse.ArgumentParser(description="Decodes a packed file, once every digest agrees.")
    parser.add_argument("file")
    parser.add_argument("-o", "--output", help="standard output if left out")
    parser.add_argument("--skip-limit", type=int, default=2**30, help="bytes of stream skipped, at most")
    args = parser.parse_args()
    try:
        with open(args.file, "rb") as packed:
            content = decode(packed.read(), args.skip_limit)
        if args.output:
            with open(args.output, "wb") as out:
                out.write(content)
        else:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
    except (Damage, OSError, ImportError) as error:
        sys.exit(f"{args.file}: {error}")


if __name__ == "__main__":
    main()
