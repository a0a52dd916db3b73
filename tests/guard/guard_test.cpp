// SPDX-License-Identifier: Apache-2.0
//
// RAYO_VERIFY from outside: what each guard finds, what each action leaves to the application, how soon sampling finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "../integration/fixture.hpp"

namespace {

using rayo_test::last_error;
using rayo_test::View;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// scalar, and before it the plugin that goes wrong as RAYO_TEST_FAULT says.
class Guarded : public testing::Test {
 protected:
  void TearDown() override {
    rayo_runtime_destroy(runtime_);
    unsetenv("RAYO_TEST_FAULT");
  }
  void start(const char *fault, const char *verify) {
    rayo_runtime_destroy(runtime_);
    runtime_ = nullptr;
    log_.clear();
    setenv("RAYO_TEST_FAULT", fault, 1);
    const char *files[] = {RAYO_FAULTY_PLUGIN, RAYO_SCALAR_PLUGIN};
    rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
    // A probe would find the fault before the guards do.
    options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
    options.plugin_files = files;
    options.plugin_file_count = 2;
    options.threads = 2;
    options.verify = verify;
    options.log = [](void *ctx, int32_t level, const char *text) {
      if (level == RAYO_LOG_ERROR) static_cast<std::vector<std::string> *>(ctx)->emplace_back(text);
    };
    options.log_ctx = &log_;
    ASSERT_EQ(rayo_runtime_create(&options, &runtime_), RAYO_OK) << last_error();
  }
  rayo_status add(float value = 1) {
    const std::vector<float> a(64, value);
    const std::vector<float> b(64, 2);
    result_.assign(64, -1);
    return rayo_add_f32(runtime_, 64, a.data(), b.data(), result_.data());
  }
  bool result_is(float value) const {
    return std::all_of(result_.begin(), result_.end(),
                       [value](float x) { return x == value || (std::isnan(x) && std::isnan(value)); });
  }
  std::string metrics() const {
    std::string text(rayo_metrics_text(runtime_, nullptr, 0), '\0');
    rayo_metrics_text(runtime_, text.data(), text.size() + 1);
    return text;
  }

