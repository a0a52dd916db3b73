#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a .npy file of f32 in [-1, 1): random_npy.py ROWS COLUMNS SEED FILE. Standard library only, same file always."""
import array
import random
import struct
import sys


def main():
    if len(sys.argv) != 5 or not all(word.isdigit() for word in sys.argv[1:4]):
        sys.exit(__doc__)
    rows, columns, seed = map(int, sys.argv[1:4])
    draw = random.Random(seed).random
    values = array.array("f", (2 * draw() - 1 for _ in range(rows * columns)))
    if sys.byteorder != "little":
        values.byteswap()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    with open(sys.argv[4], "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("ascii"))
        values.tofile(file)


if __name__ == "__main__":
    main()
