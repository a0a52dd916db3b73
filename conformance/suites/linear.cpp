// SPDX-License-Identifier: Apache-2.0
//
// Cases of matmul, gemm, transpose, matmul_integer and eigh: shapes around register tiles and cache blocks, thin
// products, transposes by attribute and by stride, batches that broadcast or repeat, alpha and beta, NaN in a C that
// must not be read.
#include <fmt/format.h>

#include <array>

#include "suites/generator.hpp"
#include "suites/pcg32.hpp"

namespace rayo::conform {
namespace {

struct Extents {
  std::int64_t m, n, k;
};

constexpr std::array<std::int64_t, 14> kEdges = {1, 2, 3, 5, 7, 8, 11, 12, 13, 16, 17, 31, 33, 48};

// Every pair of (m, n), (m, k), (n, k) from the edges: rows of two Latin squares, turned by the seed. quick: a draw.
void add_covering(const Plan &plan, std::vector<Extents> &all) {
  constexpr std::uint64_t kN = kEdges.size();
  if (plan.quick) {
    Pcg32 rng(plan.seed, 77);
    const auto edge = [&rng] { return kEdges[rng.below(kN)]; };
    for (int i = 0; i < 24; ++i) all.push_back({edge(), edge(), edge()});
    return;
  }
  for (const std::uint64_t factor : {1u, 3u}) {
    for (std::uint64_t i = 0; i < kN; ++i) {
      for (std::uint64_t j = 0; j < kN; ++j) {
        all.push_back({kEdges[i], kEdges[j], kEdges[(i + factor * j + plan.seed) % kN]});
      }
    }
  }
}

// Named shapes, then the covering array.
std::vector<Extents> product_extents(const Plan &plan) {
  std::vector<Extents> all = {{1, 1, 1},    {1, 1, 100},  {1, 64, 64},  {64, 1, 64},  {64, 64, 1},  {12, 32, 16},
                              {13, 33, 17}, {24, 64, 64}, {6, 16, 300}, {1, 257, 65}, {257, 1, 65}, {65, 66, 67},
                              {0, 3, 4},    {3, 0, 4},    {3, 4, 0},    {8, 130, 40}, {130, 8, 40}, {100, 100, 100}};
  if (plan.quick && plan.dtype == Dtype::f64) all.pop_back();  // its oracle is dear
  if (!plan.quick) {
    const std::vector<Extents> large = {{127, 129, 128}, {255, 64, 257},  {64, 255, 1025}, {33, 1030, 40},
                                        {1, 1000, 1000}, {1000, 1, 1000}, {300, 300, 300}};
    all.insert(all.end(), large.begin(), plan.dtype == Dtype::f64 ? large.begin() + 4 : large.end());
  }
  add_covering(plan, all);
  return all;
}

constexpr std::array<std::string_view, 6> kRotation = {"uniform",  "integers",  "positive",
                                                       "constant", "sprinkled", "cancelling"};

void matmul(CaseList &list) {
  std::size_t turn = list.plan().seed;
  for (const Extents &e : product_extents(list.plan())) {
    Case &c = list.add({{e.m, e.k}, {e.k, e.n}}, kRotation[turn++ % kRotation.size()]);
    if (turn % 3 == 0) c.guard = Guard::front;
    if (turn % 3 == 0) c.offsets = {static_cast<std::uint32_t>(turn % 64), 4, 12};
  }
  const std::array<std::vector<Shape>, 12> batches = {{{{5}, {5}},
                                                       {{5}, {5, 7}},
                                                       {{7, 5}, {5}},
                                                       {{3, 4, 5}, {3, 5, 6}},
                                                       {{4, 5}, {3, 5, 6}},
                                                       {{3, 4, 5}, {5, 6}},
                                                       {{2, 1, 4, 5}, {3, 5, 6}},
                                                       {{0, 4, 5}, {5, 6}},
                                                       {{3, 1, 40}, {3, 40, 1}},
                                                       {{3, 17, 40}, {40}},
                                                       {{40}, {3, 40, 9}},
                                                       {{2, 3, 13, 9}, {1, 1, 9, 33}}}};
  for (const auto &shapes : batches) {
    list.add(shapes);
    list.add(shapes, "integers").attrs.emplace_back("batch_invariant", "1");
  }
  const Shape a = {19, 23};
  const Shape b = {23, 37};
  const std::array<std::vector<std::optional<Shape>>, 8> layouts = {{{Shape{1, 19}, std::nullopt},
                                                                     {std::nullopt, Shape{1, 23}},
                                                                     {Shape{1, 19}, Shape{1, 23}},
                                                                     {Shape{30, 1}, Shape{41, 1}, Shape{50, 1}},
                                                                     {Shape{-23, -1}, Shape{37, 1}},
                                                                     {Shape{0, 1}, Shape{1, 0}},
                                                                     {Shape{46, 2}, Shape{111, 3}, Shape{74, 2}},
                                                                     {std::nullopt, std::nullopt, Shape{1, 19}}}};
  for (const auto &strides : layouts) list.add({a, b}).strides = strides;
  list.add({{3, 19, 23}, {3, 23, 37}}).strides = {Shape{0, 23, 1}, std::nullopt};
  for (const Extents &e : std::initializer_list<Extents>{{90, 80, 70}, {1, 300, 200}, {300, 1, 200}}) {
    for (const std::uint32_t threads : {1u, 2u, 7u}) {
      if (list.plan().quick && list.plan().dtype == Dtype::f64 && threads != 7) continue;
      list.add({{e.m, e.k}, {e.k, e.n}}).threads = threads;
    }
  }
  list.add({{33, 34}, {34, 35}}).repeat = list.plan().quick ? 5 : 100;
  // Batch invariance: a row alone. Matrix-vector shapes need the attribute where the dot order would depend on m.
  const std::array<std::vector<Shape>, 5> batched = {{{{64, 300}, {300, 1}},
                                                      {{33, 70}, {70, 9}},
                                                      {{100, 65}, {65, 67}},
                                                      {{13, 257}, {257, 300}},
                                                      {{6, 5, 40}, {40, 9}}}};
  for (const auto &shapes : batched) {
    for (const std::int64_t row : {std::int64_t{0}, shapes[0][0] - 1, shapes[0][0] / 2}) {
      Case &c = list.add(shapes);
      c.attrs.emplace_back("batch_invariant", "1");
      c.row = row;
    }
  }
}

std::vector<Shape> bias_shapes(const Extents &e) { return {{e.m, e.n}, {e.n}, {e.m, 1}, {1, e.n}, {}, {1}}; }

void gemm(CaseList &list) {
  constexpr std::array<const char *, 4> kFactors = {"1", "0", "-1", "0.7"};
  Pcg32 rng(list.plan().seed, 78);
  std::uint32_t turn = 0;
  for (const Extents &e : product_extents(list.plan())) {
    for (int t = 0; t < (list.plan().quick ? 2 : 4); ++t) {
      const std::uint32_t transposes = list.plan().quick ? rng.below(4) : static_cast<std::uint32_t>(t);
      const bool ta = (transposes & 1u) != 0;
      const bool tb = (transposes & 2u) != 0;
      std::vector<Shape> shapes = {ta ? Shape{e.k, e.m} : Shape{e.m, e.k}, tb ? Shape{e.n, e.k} : Shape{e.k, e.n}};
      const std::vector<Shape> biases = bias_shapes(e);
      const std::uint32_t bias = rng.below(static_cast<std::uint32_t>(biases.size()) + 1);
      if (bias < biases.size()) shapes.push_back(biases[bias]);
      // All pairs of alpha and beta in turn, another one for each transposition.
      const std::uint32_t factors = turn + static_cast<std::uint32_t>(t) * 5;
      const char *beta = kFactors[factors / 4 % 4];
      Case &c = list.add(std::move(shapes), kRotation[turn++ % kRotation.size()]);
      c.attrs = {{"alpha", kFactors[factors % 4]}, {"beta", beta}};
      if (ta) c.attrs.emplace_back("transA", "1");
      if (tb) c.attrs.emplace_back("transB", "1");
      if (rng.below(5) == 0) c.attrs.emplace_back("batch_invariant", "1");
      if (std::string_view(beta) == "0" && c.shapes.size() == 3) c.distributions = {"uniform", "uniform", "nan"};
    }
  }
  Case &in_place = list.add({{13, 9}, {9, 21}, {13, 21}});
  in_place.in_place = 2;
  in_place.attrs = {{"alpha", "0.7"}, {"beta", "-1"}};
  list.add({{13, 9}, {9, 21}, {13, 21}}).strides = {Shape{20, 1}, Shape{30, 1}, Shape{-21, 1}, Shape{25, 1}};
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add({{90, 70}, {70, 80}, {80}}).threads = threads;
  for (const std::int64_t row : {0, 17, 32}) {
    Case &c = list.add({{33, 300}, {41, 300}, {41}});
    c.attrs = {{"alpha", "0.7"}, {"transB", "1"}, {"batch_invariant", "1"}};
    c.row = row;
  }
}

void transpose(CaseList &list) {
  for (const Shape &shape : std::initializer_list<Shape>{
           {}, {5}, {3, 5}, {17, 33}, {64, 64}, {65, 127}, {1, 9}, {9, 1}, {0, 3}, {130, 70}, {300, 301}}) {
    list.add({shape}, "bits");
    list.add({shape}, "uniform").guard = Guard::front;
  }
  for (const char *perm : {"0,1,2", "0,2,1", "1,0,2", "1,2,0", "2,0,1", "2,1,0", "-1,0,1"}) {
    for (const Shape &shape : std::initializer_list<Shape>{{4, 5, 6}, {1, 33, 17}, {20, 3, 64}}) {
      list.add({shape}, "bits").attrs.emplace_back("perm", perm);
    }
  }
  list.add({{2, 3, 4, 5, 6}}).attrs.emplace_back("perm", "3,0,4,2,1");
  for (const Shape &s : std::initializer_list<Shape>{{1, 13}, {80, 1}, {-70, -1}, {0, 1}, {3, 0}}) {
    list.add({{13, 70}}).strides = {s};
  }
  list.add({{13, 70}}).strides = {std::nullopt, Shape{20, 1}};
  list.add({{64}}).partial_alias = true;
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add({{301, 173}}).threads = threads;
}

// Every pair of types, the whole range of each, zero points by tensor, row and column.
void matmul_integer(CaseList &list) {
  const std::vector<Dtype> others = op_dtypes(*list.plan().op, 1);
  std::size_t turn = list.plan().seed;
  for (const Extents &e : product_extents(list.plan())) {
    std::vector<Shape> shapes = {{e.m, e.k}, {e.k, e.n}};
    switch (turn % 5) {
      case 0:
        break;
      case 1:
        shapes.insert(shapes.end(), {{}, {}});
        break;
      case 2:
        shapes.push_back({e.m});
        break;
      case 3:
        shapes.insert(shapes.end(), {kNoOperand, {e.n}});
        break;
      default:
        shapes.insert(shapes.end(), {{e.m}, {1}});
    }
    Case &c = list.add(std::move(shapes), "bits");
    c.more_dtypes = {others[turn / 2 % others.size()]};
    if (turn % 3 == 0) c.guard = Guard::front;
    if (turn % 3 == 0) c.offsets = {static_cast<std::uint32_t>(turn % 64), 1, 3};
    ++turn;
  }
  for (const Dtype other : others) {
    const auto add = [&](std::vector<Shape> shapes) -> Case & {
      Case &c = list.add(std::move(shapes), "bits");
      c.more_dtypes = {other};
      return c;
    };
    add({{3, 4, 5}, {5, 6}, {}, {6}});
    add({{5}, {5, 7}});
    add({{2, 1, 4, 5}, {3, 5, 6}, {4}, {6}});
    add({{19, 23}, {23, 37}}).strides = {Shape{1, 19}, Shape{-37, -1}, Shape{40, 1}};
    add({{19, 23}, {23, 37}, {19}, {37}}).strides = {Shape{0, 1}, Shape{1, 0}, Shape{-1}, Shape{2}};
    for (const std::uint32_t threads : {1u, 2u, 7u}) add({{90, 80}, {80, 70}, {}, {}}).threads = threads;
    add({{33, 100}, {100, 9}, {}, {9}}).row = 7;
  }
}

// The unread triangle holds other values than the read one.
void eigh(CaseList &list) {
  std::size_t turn = list.plan().seed;
  for (const std::int64_t n : {0, 1, 2, 3, 4, 7, 8, 16, 33}) {
    for (const char *triangle : {"L", "U"}) {
      for (const char *name : {"uniform", "integers", "offset", "constant", "loguniform", "subnormal"}) {
        if (n > 4 && turn++ % 2 == 0) continue;
        list.add({{n, n}}, name).attrs.emplace_back("UPLO", triangle);
      }
    }
  }
  if (!list.plan().quick) list.add({{90, 90}});
  list.add({{3, 5, 5}});
  list.add({{0, 4, 4}});
  for (const Shape &s : std::initializer_list<Shape>{{1, 9}, {12, 1}, {-9, -1}, {0, 1}})
    list.add({{9, 9}}).strides = {s};
  list.add({{9, 9}}).strides = {std::nullopt, Shape{-2}, Shape{1, 9}};
  list.add({{20, 20}}).repeat = 3;
}

constexpr std::array<Generator, 5> kGenerators = {
    {{"matmul", matmul}, {"gemm", gemm}, {"transpose", transpose}, {"matmul_integer", matmul_integer}, {"eigh", eigh}}};

}  // namespace

std::span<const Generator> linear_generators() { return kGenerators; }

}  // namespace rayo::conform
