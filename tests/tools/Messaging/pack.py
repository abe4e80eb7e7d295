"""Packs each expression read from stdin, one a line, with python3-msgpack, and prints the bytes in hex.

A line that starts with "unpack " holds hex instead: it is unpacked, and packed again.
"""
import struct
import sys

import msgpack
from msgpack import ExtType, Timestamp


class Single(float):
    """A float that is to be packed with 32 bits."""


def d(bits):
    return struct.unpack(">d", struct.pack(">Q", bits))[0]


def f(bits):
    return Single(struct.unpack(">f", struct.pack(">I", bits))[0])


NAMES = {"d": d, "f": f, "ExtType": ExtType, "Timestamp": Timestamp}

for line in sys.stdin:
    line = line.rstrip("\n")
    if line.startswith("unpack "):
        value = msgpack.unpackb(bytes.fromhex(line[7:]), raw=False, strict_map_key=False, timestamp=0,
                                max_array_len=1 << 24, max_map_len=1 << 24, max_bin_len=1 << 24, max_str_len=1 << 24)
    else:
        value = eval(line, NAMES)  # The lines are written by the test beside this file.
    print(msgpack.packb(value, use_single_float=isinstance(value, Single)).hex().upper())
