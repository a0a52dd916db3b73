#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the ONNX table finds what is planted."""
import unittest

import onnx_table

CATALOGUE = 'OP(add, 1, "binary")\n  ATTR_INT(axis, 0)\nOP(exp, 1, "unary")\n'
TABLE = onnx_table.HEADER + "\n| --- | --- | --- |\n"
GOOD = TABLE + "| add | Add-14 | floats only |\n| exp | Exp-13 | |\n\n| other | table | here |\n"


class OnnxTable(unittest.TestCase):
    def expect(self, document, words):
        found = onnx_table.defects(CATALOGUE, document)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def test_a_complete_table_passes(self):
        self.assertEqual(onnx_table.defects(CATALOGUE, GOOD), [])

    def test_a_missing_op_is_found(self):
        self.expect(GOOD.replace("| exp | Exp-13 | |\n", ""), "exp has no row")

    def test_an_unknown_op_is_found(self):
        self.expect(GOOD.replace("\n\n", "\n| expo | Exp-13 | |\n\n", 1), "row for expo")

    def test_a_second_row_is_found(self):
        self.expect(GOOD.replace("\n\n", "\n| exp | Exp-13 | |\n\n", 1), "exp has 2 rows")

    def test_a_row_without_its_source_is_found(self):
        self.expect(GOOD.replace("Exp-13", ""), "does not say")

    def test_no_table_is_found(self):
        self.assertEqual(len(onnx_table.defects(CATALOGUE, "nothing")), 2)

    def test_no_catalogue_is_found(self):
        self.assertTrue(onnx_table.defects("", TABLE))


if __name__ == "__main__":
    unittest.main()
