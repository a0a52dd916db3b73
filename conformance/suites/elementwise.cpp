// SPDX-License-Identifier: Apache-2.0
//
// Cases of unary, binary and ternary ops: every tail length, special values, bit patterns, layouts, misalignment,
// in-place and forbidden overlap, threads.
#include <algorithm>
#include <array>

#include "suites/distribution.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

constexpr std::array<std::string_view, 6> kRotation = {"uniform",   "loguniform", "sprinkled",
                                                       "subnormal", "offset",     "integers"};

std::vector<Shape> copies(const Shape &shape, std::size_t n) { return std::vector<Shape>(n, shape); }

// Sizes x distributions; the guard page before the operands gets a rotating misalignment, the one behind none, so
// that reading one element too far is caught at every length.
void add_lengths(CaseList &list, std::size_t inputs) {
  const bool wide = list.plan().dtype == Dtype::f64;
  std::size_t turn = list.plan().seed;
  for (const std::int64_t n : boundary_lengths(list.plan())) {
    list.add(copies({n}, inputs), kRotation[turn % kRotation.size()]);
    Case &front = list.add(copies({n}, inputs), kRotation[(turn + 1) % kRotation.size()]);
    front.guard = Guard::front;
    for (std::size_t i = 0; i <= inputs; ++i)
      front.offsets.push_back(static_cast<std::uint32_t>((turn * 7 + i * 13) % 64));
    ++turn;
  }
  if (list.plan().quick) list.add(copies({wide ? 4097 : 65537}, inputs), "uniform");
  list.add(copies({}, inputs));
  list.add(copies({0, 3}, inputs));
  list.add(copies({2, 3, 1, 4, 5}, inputs));
}

void add_offsets(CaseList &list, std::size_t inputs) {
  for (std::uint32_t offset = 1; offset < 64; offset += list.plan().quick ? 13 : 1) {
    Case &c = list.add(copies({67}, inputs));
    c.guard = Guard::front;
    c.offsets.assign(inputs + 1, offset);
  }
}

// One operand at a time in every layout, then all of them.
void add_layouts(CaseList &list, std::size_t inputs) {
  const bool rounds = list.plan().op->name == "floor" || list.plan().op->name == "round";
  const Shape line = {129};
  const Shape plane = {5, 33};
  const std::array<Shape, 4> line_strides = {{{2}, {3}, {-1}, {0}}};
  const std::array<Shape, 5> plane_strides = {{{1, 5}, {40, 1}, {-33, -1}, {0, 1}, {66, 2}}};
  const auto add = [&](const Shape &shape, const Shape &strides, std::size_t operand) {
    const bool output = operand == inputs;
    for (const std::int64_t s : strides) {
      if (output && s == 0) return;
    }
    // A repeated element must not be one that log, relu or floor turns into NaN or 0 everywhere.
    const bool repeated = std::find(strides.begin(), strides.end(), 0) != strides.end();
    Case &c = list.add(copies(shape, inputs), repeated ? (rounds ? "offset" : "positive") : "uniform");
    c.strides.assign(operand + 1, std::nullopt);
    c.strides[operand] = strides;
  };
  for (std::size_t operand = 0; operand <= inputs; ++operand) {
    for (const Shape &s : line_strides) add(line, s, operand);
    for (const Shape &s : plane_strides) add(plane, s, operand);
  }
  list.add(copies(plane, inputs)).strides.assign(inputs + 1, Shape{1, 5});
  list.add(copies(line, inputs), "sprinkled").strides.assign(inputs + 1, Shape{-2});
}

void add_aliases(CaseList &list, std::size_t inputs) {
  for (std::size_t i = 0; i < inputs; ++i) {
    if ((list.plan().op->in_place >> i & 1u) == 0) continue;
    for (const std::int64_t n : {1, 17, 257}) list.add(copies({n}, inputs)).in_place = static_cast<int>(i);
    Case &reversed = list.add(copies({65}, inputs));
    reversed.in_place = static_cast<int>(i);
    reversed.strides.assign(inputs + 1, std::nullopt);
    reversed.strides[i] = Shape{-1};
    reversed.strides[inputs] = Shape{-1};
  }
  list.add(copies({64}, inputs)).partial_alias = true;
}

