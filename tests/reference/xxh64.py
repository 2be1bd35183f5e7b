"""XXH64 with seed 0 (FORMAT.md, "Digests"; the XXH64 specification of the xxHash project)."""

import struct

P1 = 0x9E3779B185EBCA87
P2 = 0xC2B2AE3D27D4EB4F
P3 = 0x165667B19E3779F9
P4 = 0x85EBCA77C2B2AE63
P5 = 0x27D4EB2F165667C5
M = 2**64 - 1


def rotl(x, n):
    return (x << n | x >> (64 - n)) & M


def mix_lane(lane, word):
    return rotl((lane + word * P2) & M, 31) * P1 & M


def stripes(data):
    """The four lanes after the whole 32-byte stripes of data, merged."""
    a, b, c, d = (P1 + P2) & M, P2, 0, -P1 & M
    # mix_lane written out: it is the one hot loop of the digest.
    for w0, w1, w2, w3 in struct.iter_unpack("<4Q", data[: len(data) & ~31]):
        a = (a + w0 * P2) & M
        a = (a << 31 | a >> 33) * P1 & M
        b = (b + w1 * P2) & M
        b = (b << 31 | b >> 33) * P1 & M
        c = (c + w2 * P2) & M
        c = (c << 31 | c >> 33) * P1 & M
        d = (d + w3 * P2) & M
        d = (d << 31 | d >> 33) * P1 & M
    h = (rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)) & M
    for lane in (a, b, c, d):
        h = ((h ^ mix_lane(0, lane)) * P1 + P4) & M
    return h


def xxh64(data):
    """The 64-bit hash of a bytes object, as an integer."""
    h = stripes(data) if len(data) >= 32 else P5
    h = (h + len(data)) & M
    at = len(data) & ~31
    while at + 8 <= len(data):
        h ^= mix_lane(0, int.from_bytes(data[at : at + 8], "little"))
        h = (rotl(h, 27) * P1 + P4) & M
        at += 8
    if at + 4 <= len(data):
        h ^= int.from_bytes(data[at : at + 4], "little") * P1 & M
        h = (rotl(h, 23) * P2 + P3) & M
        at += 4
    for byte in data[at:]:
        h ^= byte * P5 & M
        h = rotl(h, 11) * P1 & M
    h = (h ^ h >> 33) * P2 & M
    h = (h ^ h >> 29) * P3 & M
    return h ^ h >> 32
