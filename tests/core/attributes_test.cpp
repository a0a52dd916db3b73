// SPDX-License-Identifier: Apache-2.0
//
// Attributes against a schema that has one of each kind: what is taken, what it becomes, and every refusal.
#include "dispatch/attributes.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "dispatch/shape_rules.hpp"
#include "registry/ops.hpp"

namespace rayo {
namespace {

constexpr int64_t kOne = 1;
constexpr double kHalf = 0.5;

rayo_attr_def definition(const char *name, uint32_t kind, uint32_t flags, const void *value, uint32_t count,
                         const char *legal = nullptr, const char *doc = "a doc") {
  rayo_attr_def out{};
  out.struct_size = sizeof out;
  out.struct_type = RAYO_TYPE_ATTR_DEF;
  out.name = name;
  out.kind = kind;
  out.flags = flags;
  out.default_data = value;
  out.default_count = count;
  out.legal = legal;
  out.doc = doc;
  return out;
}

const Schema &many() {
  static const rayo_attr_def defs[] = {
      definition("keep", RAYO_ATTR_INT, 0, &kOne, 1, "0|1"),
      definition("axis", RAYO_ATTR_INT, RAYO_ATTR_AXES, &kOne, 1, ""),
      definition("axes", RAYO_ATTR_INT, RAYO_ATTR_AXES | RAYO_ATTR_LIST, nullptr, 0),
      definition("scale", RAYO_ATTR_FLOAT, 0, &kHalf, 1, ""),
      definition("mode", RAYO_ATTR_STRING, 0, "none", 4, "none|tanh"),
      definition("must", RAYO_ATTR_INT, RAYO_ATTR_REQUIRED, nullptr, 0, nullptr, nullptr),
  };
  static const rayo_attr_def *const list[] = {&defs[0], &defs[1], &defs[2], &defs[3], &defs[4], &defs[5]};
  static rayo_op_schema raw{};
  static const std::unique_ptr<Schema> schema = [] {
    raw.struct_size = sizeof raw;
    raw.struct_type = RAYO_TYPE_OP_SCHEMA;
    raw.name = "acme.many";
    raw.version = 1;
    raw.family = raw.doc = "";
    raw.inputs = "X:T";
    raw.outputs = "Y:T";
    raw.types = "T=f32";
    raw.numerics = RAYO_NUMERICS_STRICT;
    raw.infer_shape = [](const rayo_op_desc *, rayo_shape *, rayo_error *) { return RAYO_OK; };
    raw.attr_count = 6;
    raw.attrs = list;
    return parse_schema(&raw, "acme");
  }();
  return *schema;
}

rayo_attr ints(const char *name, const std::vector<int64_t> &values) {
  return {name, RAYO_ATTR_INT, static_cast<uint32_t>(values.size()), values.data()};
}

const std::vector<int64_t> kTwo = {2};
const rayo_attr kMust = ints("must", kTwo);

Attributes resolved(std::vector<rayo_attr> given, int32_t rank = 3) {
  given.push_back(kMust);
  given.push_back(RAYO_ATTR_END);
  return resolve_attributes(many(), given.data(), rank);
}

std::string refusal(std::vector<rayo_attr> given, int32_t rank = 3, bool must = true) {
  if (must) given.push_back(kMust);
  given.push_back(RAYO_ATTR_END);
  try {
    (void)resolve_attributes(many(), given.data(), rank);
  } catch (const Error &error) {
    EXPECT_EQ(error.status(), RAYO_INVALID_ARGUMENT);
    return error.what();
  }
  return "";
}

void expect_part(const std::string &text, const std::string &part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
}

std::string text_of(const rayo_attr &attr) { return {static_cast<const char *>(attr.data), attr.count}; }

TEST(Attributes, DefaultsFillWhatIsNotGivenInTheSchemasOrder) {
  const Attributes all = resolved({});
  ASSERT_EQ(all.view().size(), 6u);
  EXPECT_STREQ(all.view()[0].name, "keep");
  EXPECT_STREQ(all.view()[5].name, "must");
  EXPECT_EQ(all.int_or("keep", 7), 1);
  EXPECT_EQ(all.int_or("axis", 7), 1);
  EXPECT_EQ(all.int_or("must", 7), 2);
  EXPECT_TRUE(all.ints("axes").empty());
  EXPECT_EQ(*static_cast<const double *>(all.find("scale")->data), 0.5);
  EXPECT_EQ(text_of(*all.find("mode")), "none");
}

TEST(Attributes, AskedForAnotherKindTheFallbackIsGiven) {
  const Attributes all = resolved({});
  EXPECT_EQ(all.int_or("no_such", 7), 7);
  EXPECT_EQ(all.int_or("scale", 7), 7);
  EXPECT_EQ(all.int_or("axes", 7), 7) << "not exactly one value";
  EXPECT_TRUE(all.ints("scale").empty());
  EXPECT_TRUE(all.ints("no_such").empty());
  EXPECT_EQ(all.find("no_such"), nullptr);
}

TEST(Attributes, GivenValuesAreTakenAndNormalised) {
  const std::vector<int64_t> axes = {-1, 0};
  const std::vector<int64_t> last = {-3};
  const std::vector<int64_t> none = {0};
  const Attributes all =
      resolved({ints("axes", axes), ints("axis", last), ints("keep", none), {"mode", RAYO_ATTR_STRING, 4, "tanh"}});
  EXPECT_EQ(all.ints("axes"), (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(all.int_or("axis", 7), 0);
  EXPECT_EQ(all.int_or("keep", 7), 0);
  EXPECT_EQ(text_of(*all.find("mode")), "tanh");
}

TEST(Attributes, AFloatMayBeGivenAsAnInt) {
  const std::vector<int64_t> three = {3};
  EXPECT_EQ(*static_cast<const double *>(resolved({ints("scale", three)}).find("scale")->data), 3.0);
  const double quarter = 0.25;
  EXPECT_EQ(*static_cast<const double *>(resolved({{"scale", RAYO_ATTR_FLOAT, 1, &quarter}}).find("scale")->data),
            0.25);
}

TEST(Attributes, TheDefaultAxisIsTheLastOneOfSmallerRanks) {
  EXPECT_EQ(resolved({}, 2).int_or("axis", 7), 1);
  EXPECT_EQ(resolved({}, 1).int_or("axis", 7), 0);
  EXPECT_EQ(resolved({}, 0).int_or("axis", 7), 0);
}

TEST(Attributes, EachWrongThingIsNamed) {
  const std::vector<int64_t> two = {2}, three = {3}, low = {-4}, twice = {1, -2}, pair = {0, 1};
  const double half = 0.5;
  expect_part(refusal({ints("kepe", two)}), "unknown attribute 'kepe'; its attributes are: keep, axis, axes, scale");
  expect_part(refusal({kMust}), "attribute 'must' is given twice");
  expect_part(refusal({}, 3, false), "attribute 'must' (int) must be given: ");
  expect_part(refusal({{"keep", RAYO_ATTR_FLOAT, 1, &half}}), "'keep' has kind float, expected int");
  expect_part(refusal({{"scale", RAYO_ATTR_STRING, 1, "x"}}), "'scale' has kind string, expected float");
  expect_part(refusal({{"mode", 77, 1, "x"}}), "'mode' has kind unknown kind, expected string");
  expect_part(refusal({{"mode", RAYO_ATTR_INT, 1, two.data()}}), "'mode' has kind int, expected string");
  expect_part(refusal({{"axes", RAYO_ATTR_INT, 1, nullptr}}), "'axes' has count 1 and no data");
  EXPECT_EQ(refusal({{"axes", RAYO_ATTR_INT, 0, nullptr}}), "");
  expect_part(refusal({{"mode", RAYO_ATTR_STRING, 65537, "x"}}), "'mode' has 65537 values, at most 65536 are taken");
  expect_part(refusal({ints("keep", pair)}), "'keep' takes exactly one value, 2 were given");
  expect_part(refusal({{"scale", RAYO_ATTR_FLOAT, 0, &half}}), "'scale' takes exactly one value, 0 were given");
  expect_part(refusal({ints("keep", two)}), "'keep' = 2: legal values are 0|1");
  expect_part(refusal({{"mode", RAYO_ATTR_STRING, 3, "tan"}}), "'mode' = 'tan': legal values are none|tanh");
  expect_part(refusal({{"mode", RAYO_ATTR_STRING, 0, "x"}}), "'mode' = ''");
  expect_part(refusal({ints("axis", three)}), "'axis' = 3 is out of range for a tensor of rank 3: legal are -3 to 2");
  expect_part(refusal({ints("axis", low)}), "'axis' = -4 is out of range");
  expect_part(refusal({ints("axes", twice)}), "'axes' names axis 1 twice");
  expect_part(refusal({ints("axes", two)}, 0), "legal are -1 to 0");
}

TEST(Attributes, OfAnOpWithoutAnyNoneAreLegal) {
  const auto &ops = catalogue();
  const auto add = std::find_if(ops.begin(), ops.end(), [](const auto &op) { return op->op == find_op("add"); });
  const rayo_attr given[] = {kMust, RAYO_ATTR_END};
  EXPECT_EQ(resolve_attributes(**add, nullptr, 1).view().size(), 0u);
  try {
    (void)resolve_attributes(**add, given, 1);
    FAIL();
  } catch (const Error &error) {
    expect_part(error.what(), "its attributes are: none");
  }
}

TEST(Attributes, AListWithoutAnEndIsRefused) {
  std::vector<rayo_attr> list(65, kMust);
  list.push_back(RAYO_ATTR_END);
  EXPECT_THROW((void)count_attributes(list.data()), Error);
  list.erase(list.begin());
  EXPECT_EQ(count_attributes(list.data()), 64u);
  EXPECT_EQ(count_attributes(nullptr), 0u);
}

TEST(Attributes, SettingReplacesTheValuesOfThatNameAlone) {
  Attributes all = resolved({});
  all.set_ints("axes", {4, 5});
  EXPECT_EQ(all.ints("axes"), (std::vector<int64_t>{4, 5}));
  all.set_ints("no_such", {1});
  EXPECT_EQ(all.view().size(), 6u);
  EXPECT_EQ(all.int_or("keep", 7), 1);
}

// ---- Extents and strides ----

OperandDesc strided(DLDataType dtype, const std::vector<int64_t> &shape, const std::vector<int64_t> &strides) {
  OperandDesc made;
  made.dtype = dtype;
  for (const int64_t extent : shape) made.shape[made.ndim++] = extent;
  std::copy(strides.begin(), strides.end(), made.strides);
  return made;
}

TEST(Extents, EveryByteMustHaveAnAddressOf63Bits) {
  const auto refused = [](const OperandDesc &operand) -> std::string {
    try {
      check_extents("x", operand);
    } catch (const Error &error) {
      return error.what();
    }
    return "";
  };
  constexpr int64_t kMost = INT64_MAX;
  constexpr DLDataType kByte = RAYO_DTYPE(kDLUInt, 8);
  EXPECT_EQ(refused(strided(RAYO_F32, {}, {})), "");
  EXPECT_EQ(refused(strided(RAYO_F32, {3, 4}, {4, 1})), "");
  expect_part(refused(strided(RAYO_F32, {3, -1}, {4, 1})), "extent -1 of axis 1 is negative");
  // The element count alone.
  EXPECT_EQ(refused(strided(kByte, {kMost}, {0})), "");
  expect_part(refused(strided(RAYO_F32, {kMost / 4 + 1}, {0})), "does not fit 2^63 bytes");
  expect_part(refused(strided(kByte, {kMost, 2}, {0, 0})), "does not fit");
  // The last byte of the last element: 1 + (kMost - 1).
  EXPECT_EQ(refused(strided(kByte, {2}, {kMost - 1})), "");
  expect_part(refused(strided(kByte, {2}, {kMost})), "does not fit");
  EXPECT_EQ(refused(strided(kByte, {2}, {1 - kMost})), "");
  expect_part(refused(strided(kByte, {2}, {-kMost})), "does not fit");
  expect_part(refused(strided(kByte, {2}, {INT64_MIN})), "does not fit");
  expect_part(refused(strided(RAYO_F32, {2}, {kMost / 2})), "does not fit");
  expect_part(refused(strided(kByte, {4}, {kMost / 2})), "does not fit");
  expect_part(refused(strided(kByte, {2, 2}, {kMost / 2 + 1, kMost / 2})), "does not fit");
  // No element: strides are not used, but they may be computed from the other extents.
  EXPECT_EQ(refused(strided(kByte, {0, 2}, {INT64_MIN, kMost})), "");
  EXPECT_EQ(refused(strided(kByte, {0, kMost}, {0, 0})), "");
  expect_part(refused(strided(RAYO_F32, {kMost, 0}, {0, 0})), "does not fit");
}

}  // namespace
}  // namespace rayo
