// SPDX-License-Identifier: Apache-2.0
//
// Claims about where data begins and ends: every tail, nothing, one element, every misalignment. The suite judges the
// cases (oracle, guard pages, poison); here is only which, and that none is left out.
#include <fmt/format.h>

#include <array>

#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "runner/session.hpp"

namespace rayo::conform::claims {
namespace {

// Longest vector in elements (64 bytes in zmm), twice, and two more: every remainder behind none, one and two of them.
constexpr std::int64_t kTails = 130;

bool is_product(const OpInfo &op) {
  return op.shape_rule == "matmul" || op.shape_rule == "gemm" || op.shape_rule == "matmul_integer";
}

// Adds a case of every op and type with this extent, its operands against the page behind or before them.
void add_all(std::vector<Case> &cases, const Setting &setting, Extent extent, Guard guard,
             const std::function<bool(const OpInfo &)> &wanted) {
  for (const Typed &typed : all_typed_ops()) {
    if (!wanted(*typed.op)) continue;
    auto c = shaped_case(*typed.op, typed.types, extent, "uniform", setting.seed);
    if (!c) continue;
    c->guard = guard;
    cases.push_back(std::move(*c));
  }
}

bool any_op(const OpInfo &op) { return op.shape_rule != "eigh"; }

// Judges the cases on every ready plugin; a defect refutes with its line.
std::string judge_all(const Setting &setting, const std::vector<Case> &cases, std::string_view what) {
  Tally tally;
  std::vector<std::string> files;
  const std::vector<const Backend *> backends = setting.ready();
  for (const Backend *backend : backends) files.push_back(backend->file);
  SessionOptions options;
  options.progress = [&](std::size_t done, std::size_t total) {
    if (done % 256 == 0) setting.step(fmt::format("{}: {} of {} cases", what, done, total));
  };
  const std::vector<PluginReport> reports = judge_plugins(files, cases, options);
  for (std::size_t b = 0; b < reports.size(); ++b) {
    if (!reports[b].refused.empty()) throw Refuted(backends[b]->name + ": " + reports[b].refused);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const CaseResult &c = reports[b].cases[i];
      // Too many zeros to tell right from wrong is no verdict on the plugin.
      if (is_defect(c.verdict.state) && c.verdict.state != State::distrusted) {
        throw Refuted(
            fmt::format("{}: {}: {} {}", backends[b]->name, c.line, state_name(c.verdict.state), c.verdict.message),
            replay(*backends[b], c.line));
      }
      if (c.verdict.state == State::passed) tally.count(*backends[b], cases[i], 1);
    }
  }
  return tally.text(what);
}

}  // namespace

std::string every_tail(const Setting &setting) {
  std::vector<Case> cases;
  for (std::int64_t n = 1; n <= kTails; ++n) {
    add_all(cases, setting, {2, n, 3}, Guard::back, any_op);
    add_all(cases, setting, {2, n, 3}, Guard::front, any_op);
    if (n > 40) continue;  // rows and depth of a product: tiles are lower than 32
    add_all(cases, setting, {n, 3, 5}, Guard::back, is_product);
    add_all(cases, setting, {5, 3, n}, Guard::back, is_product);
  }
  return judge_all(setting, cases, fmt::format("cases right: lengths 1 to {}, guard pages behind and before", kTails));
}

std::string empty_operands(const Setting &setting) {
  std::vector<Case> cases;
  for (const Guard guard : {Guard::back, Guard::front}) {
    add_all(cases, setting, {3, 0, 4}, guard, [](const OpInfo &) { return true; });
    add_all(cases, setting, {0, 5, 4}, guard, [](const OpInfo &op) { return is_product(op); });
    add_all(cases, setting, {3, 5, 0}, guard, [](const OpInfo &op) { return is_product(op); });
  }
  // An arg reduction of nothing is an error by its definition, not a result.
  std::erase_if(cases, [](const Case &c) { return find_op(c.op)->shape_rule == "arg_reduce"; });
  return judge_all(setting, cases, "cases with an extent of 0 right");
}

std::string one_element(const Setting &setting) {
  std::vector<Case> cases;
  for (const Guard guard : {Guard::back, Guard::front}) {
    for (std::uint64_t i = 0; i < 8; ++i) {
      Setting drawn = setting;
      drawn.seed = setting.seed * 8 + i;
      add_all(cases, drawn, {1, 1, 1}, guard, [](const OpInfo &) { return true; });
    }
  }
  return judge_all(setting, cases, "cases of one element right");
}

std::string every_misalignment(const Setting &setting) {
  std::vector<Case> cases;
  for (const Guard guard : {Guard::back, Guard::front}) {
    for (std::uint32_t offset = 0; offset < 64; ++offset) {
      const std::size_t first = cases.size();
      add_all(cases, setting, {3, 67, 9}, guard, any_op);
      // Each operand off by another number of bytes, so that no two are misaligned alike.
      for (std::size_t i = first; i < cases.size(); ++i) {
        for (std::uint32_t operand = 0; operand <= cases[i].shapes.size(); ++operand) {
          cases[i].offsets.push_back((offset + operand * 13) % 64);
        }
      }
    }
  }
  return judge_all(setting, cases, "cases right: byte offsets 0 to 63, guard pages behind and before");
}

}  // namespace rayo::conform::claims
