// SPDX-License-Identifier: Apache-2.0
//
// Statistics, contests, ceilings' arithmetic, rows, comparison and the picture, each on data whose answer is known.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "bench/measure/ceilings.hpp"
#include "bench/measure/contest.hpp"
#include "bench/measure/statistics.hpp"
#include "bench/peers/host.hpp"
#include "bench/report/compare.hpp"
#include "bench/report/row.hpp"
#include "bench/report/svg.hpp"
#include "tools/command.hpp"

namespace rayo::bench {
namespace {

TEST(Statistics, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(Statistics, OneWildReadingMovesNeitherMedianNorSpread) {
  EXPECT_EQ(median({10, 10, 10, 10, 1e9}), 10);
  EXPECT_EQ(relative_iqr({10, 10, 10, 10, 1e9}), 0);
}

TEST(Statistics, IntervalHoldsTheMedianAndGrowsWithNoise) {
  std::vector<double> calm, noisy;
  for (int i = 0; i < 21; ++i) {
    calm.push_back(100 + i % 3);
    noisy.push_back(100 + 10 * (i % 7));
  }
  const Interval narrow = median_interval(calm), wide = median_interval(noisy);
  EXPECT_LE(narrow.low, median(calm));
  EXPECT_GE(narrow.high, median(calm));
  EXPECT_LT(narrow.high - narrow.low, wide.high - wide.low);
}

TEST(Statistics, RatioIntervalOfReadingsThatMoveTogetherIsNarrow) {
  std::vector<double> ours, peer;
  for (int i = 0; i < 15; ++i) {
    ours.push_back(100 * (1 + 0.1 * (i % 5)));
    peer.push_back(2 * ours.back());
  }
  const Interval ratio = ratio_interval(peer, ours);
  EXPECT_NEAR(ratio.low, 2, 1e-12);
  EXPECT_NEAR(ratio.high, 2, 1e-12);
}

TEST(Statistics, GeometricMean) { EXPECT_NEAR(geometric_mean({0.5, 2, 4, 0.25}), 1, 1e-12); }

struct Counter {
  int calls = 0;
  int fails_after = std::numeric_limits<int>::max();
  std::vector<void *> outputs;
};

int count_call(void *work, void *const *outputs) {
  auto &counter = *static_cast<Counter *>(work);
  for (int i = 0; i < 1000; ++i) asm volatile("");
  counter.outputs.push_back(outputs[0]);
  return ++counter.calls <= counter.fails_after ? 1 : 0;
}

ContestOptions tiny_contest(float *output) {
  ContestOptions options;
  options.reading_ns = 1e4;
  options.most_rounds = 6;
  options.outputs = {output};
  options.output_bytes = {sizeof(float)};
  return options;
}

TEST(Contest, EveryContestantGivesOneReadingPerRound) {
  float output = 0;
  Counter a, b;
  const auto readings = run_contest({{"a", count_call, &a}, {"b", count_call, &b}}, tiny_contest(&output));
  ASSERT_EQ(readings.size(), 2U);
  for (const Readings &one : readings) {
    EXPECT_EQ(one.ns.size(), 6U);
    for (const double ns : one.ns) EXPECT_GT(ns, 0);
  }
}

TEST(Contest, AFailingContestantHasNoReadingsAndTheOthersGoOn) {
  float output = 0;
  Counter good, bad;
  bad.fails_after = 0;
  const auto readings = run_contest({{"bad", count_call, &bad}, {"good", count_call, &good}}, tiny_contest(&output));
  EXPECT_TRUE(readings[0].ns.empty());
  EXPECT_EQ(readings[1].ns.size(), 6U);
}

TEST(Contest, FreshOutputsAreNotTheGivenOnes) {
  float output = 0;
  Counter counter;
  ContestOptions options = tiny_contest(&output);
  options.fresh = true;
  run_contest({{"a", count_call, &counter}}, options);
  for (void *const address : counter.outputs) EXPECT_NE(address, &output);
}

TEST(Contest, StopLeavesNoHalfMeasuredReadings) {
  float output = 0;
  Counter counter;
  const volatile std::sig_atomic_t stop = 1;
  ContestOptions options = tiny_contest(&output);
  options.stop = &stop;
  EXPECT_TRUE(run_contest({{"a", count_call, &counter}}, options)[0].ns.empty());
}

Ceilings known_ceilings() {
  Ceilings ceilings;
  ceilings.peak_f32 = 100;
  ceilings.peak_f64 = 50;
  ceilings.chain_f32 = ceilings.chain_f64 = 1;
  ceilings.bandwidth = {{1000, 80, 40, 60}, {1e6, 8, 4, 6}};
  return ceilings;
}

TEST(LeastTime, IsTheLargestOfComputeMemoryAndLatency) {
  Demand demand;
  demand.operations = 1e6;
  demand.input_bytes = 100;
  demand.output_bytes = 100;
  EXPECT_EQ(least_time(known_ceilings(), demand)->by, "compute");
  EXPECT_NEAR(least_time(known_ceilings(), demand)->ns, 1e4, 1e-6);
  demand.chain = 1e5;
  EXPECT_EQ(least_time(known_ceilings(), demand)->by, "latency");
  demand.chain = demand.operations = 0;
  EXPECT_EQ(least_time(known_ceilings(), demand)->by, "memory");
  EXPECT_NEAR(least_time(known_ceilings(), demand)->ns, 200 / 40., 1e-9);
}

TEST(LeastTime, LargeWorkingSetsGetTheSlowerMemory) {
  Demand demand;
  demand.input_bytes = demand.output_bytes = 1e6;
  EXPECT_NEAR(least_time(known_ceilings(), demand)->ns, 2e6 / 4, 1e-6);
}

TEST(LeastTime, IntegerProductsAreNotJudged) {
  Demand demand;
  demand.f32 = false;
  demand.chain = 100;
  EXPECT_FALSE(least_time(known_ceilings(), demand).has_value());
}

TEST(Ceilings, AreMeasuredAsPositiveNumbers) {
  const Ceilings ceilings = measure_ceilings("baseline", 1, true);
  EXPECT_GT(ceilings.peak_f32, 0);
  EXPECT_GT(ceilings.peak_f64, 0);
  EXPECT_GT(ceilings.chain_f32, 0);
  ASSERT_GT(ceilings.bandwidth.size(), 3U);
  for (const BandwidthPoint &point : ceilings.bandwidth) {
    EXPECT_GT(point.read, 0);
    EXPECT_GT(point.copy, 0);
    EXPECT_GT(point.add, 0);
  }
}

tools::HostTensor vector_of(const std::vector<float> &values) {
  auto tensor = tools::allocate_tensor(RAYO_F32, {static_cast<int64_t>(values.size())}, false, "a test");
  std::copy(values.begin(), values.end(), static_cast<float *>(tensor.data.get()));
  return tensor;
}

TEST(Difference, SmallErrorsAndEqualNansPass) {
  const float nan = std::nanf("");
  EXPECT_EQ(difference(vector_of({1, nan, 1000}), vector_of({1.0005F, nan, 1000.5F}), 1), "");
}

TEST(Difference, LongSumsMayBeOffByMore) {
  EXPECT_NE(difference(vector_of({100}), vector_of({101}), 1), "");
  EXPECT_EQ(difference(vector_of({100}), vector_of({101}), 1e7), "");
  EXPECT_NE(difference(vector_of({100}), vector_of({120}), 1e7), "");
}

TEST(Difference, AnotherComputationIsNamed) {
  EXPECT_NE(difference(vector_of({1, 2}), vector_of({1, 2.1F}), 1), "");
  EXPECT_NE(difference(vector_of({1, 2}), vector_of({1, std::nanf("")}), 1), "");
  EXPECT_NE(difference(vector_of({1, std::nanf("")}), vector_of({1, 2}), 1), "");
}

TEST(Difference, IsCountedInUnitsOfTheLastPlace) {
  EXPECT_EQ(largest_ulps(vector_of({1, 2}), vector_of({1, 2})), 0);
  EXPECT_EQ(largest_ulps(vector_of({1, 2}), vector_of({1, std::nextafter(std::nextafter(2.F, 3.F), 3.F)})), 2);
}

Row row_of(double ns, double low, double high, const std::string &op = "add") {
  Row row;
  row.op = op;
  row.family = "binary";
  row.dtype = "f32";
  row.shape = "100,100";
  row.device = "avx2";
  row.ns = ns;
  row.ns_interval = {low, high};
  row.operations = 100;
  row.bytes = 1200;
  return row;
}

TEST(Row, SurvivesJson) {
  Row row = row_of(100, 90, 110);
  row.ratio = 1.5;
  row.best_peer = "plain";
  row.peer_ns = 150;
  row.ratio_interval = {1.4, 1.6};
  row.peers = {{"plain", 150, 0.1, 2}};
  row.refused = {{"wrong", "element 0"}};
  EXPECT_EQ(to_json(row_from_json(to_json(row))), to_json(row));
  const Row alone = row_of(100, 90, 110);
  EXPECT_EQ(to_json(row_from_json(to_json(alone))), to_json(alone));
  EXPECT_TRUE(to_json(alone).at("ratio").is_null());
}

TEST(Row, AForeignDocumentIsRefusedByName) {
  EXPECT_THROW(rows_of({{"rows", {{{"op", "add"}}}}}, "old.json"), tools::CommandError);
  EXPECT_THROW(rows_of(nlohmann::json::object(), "old.json"), tools::CommandError);
}

TEST(Compare, FlagsOnlyWhatMovedBeyondBothNoises) {
  const std::vector<Row> before = {row_of(100, 99, 101, "a"), row_of(100, 99, 101, "b"), row_of(100, 80, 120, "c"),
                                   row_of(100, 99, 101, "d"), row_of(100, 99, 101, "e")};
  const std::vector<Row> now = {row_of(106, 105, 107, "a"),  // slower by 6 %
                                row_of(103, 102, 104, "b"),  // 3 %: too little
                                row_of(115, 110, 121, "c"),  // within the noise
                                row_of(85, 84, 86, "d"),     // faster by more than 10 %
                                row_of(100, 99, 101, "f")};  // new
  const Comparison comparison = compare(now, before);
  ASSERT_EQ(comparison.slower.size(), 1U);
  EXPECT_EQ(comparison.slower[0].after_ns, 106);
  ASSERT_EQ(comparison.faster.size(), 1U);
  EXPECT_EQ(comparison.faster[0].after_ns, 85);
  EXPECT_EQ(comparison.same, 2U);
  EXPECT_EQ(comparison.only_here, 1U);
  EXPECT_EQ(comparison.only_there, 1U);
}

TEST(Labels, NeverMeetEachOtherNorAnObstacleNorTheFrame) {
  const Box frame = {0, 0, 400, 300};
  std::vector<LabelledPoint> points;
  std::vector<Box> obstacles;
  for (int i = 0; i < 200; ++i) {
    points.push_back({i * 37 % 400 + 0., i * 61 % 300 + 0., "label " + std::to_string(i)});
    obstacles.push_back({points.back().x - 3, points.back().y - 3, 6, 6});
  }
  const std::vector<Label> labels = place_labels(points, obstacles, frame);
  ASSERT_GT(labels.size(), 5U);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Box &box = labels[i].box;
    EXPECT_TRUE(box.x >= 0 && box.y >= 0 && box.x + box.width <= 400 && box.y + box.height <= 300);
    for (const Box &obstacle : obstacles) EXPECT_FALSE(box.meets(obstacle));
    for (std::size_t k = 0; k < i; ++k) EXPECT_FALSE(box.meets(labels[k].box));
  }
}

TEST(Picture, EscapesTextAndShowsEveryJudgedRow) {
  nlohmann::json machine = {{"cpu", "A<B> & C"}, {"ceilings", {to_json(known_ceilings())}}};
  std::vector<Row> rows = {row_of(100, 99, 101), row_of(50, 49, 51, "mul")};
  for (Row &row : rows) row.roofline = 0.5;
  const std::string svg = roofline_svg(machine, rows);
  EXPECT_NE(svg.find("A&lt;B&gt; &amp; C"), std::string::npos);
  EXPECT_EQ(svg.find("A<B>"), std::string::npos);
  std::size_t points = 0;
  for (std::size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) ++points;
  EXPECT_EQ(points, 2U);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
}

}  // namespace
}  // namespace rayo::bench
