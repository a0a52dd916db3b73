// SPDX-License-Identifier: Apache-2.0
//
// The long run: every unary function in f32 over all 2^32 inputs, in f64 over 2^24 of them, in pieces.
#include <algorithm>

#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

constexpr std::int64_t kPiece = 1 << 22;  // f32: 1024 pieces
constexpr std::int64_t kWidePiece = 1 << 16;
constexpr std::uint64_t kWidePieces = 256;

void add_pieces(CaseList &list) {
  const bool wide = list.plan().dtype == Dtype::f64;
  const std::uint64_t pieces = wide ? kWidePieces : (UINT64_C(1) << 32) / kPiece;
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    // f32: the residues 0 ... 1023 together are the whole type. f64: a stride of its own for each piece.
    Case &c = list.add({{wide ? kWidePiece : kPiece}}, wide ? "sweep" : "stride");
    if (!wide) c.seed = piece;
  }
}

}  // namespace

std::vector<Case> generate_nightly(std::span<const std::string> ops, std::uint64_t seed) {
  std::vector<Case> all;
  for (const OpInfo &op : catalogue()) {
    if (op.family != "unary") continue;
    if (!ops.empty() && std::find(ops.begin(), ops.end(), op.name) == ops.end()) continue;
    for (const Dtype dtype : op_dtypes(op)) {
      CaseList list({&op, dtype, false, seed});
      add_pieces(list);
      std::vector<Case> cases = list.take();
      if (op.name == "gelu") vary(cases, "approximate", {"tanh"});
      all.insert(all.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
    }
  }
  return all;
}

}  // namespace rayo::conform
