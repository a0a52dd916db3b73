#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Branches of core/ as the source has them: branches.py BUILD_FOLDER [PART_OF_A_PATH...].

From gcov's blocks: left out are the edges that a call takes when it throws, and every branch of a block that only an
exception leads to (the clean-up of what was made before it). Instances of a template or an inline function count as
one. Prints a line for each file and, for the named ones, each line of the source with a branch that was never taken."""
import collections
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE = re.compile(r" *([^:]+): *(\d+):(.*)")
BLOCK = re.compile(r" *([^:]+): *(\d+)-block +\d+")
BRANCH = re.compile(r"branch +\d+ (?:taken (\d+)|never executed)(.*)")


def gcov(data, folder):
    return subprocess.run(["gcov", "-a", "-b", "-c", "-t", "-r", "-s", ROOT, "-o", folder, data.name],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, encoding="utf-8",
                          errors="replace").stdout


def branches_of(text):
    """For each branch of an object: its place (file, line, index), how often it was taken, whether a call takes it by
    throwing, and whether it stands in a block that only an exception leads to (known of blocks that never ran)."""
    file, line, exceptional, index = "", 0, False, 0
    for row in text.splitlines():
        if row.startswith("branch"):
            count, kind = BRANCH.match(row).groups()
            yield (file, line, index), int(count or 0), "(throw)" in kind, exceptional
            index += 1
        elif block := BLOCK.match(row):
            exceptional = block[1].strip("* ") == "$$$$$"
        elif source := LINE.match(row):
            count, number, content = source.groups()
            if number == "0":
                if content.startswith("Source:"):
                    file = content[len("Source:"):]
                continue
            # A line's first branches may stand before its first block.
            line, index, exceptional = int(number), 0, count.strip("* ") == "====="


def count_object(data):
    """Branches that count, with how often they were taken; and those that do not count."""
    with tempfile.TemporaryDirectory() as folder:
        notes = data.with_suffix(".gcno")
        shutil.copy(notes, folder)
        unrun = [place for place, _, _, exceptional in branches_of(gcov(notes, folder)) if exceptional]
    taken, left_out = collections.Counter(), set(unrun)
    for place, count, throws, _ in branches_of(gcov(data, data.parent)):
        taken[place] += count
        if throws:
            left_out.add(place)
    return taken, left_out


def main():
    build, named = pathlib.Path(sys.argv[1]), sys.argv[2:]
    data = sorted(build.glob("core/CMakeFiles/*/**/*.gcda"))
    total, left_out = collections.Counter(), set()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for taken, others in pool.map(count_object, data):
            for place, count in taken.items():
                total[place] += count
            left_out |= others
    for place in left_out:
        total.pop(place, None)
    files = collections.defaultdict(lambda: collections.defaultdict(list))
    for (file, line, _), count in sorted(total.items()):
        if file.startswith("core/"):
            files[file][line].append(count)
    everywhere = [count for lines in files.values() for counts in lines.values() for count in counts]
    for file, lines in sorted(files.items()):
        counts = [count for each in lines.values() for count in each]
        print(f"{file}: {sum(count > 0 for count in counts)} of {len(counts)} branches")
        if not any(name in file for name in named):
            continue
        source = (ROOT / file).read_text(encoding="utf-8").splitlines()
        for line, each in lines.items():
            if 0 in each:
                print(f"  {line}: {source[line - 1].strip()}")
    taken = sum(count > 0 for count in everywhere)
    print(f"all: {taken} of {len(everywhere)} branches, {100 * taken / max(len(everywhere), 1):.1f} %")


if __name__ == "__main__":
    main()
