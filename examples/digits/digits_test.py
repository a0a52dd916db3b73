#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the digits example can fail: usage: digits_test.py PATH_OF_DIGITS. Standard library only."""
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else sys.exit(__doc__)


def run(*args):
    done = subprocess.run([PROGRAM, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    return done.returncode, done.stdout, done.stderr


class Digits(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rayo-digits-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for part in ("weights", "heldout"):
            shutil.copytree(HERE / part, self.folder / part)

    def fails_with(self, *words):
        code, out, err = run(self.folder)
        self.assertEqual(code, 1, out + err)
        for word in words:
            self.assertIn(word, err)

    def edit(self, name, change):
        path = self.folder / name
        path.chmod(0o644)
        path.write_bytes(change(path.read_bytes()))

    def test_the_committed_network_is_good(self):
        code, out, err = run(self.folder)
        self.assertEqual(code, 0, out + err)
        self.assertIn("reference bits", out)

    def test_two_classes_exchanged_are_found_out(self):
        def exchange(data):  # columns 3 and 8 of the [128, 10] matrix behind a 128-byte header
            values = list(struct.unpack("<1280f", data[-5120:]))
            for row in range(0, 1280, 10):
                values[row + 3], values[row + 8] = values[row + 8], values[row + 3]
            return data[:-5120] + struct.pack("<1280f", *values)

        self.edit("weights/w2.npy", exchange)
        self.fails_with("at least 97% is required")

    def test_a_missing_file_is_named(self):
        (self.folder / "weights/b1.npy").unlink()
        self.fails_with("weights/b1.npy")

    def test_a_truncated_file_is_named(self):
        self.edit("heldout/scans.npy", lambda data: data[:-1])
        self.fails_with("heldout/scans.npy", "cut short")

    def test_a_file_that_is_not_npy_is_named(self):
        self.edit("weights/w1.npy", lambda data: b"PK" + data[2:])
        self.fails_with("weights/w1.npy", "no .npy file")

    def test_another_type_is_named(self):
        self.edit("weights/w1.npy", lambda data: data.replace(b"<f4", b"<f8"))
        self.fails_with("weights/w1.npy", "<f4")

    def test_shapes_that_do_not_fit_are_said(self):
        shutil.copy(self.folder / "weights/b2.npy", self.folder / "weights/b1.npy")
        self.fails_with("do not fit together")

    def test_an_unknown_device_is_named(self):
        code, _, err = run(self.folder, "no_such_device")
        self.assertEqual(code, 1)
        self.assertIn("no_such_device", err)

    def test_a_wrong_option_is_a_usage_error(self):
        code, _, err = run("--frobnicate")
        self.assertEqual(code, 2)
        self.assertIn("usage:", err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
