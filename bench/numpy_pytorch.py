#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times Rayo beside NumPy and PyTorch on the same arrays, from Python, in interleaved rounds of one process.

    python3 -m venv build/venv
    build/venv/bin/pip install numpy torch --extra-index-url https://download.pytorch.org/whl/cpu
    build/venv/bin/python bench/numpy_pytorch.py [--library build/release/lib/librayo.so] [--threads N] [--quick] [--json]

Without torch it compares with NumPy alone. All three write into memory that is there already (out=). A call through
ctypes costs about a microsecond, counted for Rayo: sizes begin where that is little. Results are compared before times
count. ratio = the best other's time / Rayo's: above 1 Rayo is ahead. Exit codes: 0 measured, 1 a result differs,
3 librayo or NumPy is missing.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
READING_S = 2e-3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", default=ROOT / "build/release/lib/librayo.so", help="librayo.so (default: build/release)")
    parser.add_argument("--device", default="auto", help="device of Rayo (default: auto)")
    parser.add_argument("--threads", type=int, default=1, help="threads of every library (default: 1)")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="one size each, few rounds")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def cases(np, torch, quick):
    """(name, op, attributes, input arrays, output array, numpy call, torch call or None) of every comparison."""
    rng = np.random.default_rng(1)

    def real(*shape):
        return rng.uniform(0.1, 4, shape).astype(np.float32)

    tensor = torch.from_numpy if torch else (lambda a: a)
    found = []

    def add(op, inputs, out, numpy_call, torch_call, attributes=None):
        shape = ",".join("x".join(map(str, a.shape)) for a in inputs)
        found.append((f"{op} {shape}", op, attributes or {}, inputs, out, numpy_call, torch_call if torch else None))

    for n in [100_000] if quick else [10_000, 100_000, 1_000_000, 10_000_000]:
        x, y, out = real(n), real(n), np.empty(n, np.float32)
        tx, ty, tout = tensor(x), tensor(y), tensor(np.empty(n, np.float32))
        one = np.empty(1, np.float32)
        for op, f, t in (("add", np.add, "add"), ("mul", np.multiply, "mul"), ("max", np.maximum, "maximum")):
            add(op, [x, y], out, lambda f=f, a=x, b=y, o=out: f(a, b, out=o),
                lambda t=t, a=tx, b=ty, o=tout: getattr(torch, t)(a, b, out=o))
        for op in ("exp", "log", "sin", "tanh", "sqrt"):
            add(op, [x], out, lambda f=getattr(np, op), a=x, o=out: f(a, out=o),
                lambda t=op, a=tx, o=tout: getattr(torch, t)(a, out=o))
        for op in ("erf", "sigmoid"):
            add(op, [x], out, None, lambda t=op, a=tx, o=tout: getattr(torch, t)(a, out=o))
        add("gelu", [x], out, None, lambda a=tx: torch.nn.functional.gelu(a))
        add("swish", [x], out, None, lambda a=tx: torch.nn.functional.silu(a))
        add("reduce_sum", [x], one, lambda a=x: a.sum(keepdims=True), lambda a=tx: a.sum(0, keepdim=True))
        add("reduce_max", [x], one, lambda a=x: a.max(keepdims=True), lambda a=tx: a.amax(0, keepdim=True))
        scalar = np.empty((), np.float32)
        add("dot", [x, y], scalar, lambda a=x, b=y: np.dot(a, b), lambda a=tx, b=ty: torch.dot(a, b))
    for rows, columns in [(256, 1024)] if quick else [(1, 100_000), (1024, 1024), (64, 128)]:
        x, out = real(rows, columns), np.empty((rows, columns), np.float32)
        scale, bias = real(columns), real(columns)
        tx, ts, tb = tensor(x), tensor(scale), tensor(bias)
        add("softmax", [x], out, None, lambda a=tx: torch.softmax(a, 1))
        add("layer_norm", [x, scale, bias], out, None,
            lambda a=tx, s=ts, b=tb: torch.nn.functional.layer_norm(a, s.shape, s, b, 1e-5))
        if rows > 1:
            flipped = np.empty((columns, rows), np.float32)
            add("transpose", [x], flipped, lambda a=x, o=flipped: np.copyto(o, a.T),
                lambda a=tx, o=tensor(np.empty((columns, rows), np.float32)): o.copy_(a.T))
    for m, n, k in [(256,) * 3] if quick else [(64,) * 3, (256,) * 3, (1024,) * 3, (1, 1000, 1000), (1000, 1, 1000), (1024, 8, 1024)]:
        a, b, out = real(m, k), real(k, n), np.empty((m, n), np.float32)
        ta, tb, tout = tensor(a), tensor(b), tensor(np.empty((m, n), np.float32))
        add("matmul", [a, b], out, lambda a=a, b=b, o=out: np.matmul(a, b, out=o),
            lambda a=ta, b=tb, o=tout: torch.matmul(a, b, out=o))
    return found


