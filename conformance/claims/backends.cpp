// SPDX-License-Identifier: Apache-2.0
//
// Claims that a SIMD backend has scalar's bits: the suite's full list of cases, each run on both and compared.
#include <fmt/format.h>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "suites/generator.hpp"

namespace rayo::conform::claims {
namespace {

const Backend &scalar_backend(const Setting &setting, Backend &given) {
  if (!setting.reference.empty()) {
    given.name = "scalar";
    given.file = setting.reference;
    return given;
  }
  return setting.need("scalar");
}

// Both sides are one call on memory of their own. The case's address games stay; those that need the suite (aliasing,
// rows, laws) are left to it.
bool is_plain(const Case &c) {
  return find_op(c.op) != nullptr && c.in_place < 0 && !c.partial_alias && c.row < 0 && c.law.empty();
}

std::string equals_scalar(const Setting &setting, std::string_view name) {
  const Backend &backend = setting.need(name);
  Backend given;
  const Backend &reference = scalar_backend(setting, given);
  const auto subject = load(setting, backend);
  const auto scalar = load(setting, reference);
  Tally tally;
  std::uint64_t elements = 0;
  for (const Case &c : generate({}, false, setting.seed)) {
    if (!is_plain(c)) continue;
    setting.step(replay(backend, format_case(c)));
    BoundCase mine(c, *subject);
    if (mine.numerics() != RAYO_NUMERICS_REPRODUCIBLE) continue;
    BoundCase theirs(c, *scalar);
    if (theirs.numerics() != RAYO_NUMERICS_REPRODUCIBLE || !theirs.run()) continue;
    std::string text;
    try {
      if (!mine.run()) continue;
      text = difference(mine, mine.bytes(), theirs.bytes(), name, "scalar");
    } catch (const CallFailed &failed) {
      text = failed.what();
    }
    if (!text.empty()) {
      throw Refuted(fmt::format("{}: {}: {}", name, format_case(c), text), replay(backend, format_case(c)));
    }
    for (const OutputShape &shape : mine.shapes()) elements += static_cast<std::uint64_t>(element_count(shape.shape));
    tally.count(backend, c, 1);
  }
  std::string text = tally.text("cases bit for bit against scalar");
  for (const std::string_view op : {"add", "sub", "mul"}) {
    if (!tally.has(op)) throw NotEvaluated(fmt::format("{}; but nothing of {}, which the claim names", text, op));
  }
  return fmt::format("0 of {} elements differ: {}", grouped(elements), text);
}

}  // namespace

std::string avx2_equals_scalar(const Setting &setting) { return equals_scalar(setting, "avx2"); }
std::string avx512_equals_scalar(const Setting &setting) { return equals_scalar(setting, "avx512"); }

}  // namespace rayo::conform::claims
