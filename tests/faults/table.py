#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the table of faults from the results that fault_test left, prints it, and compares it with the documented one.

usage: table.py ROWS_FOLDER TABLE.md DOCUMENTED.md    exit code 1: a row failed, or the tables differ
"""
import json
import pathlib
import re
import sys

ORDER = ("load", "probe", "launch", "lifecycle", "hostile")

ROOT_ONLY = ("folder of a stranger", "environment of a privileged process")


def plain(reason):
    """The reason without what differs from run to run: paths, dates, numbers of bytes."""
    reason = reason.split("; it is tried again after")[0]
    reason = re.sub(r"/\S*/", "", reason.replace("\n", " "))
    reason = re.sub(r"0x[0-9a-f]+", "0x...", reason)
    return reason.replace("|", "\\|")


def main():
    folder, out, documented = map(pathlib.Path, sys.argv[1:4])
    rows = [json.loads(p.read_text()) for p in sorted(folder.glob("*.json"))]
    rows.sort(key=lambda r: (ORDER.index(r["group"]), r["fault"]))
    lines = ["| group | fault | verdict | reason |", "| --- | --- | --- | --- |"]
    for row in rows:
        text = plain(row["reason"])
        lines.append(f"| {row['group']} | {row['fault'].replace('_', ' ')} | {row['state']} | {text} |")
    failed = [r["fault"] for r in rows if not r["passed"]]
    lines += ["", f"{len(rows)} faults, {len(failed)} of them not as required."]
    table = "\n".join(lines) + "\n"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(table)
    print(table)
    if failed:
        print("failed:", ", ".join(failed))
        return 1
    known = {tuple(c.strip() for c in l.split("|")[1:4]) for l in documented.read_text().splitlines() if l.startswith("| ")}
    found = {tuple(c.strip() for c in l.split("|")[1:4]) for l in lines if l.startswith("| ")}
    missing = {row for row in known - found if row[1] not in ROOT_ONLY}
    for row in known - found - missing:
        print("not evaluated here, for want of root:", row[1])
    if found - known or missing:
        print(f"{documented} differs: {sorted(found - known)} {sorted(missing)}\nput {out} there if that is meant")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
