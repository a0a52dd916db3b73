#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Reads what was built, so that one ISA's code can never run in another's place:
#   check_objects.sh plugin FILE.so              exactly one exported symbol, a note, no C++ runtime needed
#   check_objects.sh isa NAME OBJECT...          external symbols only in rayo::NAME; no initialisers; no std code
#   check_objects.sh baseline OBJECT...          no VEX or EVEX instruction, no initialisers
set -euo pipefail

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

no_initialisers() {
  if readelf -SW "$1" | grep -E '\.(init_array|ctors|fini_array|dtors)' >&2; then
    fail "$1 has dynamic initialisers"
  fi
}

check_plugin() {
  local exported
  exported=$(nm -D --defined-only "$1" | awk '{print $3}')
  [[ "$exported" == rayo_plugin_query ]] || fail "$1 exports: $exported"
  readelf -nW "$1" | grep -q 'Rayo' || fail "$1 has no Rayo note"
  if readelf -dW "$1" | grep -E 'NEEDED.*(libstdc\+\+|libgcc_s|librayo)' >&2; then
    fail "$1 needs a library it must not need"
  fi
}

check_isa() {
  local isa=$1 object name seen=0
  shift
  for object in "$@"; do
    no_initialisers "$object"
    # Every defined external symbol, demangled: it must start inside the ISA's namespace, weak ones above all.
    while read -r name; do
      seen=$((seen + 1))
      [[ "$name" == *"rayo::$isa::"* && "$name" != *"std::"* ]] || fail "$object defines '$name' outside rayo::$isa"
    done < <(nm -C --defined-only --extern-only "$object" | sed -E 's/^[0-9a-f]* +[A-Za-z] //')
  done
  ((seen > 0)) || fail "no symbol was looked at"
}

check_baseline() {
  local object lines found
  for object in "$@"; do
    no_initialisers "$object"
    lines=$(objdump -d --no-show-raw-insn "$object" | wc -l)
    ((lines > 10)) || fail "$object has no code to look at"
    # VEX and EVEX mnemonics start with v; opmask moves with kmov; wide registers are ymm and zmm.
    found=$(objdump -d --no-show-raw-insn "$object" |
      grep -E '^ +[0-9a-f]+:[[:space:]]+(v[a-z0-9]+|kmov[bwdq])( |$)|%[yz]mm' | grep -vE '[[:space:]]ver[rw] ' || true)
    [[ -z "$found" ]] || fail "$object holds AVX instructions: ${found%%$'\n'*}"
  done
}

kind=${1:?usage: check_objects.sh plugin|isa|baseline ...}
shift
case "$kind" in
plugin) check_plugin "$@" ;;
isa) check_isa "$@" ;;
baseline) check_baseline "$@" ;;
*) fail "unknown check '$kind'; legal: plugin isa baseline" ;;
esac
echo "ok: $kind"
