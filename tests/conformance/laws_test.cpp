// SPDX-License-Identifier: Apache-2.0
//
// The metamorphic laws themselves: the oracle, taken for a plugin, obeys every one to the bit, and each law is broken
// by a defect of the kind that it is for.
#include "oracle/laws.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "oracle/bounds.hpp"
#include "suites/distribution.hpp"
#include "suites/generator.hpp"

namespace rayo::conform {
namespace {

double rounded(Dtype dtype, double v) { return dtype == Dtype::f32 ? static_cast<float>(v) : v; }

Problem problem_of(const Case &c, const OpInfo &op, std::vector<Values> inputs) {
  Problem p;
  p.op = &op;
  p.call = &c;
  p.inputs = std::move(inputs);
  return p;
}

using Spoil = std::function<void(const Question &, Values &output)>;

// What the case's law says of a plugin that answers like the oracle, and then spoils it.
std::string verdict(const Case &c, const Spoil &spoil = {}) {
  const OpInfo &op = *find_op(c.op);
  std::vector<Values> inputs;
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    const Dtype dtype = input_dtype(c, op, i);
    inputs.push_back(
        {dtype, c.shapes[i], draw(c.distribution(i), dtype, c.seed, i, c.shapes.size(), element_count(c.shapes[i]))});
  }
  const LawCall call{c, op, inputs, true, [&](const Question &q) {
                       Case asked;
                       asked.op = q.op;
                       asked.attrs = q.attrs;
                       asked.dtype = c.dtype;
                       const Problem p = problem_of(asked, *find_op(q.op), q.inputs);
                       Expected<double> expected;
                       run_oracle<double>(*find_oracle(q.op), p, expected);
                       Answer answer{{expected.dtype, expected.shape, {}}, {}};
                       for (const Element<double> &e : expected.elements) {
                         answer.output.data.push_back(rounded(expected.dtype, e.value));
                         const bool real = dtype_is_float(expected.dtype);
                         answer.tolerance.push_back(
                             real ? tolerance(*find_bound(q.op), Grade::ours, p, format_of(expected.dtype), e) : 0);
                       }
                       if (spoil) spoil(q, answer.output);
                       return answer;
                     }};
  return find_law(c.law)->check(call);
}

void nudge(double &v) { v = static_cast<double>(std::nextafter(static_cast<float>(v), 1e30f)); }

TEST(Laws, TheOracleObeysEveryLaw) {
  std::set<std::string> seen;
  for (const Case &c : generate({}, true, 5)) {
    if (c.law.empty() || c.dtype == Dtype::f64) continue;
    seen.insert(c.law);
    EXPECT_EQ(verdict(c), "") << format_case(c);
  }
  EXPECT_EQ(seen.size(), laws().size());
}

TEST(Laws, EachIsTriedOnEveryOpThatItHoldsFor) {
  std::set<std::pair<std::string, std::string>> tried;
  for (const Case &c : generate({}, true, 1)) tried.emplace(c.law, c.op);
  for (const Law &law : laws()) {
    for (const std::string_view op : law.ops) {
      ASSERT_NE(find_op(op), nullptr) << op;
      EXPECT_EQ(tried.count({std::string(law.name), std::string(op)}), 1u) << law.name << " " << op;
    }
  }
}

TEST(Laws, CommuteIsBrokenByALostNanOfOneSide) {
  const Case c = parse_case("max f32 9,9 - 0 onenan 3 @law=commute");
  EXPECT_EQ(verdict(c), "");
  EXPECT_NE(verdict(c,
                    [](const Question &q, Values &y) {
                      for (std::size_t i = 0; i < y.data.size(); ++i) {
                        if (std::isnan(q.inputs[0].data[i])) y.data[i] = q.inputs[1].data[i];
                      }
                    }),
            "");
}

TEST(Laws, TransposeIsBrokenByAWrongColumn) {
  for (const char *line : {"matmul f32 5x7,7x6 - 0 uniform 3 @law=transpose",
                           "gemm f32 5x7,7x6,5x6 - 0 uniform 3 alpha=0.7 beta=-1 @law=transpose"}) {
    const Case c = parse_case(line);
    EXPECT_EQ(verdict(c), "");
    EXPECT_NE(verdict(c, [](const Question &, Values &y) { nudge(y.data[1]); }), "") << line;
  }
}

TEST(Laws, ScaleIsBrokenByAnAbsoluteError) {
  for (const char *line :
       {"reduce_sum f32 4x40 - 0 uniform 3 axes=1 @law=scale", "mul f32 40,40 - 0 uniform 3 @law=scale"}) {
    EXPECT_NE(verdict(parse_case(line), [](const Question &, Values &y) { y.data[2] += 0x1p-20; }), "") << line;
  }
}

TEST(Laws, PermuteAndSplitAreBrokenByADependenceOnPosition) {
  for (const std::string law : {"permute", "split"}) {
    for (const char *line :
         {"exp f32 40 - 0 uniform 3", "softmax f32 6x30 - 0 uniform 3 axis=1", "matmul f32 8x9,9x11 - 0 uniform 3",
          "quantize_linear u8 40,scalar,scalar - 0 uniform,tiny,bits 3 axis=0"}) {
      const Case c = parse_case(std::string(line) + " @law=" + law);
      EXPECT_EQ(verdict(c), "") << line;
      EXPECT_NE(verdict(c, [](const Question &, Values &y) { y.data[0] += y.dtype == Dtype::f32 ? 0x1p-10 : 1; }), "")
          << line << law;
    }
  }
}

TEST(Laws, SplitSeesAPartThatIsLeftOut) {
  const Case c = parse_case("reduce_max f32 3x50 - 0 uniform 9 axes=1 @law=split");
  // The maximum of all but the last quarter.
  EXPECT_NE(verdict(c,
                    [](const Question &q, Values &y) {
                      const auto n = static_cast<std::size_t>(q.inputs[0].shape[1]);
                      for (std::size_t r = 0; r < y.data.size(); ++r) {
                        const auto row = q.inputs[0].data.begin() + static_cast<std::ptrdiff_t>(r * n);
                        y.data[r] = *std::max_element(row, row + static_cast<std::ptrdiff_t>(n * 3 / 4));
                      }
                    }),
            "");
}

TEST(Laws, ShiftIsBrokenWithoutTheMaximum) {
  const Case c = parse_case("softmax f32 3x20 - 0 integers 3 axis=1 @law=shift");
  EXPECT_NE(verdict(c,
                    [](const Question &q, Values &y) {
                      for (std::size_t r = 0; r < 3; ++r) {
                        float sum = 0;
                        for (std::size_t i = 0; i < 20; ++i)
                          sum += std::exp(static_cast<float>(q.inputs[0].data[r * 20 + i]));
                        for (std::size_t i = 0; i < 20; ++i) {
                          y.data[r * 20 + i] = std::exp(static_cast<float>(q.inputs[0].data[r * 20 + i])) / sum;
                        }
                      }
                    }),
            "");
}

TEST(Laws, RoundTripIsBrokenByRoundingDown) {
  const Case c = parse_case("quantize_linear i8 200,scalar,scalar - 0 uniform,tiny,bits 4 axis=0 @law=round_trip");
  EXPECT_EQ(verdict(c), "");
  EXPECT_NE(verdict(c,
                    [](const Question &q, Values &y) {
                      if (q.op != "quantize_linear") return;
                      for (std::size_t i = 0; i < y.data.size(); ++i) {
                        const double steps =
                            std::floor(q.inputs[0].data[i] / q.inputs[1].data[0]) + q.inputs[2].data[0];
                        y.data[i] = std::min(127.0, std::max(-128.0, steps));
                      }
                    }),
            "");
}

}  // namespace
}  // namespace rayo::conform