  rayo_runtime *runtime_ = nullptr;
  std::vector<float> result_;
  std::vector<std::string> log_;
};

TEST_F(Guarded, StopNeverHandsOutAWrongResult) {
  start("wrong:3", "divergence");
  for (int call = 1; call <= 30; ++call) {
    const rayo_status status = add();
    ASSERT_EQ(status, call % 3 == 0 ? RAYO_GUARD : RAYO_OK) << call << " " << last_error();
    ASSERT_TRUE(result_is(status == RAYO_OK ? 3.0f : kNan)) << call;
  }
  EXPECT_NE(
      last_error().find("add on faulty (add_f32): divergence: 1 of 64 elements of C differ from scalar; worst [32]: "
                        "3.00000024, expected 3 (the bits must agree); the outputs hold no result"),
      std::string::npos)
      << last_error();
  EXPECT_NE(metrics().find("rayo_guard_checks_total{guard=\"divergence\",op=\"add\",device=\"faulty\"} 30\n"),
            std::string::npos)
      << metrics();
  EXPECT_NE(metrics().find("rayo_guard_findings_total{guard=\"divergence\",op=\"add\",device=\"faulty\"} 10\n"),
            std::string::npos)
      << metrics();
  EXPECT_TRUE(log_.empty());
}

TEST_F(Guarded, InPlaceCallsAreJudgedByTheirInputWhichStopGivesBack) {
  start("wrong:2", "divergence,nondeterminism");
  const std::vector<float> b(64, 2);
  for (int call = 0; call < 8; ++call) {
    std::vector<float> x(64);
    std::iota(x.begin(), x.end(), 1.0f);
    const std::vector<float> before = x;
    std::vector<float> sum = x;
    for (float &value : sum) value += 2;
    const rayo_status status = rayo_add_f32(runtime_, 64, x.data(), b.data(), x.data());
    EXPECT_EQ(x, status == RAYO_OK ? sum : before) << call;
    // The two runs of a call count as two: each second one is wrong, so the guard sees every call.
    EXPECT_EQ(status, RAYO_GUARD) << call;
    EXPECT_NE(last_error().find("the output is the input again"), std::string::npos) << last_error();
  }
}

TEST_F(Guarded, ASampledGuardFindsARareFaultInTheExpectedNumberOfCalls) {
  // One call in 1,000 is wrong and one in 16 is looked at: 16,000 calls on average, with a deviation of as much. The
  // places that are looked at come from a fixed sequence, so this is no chance test; 40 plans give its mean.
  start("wrong:1000", "divergence:1/16");
  std::vector<float> a(8, 1.0f), c(8);
  const View va(a.data(), {8}), vc(c.data(), {8});
  const rayo_tensor *in[] = {&va.tensor, &va.tensor};
  const rayo_tensor *out[] = {&vc.tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("add");
  desc.inputs = in;
  desc.input_count = 2;
  constexpr int kPlans = 40;
  int64_t calls = 0;
  for (int plan_number = 0; plan_number < kPlans; ++plan_number) {
    rayo_plan *plan = nullptr;
    ASSERT_EQ(rayo_plan_create(runtime_, &desc, &plan), RAYO_OK) << last_error();
    int64_t tried = 1;
    while (rayo_plan_run(plan, in, out) == RAYO_OK && tried < 1'000'000) ++tried;
    EXPECT_EQ(tried % 1000, 0) << "only wrong calls are objected to";
    calls += tried;
    rayo_plan_destroy(plan);
  }
  const double mean = static_cast<double>(calls) / kPlans;
  RecordProperty("mean_calls_to_finding", static_cast<int>(mean));
  std::printf("wrong 1 in 1,000, looked at 1 in 16: found after %.0f calls on average of %d plans\n", mean, kPlans);
  EXPECT_GT(mean, 16'000 - 3 * 16'000 / std::sqrt(kPlans));
  EXPECT_LT(mean, 16'000 + 3 * 16'000 / std::sqrt(kPlans));
}

TEST_F(Guarded, AFaultInOnePieceIsFoundThoughOnlyPiecesAreJudged) {
  // One element of 65,536 is wrong in every call, and there is time for one piece of a call alone: of 512 elements,
  // from a random place. So 128 plans are needed on average; 3000 fail with a probability below 1e-10.
  start("wrong:1", "divergence,budget=0.0001%");
  constexpr int64_t kCount = 65536;
  std::vector<float> a(kCount, 1.0f), c(kCount);
  const View va(a.data(), {kCount}), vc(c.data(), {kCount});
  const rayo_tensor *in[] = {&va.tensor, &va.tensor};
  const rayo_tensor *out[] = {&vc.tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("add");
  desc.inputs = in;
  desc.input_count = 2;
  int tried = 0;
  rayo_status status = RAYO_OK;
  for (; status == RAYO_OK && tried < 3000; ++tried) {
    rayo_plan *plan = nullptr;
    ASSERT_EQ(rayo_plan_create(runtime_, &desc, &plan), RAYO_OK) << last_error();
    status = rayo_plan_run(plan, in, out);
    rayo_plan_destroy(plan);
  }
  EXPECT_EQ(status, RAYO_GUARD);
  EXPECT_GT(tried, 1) << "the seeds are fixed: the first piece is not the one";
  EXPECT_NE(last_error().find("1 of 65536 elements of C differ from scalar; worst [32768]"), std::string::npos)
      << last_error();
  EXPECT_TRUE(std::isnan(c[0]) && std::isnan(c[kCount - 1])) << "the whole output is withdrawn";
}

TEST_F(Guarded, ASpentBudgetLeavesCallsUnseenAndSaysSo) {
  start("none", "divergence,budget=0.0001%");
  for (int call = 0; call < 100; ++call) ASSERT_EQ(add(), RAYO_OK);
  EXPECT_NE(metrics().find("rayo_guard_checks_total{guard=\"divergence\",op=\"add\",device=\"faulty\"} 1\n"),
            std::string::npos)
      << metrics();
  EXPECT_NE(metrics().find("rayo_guard_skipped_total{guard=\"divergence\",op=\"add\",reason=\"its budget of time was "
                           "spent\"} 99\n"),
            std::string::npos)
      << metrics();
}

TEST_F(Guarded, NanAndInfinityThatNoInputHoldsAreFound) {
  start("nan:1", "nan,action=log");
  EXPECT_EQ(add(), RAYO_OK) << "log lets the result pass";
  EXPECT_TRUE(std::isnan(result_[32]));
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_NE(log_[0].find("nan: 1 of 64 elements of C are NaN, no input has any; first [32]"), std::string::npos)
      << log_[0];
  EXPECT_EQ(add(kNan), RAYO_OK);
  EXPECT_EQ(log_.size(), 1u) << "a NaN that comes in may go out";
  EXPECT_EQ(add(kInf), RAYO_OK);
  EXPECT_EQ(log_.size(), 2u) << "an infinity is no NaN";
  start("inf:1", "inf");
  EXPECT_EQ(add(), RAYO_GUARD);
  EXPECT_TRUE(result_is(kNan));
  EXPECT_EQ(add(-kInf), RAYO_OK);
  EXPECT_EQ(add(3e38f), RAYO_GUARD) << "the plugin's own";
}

TEST_F(Guarded, NondeterminismIsFoundByASecondRun) {
  start("random", "nondeterminism");
  EXPECT_EQ(add(), RAYO_GUARD);
  EXPECT_NE(last_error().find("nondeterminism: 1 of 64 elements of C differ from a second run"), std::string::npos)
      << last_error();
  start("none", "nondeterminism,divergence,nan,inf");
  EXPECT_EQ(add(), RAYO_OK) << last_error();
}

TEST_F(Guarded, ASlowCallIsFoundAgainstThoseBefore) {
  start("slow:30", "slowdown:3");
  int found = 0;
  for (int call = 1; call <= 30; ++call) {
    if (add() != RAYO_GUARD) continue;
    ++found;
    EXPECT_TRUE(result_is(3)) << "slow, not wrong";
  }
  EXPECT_GE(found, 1);  // the 30th for certain; the machine may slow others down
  EXPECT_NE(last_error().find("slowdown: took"), std::string::npos) << last_error();
}

TEST_F(Guarded, OptionsOfOneCallWinOverTheRuntimes) {
  start("nan:1", "nan");
  const std::vector<float> x(4, 1);
  std::vector<float> y(4);
  const View in(const_cast<float *>(x.data()), {4}), out(y.data(), {4});
  const rayo_tensor *inputs[] = {&in.tensor, &in.tensor};
  const rayo_tensor *outputs[] = {&out.tensor};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  const auto run = [&](const char *verify) {
    options.verify = verify;
    return rayo_run_with(runtime_, rayo_op_find("add"), inputs, 2, outputs, 1, nullptr, &options);
  };
  EXPECT_EQ(run(nullptr), RAYO_GUARD);
  EXPECT_EQ(run("off"), RAYO_OK);
  EXPECT_EQ(run("inf"), RAYO_OK);
  EXPECT_EQ(run("divergence"), RAYO_GUARD);
  EXPECT_EQ(run("nan:1/0"), RAYO_INVALID_ARGUMENT);
  EXPECT_NE(last_error().find("options.verify holds 'nan:1/0'; legal"), std::string::npos) << last_error();
}

TEST_F(Guarded, AReportHoldsWhatIsNeededAndAPicture) {
  char folder[] = "/tmp/rayo_guard_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string place = std::string(folder) + "/new";
  start("wrong:1", ("divergence,action=report,report=" + place).c_str());
  EXPECT_EQ(add(), RAYO_OK);
  ASSERT_EQ(log_.size(), 1u);
  const size_t at = log_[0].find("report: ");
  ASSERT_NE(at, std::string::npos) << log_[0];
  const std::string file = log_[0].substr(at + 8);
  const std::string check =
      "python3 -c 'import json,struct,sys,zlib\n"
      "d=json.load(open(sys.argv[1]))\n"
      "assert (d[\"op\"],d[\"device\"],d[\"guard\"],d[\"wrong\"],d[\"elements\"],d[\"place\"])=="
      "(\"add\",\"faulty\",\"divergence\",1,64,\"[32]\"),d\n"
      "assert d[\"expected\"]==3 and d[\"inputs\"][1][\"shape\"]==[64] and len(d[\"plugin\"][\"sha256\"])==64,d\n"
      "if d[\"picture\"]:\n"
      "  p=open(sys.argv[1][:-4]+\"png\",\"rb\").read()\n"
      "  assert p[:8]==b\"\\x89PNG\\r\\n\\x1a\\n\" and struct.unpack(\">II\",p[16:24])==(8,8),p[:24]\n"
      "  n=p.index(b\"IDAT\"); raw=zlib.decompress(p[n+4:n+4+struct.unpack(\">I\",p[n-4:n])[0]])\n"
      "  assert len(raw)==8*(1+8*3),len(raw)' " +
      file;
  EXPECT_EQ(std::system(check.c_str()), 0) << check;
  std::filesystem::remove_all(folder);
}

// Kernels of class strict: another order of summation is legal, a real fault is not.
struct StrictOp {
  const char *op;
  std::vector<std::vector<int64_t>> inputs;
  std::vector<int64_t> output;
};

TEST_F(Guarded, StrictKernelsAreJudgedByTheirBounds) {
  const int64_t axis = -1;
  const rayo_attr axes[] = {rayo_attr_ints("axes", &axis, 1), RAYO_ATTR_END};
  const StrictOp ops[] = {{"exp", {{1000}}, {1000}},
                          {"reduce_sum", {{7, 900}}, {7, 1}},
                          {"matmul", {{5, 300}, {300, 4}}, {5, 4}},
                          {"softmax", {{6, 50}}, {6, 50}},
                          {"layer_norm", {{6, 50}, {50}}, {6, 50}}};
  const auto run = [&](const StrictOp &op, float shift) {
    std::vector<std::vector<float>> data;
    std::vector<std::unique_ptr<View>> views;
    std::vector<const rayo_tensor *> in;
    uint32_t state = 12345;
    for (const auto &shape : op.inputs) {
      int64_t count = 1;
      for (const int64_t extent : shape) count *= extent;
      std::vector<float> &values = data.emplace_back(static_cast<size_t>(count));
      for (float &value : values) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(state >> 8) * 0x1p-22f - 2 + shift;  // [-2, 2)
      }
      in.push_back(&views.emplace_back(std::make_unique<View>(values.data(), shape))->tensor);
    }
    std::vector<float> y(1000);
    const View out(y.data(), op.output);
    const rayo_tensor *outputs[] = {&out.tensor};
    return rayo_run(runtime_, rayo_op_find(op.op), in.data(), static_cast<uint32_t>(in.size()), outputs, 1,
                    std::string(op.op) == "reduce_sum" ? axes : nullptr);
  };
  start("none", "divergence");
  for (const StrictOp &op : ops) {
    EXPECT_EQ(run(op, 0), RAYO_OK) << op.op << " " << last_error();
    EXPECT_EQ(run(op, 10), RAYO_OK) << op.op << " " << last_error();
  }
  start("off:8", "divergence");
  for (const StrictOp &op : ops) {
    EXPECT_EQ(run(op, 0), RAYO_GUARD) << op.op;
    EXPECT_NE(last_error().find("apart is allowed"), std::string::npos) << last_error();
  }
}

TEST_F(Guarded, WhatCannotBeJudgedIsCountedNotStopped) {
  start("none", "divergence");
  std::vector<float> x(16, 1), y(16);
  const View in(x.data(), {16}), out(y.data(), {16});
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = "scalar";
  const rayo_tensor *inputs[] = {&in.tensor};
  const rayo_tensor *outputs[] = {&out.tensor};
  EXPECT_EQ(rayo_run_with(runtime_, rayo_op_find("relu"), inputs, 1, outputs, 1, nullptr, &options), RAYO_OK);
  EXPECT_NE(metrics().find(
                "rayo_guard_skipped_total{guard=\"divergence\",op=\"relu\",reason=\"it ran on scalar itself\"} 1\n"),
            std::string::npos)
      << metrics();
}

}  // namespace
