"""Kafka's default partition of a key, fast enough for the hot path."""

from __future__ import annotations

from functools import lru_cache
from struct import unpack_from

_MIX = 0x5BD1E995
_SEED = 0x9747B28C
_MASK = 0xFFFFFFFF


@lru_cache(maxsize=65_536)
def murmur2(key: bytes) -> int:
    """The 32-bit murmur2 of the Java client. Cached: the records of a case share their key."""
    length = len(key)
    hashed = _SEED ^ length
    words = length >> 2
    for word in unpack_from(f"<{words}I", key):
        mixed = (word * _MIX) & _MASK
        mixed ^= mixed >> 24
        hashed = ((hashed * _MIX) & _MASK) ^ ((mixed * _MIX) & _MASK)
    tail = key[words << 2 :]
    if tail:
        hashed ^= int.from_bytes(tail, "little")
        hashed = (hashed * _MIX) & _MASK
    hashed ^= hashed >> 13
    hashed = (hashed * _MIX) & _MASK
    return hashed ^ (hashed >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that every Kafka client with the default partitioner would choose."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions if partitions > 1 else 0
