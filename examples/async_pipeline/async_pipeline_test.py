# SPDX-License-Identifier: Apache-2.0
"""Runs async_pipeline and judges its trace: every step there, ordered as the semaphores say, and overlapping.

    async_pipeline_test.py PROGRAM DEVICE [PLUGIN_FOLDER]
    async_pipeline_test.py --self-test
"""
import json
import os
import subprocess
import sys
import tempfile

TILES, ADDITIONS = 8, 8


def rows_of(trace, device):
    """The spans of each row of the device's queues that has any, by the row's name, in order of time."""
    events = trace["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    rows = {}
    for e in events:
        row = names.get(e.get("tid"), "")
        if e["ph"] == "X" and row.startswith(device + " queue "):
            rows.setdefault(row, []).append((e["name"], e["ts"], e["ts"] + e["dur"]))
    return {row: sorted(spans, key=lambda s: s[1]) for row, spans in rows.items()}


def steps_of(rows):
    """Begin and end of each tile's upload, computation and download. A step may have parts (staging)."""
    transfers = [spans for spans in rows.values() if any(s[0].startswith("upload") for s in spans)]
    compute = [spans for spans in rows.values() if any(s[0] == "add" for s in spans)]
    if len(transfers) != 1 or len(compute) != 1 or transfers[0] is compute[0]:
        raise AssertionError(f"expected one row of transfers and one of additions, found {sorted(rows)}")
    steps = {}
    for name in "upload", "download":
        spans = [s for s in transfers[0] if s[0].startswith(name)]
        parts = len(spans) // TILES
        if parts == 0 or len(spans) != parts * TILES:
            raise AssertionError(f"{len(spans)} spans of {name} for {TILES} tiles")
        steps[name] = [(spans[i * parts][1], spans[(i + 1) * parts - 1][2]) for i in range(TILES)]
    adds = compute[0]
    if len(adds) != TILES * ADDITIONS:
        raise AssertionError(f"{len(adds)} additions, expected {TILES * ADDITIONS}")
    steps["add"] = [(adds[i * ADDITIONS][1], adds[(i + 1) * ADDITIONS - 1][2]) for i in range(TILES)]
    for spans in rows.values():
        for a, b in zip(spans, spans[1:]):
            if b[1] < a[2] - 0.0015:  # times have three digits after the microsecond
                raise AssertionError(f"{b[0]} at {b[1]} starts before {a[0]} of its queue ended at {a[2]}")
    return steps


def judge(steps):
    """What a step waits for has ended when it begins; counts the tiles whose transfers overlap computation."""
    up, add, down = steps["upload"], steps["add"], steps["download"]
    rules = []
    for k in range(TILES):
        rules += [(f"computation {k + 1}", add[k], f"upload {k + 1}", up[k])]
        rules += [(f"download {k + 1}", down[k], f"computation {k + 1}", add[k])]
        if k >= 2:
            rules += [(f"upload {k + 1}", up[k], f"computation {k - 1}", add[k - 2])]
            rules += [(f"computation {k + 1}", add[k], f"download {k - 1}", down[k - 2])]
    for what, later, of, earlier in rules:
        if later[0] < earlier[1] - 0.0015:
            raise AssertionError(f"{what} begins at {later[0]}, before {of} has ended at {earlier[1]}")
    shared = lambda a, b: min(a[1], b[1]) > max(a[0], b[0])
    ahead = sum(shared(up[k + 1], add[k]) for k in range(TILES - 1))
    behind = sum(shared(down[k - 1], add[k]) for k in range(1, TILES))
    return ahead, behind


def check_arrows(trace):
    starts = {e["id"] for e in trace["traceEvents"] if e["ph"] == "s"}
    ends = [e["id"] for e in trace["traceEvents"] if e["ph"] == "f"]
    # Uploads wait from the third tile on, computations for their upload and from the third for a download, downloads.
    expected = (TILES - 2) + TILES + (TILES - 2) + TILES
    drawn = sum(e in starts for e in ends)
    if drawn < expected:
        raise AssertionError(f"{drawn} arrows of semaphores, expected {expected}")
    return drawn


def self_test():
    """The judge tells a pipeline that overlaps from one that does not, and from one in the wrong order."""
    def steps(up, add, down):
        return {"upload": up, "add": add, "download": down}
    serial = steps(*([(30 * k + o, 30 * k + o + 10) for k in range(TILES)] for o in (0, 10, 20)))
    assert judge(serial) == (0, 0), judge(serial)
    add = [(100 * k, 100 * k + 90) for k in range(TILES)]
    up = [(100 * k - 95, 100 * k - 60) for k in range(TILES)]
    down = [(100 * k + 105, 100 * k + 120) for k in range(TILES)]
    assert judge(steps(up, add, down)) == (TILES - 1, TILES - 1)
    up[3] = (250, 310)
    try:
        judge(steps(up, add, down))
    except AssertionError:
        return
    raise AssertionError("a computation before its upload was not noticed")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    program, device = sys.argv[1:3]
    environment = dict(os.environ)
    if len(sys.argv) > 3:
        environment["RAYO_PLUGIN_PATH"] = sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        # A machine with other work on it may keep the threads from running side by side: then it is tried again.
        for attempt in range(5):
            file = os.path.join(folder, f"trace{attempt}.json")
            done = subprocess.run([program, device, file], env=environment, capture_output=True, text=True)
            if done.returncode == 3:
                print(f"SKIPPED: no device {device} here: {done.stderr}")
                sys.exit(77)
            if done.returncode != 0:
                sys.exit(f"async_pipeline {device} ended with {done.returncode}: {done.stderr}")
            with open(file) as handle:
                trace = json.load(handle)
            arrows = check_arrows(trace)
            ahead, behind = judge(steps_of(rows_of(trace, device)))
            print(f"{done.stdout.splitlines()[0]}; computation overlaps {ahead} of {TILES - 1} next uploads and "
                  f"{behind} of {TILES - 1} last downloads; {arrows} arrows")
            if ahead > 0 and behind > 0:
                return None
    sys.exit("no upload or no download overlaps computation")


if __name__ == "__main__":
    main()
