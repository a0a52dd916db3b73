#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `./dev demo` shows: demo.py BUILD. Devices, handwritten digits, one matmul through files on every CPU device.

Exit code 1 if a step fails, or if two CPU devices with reproducible kernels write different bytes. Standard library only.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SIZE = 1000
SECONDS_PER_READING = 1.0
UNSUPPORTED = 3  # rayo's exit code for "nobody here can do it"


def heading(text):
    print(f"\n== {text}", flush=True)


def run(words, threads=None, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAYO_")}
    if threads:
        environment["RAYO_NUM_THREADS"] = str(threads)
    return subprocess.run(list(map(str, words)), env=environment, stdin=subprocess.DEVNULL, check=False, **options)


def must(words, **options):
    done = run(words, **options)
    if done.returncode != 0:
        sys.exit(f"demo: failed with exit code {done.returncode}: {' '.join(map(str, words))}\n{done.stderr or ''}")
    return done.stdout


def cpu_devices(rayo):
    report = json.loads(must([rayo, "devices", "--json"], capture_output=True, text=True))
    return [d["id"] for p in report["plugins"] if p["state"] == "ready" for d in p["devices"] if d["kind"] == "cpu"]


def matmul(rayo, folder, device, threads):
    """{"ns", "digest", ...} of a x b on a device, or None if it has no kernel for it."""
    output = folder / f"c_{device}_{threads}.npy"
    words = [rayo, "run", "matmul", folder / "a.npy", folder / "b.npy", "-o", output, "--device", device, "--json"]
    first = run(words, threads, capture_output=True, text=True)
    if first.returncode == UNSUPPORTED:
        return None
    if first.returncode != 0:
        sys.exit(f"demo: matmul on {device} failed:\n{first.stderr}")
    repeat = max(3, min(100, round(SECONDS_PER_READING * 1e9 / json.loads(first.stdout)["ns"])))
    result = json.loads(must([*words, "--repeat", repeat], threads=threads, capture_output=True, text=True))
    result["digest"] = hashlib.sha256(output.read_bytes()).hexdigest()
    return result


def matmul_everywhere(rayo, devices):
    rows = []
    all_threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="rayo-demo-") as name:
        folder = pathlib.Path(name)
        for seed, file in enumerate(("a.npy", "b.npy"), 1):
            must([sys.executable, HERE / "random_npy.py", SIZE, SIZE, seed, folder / file])
        print(f"rayo run matmul a.npy b.npy -o c.npy --device NAME    ({SIZE}x{SIZE} by {SIZE}x{SIZE}, f32)")
        for device in devices:
            for threads in sorted({1, all_threads}):
                if result := matmul(rayo, folder, device, threads):
                    rows.append((device, threads, result))
                    gflops = 2 * SIZE**3 / result["ns"]
                    print(f"  {device:<8} {threads:>3} thread{'s' if threads > 1 else ' '} {result['ns'] / 1e6:>10.2f} ms"
                          f" {gflops:>9.1f} GFLOP/s   sha256 {result['digest'][:16]}", flush=True)
    return rows


def summary(rows):
    """Prints it; returns whether every CPU device gave the same bits."""
    devices = list(dict.fromkeys(device for device, _, _ in rows))
    threads = sorted({t for _, t, _ in rows})
    best = min(rows, key=lambda row: row[2]["ns"])
    slowest = max((row for row in rows if row[1] == 1), key=lambda row: row[2]["ns"])
    print(f"  ran on             {', '.join(devices)}")
    print("  digits             checked above: at least 97% right on each, equal logits where kernels are reproducible")
    print(f"  matmul {SIZE}        fastest on {best[0]} with {best[1]} threads: {2 * SIZE**3 / best[2]['ns']:.1f} GFLOP/s, "
          f"{slowest[2]['ns'] / best[2]['ns']:.1f} times {slowest[0]} with one")
    rows = [row for row in rows if row[2]["numerics"] == "reproducible"]
    devices = list(dict.fromkeys(device for device, _, _ in rows))
    digests = {row[2]["digest"] for row in rows}
    if len(digests) == 1:
        counts = " and ".join(map(str, threads))
        print(f"  bits               every CPU backend ({', '.join(devices)}), threads {counts}: the same bytes\n"
              f"                     sha256 {digests.pop()}")
        return True
    for digest in sorted(digests):
        who = ", ".join(f"{d} with {t}" for d, t, r in rows if r["digest"] == digest)
        print(f"  DIFFERENT BITS     {digest}: {who}")
    return False


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv[1]).resolve() / "bin"
    rayo = programs / "rayo"
    heading("devices on this machine (rayo devices)")
    must([rayo, "devices"])
    heading("handwritten digits: a C program on every device (examples/digits)")
    must([programs / "digits", HERE / "digits"])
    heading("matrix product through .npy files, on every CPU device")
    rows = matmul_everywhere(rayo, cpu_devices(rayo))
    if not rows:
        sys.exit("demo: no CPU device could run matmul; `rayo devices --all` says why")
    heading("summary")
    sys.exit(0 if summary(rows) else "demo: CPU backends disagree; that is a defect, please report it")


if __name__ == "__main__":
    main()
