#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over every source file of a configured build, in parallel, and remembers what was clean.

usage: clang_tidy.py BUILD [FILE...]    BUILD has compile_commands.json; FILEs limit the run to sources named so

A clean result is kept in the user's cache folder, for every checkout, by a hash of everything that can change it: the
source, the headers of ours that it reaches, its compile command, .clang-tidy and clang-tidy's version. Findings are
never kept. A source that is
compiled several times, for several instruction sets, is read once, with the longest of its commands.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# Options of GCC that clang does not have.
GCC_ONLY = re.compile(r"-fno-gnu-unique|-fgnu-unique|-fno-semantic-interposition|-fno-tree-.*|-fno-gcse|-fschedule-insns|-fsched-pressure|--param=.*|-fext-numeric-literals")


def clang_tidy():
    for name in ("clang-tidy-14", "clang-tidy"):
        if path := shutil.which(name):
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
            if "version 14." in version:
                return path, version
    sys.exit("clang_tidy: clang-tidy 14 is not installed; run packaging/install-deps.sh lint")


def commands(build):
    """{source: argument list for clang}, for sources inside the repository and outside build folders."""
    path = build / "compile_commands.json"
    if not path.is_file():
        sys.exit(f"clang_tidy: {path} does not exist; configure first: ./dev build")
    chosen = {}
    for entry in json.loads(path.read_text("utf-8")):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not source.is_relative_to(ROOT) or source.relative_to(ROOT).parts[0] == "build":
            continue
        words = shlex.split(entry["command"])
        while pathlib.Path(words[0]).name == "ccache":
            words.pop(0)
        words = [w for w in words if not GCC_ONLY.fullmatch(w)]
        if len(words) > len(chosen.get(source, [])):
            chosen[source] = words
    return chosen


def include_folders(words):
    for flag, value in zip(words, [*words[1:], ""]):
        if flag in ("-I", "-isystem", "-iquote"):
            yield pathlib.Path(value)
        elif flag.startswith("-I"):
            yield pathlib.Path(flag[2:])


def reached(source, words):
    """The source and every file of ours that it includes, directly or not."""
    folders = [f for f in include_folders(words) if f.resolve().is_relative_to(ROOT)]
    seen, queue = set(), [source]
    while queue:
        file = queue.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in INCLUDE.findall(file.read_bytes()):
            for folder in (file.parent, *folders):
                found = (folder / name.decode("utf-8", "replace")).resolve()
                if found.is_file() and found.is_relative_to(ROOT):
                    queue.append(found)
    return sorted(seen)


def key_of(source, words, version):
    digest = hashlib.sha256()
    texts = ((ROOT / ".clang-tidy").read_text("utf-8"), pathlib.Path(__file__).read_text("utf-8"))
    command = "\0".join(words).replace(str(ROOT), ".")
    for part in (version, command, *texts):
        digest.update(part.encode() + b"\0")
    for file in reached(source, words):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def link_gcc_headers(folder, compiler):
    """GCC's quadmath.h lies among headers that clang must not see; a folder of its own makes it reachable."""
    found = subprocess.run([compiler, "-print-file-name=include/quadmath.h"], capture_output=True, text=True, check=False)
    header = pathlib.Path(found.stdout.strip())
    headers = folder / "gcc_headers"
    headers.mkdir(parents=True, exist_ok=True)
    link = headers / "quadmath.h"
    link.unlink(missing_ok=True)
    if header.is_absolute():
        link.symlink_to(header)
    return headers


def write_database(folder, chosen):
    headers = link_gcc_headers(folder, next(iter(chosen.values()))[0])
    rows = [{"directory": str(folder), "file": str(s), "arguments": [*w, "-isystem", str(headers)]}
            for s, w in chosen.items()]
    (folder / "compile_commands.json").write_text(json.dumps(rows, indent=1), "utf-8")


def tidy(tool, folder, source, mark):
    start = time.monotonic()
    done = subprocess.run([tool, "--quiet", "-p", str(folder), str(source)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode == 0:
        mark.touch()
        return source, time.monotonic() - start, ""
    return source, time.monotonic() - start, done.stdout.strip() or done.stderr.strip()


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(base) / "rayo" / "clang-tidy"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    tool, version = clang_tidy()
    chosen = commands(build)
    wanted = {pathlib.Path(f).resolve() for f in sys.argv[2:]}
    if wanted:
        chosen = {s: w for s, w in chosen.items() if s in wanted}
    if not chosen:
        sys.exit(f"clang_tidy: {build}/compile_commands.json has no source to look at")
    folder = build / "lint"
    write_database(folder, chosen)
    clean = cache_folder()
    marks = {s: clean / key_of(s, w, version) for s, w in chosen.items()}
    todo = sorted((s for s in chosen if not marks[s].exists()), key=lambda s: -s.stat().st_size)
    known = len(chosen) - len(todo)
    print(f"clang-tidy: {len(chosen)} sources, {known} known to be clean, {len(todo)} to read", flush=True)
    failed = 0
    workers = max(1, len(os.sched_getaffinity(0)))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(tidy, tool, folder, s, marks[s]) for s in todo]
        for job in concurrent.futures.as_completed(jobs):
            source, seconds, findings = job.result()
            print(f"  {'FOUND' if findings else 'clean'} {source.relative_to(ROOT)} ({seconds:.1f} s)", flush=True)
            if findings:
                failed += 1
                print(findings, flush=True)
    print(f"clang-tidy: {failed} of {len(chosen)} sources have findings")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
