#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles and runs every complete C program shown in the documentation.

usage: snippets_test.py ROOT COMPILER LIBRARY    LIBRARY is librayo.so of a build

A program is a ```c block with a main function; EXPECTED states what each must print, so that neither can change alone.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Output each document's programs must give, in order.
EXPECTED = {"README.md": ["58 64 139 154\n"]}


def programs(text):
    return [block for block in BLOCK.findall(text) if re.search(r"\bint main\(", block)]


def run(program, root, compiler, library, folder):
    source = pathlib.Path(folder, "snippet.c")
    binary = pathlib.Path(folder, "snippet")
    source.write_text(program, "utf-8")
    subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{root}/core/include",
                    f"-I{root}/plugin-api/include", str(source), "-o", str(binary), str(library),
                    f"-Wl,-rpath,{library.parent}"], check=True)
    return subprocess.run([str(binary)], check=True, capture_output=True, text=True, timeout=60).stdout


def main():
    root, compiler, library = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    failed = ran = 0
    documents = [root / "README.md", *sorted(root.glob("docs/**/*.md")), *sorted(root.glob("plugin-api/doc/*.md"))]
    for document in documents:
        name = str(document.relative_to(root))
        found = programs(document.read_text("utf-8"))
        expected = EXPECTED.get(name, [])
        if len(found) != len(expected):
            print(f"{name}: {len(found)} C programs, {len(expected)} expected outputs; state them in EXPECTED")
            failed += 1
            continue
        for program, output in zip(found, expected):
            with tempfile.TemporaryDirectory() as folder:
                printed = run(program, root, compiler, library, folder)
            ran += 1
            if printed != output:
                print(f"{name}: printed {printed!r}, expected {output!r}")
                failed += 1
    print(f"{ran} programs ran, {failed} failures")
    return 1 if failed or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
