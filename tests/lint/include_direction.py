#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that #includes follow the direction in which parts of Rayo may depend on each other:

    plugin-api <- core <- tools, bench, examples
    plugin-api <- plugins      (simd <- kernels <- cpu <- scalar | avx2 | avx512 | neon; kernels <- cuda)
    plugin-api + core's public headers <- conformance

usage: include_direction.py [ROOT]    exit code 1 and one line per violation
"""
import pathlib
import re
import sys

# Folder -> the folders of ours that its files may include from, besides itself. The longest matching folder decides.
# A folder that is not listed here is a violation by itself: a new part has to say where it stands.
PUBLIC = ("plugin-api", "core/include")
CPU_STACK = ("plugin-api", "plugins/simd", "plugins/kernels", "plugins/cpu")
MAY_INCLUDE = {
    "plugin-api": (),
    "core/include": ("plugin-api",),
    "core": PUBLIC,
    "plugins/simd": ("plugin-api",),
    "plugins/kernels": ("plugin-api", "plugins/simd"),
    "plugins/cpu": ("plugin-api", "plugins/simd", "plugins/kernels"),
    "plugins/scalar": CPU_STACK,
    "plugins/avx2": CPU_STACK,
    "plugins/avx512": CPU_STACK,
    "plugins/neon": CPU_STACK,
    "plugins/cuda": ("plugin-api", "plugins/simd", "plugins/kernels"),
    "plugins/tests": ("plugin-api", "plugins"),
    "plugins": ("plugin-api",),
    "conformance": PUBLIC,
    "tools": (*PUBLIC, "core", "conformance", "bench"),
    "examples": PUBLIC,
    "bench": (*PUBLIC, "core", "plugins", "tools"),
    "tests": (*PUBLIC, "core", "plugins", "tools", "conformance", "bench"),
}
# One folder per plugin: what stands under plugins/ and is not listed above sees plugin-api and itself alone.
ONE_PART_PER_SUBFOLDER = ("plugins",)

# Where a path in an #include may start from, besides the including file's own folder.
INCLUDE_ROOTS = ("plugin-api/include", "plugin-api", "core/include", "core", "plugins", "conformance", "tools", "bench", "tests", "")

C_HEADERS = set(
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
    "stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype".split()
)
SOURCES = {".c", ".cc", ".cpp", ".h", ".hpp", ".def", ".inc", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include(?:_next)?\s*(?:<([^>]+)>|"([^"]+)")')


def part_of(path):
    """The listed folder that a repository path belongs to, e.g. plugins/kernels; None if there is none."""
    folders = [f for f in MAY_INCLUDE if path == f or path.startswith(f + "/")]
    best = max(folders, key=len, default=None)
    if best in ONE_PART_PER_SUBFOLDER:
        return "/".join(path.split("/")[:2])
    return best


def rules_of(part):
    return MAY_INCLUDE.get(part) or MAY_INCLUDE[part.split("/")[0]]


def resolve(root, file, target):
    """The repository path that an #include reaches, or None for a header from elsewhere."""
    own = file.split("/")[0]
    roots = sorted(INCLUDE_ROOTS, key=lambda r: not (r + "/").startswith(own + "/"))
    for start in (str(pathlib.PurePosixPath(file).parent), *roots):
        found = (root / start / target).resolve()
        if found.is_file() and found.is_relative_to(root):
            return found.relative_to(root).as_posix()
    return None


def judge(root, file, target):
    """Why `file` may not include `target`; None if it may."""
    part = part_of(file)
    if part is None:
        return "its folder is not listed in tests/lint/include_direction.py"
    reached = resolve(root, file, target)
    if reached is None:
        return judge_foreign(part, file, target)
    other = part_of(reached)
    if other is None:
        return f"{reached} is in no part"
    if other == part or any(other == r or other.startswith(r + "/") for r in rules_of(part)):
        return None
    allowed = ", ".join(rules_of(part)) or "nothing of ours"
    return f"{part} may include {allowed}; this is {other}"


def judge_foreign(part, file, target):
    if part != "plugin-api" or target == "dlpack/dlpack.h":
        return None
    if target.endswith(".h") and target[:-2] in C_HEADERS:
        return None
    if re.fullmatch(r"[a-z_]+", target) and not file.endswith((".h", ".c", ".def")):
        return None
    return "plugin-api may include C standard headers and dlpack/dlpack.h, its C++ files also C++ standard headers"


COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def without_comments(text):
    """The text with comments blanked; line numbers and strings stay."""
    return COMMENT.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), text)


def check(root):
    """(number of files read, violations)."""
    root = root.resolve()
    violations, files = [], 0
    for top in sorted({folder.split("/")[0] for folder in MAY_INCLUDE}):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SOURCES or not path.is_file():
                continue
            files += 1
            file = path.relative_to(root).as_posix()
            for number, line in enumerate(without_comments(path.read_text("utf-8")).splitlines(), 1):
                match = INCLUDE.match(line)
                if match and (why := judge(root, file, match[1] or match[2])):
                    violations.append(f"{file}:{number}: includes {match[1] or match[2]}: {why}")
    return files, violations


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    files, violations = check(root)
    print("\n".join(violations), end="\n" if violations else "")
    if files == 0:
        sys.exit(f"include_direction: no source file below {root}; give the repository's root")
    print(f"include direction: {files} files, {len(violations)} violations")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
