// SPDX-License-Identifier: Apache-2.0
//
// Claims about all 2^32 inputs of a function. What can be said of a result without an oracle (relu's bits, range,
// monotony) is scanned here, in the order of the reals: every input in a nightly run, blocks spread over all of them
// otherwise. That every value lies within its bound is the nightly run's verdict (nightly_cache.hpp). A part may
// refute; only the whole upholds.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "claims/bare_runtime.hpp"
#include "claims/calls.hpp"
#include "claims/claim.hpp"
#include "runner/nightly_cache.hpp"
#include "runner/session.hpp"

namespace rayo::conform::claims {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
constexpr std::int64_t kBlock = 1 << 18;
constexpr std::uint64_t kBlocks = kAll / kBlock;
constexpr std::uint64_t kSliceStep = 67;  // one block in so many, in runs that are not nightly; prime to kBlocks

// Position in the order of the reals (-NaN, -Inf ... -0, +0 ... +Inf, +NaN) to bits and back to a value.
std::uint32_t bits_at(std::uint64_t position) {
  const auto p = static_cast<std::uint32_t>(position);
  return (p >> 31) != 0 ? p & 0x7fffffffu : ~p;
}
bool is_nan_bits(std::uint32_t bits) { return (bits & 0x7fffffffu) > 0x7f800000u; }
float value_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

struct Limits {
  float low;
  float high;
};

// Finds the first wrong element of one block, or says that there is none: x[i] are bits, y[i] results.
class Judge {
 public:
  virtual ~Judge() = default;
  // Index of the first wrong element, or n.
  virtual std::size_t first_wrong(const std::uint32_t *x, const float *y, std::size_t n) = 0;
  virtual std::string expected(std::uint32_t x) const = 0;
  virtual void restart() {}  // the next block is not the last one's neighbour
};

class ReluJudge final : public Judge {
 public:
  static std::uint32_t relu(std::uint32_t x) { return (x >> 31) != 0 ? 0u : x; }
  std::size_t first_wrong(const std::uint32_t *x, const float *y, std::size_t n) override {
    const auto wrong = [&](std::size_t i) {
      std::uint32_t got = 0;
      std::memcpy(&got, y + i, sizeof got);
      const bool nan = is_nan_bits(x[i]);
      return nan ? !is_nan_bits(got) : got != relu(x[i]);
    };
    std::uint32_t bad = 0;
    for (std::size_t i = 0; i < n; ++i) bad |= static_cast<std::uint32_t>(wrong(i));
    if (bad == 0) return n;
    std::size_t i = 0;
    while (!wrong(i)) ++i;
    return i;
  }
  std::string expected(std::uint32_t x) const override {
    return is_nan_bits(x) ? "NaN" : fmt::format("{:a}", value_of(relu(x)));
  }
};

// In the range and never falling; carries the last value from block to neighbouring block.
class RangeJudge final : public Judge {
 public:
  explicit RangeJudge(Limits limits) : limits_(limits), last_(limits.low) {}
  std::size_t first_wrong(const std::uint32_t *x, const float *y, std::size_t n) override {
    for (std::size_t i = 0; i < n; ++i) {
      if (is_nan_bits(x[i])) {
        if (y[i] == y[i]) return i;
        continue;
      }
      if (!(y[i] >= last_ && y[i] <= limits_.high)) return i;
      last_ = y[i];
    }
    return n;
  }
  std::string expected(std::uint32_t x) const override {
    return is_nan_bits(x)
               ? "NaN"
               : fmt::format("a value in [{:a}, {:a}], the result for the input before it first", last_, limits_.high);
  }
  void restart() override { last_ = limits_.low; }

