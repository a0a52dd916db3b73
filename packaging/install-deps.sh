#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The one place that lists the Debian and Ubuntu packages Rayo needs, by purpose, and installs those that are missing.
# Says what it will do first; does nothing, quickly, when all is there. Tested on Debian 12; the names are those of
# Ubuntu 24.04 as well.
#
#   packaging/install-deps.sh [--check|--list] GROUP...      groups: build test bench lint lapack vulkan aarch64 fuzz coverage valgrind
#
# --check  installs nothing; exit code 1 if a package is missing
# --list   prints the groups' packages, one per line
set -euo pipefail
export LC_ALL=C.UTF-8

packages_of() {
  case $1 in
    # libmd: SHA-256 of plugin files. dlpack: the tensor struct. libpng: heat maps. cairo: rayo tune's PNG.
    build) echo ca-certificates g++ cmake ninja-build ccache pkg-config libboost-dev libboost-program-options-dev libfmt-dev \
      nlohmann-json3-dev libdlpack-dev libmd-dev libpng-dev libcairo2-dev ;;
    # binutils: nm, objdump and readelf look at the built plugins.
    # MPFR judges f64 results; jsonschema and junitparser read conformance reports; tests only.
    test) echo libgtest-dev python3 python3-numpy python3-jsonschema python3-junitparser binutils libmpfr-dev \
      libgmp-dev ;;
    # Google Benchmark, and the libraries we are measured against.
    bench) echo libbenchmark-dev libdnnl-dev libopenblas-dev libblis-dev libeigen3-dev libsleef-dev libtbb-dev ;;
    lint) echo clang-format-14 clang-tidy-14 shellcheck python3 ;;
    # libFuzzer and the sanitizers that its programs are built with.
    fuzz) echo clang-14 libclang-rt-14-dev ;;
    coverage) echo gcovr ;;
    valgrind) echo valgrind ;;
    # eigh: the C interface, and the reference LAPACK and BLAS behind it.
    lapack) echo liblapacke-dev liblapack3 libblas3 ;;
    # Headers, shader compiler and validator; lavapipe, a Vulkan device on any CPU, and the validation layer for the tests.
    vulkan) echo libvulkan-dev glslc spirv-tools mesa-vulkan-drivers vulkan-validationlayers ;;
    # The cross compiler, the emulator that runs what it builds, and the arm64 libraries to link with (multiarch).
    aarch64) echo g++-aarch64-linux-gnu qemu-user libboost-program-options-dev:arm64 libfmt-dev:arm64 libmd-dev:arm64 \
      libgtest-dev:arm64 nlohmann-json3-dev libdlpack-dev ;;
    *)
      echo "install-deps: unknown group '$1'; groups are build, test, bench, lint, lapack, vulkan, aarch64, fuzz, coverage, valgrind" >&2
      exit 2
      ;;
  esac
}

# A name without an architecture means this machine's: a foreign twin beside it, or alone, does not count.
installed() {
  local name=$1 wanted
  case $name in
    *:*) wanted="${name#*:}" ;;
    *) wanted=$(dpkg --print-architecture) ;;
  esac
  dpkg-query -W -f '${Architecture} ${db:Status-Status}\n' "${name%%:*}" 2>/dev/null |
    grep -qxE "($wanted|all) installed"
}

mode=install
if [ "${1:-}" = --check ] || [ "${1:-}" = --list ]; then
  mode=${1#--}
  shift
fi
if [ $# -eq 0 ]; then
  echo "usage: packaging/install-deps.sh [--check|--list] GROUP...   groups: build test bench lint lapack vulkan aarch64 fuzz coverage valgrind" >&2
  exit 2
fi

wanted=()
for group in "$@"; do
  list=$(packages_of "$group")
  read -r -a names <<<"${list//$'\n'/ }"
  wanted+=("${names[@]}")
done
if [ "$mode" = list ]; then
  printf '%s\n' "${wanted[@]}" | sort -u
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  [ "$mode" = check ] && exit 0 # cannot tell; the build says what it lacks
  echo "install-deps: this is neither Debian nor Ubuntu (no apt-get). Install what corresponds to these packages:" >&2
  printf '  %s\n' "${wanted[@]}" >&2
  exit 0
fi

missing=()
for name in "${wanted[@]}"; do
  if ! installed "$name" && [[ " ${missing[*]} " != *" $name "* ]]; then missing+=("$name"); fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi
[ "$mode" = check ] && exit 1

echo "These ${#missing[@]} packages are missing and will be installed with apt-get:"
printf '%s\n' "${missing[*]}" | fold -s -w 100 | sed 's/^/  /'
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: installing needs root and there is no sudo. As root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
  [ -t 0 ] || as_root=(sudo -n)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=300
  -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
# Packages of another architecture: dpkg has to know it before apt fetches its lists. On a machine of that architecture
# they are its own.
if [[ " ${missing[*]} " == *":arm64 "* ]] && [ "$(dpkg --print-architecture)" != arm64 ] &&
  ! dpkg --print-foreign-architectures | grep -qx arm64; then
  echo "dpkg --add-architecture arm64"
  "${as_root[@]}" dpkg --add-architecture arm64
fi
"${apt[@]}" update </dev/null
"${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null

for name in "${missing[@]}"; do
  if ! installed "$name"; then
    echo "install-deps: $name is still missing after apt-get; its messages above say why" >&2
    exit 1
  fi
done
