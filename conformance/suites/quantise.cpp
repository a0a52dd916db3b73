// SPDX-License-Identifier: Apache-2.0
//
// Cases of cast and quantisation: every pair of types, every bit pattern of the small ones, ranges that saturate, ties,
// scales by tensor and by axis.
#include <algorithm>
#include <array>

#include "suites/distribution.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

void add_casts(CaseList &list, Dtype to) {
  const Dtype from = list.plan().dtype;
  const auto add = [&](const Shape &shape, std::string_view distribution) -> Case & {
    Case &c = list.add({shape}, distribution);
    c.attrs.emplace_back("to", dtype_name(to));
    return c;
  };
  add({static_cast<std::int64_t>(special_values(from).size())}, "specials");
  const bool quick = list.plan().quick;
  const std::int64_t patterns = dtype_size(from) == 1 ? 256 : quick ? 4096 : dtype_size(from) == 2 ? 65536 : 1 << 18;
  add({patterns}, "sweep");
  add({1000}, "bits");
  add({1000}, "halves");
  add({1000}, dtype_is_float(from) ? "loguniform" : "integers");
  if (dtype_is_float(from)) add({500}, "subnormal");
  std::size_t turn = list.plan().seed + static_cast<std::size_t>(to);
  for (const std::int64_t n : {0, 1, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 129, 257}) {
    Case &c = add({n}, "halves");
    if (++turn % 2 == 0) continue;
    c.guard = Guard::front;
    c.offsets = {static_cast<std::uint32_t>(turn * 7 % 64), static_cast<std::uint32_t>(turn * 13 % 64)};
  }
  add({}, "halves");
  for (const std::int64_t stride : {2, -1, 0}) add({67}, stride == 0 ? "offset" : "halves").strides = {Shape{stride}};
  add({67}, "halves").strides = {std::nullopt, Shape{-2}};
  add({5, 33}, "bits").strides = {Shape{1, 5}, Shape{40, 1}};
}

void cast(CaseList &list) {
  for (const Dtype to :
       {Dtype::f32, Dtype::f64, Dtype::f16, Dtype::bf16, Dtype::i8, Dtype::u8, Dtype::i32, Dtype::i64}) {
    add_casts(list, to);
  }
  for (const std::uint32_t threads : {1u, 2u, 7u}) list.add({{20000}}, "halves").threads = threads;
}

// x, scale and zero point of one shape each; `parameter` is {} or the extent of the axis.
void add_quantised(CaseList &list, const Shape &x, const Shape &parameter, const char *values, const char *scale,
                   const char *axis) {
  const bool back = list.plan().op->name == "dequantize_linear";
  for (const bool zero_point : {true, false}) {
    Case &c = list.add(zero_point ? std::vector<Shape>{x, parameter, parameter} : std::vector<Shape>{x, parameter});
    c.distributions = {back ? "bits" : values, scale};
    if (zero_point) c.distributions.emplace_back("bits");
    if (axis != nullptr) c.attrs.emplace_back("axis", axis);
    if (!back && !zero_point && list.plan().dtype != Dtype::u8) {
      c.attrs.emplace_back("output_dtype", dtype_name(list.plan().dtype));
    }
  }
}

void quantise(CaseList &list) {
  const bool back = list.plan().op->name == "dequantize_linear";
  const char *flat = "0";  // vectors have no axis 1, the default
  for (const std::int64_t n : boundary_lengths(list.plan())) {
    add_quantised(list, {n}, {}, "uniform", "tiny", flat);
  }
  add_quantised(list, {4000}, {}, "halves", "ones", flat);
  add_quantised(list, {4000}, {}, "bits", "loguniform", flat);
  add_quantised(list, {2000}, {2000}, "specials", "specials", flat);
  add_quantised(list, {static_cast<std::int64_t>(special_values(Dtype::f32).size())}, {1}, "specials", "ones", flat);
  add_quantised(list, {1000}, {}, "uniform", "subnormal", flat);
  add_quantised(list, {}, {}, "uniform", "tiny", nullptr);
  add_quantised(list, {4, 5, 6}, {5}, "uniform", "tiny", nullptr);
  for (const char *axis : {"0", "1", "2", "-1", "-3"}) {
    const std::int64_t at = parse_integer(axis, "axis");
    const Shape x = {7, 33, 65};
    add_quantised(list, x, {x[static_cast<std::size_t>(at < 0 ? at + 3 : at)]}, "uniform", "tiny", axis);
  }
  add_quantised(list, {0, 3}, {3}, "uniform", "tiny", nullptr);
  const std::array<std::vector<std::optional<Shape>>, 5> layouts = {
      {{Shape{1, 5}},
       {Shape{-33, -1}, Shape{-1}},
       {Shape{0, 1}},
       {std::nullopt, Shape{0}},
       {std::nullopt, std::nullopt, Shape{3}, Shape{1, 5}}}};
  for (const auto &strides : layouts) {
    Case &c = list.add({{5, 33}, {33}, {33}});
    c.distributions = {back ? "bits" : "uniform", "tiny", "bits"};
    c.strides = strides;
  }
  for (const std::uint32_t threads : {1u, 2u, 7u}) {
    Case &c = list.add({{301, 173}, {173}, {173}});
    c.distributions = {back ? "bits" : "uniform", "tiny", "bits"};
    c.threads = threads;
  }
  for (std::uint32_t offset = 1; offset < 64; offset += list.plan().quick ? 13 : 3) {
    Case &c = list.add({{67}, {}, {}});
    c.distributions = {back ? "bits" : "uniform", "tiny", "bits"};
    c.attrs.emplace_back("axis", flat);
    c.guard = Guard::front;
    c.offsets.assign(4, offset);
  }
}

constexpr std::array<Generator, 3> kGenerators = {
    {{"cast", cast}, {"quantize_linear", quantise}, {"dequantize_linear", quantise}}};

}  // namespace

std::span<const Generator> quantise_generators() { return kGenerators; }

}  // namespace rayo::conform