def batch_length(call, clock):
    call()
    count = 1
    while True:
        begin = clock()
        for _ in range(count):
            call()
        taken = clock() - begin
        if taken >= READING_S / 2:
            return max(1, round(count * READING_S / taken))
        count *= 2


def contest(calls, rounds, clock):
    """Median seconds of each call, over rounds in rotating order."""
    counts = [batch_length(call, clock) for call in calls]
    readings = [[] for _ in calls]
    for turn in range(rounds):
        for i in range(len(calls)):
            k = (i + turn) % len(calls)
            calls[k]()
            begin = clock()
            for _ in range(counts[k]):
                calls[k]()
            readings[k].append((clock() - begin) / counts[k])
    return [statistics.median(r) for r in readings]


def measure(np, torch, runtime, options):
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    rows, wrong = [], []
    for name, op, attributes, inputs, out, numpy_call, torch_call in cases(np, torch, options.quick):
        plan = runtime.plan(op, inputs, [out], attributes, options.device, options.threads)
        plan()
        ours = out.copy()
        others = {"numpy": numpy_call, "torch": torch_call}
        others = {who: call for who, call in others.items() if call is not None}
        for who, call in list(others.items()):
            result = call()
            theirs = np.asarray(out if result is None else result)
            if not np.allclose(theirs.reshape(ours.shape), ours, rtol=1e-3, atol=1e-4 * float(np.abs(ours).max())):
                wrong.append(f"{who} {name}")
                del others[who]
        if not others:
            continue
        seconds = contest([plan, *others.values()], 5 if options.quick else options.rounds, clock)
        row = {"name": name, "rayo_ns": seconds[0] * 1e9, "others_ns": dict(zip(others, [s * 1e9 for s in seconds[1:]]))}
        row["ratio"] = min(seconds[1:]) / seconds[0]
        rows.append(row)
        if not options.json:
            times = "  ".join(f"{who} {ns / 1e3:10.2f} us" for who, ns in row["others_ns"].items())
            print(f"{name:32} rayo {row['rayo_ns'] / 1e3:10.2f} us  {times}  ratio {row['ratio']:.2f}", flush=True)
    return rows, wrong


def main():
    options = arguments()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(options.threads)  # read when the libraries are imported
    try:
        import numpy as np

        import rayo_ctypes
    except ImportError as error:
        print(f"numpy_pytorch: {error}; see the top of {__file__}", file=sys.stderr)
        return 3
    try:
        import torch

        torch.set_num_threads(options.threads)
        torch.set_grad_enabled(False)
    except ImportError:
        torch = None
    try:
        runtime = rayo_ctypes.Runtime(options.library)
    except OSError as error:
        print(f"numpy_pytorch: {error}; build it (./dev build) or name it with --library", file=sys.stderr)
        return 3
    rows, wrong = measure(np, torch, runtime, options)
    versions = {"numpy": np.__version__, "torch": torch.__version__ if torch else None}
    if options.json:
        print(json.dumps({"versions": versions, "threads": options.threads, "rows": rows, "wrong": wrong}, indent=1))
    else:
        mean = statistics.geometric_mean([row["ratio"] for row in rows])
        print(f"\n{len(rows)} rows, numpy {versions['numpy']}, torch {versions['torch']}: geometric mean of the ratio {mean:.2f}")
    for name in wrong:
        print(f"numpy_pytorch: {name}: the result is another one", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
