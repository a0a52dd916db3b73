#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run-gpu.sh [--quick] [--check] [--report FOLDER]: judges and measures the CUDA plugin on this machine's GPU. --check
# only says whether there is one. Exit codes: 0 all passed, 1 something failed, 2 usage, 3 no NVIDIA driver.
set -uo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
report=$here/report
quick=()
check=0
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=(--quick) ;;
    --check) check=1 ;;
    --report)
      [ $# -gt 1 ] || {
        echo "run-gpu: --report needs a folder" >&2
        exit 2
      }
      report=$2
      shift
      ;;
    *)
      echo "usage: run-gpu.sh [--quick] [--check] [--report FOLDER]" >&2
      exit 2
      ;;
  esac
  shift
done

export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export RAYO_PLUGIN_PATH=$here/lib/rayo/plugins
export LC_ALL=C.UTF-8
rayo=$here/bin/rayo
plugin=$here/lib/rayo/plugins/cuda.so
scalar=$here/lib/rayo/plugins/scalar.so
# Libraries of a toolkit that is not in the loader's path.
for toolkit in "${CUDA_PATH:-}" /usr/local/cuda; do
  [ -z "$toolkit" ] || [ ! -d "$toolkit/lib64" ] || LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$toolkit/lib64
  [ -z "$toolkit" ] || [ ! -d "$toolkit/bin" ] || PATH=$PATH:$toolkit/bin
done

listing=$("$rayo" devices --all 2>&1)
reason=$("$rayo" devices --all --json 2>/dev/null | grep -o 'no NVIDIA [^"]*' | head -n 1)
if ! "$rayo" devices 2>/dev/null | grep -q '^ *cuda0'; then
  if [ -z "$reason" ]; then
    printf 'run-gpu: the CUDA plugin does not run here:\n%s\n' "$listing" >&2
    exit 1
  fi
  echo "run-gpu: $reason"
  echo "run-gpu: no NVIDIA driver"
  exit 3
fi
printf '%s\n' "$listing"
[ "$check" = 0 ] || exit 0

mkdir -p -- "$report" || exit 1
text=$report/report.txt
: >"$text"
failed=()
skipped=()
step() { # step NAME COMMAND...: its output goes to the report and to the terminal
  local name=$1 begin=$SECONDS status=0
  shift
  printf '\n== %s: %s\n' "$name" "$*" | tee -a "$text"
  "$@" 2>&1 | tee -a "$text" || status=${PIPESTATUS[0]}
  printf '== %s: exit status %s after %s s\n' "$name" "$status" "$((SECONDS - begin))" | tee -a "$text"
  [ "$status" = 0 ] || failed+=("$name")
}

{
  date -u
  uname -a
  printf '%s\n' "$listing"
  command -v nvidia-smi >/dev/null && nvidia-smi
} >>"$text" 2>&1

rm -f "$report"/*.json
step conformance "$rayo" conform --plugin "$plugin" --reference "$scalar" "${quick[@]}" --format json -o "$report/conform.json"
step claims "$rayo" conform --claims --json -o "$report/claims.json"
[ ! -x "$here/tests/claims_cuda_test" ] || step tests "$here/tests/claims_cuda_test"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    step "sanitizer-$tool" compute-sanitizer --tool "$tool" --target-processes all --error-exitcode 9 --kernel-name \
      regex:'reduce|softmax|gemm|transpose|layer_norm' \
      "$rayo" conform --plugin "$plugin" --reference "$scalar" --quick --ops reduce_sum,softmax,layer_norm,matmul,transpose \
      --slice 24 --case-seconds 300
  done
else
  skipped+=("compute-sanitizer: not on this machine")
fi
if [ -x "$here/bin/rayo-gpu-bench" ]; then
  step bench "$here/bin/rayo-gpu-bench" --device cuda0 --json "$report/bench.json" "${quick[@]}"
else
  skipped+=("rayo-gpu-bench: not in this bundle")
fi

# One JSON of the parts, which are JSON themselves.
part() { if [ -s "$report/$1.json" ]; then cat -- "$report/$1.json"; else printf 'null'; fi; }
list() {
  local first=1 item
  for item in "$@"; do
    [ "$first" = 1 ] || printf ','
    first=0
    item=${item//\\/\\\\}
    printf '"%s"' "${item//\"/\\\"}"
  done
}
{
  printf '{"date":"%s","failed":[%s],"skipped":[%s],\n"devices":' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    "$(list "${failed[@]}")" "$(list "${skipped[@]}")"
  "$rayo" devices --all --json
  printf ',\n"conform":'
  part conform
  printf ',\n"claims":'
  part claims
  printf ',\n"bench":'
  part bench
  printf '}\n'
} >"$report/report.json"
{
  printf '\n== summary\n'
  [ ${#skipped[@]} -eq 0 ] || printf 'skipped: %s\n' "${skipped[@]}"
  if [ ${#failed[@]} -eq 0 ]; then
    echo "every step passed"
  else
    printf 'failed: %s\n' "${failed[@]}"
  fi
  echo "reports: $text, $report/report.json"
} | tee -a "$text"
[ ${#failed[@]} -eq 0 ]
