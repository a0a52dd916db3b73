#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bundle_test.sh BUILD FOLDER: the bundle, moved, says 'no NVIDIA driver' and exits 3 where there is none, names no path of
# the machine that made it, and stays below its size. Exit code 77 (a skip) where there is a driver.
set -uo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$1 folder=$2
fail() {
  echo "bundle_test: $*" >&2
  exit 1
}

rm -rf -- "${folder:?}" "${folder:?}.moved"
"$here/bundle.sh" "$build" "$folder" || fail "bundle.sh failed"
mv -- "$folder" "$folder.moved"
[ "$(du -sm -- "$folder.moved" | cut -f1)" -lt 60 ] || fail "60 MiB or more"
for library in $(cd "$folder.moved/lib" && ls -- *.so*); do
  case $library in
    libcu*) fail "$library is NVIDIA's: the machine has its own" ;;
  esac
done
# Every library that a program asks for is found inside, or is the C library's.
missing=$(LD_LIBRARY_PATH=$folder.moved/lib ldd "$folder.moved/bin/rayo" | grep 'not found')
[ -z "$missing" ] || fail "bin/rayo lacks $missing"
outside=$(LD_LIBRARY_PATH=$folder.moved/lib ldd "$folder.moved/bin/rayo" | awk '$2 == "=>" { print $3 }' |
  grep -v "^$folder.moved/lib/" | grep -vE '/(libc|libm|libdl|libpthread|librt)\.so')
[ -z "$outside" ] || fail "bin/rayo uses $outside"

text=$(cd / && "$folder.moved/run-gpu.sh" --check 2>&1)
status=$?
if [ "$status" = 0 ]; then
  echo "bundle_test: there is a GPU here; run-gpu.sh judges it"
  exit 77
fi
printf '%s\n' "$text"
[ "$status" = 3 ] || fail "exit status $status, expected 3"
[ "$(printf '%s\n' "$text" | tail -n 1)" = "run-gpu: no NVIDIA driver" ] || fail "it does not say 'no NVIDIA driver'"
rm -rf -- "$folder.moved"
