#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists, for each file of a gcovr JSON report, lines and branches taken and the lines that no test runs."""
import json
import sys


def ranges(lines):
    out = []
    for line in lines:
        if out and line <= out[-1][1] + 2:
            out[-1][1] = line
        else:
            out.append([line, line])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def main():
    with open(sys.argv[1], encoding="utf-8") as report:
        files = json.load(report)["files"]
    for file in sorted(files, key=lambda each: each["file"]):
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
        branches = [b for line in lines for b in line["branches"] if not b.get("throw")]
        missing = [line["line_number"] for line in lines if line["count"] == 0]
        print(f"{file['file']}: lines {len(lines) - len(missing)}/{len(lines)}, branches "
              f"{sum(b['count'] > 0 for b in branches)}/{len(branches)}; no test runs {ranges(missing) or '-'}")


if __name__ == "__main__":
    main()
