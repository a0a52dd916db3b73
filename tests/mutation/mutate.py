#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of the loader, the validators and the dispatch: does a test fail when the code is changed?

universalmutator makes the mutants. A mutant's file is compiled as the build compiles it, linked into copies of
librayo, rayo-probe and the test programs beside the build, and the tests that look at the file run until one fails or
hangs (the mutant is killed). A mutant that does not compile, or whose object file is the original's, is none.

The order of mutants is a shuffle by the seed, so that the first N are a fair sample, whatever N is. Results are kept in
BUILD/mutation/state.json: a run may be ended at any time and goes on where it was.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 60  # seconds of one test program; the longest takes 3

# Per folder of core/: the test programs that look at it, those that find most first.
LOADER = ["core_elf_look_test", "core_search_test", "core_verdict_cache_test", "core_certificate_test",
          "core_refusals_test", "core_loading_test", "core_required_conformance_test", "core_live_loading_test",
          "core_runtime_test"]
DISPATCH = ["core_ops_test", "core_overlap_test", "core_refusals_test", "capi_test", "core_runtime_test",
            "core_loading_test", "core_device_test", "runtime_guard_test"]
# First for these files.
FIRST = {
    "core/loader/search.cpp": ["core_search_test"],
    "core/loader/verdict_cache.cpp": ["core_verdict_cache_test"],
    "core/loader/certificate.cpp": ["core_certificate_test", "core_required_conformance_test"],
    "core/loader/certificate_judge.cpp": ["core_certificate_test"],
    "core/loader/check_answer.cpp": ["core_refusals_test", "core_loading_test"],
    "core/loader/prove.cpp": ["core_loading_test"],
    "core/loader/load.cpp": ["core_loading_test"],
    "core/dispatch/overlap.cpp": ["core_overlap_test", "capi_test"],
    "core/dispatch/bind.cpp": ["capi_test"],
    "core/dispatch/plan.cpp": ["capi_test"],
    "core/dispatch/select.cpp": ["core_runtime_test", "capi_test"],
}
FILES = ["core/loader/elf_file.cpp", "core/loader/elf_look.cpp", "core/loader/check_answer.cpp",
         "core/loader/certificate.cpp", "core/loader/certificate_judge.cpp", "core/loader/verdict_cache.cpp",
         "core/loader/manifest.cpp", "core/loader/search.cpp", "core/loader/load.cpp", "core/loader/prove.cpp",
         "core/capi/call_desc.cpp", "core/dispatch/attributes.cpp", "core/dispatch/bind.cpp",
         "core/dispatch/overlap.cpp", "core/dispatch/select.cpp", "core/dispatch/shape_rules.cpp",
         "core/dispatch/shape_rules_linear.cpp", "core/dispatch/shape_rules_quantise.cpp", "core/dispatch/plan.cpp"]


def tests_of(file):
    tests = LOADER if file.startswith("core/loader/") else DISPATCH
    first = FIRST.get(file, [])
    return first + [test for test in tests if test not in first]


class Build:
    """What the build folder knows: how to compile a file and to link a program."""

    def __init__(self, folder):
        self.folder = folder
        lines = subprocess.run(["ninja", "-C", folder, "-t", "commands", "all"], check=True, capture_output=True,
                               text=True).stdout.splitlines()
        self.compiles, self.links = {}, {}
        for line in lines:
            # The compiler cache has nothing to say about files that change each time.
            line = re.sub(r"^\S*ccache ", "", line)
            if match := re.search(r" -o (\S+) -c (\S+)$", line):
                self.compiles[os.path.relpath((folder / match[2]).resolve(), ROOT)] = (line, match[1])
            elif match := re.search(r" -o (\S+)  ?", line):
                self.links.setdefault(match[1], line)

    def dynamic(self, test):
        return "librayo.so" in self.links[f"tests/{test}"]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


