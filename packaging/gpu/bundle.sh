#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bundle.sh BUILD FOLDER: fills FOLDER with what run-gpu.sh needs, from a build folder. Libraries of the C library's own
# family stay out: every machine has its own, and those of another would not fit its loader.
set -euo pipefail

[ $# -eq 2 ] || {
  echo "usage: packaging/gpu/bundle.sh BUILD FOLDER" >&2
  exit 2
}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "$1" && pwd -P)
mkdir -p -- "$2"
folder=$(cd -- "$2" && pwd -P)
limit_mib=60
[ "$folder" != "$build" ] || {
  echo "bundle: FOLDER must not be the build folder" >&2
  exit 2
}
[ -f "$build/lib/rayo/plugins/cuda.so" ] || {
  echo "bundle: $build/lib/rayo/plugins/cuda.so is not built: it needs nvcc (CUDA Toolkit 12 or later)" >&2
  exit 3
}

# Only a folder that this script filled, or an empty one, is filled anew.
if [ -n "$(ls -A -- "$folder")" ] && [ ! -f "$folder/run-gpu.sh" ]; then
  echo "bundle: $folder holds other things than a bundle; name an empty folder" >&2
  exit 2
fi
rm -rf -- "${folder:?}/bin" "${folder:?}/lib" "${folder:?}/tests"
mkdir -p "$folder/bin" "$folder/lib/rayo/plugins" "$folder/tests"
copy() { # copy SOURCE TARGET: without debugging symbols
  cp -L -- "$1" "$2"
  chmod u+w,go-w -- "$2"
}
for program in rayo rayo-gpu-bench; do
  [ ! -f "$build/bin/$program" ] || copy "$build/bin/$program" "$folder/bin/$program"
done
copy "$build/lib/librayo.so" "$folder/lib/librayo.so.0"
copy "$build/lib/rayo/rayo-probe" "$folder/lib/rayo/rayo-probe"
[ ! -f "$build/lib/cub_peer.so" ] || copy "$build/lib/cub_peer.so" "$folder/lib/cub_peer.so"
for plugin in scalar avx2 avx512 cuda; do
  [ ! -f "$build/lib/rayo/plugins/$plugin.so" ] ||
    copy "$build/lib/rayo/plugins/$plugin.so" "$folder/lib/rayo/plugins/$plugin.so"
done
[ ! -f "$build/tests/claims_cuda_test" ] || copy "$build/tests/claims_cuda_test" "$folder/tests/claims_cuda_test"

# Shared libraries that a bare machine may lack.
for file in "$folder"/bin/* "$folder"/lib/*.so* "$folder"/lib/rayo/rayo-probe "$folder"/lib/rayo/plugins/*.so \
  "$folder"/tests/*; do
  [ -f "$file" ] || continue
  LD_LIBRARY_PATH=$folder/lib ldd "$file" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
done | sort -u | while read -r library; do
  name=${library##*/}
  case $name in
    libc.so* | libm.so* | libdl.so* | libpthread.so* | librt.so* | ld-linux* | librayo* | libcuda.so*) ;;
    *) [ -f "$folder/lib/$name" ] || copy "$library" "$folder/lib/$name" ;;
  esac
done
find "$folder/bin" "$folder/lib" "$folder/tests" -type f -exec strip --strip-unneeded {} + 2>/dev/null || true
# What librayo loads without a probe, by the hashes of the files as they are now.
(cd "$folder/lib/rayo/plugins" && sha256sum -- *.so >manifest.sha256)
copy "$here/run-gpu.sh" "$folder/run-gpu.sh"
chmod +x "$folder/run-gpu.sh"

size=$(du -sm -- "$folder" | cut -f1)
if [ "$size" -ge "$limit_mib" ]; then
  echo "bundle: $folder is $size MiB, the limit is $limit_mib" >&2
  exit 1
fi
echo "bundle: $folder, $size MiB; on a machine with an NVIDIA driver run its run-gpu.sh"