 private:
  Limits limits_;
  float last_;
};

// In a run that is not nightly: blocks spread over all inputs, and always those where the sign, infinity or NaN begins.
bool in_slice(std::uint64_t block, std::uint64_t seed) {
  constexpr std::uint64_t kHalf = kBlocks / 2;
  constexpr std::uint64_t kInfinity = 0x7f800000u / kBlock;  // blocks from +0 to +Inf
  return block % kSliceStep == seed % kSliceStep || block == 0 || block == kBlocks - 1 || block == kHalf - 1 ||
         block == kHalf || block == kHalf + kInfinity || block + 1 == kHalf - kInfinity;
}

// One pass over the inputs on one plugin. Returns how many inputs were judged.
std::uint64_t scan(const Setting &setting, const Backend &backend, const char *op, Judge &judge, bool whole) {
  const BareRuntime runtime({backend.file}, 1);
  DenseCall call(op, Dtype::f32, {{kBlock}}, {kBlock});
  const BoundPlan plan(runtime, call, 1);
  auto *x = reinterpret_cast<std::uint32_t *>(call.input(0).data());
  const auto *y = reinterpret_cast<const float *>(call.output().data());
  std::uint64_t judged = 0;
  for (std::uint64_t block = 0; block < kBlocks; ++block) {
    if (!whole && !in_slice(block, setting.seed)) continue;
    if (block % 64 == 0 || !whole)
      setting.step(fmt::format("{}: {}, block {} of {}", backend.file, op, block, kBlocks));
    for (std::int64_t i = 0; i < kBlock; ++i) x[i] = bits_at(block * kBlock + static_cast<std::uint64_t>(i));
    plan.run();
    if (!whole) judge.restart();
    const std::size_t wrong = judge.first_wrong(x, y, kBlock);
    if (wrong != static_cast<std::size_t>(kBlock)) {
      throw Refuted(fmt::format("{}: {}({:a}) [{:#010x}] = {:a}; expected {}", backend.name, op, value_of(x[wrong]),
                                x[wrong], y[wrong], judge.expected(x[wrong])));
    }
    judged += kBlock;
  }
  return judged;
}

using MakeJudge = std::unique_ptr<Judge> (*)();

// The plugins that have the op for f32; throws NotEvaluated if none has.
std::vector<const Backend *> with_op(const Setting &setting, std::string_view op) {
  std::vector<const Backend *> found;
  for (const Backend *backend : setting.ready()) {
    if (!load(setting, *backend)->classes(op, Dtype::f32).empty()) found.push_back(backend);
  }
  if (found.empty()) throw NotEvaluated(fmt::format("no ready plugin has {} for f32", op));
  return found;
}

NightlyKey key_of(const Backend &backend, std::string_view op, std::string_view attributes, std::string_view check) {
  return {backend.sha256, std::string(op), "f32", std::string(attributes), std::string(check)};
}

// What is known of one plugin: a whole pass made now, or kept from a nightly run.
struct Known {
  bool whole = false;
  std::string text;
};

Known known_from_cache(const Backend &backend, std::string_view op, std::string_view attributes,
                       std::string_view check) {
  const auto kept = load_nightly(key_of(backend, op, attributes, check));
  if (!kept) return {};
  const std::string name = attributes.empty() ? std::string(op) : fmt::format("{} {}", op, attributes);
  if (is_defect(kept->verdict.state)) {
    throw Refuted(fmt::format("{}: {}, nightly run of {}: {}", backend.name, name, kept->date, kept->verdict.message));
  }
  if (kept->verdict.state != State::passed || kept->inputs < kAll) return {};
  const std::string worst =
      check == "bound" ? fmt::format(", worst {:.3f} ULP", kept->verdict.error_ulp) : std::string();
  return {true, fmt::format("{} {}: {} of 2^32 ({}, nightly run of {}{})", backend.name, name, grouped(kept->inputs),
                            check, kept->date, worst)};
}

Known scan_known(const Setting &setting, const Backend &backend, const char *op, std::string_view check,
                 MakeJudge make) {
  const std::unique_ptr<Judge> judge = make();
  if (!setting.nightly) {
    Known kept = known_from_cache(backend, op, "", check);
    if (kept.whole) return kept;
    const std::uint64_t judged = scan(setting, backend, op, *judge, false);
    return {false, fmt::format("{}: {} of 2^32 right ({})", backend.name, grouped(judged), check)};
  }
  NightlyVerdict verdict{backend.name, kAll, {}, {}};
  try {
    verdict.inputs = scan(setting, backend, op, *judge, true);
    verdict.verdict.state = State::passed;
  } catch (const Refuted &refuted) {
    verdict.verdict.state = State::failed;
    verdict.verdict.message = refuted.what();
    store_nightly(key_of(backend, op, "", check), verdict);
    throw;
  }
  store_nightly(key_of(backend, op, "", check), verdict);
  return {true, fmt::format("{}: {} of 2^32 ({})", backend.name, grouped(verdict.inputs), check)};
}

// A nightly verdict on the bound, or a part of the inputs judged by the suite now.
Known bound_known(const Setting &setting, const Backend &backend, std::string_view op, std::string_view attributes) {
  Known kept = known_from_cache(backend, op, attributes, "bound");
  if (kept.whole) return kept;
  std::vector<Case> cases;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string line = fmt::format("{} f32 {} - 0 {} {}", op, i == 0 ? 141 : 65536, i == 0 ? "specials" : "sweep",
                                         setting.seed * 4 + i);
    cases.push_back(parse_case(attributes.empty() ? line : fmt::format("{} {}", line, attributes)));
  }
  setting.step(fmt::format("{}: {} against the oracle", backend.file, op));
  const PluginReport report = judge_plugin(backend.file, cases, {});
  for (const CaseResult &c : report.cases) {
    if (!is_defect(c.verdict.state)) continue;
    throw Refuted(fmt::format("{}: {}: {}", backend.name, c.line, c.verdict.message), replay(backend, c.line));
  }
  return {false, fmt::format("{} {}: {} inputs of 2^32 within the bound", backend.name, op, grouped(3 * 65536 + 141))};
}

