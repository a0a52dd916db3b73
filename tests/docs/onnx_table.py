#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""onnx_table.py CATALOGUE.def ONNX.md: every op of the catalogue has one row in the table, and no other row is there."""
import pathlib
import re
import sys

HEADER = "| op | follows | differences, and why |"


def catalogue_ops(text):
    return re.findall(r"^OP\((\w+),", text, re.MULTILINE)


def table_rows(text):
    """Cells of each row under HEADER."""
    lines = text.splitlines()
    if HEADER not in lines:
        return []
    rows = []
    for line in lines[lines.index(HEADER) + 2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def defects(catalogue, document):
    ops, rows = catalogue_ops(catalogue), table_rows(document)
    names = [row[0] for row in rows]
    found = [] if ops else ["the catalogue holds no OP(...)"]
    found += [f"op {op} has no row in the table" for op in ops if op not in names]
    found += [f"the table has a row for {name}, which is no op" for name in names if name not in ops]
    found += [f"op {name} has {names.count(name)} rows" for name in sorted(set(names)) if names.count(name) > 1]
    found += [f"the row of {row[0]} has {len(row)} cells, expected 3" for row in rows if len(row) != 3]
    found += [f"the row of {row[0]} does not say what it follows" for row in rows if len(row) == 3 and not row[1]]
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    found = defects(*(pathlib.Path(path).read_text(encoding="utf-8") for path in sys.argv[1:]))
    for defect in found:
        print(f"{sys.argv[2]}: {defect}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