// Once in a run, more elements than any index of 16 bits, any cache and any block has room for.
void add_huge(CaseList &list, std::size_t inputs) {
  const std::string &op = list.plan().op->name;
  if (list.plan().quick || list.plan().dtype != Dtype::f32 || (op != "add" && op != "exp")) return;
  list.add(copies({1 << 24}, inputs));
}

void add_determinism(CaseList &list, std::size_t inputs) {
  add_huge(list, inputs);
  const std::int64_t n = !list.plan().quick ? 40000 : list.plan().dtype == Dtype::f64 ? 5000 : 20000;
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add(copies({n}, inputs)).threads = threads;
  list.add(copies({1001}, inputs)).repeat = list.plan().quick ? 5 : 100;
}

// 2^24 bit patterns, one in 256; which ones turns with the seed. In pieces, so that a crash costs one of them.
void add_strides(CaseList &list) {
  constexpr std::int64_t kPiece = 1 << 20;
  constexpr std::uint64_t kTurns = 256;
  for (std::uint64_t piece = 0; piece < 16; ++piece) {
    const std::uint64_t residue = list.plan().seed % kTurns + piece * kTurns;
    list.add({{kPiece}}, "stride").seed = residue;
  }
}

void unary(CaseList &list) {
  add_lengths(list, 1);
  const Dtype dtype = list.plan().dtype;
  list.add({{static_cast<std::int64_t>(special_values(dtype).size())}}, "specials");
  const bool quick = list.plan().quick;
  if (!quick && dtype == Dtype::f32) add_strides(list);
  list.add({{dtype == Dtype::f64 && quick ? 2048 : quick ? 16384 : 65536}}, "sweep");
  for (const std::string_view name : {"loguniform", "subnormal", "sprinkled", "offset"}) list.add({{1000}}, name);
  add_offsets(list, 1);
  add_layouts(list, 1);
  add_aliases(list, 1);
  add_determinism(list, 1);
}

void binary(CaseList &list) {
  add_lengths(list, 2);
  const Dtype dtype = list.plan().dtype;
  const auto table = static_cast<std::int64_t>(special_values(dtype).size());
  list.add(copies({table * table}, 2), "specials");
  // Pairs of random bits: 2^22 in f32, fewer where the oracle is dear.
  const bool dear = dtype == Dtype::f64;
  const bool power = list.plan().op->name == "pow";
  const std::int64_t pairs = list.plan().quick ? 8192 : dear && power ? 1 << 14 : dear ? 1 << 18 : 1 << 20;
  for (int i = 0; i < (list.plan().quick || power ? 1 : 4); ++i) list.add(copies({pairs}, 2), "bits");
  for (const std::string_view name : {"loguniform", "subnormal", "sprinkled", "cancelling"}) {
    list.add(copies({1000}, 2), name);
  }
  for (int i = 0; i < 8; ++i) list.add(copies({37}, 2), "onenan");
  const std::array<std::vector<Shape>, 7> broadcasts = {{{{8, 5}, {5}},
                                                         {{8, 1}, {1, 5}},
                                                         {{}, {67}},
                                                         {{67}, {1}},
                                                         {{3, 1, 4}, {1, 2, 4}},
                                                         {{0, 3}, {3}},
                                                         {{2, 1, 3, 1, 5}, {7, 1, 4, 1}}}};
  // A single base below 0 would make every power NaN.
  const char *distribution = list.plan().op->name == "pow" ? "positive" : "uniform";
  for (const auto &shapes : broadcasts) list.add(shapes, distribution);
  add_offsets(list, 2);
  add_layouts(list, 2);
  add_aliases(list, 2);
  add_determinism(list, 2);
}