class Workshop:
    """A folder of one worker: the mutant's object, and what is linked with it."""

    def __init__(self, build, folder):
        self.build, self.folder, self.base_of, self.base = build, folder, None, None
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "lib/rayo").mkdir(parents=True)
        (folder / "home").mkdir()
        for entry in (build.folder / "lib/rayo").iterdir():
            if entry.name != "rayo-probe":
                (folder / "lib/rayo" / entry.name).symlink_to(entry)
        (folder / "lib/librayo.so.0").symlink_to("librayo.so.0.1.0")

    def compile(self, file, source, output):
        line, old = self.build.compiles[file]
        original = line.rsplit(" -c ", 1)[1]
        line = line.replace(f" -o {old} -c {original}", f" -o {output} -c {source}")
        line = re.sub(r" -MF \S+", f" -MF {output}.d", line)
        directory = (ROOT / file).parent
        line = line.replace(" -O3 ", " -O1 ")  # the tests ask for results, not for speed
        return run(line + f" -iquote {directory} -w", shell=True, cwd=self.build.folder).returncode == 0

    def link(self, target, file, output):
        line = self.build.links[target]
        old = self.build.compiles[file][1]
        line = line.replace(f" -o {target} ", f" -o {output} ")
        if old in line:
            line = line.replace(f" {old}", f" {self.folder}/mutant.o")
        else:  # before the archive, whose member is then left out
            line = line.replace(f" -o {output} ", f" -o {output} {self.folder}/mutant.o ")
        return run(line, shell=True, cwd=self.build.folder).returncode == 0

    def fails(self, program):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.folder / "lib"), HOME=str(self.folder / "home"),
                           XDG_CACHE_HOME=str(self.folder / "home/cache"))

        def limits():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))

        process = subprocess.Popen([program, "--gtest_brief=1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, env=environment, cwd=self.build.folder / "tests",
                                   start_new_session=True, preexec_fn=limits)
        try:
            return process.wait(TIMEOUT) != 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return True

    def judge(self, file, text):
        """"none" (does not compile, or lacks a function that others call), "equal" (the same object), the test that killed it, or "survived"."""
        source = self.folder / "mutant.cpp"
        source.write_text(text)
        if not self.compile(file, source, self.folder / "mutant.o"):
            return "none"
        if self.same_code(file):
            return "equal"
        linked = False
        for test in tests_of(file):
            if f"tests/{test}" not in self.build.links:
                continue
            if self.build.dynamic(test):
                if not linked:
                    if not (self.link("lib/librayo.so.0.1.0", file, self.folder / "lib/librayo.so.0.1.0")
                            and self.link("lib/rayo/rayo-probe", file, self.folder / "lib/rayo/rayo-probe")):
                        return "none"
                    linked = True
                program = self.build.folder / "tests" / test
            else:
                program = self.folder / "unit_test"
                if not self.link(f"tests/{test}", file, program):
                    return "none"
            if self.fails(program):
                return test
        return "survived"

    def same_code(self, file):
        """Whether the mutant's object holds the same code and data as the original's."""
        def contents(path):
            return run(["objdump", "-d", "-r", "-s", str(path)]).stdout.split("\n", 3)[-1]

        base = self.folder / "base.o"
        if self.base_of != file:
            source = self.folder / "mutant.cpp"
            kept = source.read_text()
            shutil.copy(ROOT / file, source)  # compiled under the same name, which is part of the object
            self.compile(file, source, base)
            source.write_text(kept)
            self.base_of, self.base = file, contents(base)
        return self.base == contents(self.folder / "mutant.o")


def make_mutants(folder, files):
    """(file, line, new text of the line, text) of every mutant."""
    mutants = []
    for file in files:
        target = folder / "mutants" / file.replace("/", "_")
        digest = hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
        if not (target / digest).exists():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            # The tool leaves a file of its own in the folder that it runs in.
            subprocess.run(["mutate", str(ROOT / file), "cpp", "--noCheck", "--mutantDir", str(target.resolve())],
                           check=True, stdout=subprocess.DEVNULL, cwd=target.parent)
            (target / digest).touch()
        original = (ROOT / file).read_text().splitlines()
        for path in sorted(target.glob("*.cpp")):
            text = path.read_text()
            changed = text.splitlines()
            number = next((i for i, (a, b) in enumerate(zip(original, changed)) if a != b), None)
            if number is not None:
                mutants.append((file, number + 1, changed[number].strip(), text))
    return mutants


def report(path, results, total, seed, files):
    valid = [r for r in results if r["result"] not in ("none", "equal")]
    survivors = [r for r in valid if r["result"] == "survived"]
    killed = len(valid) - len(survivors)
    lines = ["# Mutation testing", "",
             "Written by `./dev mutate` (tests/mutation/): universalmutator changes a line of the loader, the validators or the",
             "dispatch, and a test must fail. Mutants that do not compile or link, or compile to the same code, do not count.", "",
             f"**Score: {100 * killed / max(len(valid), 1):.1f} %** ({killed} of {len(valid)} killed). Sample: the first"
             f" {len(results)} of {total} mutants in the order of seed {seed}; {len(results) - len(valid)} of them did not"
             " count.", "", "| file | mutants | killed | score |", "| --- | --- | --- | --- |"]
    for file in files:
        of_file = [r for r in valid if r["file"] == file]
        if of_file:
            dead = sum(r["result"] != "survived" for r in of_file)
            lines.append(f"| {file} | {len(of_file)} | {dead} | {100 * dead / len(of_file):.0f} % |")
    lines += ["", "## Survivors", ""]
    for r in sorted(survivors, key=lambda r: (r["file"], r["line"])):
        original = (ROOT / r["file"]).read_text().splitlines()[r["line"] - 1].strip()
        why = f" ({r['why']})" if r.get("why") else ""
        lines.append(f"- `{r['file']}:{r['line']}`{why}\n  - was `{original}`\n  - became `{r['text']}`")
    path.write_text("\n".join(lines) + "\n")
    return killed, len(valid)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="default: the loader, the validators and the dispatch")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants that count (default 300; 0 = all)")
    parser.add_argument("--limit", type=int, default=0, help="judge at most so many in this run; another goes on")
    parser.add_argument("--seconds", type=int, default=0, help="begin none after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--survivors", action="store_true", help="judge those again that survived, after new tests")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=ROOT / "docs/mutation.md")
    given = parser.parse_args()
    build = Build(given.build.resolve())
    folder = given.build.resolve() / "mutation"
    folder.mkdir(exist_ok=True)
    files = given.files or FILES
    for file in files:
        if file not in build.compiles:
            sys.exit(f"mutate: {file} is no source file of {given.build}")
    mutants = make_mutants(folder, files)
    random.Random(given.seed).shuffle(mutants)
    state_file = folder / "state.json"
    state = json.loads(state_file.read_text()) if state_file.exists() else {}
    lock, begun, deadline = threading.Lock(), 0, time.monotonic() + (given.seconds or 1e9)

    def key(mutant):
        return hashlib.sha256(f"{mutant[0]}\n{mutant[3]}".encode()).hexdigest()

    def done():
        """Results of the leading mutants, up to the sample's size."""
        results, counting = [], 0
        for mutant in mutants:
            if key(mutant) not in state or (given.sample and counting >= given.sample):
                break
            result = state[key(mutant)]
            counting += result not in ("none", "equal")
            results.append({"file": mutant[0], "line": mutant[1], "text": mutant[2], "result": result})
        return results, counting

    pending = iter([m for m in mutants if (state.get(key(m)) == "survived" if given.survivors else key(m) not in state)])

    def work(number):
        nonlocal begun
        shop = Workshop(build, folder / f"work{number}")
        while True:
            with lock:
                if time.monotonic() > deadline or (given.limit and begun >= given.limit):
                    return
                if not given.survivors and given.sample and done()[1] >= given.sample:
                    return
                mutant = next(pending, None)
                if mutant is None:
                    return
                begun += 1
            result = shop.judge(mutant[0], mutant[3])
            with lock:
                state[key(mutant)] = result
                temporary = state_file.with_suffix(".new")
                temporary.write_text(json.dumps(state, indent=0))
                temporary.replace(state_file)
                print(f"{mutant[0]}:{mutant[1]}: {result}  {mutant[2] if result == 'survived' else ''}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for future in [pool.submit(work, number) for number in range(given.jobs)]:
            future.result()
    results, counting = done()
    killed, valid = report(given.output, results, len(mutants), given.seed, files)
    print(f"mutate: {killed} of {valid} killed, {100 * killed / max(valid, 1):.1f} %; {given.output}")


if __name__ == "__main__":
    main()