// Upheld if all is known of every plugin, else open with what was seen.
std::string conclude(const std::vector<Known> &all, const std::string &command) {
  std::string text;
  bool whole = true;
  for (const Known &known : all) {
    whole = whole && known.whole;
    text += (text.empty() ? "" : "; ") + known.text;
  }
  if (!whole) {
    throw NotEvaluated(fmt::format("only a part was judged now, and no nightly verdict covers the rest: {}", text),
                       command);
  }
  return text;
}

std::string range_and_bound(const Setting &setting, const char *id, const char *op, MakeJudge make) {
  std::vector<Known> all;
  for (const Backend *backend : with_op(setting, op)) {
    all.push_back(scan_known(setting, *backend, op, "range", make));
    all.push_back(bound_known(setting, *backend, op, ""));
  }
  return conclude(all, fmt::format("rayo conform --nightly --ops {} && rayo conform --claim {} --nightly", op, id));
}

std::string bound_of(const Setting &setting, const char *id, std::string_view op,
                     std::initializer_list<std::string_view> attributes) {
  std::vector<Known> all;
  for (const Backend *backend : with_op(setting, op)) {
    for (const std::string_view each : attributes) all.push_back(bound_known(setting, *backend, op, each));
  }
  return conclude(all, fmt::format("rayo conform --nightly --ops {} && rayo conform --claim {}", op, id));
}

}  // namespace

std::string relu_everywhere(const Setting &setting) {
  const MakeJudge make = [] { return std::unique_ptr<Judge>(new ReluJudge); };
  std::vector<Known> all;
  for (const Backend *backend : with_op(setting, "relu")) {
    // Its bound is 0: that it was kept says the same.
    Known kept = setting.nightly ? Known{} : known_from_cache(*backend, "relu", "", "bound");
    all.push_back(kept.whole ? kept : scan_known(setting, *backend, "relu", "exact", make));
  }
  return conclude(all, "rayo conform --claim C-036 --nightly");
}

std::string sigmoid_everywhere(const Setting &setting) {
  return range_and_bound(setting, "C-037", "sigmoid", [] { return std::unique_ptr<Judge>(new RangeJudge({0, 1})); });
}

std::string tanh_everywhere(const Setting &setting) {
  return range_and_bound(setting, "C-038", "tanh", [] { return std::unique_ptr<Judge>(new RangeJudge({-1, 1})); });
}

std::string gelu_everywhere(const Setting &setting) {
  return bound_of(setting, "C-040", "gelu", {"", "approximate=tanh"});
}
std::string swish_everywhere(const Setting &setting) { return bound_of(setting, "C-041", "swish", {""}); }

}  // namespace rayo::conform::claims