// Bases and exponents that meet in range, besides all that binary() tries.
void power(CaseList &list) {
  binary(list);
  const std::int64_t n = list.plan().quick ? 2000 : 50000;
  for (const char *pair : {"positive,uniform", "loguniform,integers", "nearone,loguniform", "nearone,offset",
                           "integers,integers", "bits,uniform", "nearone,integers", "bits,halves"}) {
    list.add(copies({n}, 2)).distributions = split(pair, ',');
  }
}

void with_alpha(CaseList &list) {
  unary(list);
  for (const char *alpha : {"0", "1", "-1.5", "0.3", "1e30"}) {
    list.add({{1000}}).attrs.emplace_back("alpha", alpha);
    list.add({{static_cast<std::int64_t>(special_values(list.plan().dtype).size())}}, "specials")
        .attrs.emplace_back("alpha", alpha);
  }
}

void halves(CaseList &list) {
  unary(list);
  list.add({{2000}}, "halves");
}

void ternary(CaseList &list) {
  add_lengths(list, 3);
  const auto table = static_cast<std::int64_t>(special_values(list.plan().dtype).size());
  list.add({{table, table}, {table, table}, {}}, "specials");
  if (!list.plan().quick) list.add({{}, {table, table}, {table, table}}, "specials");
  list.add(copies({list.plan().quick ? 4096 : 1 << 17}, 3), "bits");
  for (const std::string_view name : {"loguniform", "subnormal", "sprinkled", "cancelling"}) {
    list.add(copies({1000}, 3), name);
  }
  const std::array<std::vector<Shape>, 6> broadcasts = {{{{8, 5}, {5}, {}},
                                                         {{8, 1}, {1, 5}, {8, 5}},
                                                         {{}, {67}, {1}},
                                                         {{}, {}, {67}},
                                                         {{3, 1, 4}, {1, 2, 4}, {2, 1}},
                                                         {{0, 3}, {3}, {1, 1}}}};
  for (const auto &shapes : broadcasts) list.add(shapes);
  add_offsets(list, 3);
  add_layouts(list, 3);
  add_aliases(list, 3);
  add_determinism(list, 3);
}

// The condition has values of its own; the others keep what ternary() gave all three.
void where(CaseList &list) {
  ternary(list);
  for (Case &c : list.cases()) c.distributions = {"flags", c.distributions[0], c.distributions[0]};
}

void clip(CaseList &list) {
  ternary(list);
  for (const std::string_view name : {"uniform", "specials", "sprinkled", "onenan"}) {
    list.add({{257}, {}, {}}, name);
    list.add({{257}}, name);
    list.add({{257}, {}}, name);
    list.add({{257}, kNoOperand, {}}, name);
  }
  list.add({{257}, {}, {}}).distributions = {"uniform", "nan", "uniform"};
  list.add({{257}, {}, {}}).distributions = {"uniform", "uniform", "nan"};
}

constexpr auto kGenerators = std::to_array<Generator>({
    {"add", binary},     {"sub", binary},  {"mul", binary},   {"div", binary},
    {"max", binary},     {"min", binary},  {"pow", power},    {"fma", ternary},
    {"where", where},    {"clip", clip},   {"neg", unary},    {"abs", unary},
    {"sqrt", unary},     {"rsqrt", unary}, {"exp", unary},    {"log", unary},
    {"sin", unary},      {"cos", unary},   {"tanh", unary},   {"sigmoid", unary},
    {"erf", unary},      {"relu", unary},  {"gelu", unary},   {"leaky_relu", with_alpha},
    {"elu", with_alpha}, {"swish", unary}, {"round", halves}, {"floor", halves},
    {"ceil", halves},
});

}  // namespace

std::span<const Generator> elementwise_generators() { return kGenerators; }

}  // namespace rayo::conform
