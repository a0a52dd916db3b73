// SPDX-License-Identifier: Apache-2.0
//
// Plugins in processes of their own: faults that would take the application with it cost one fallback, results are
// those of the same plugin loaded here, and no process is left behind.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "faults/fault_files.hpp"
#include "faults/fault_run.hpp"
#include "tools/program.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;
using tools::test::Folder;

constexpr int64_t kLate = 5000;  // elements: more than a probe tries

Runtime open_isolated(const std::string &plugin_path, const char *isolation = "process", uint32_t limit_ms = 5000) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT;
  options.plugin_path = plugin_path.c_str();
  options.isolation = isolation;
  options.isolation_ms = limit_ms;
  options.log = [](void *, int32_t, const char *) {};
  rayo_runtime *runtime = nullptr;
  return Runtime(rayo_runtime_create(&options, &runtime) == RAYO_OK ? runtime : nullptr);
}

std::set<pid_t> children() {
  std::set<pid_t> all;
  for (const auto &task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) all.insert(child);
  }
  return all;
}

bool gone(pid_t pid) {
  for (int i = 0; i < 300; ++i) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    if (!std::getline(file, text) || text.find(") Z ") != std::string::npos) return true;
    ::usleep(10000);
  }
  return false;
}

// add on a device, its output in the middle of memory that nobody may touch.
rayo_status add_on(rayo_runtime *runtime, const char *device, bool *out_right, bool *out_untouched) {
  constexpr size_t kZone = 4096;
  std::vector<float> a(kLate, 3);
  std::vector<float> b(kLate, 4);
  std::vector<float> y(kLate + 2 * kZone, -1);
  const rayo_tensor ta = rayo_tensor_make(a.data(), RAYO_F32, 1, &kLate, nullptr);
  const rayo_tensor tb = rayo_tensor_make(b.data(), RAYO_F32, 1, &kLate, nullptr);
  const rayo_tensor ty = rayo_tensor_make(y.data() + kZone, RAYO_F32, 1, &kLate, nullptr);
  const rayo_tensor *in[] = {&ta, &tb};
  const rayo_tensor *out[] = {&ty};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = device;
  const rayo_status status = rayo_run_with(runtime, rayo_op_find("add"), in, 2, out, 1, nullptr, &options);
  const auto is = [](float value) { return [value](float x) { return x == value; }; };
  const auto begin = y.begin() + kZone;
  *out_right = std::all_of(begin, begin + kLate, is(7));
  *out_untouched = std::all_of(y.begin(), begin, is(-1)) && std::all_of(begin + kLate, y.end(), is(-1)) &&
                   (status == RAYO_OK || std::all_of(begin, begin + kLate, is(-1))) &&
                   std::all_of(a.begin(), a.end(), is(3)) && std::all_of(b.begin(), b.end(), is(4));
  return status;
}

std::string metrics_of(const rayo_runtime *runtime) {
  std::string text(rayo_metrics_text(runtime, nullptr, 0) + 1, '\0');
  rayo_metrics_text(runtime, text.data(), text.size());
  return text;
}

std::string explain_add(rayo_runtime *runtime) {
  std::vector<float> x(kLate);
  const rayo_tensor tensor = rayo_tensor_make(x.data(), RAYO_F32, 1, &kLate, nullptr);
  const rayo_tensor *in[] = {&tensor, &tensor};
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find("add");
  desc.inputs = in;
  desc.input_count = 2;
  rayo_explanation *explanation = nullptr;
  if (rayo_explain(runtime, &desc, &explanation) != RAYO_OK) return last_error();
  std::string text;
  for (uint32_t i = 0; i < rayo_explanation_count(explanation); ++i) {
    rayo_candidate candidate{};
    candidate.struct_size = sizeof candidate;
    candidate.struct_type = RAYO_TYPE_CANDIDATE;
    if (rayo_explanation_get(explanation, i, &candidate) == RAYO_OK) {
      text += std::string(candidate.plugin) + ": " + candidate.reason + "\n";
    }
  }
  rayo_explanation_destroy(explanation);
  return text;
}

struct Isolated {
  const char *fault;
  rayo_status status;  // where the plugin alone was asked for
  const char *reason;
};

class EveryIsolatedFault : public testing::TestWithParam<Isolated> {};

TEST_P(EveryIsolatedFault, CostsAFallbackAndNothingElse) {
  const Isolated &each = GetParam();
  const std::string fault = std::string("late-") + each.fault;
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), fault);
  const uint32_t limit = each.status == RAYO_TIMEOUT ? 400 : 5000;
  const Runtime runtime = open_isolated(folder.path(), "process", limit);
  ASSERT_NE(runtime, nullptr) << last_error();
  bool right = false;
  bool untouched = false;
  EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), each.status);
  const std::string said = last_error();
  EXPECT_NE(said.find(each.reason), std::string::npos) << said;
  EXPECT_FALSE(right);
  EXPECT_TRUE(untouched);
  EXPECT_EQ(add_on(runtime.get(), "auto", &right, &untouched), RAYO_OK) << last_error();
  EXPECT_TRUE(right);
  EXPECT_TRUE(untouched);
  EXPECT_EQ(add_numbers(runtime.get(), 37), RAYO_OK) << last_error();
  EXPECT_NE(metrics_of(runtime.get()).find("rayo_fallbacks_total{op=\"add\",from=\"chaos\",to=\"scalar\""),
            std::string::npos);
  EXPECT_NE(explain_add(runtime.get()).find("1 call fell back (worker: its worker process "), std::string::npos)
      << explain_add(runtime.get());
  std::string row = "isolated " + fault;
  std::replace(row.begin(), row.end(), '-', '_');
  std::replace(row.begin(), row.end(), ' ', '_');
  record("launch", row, "ready",
         "the call falls back; asked for alone it answers " + std::string(rayo_status_name(each.status)) + ": " + said);
}

INSTANTIATE_TEST_SUITE_P(
    Isolation, EveryIsolatedFault,
    testing::Values(Isolated{"segv", RAYO_INTERNAL, "its worker process crashed: SIGSEGV"},
                    Isolated{"abort", RAYO_INTERNAL, "its worker process crashed: SIGABRT"},
                    Isolated{"exit3", RAYO_INTERNAL, "its worker process ended: exit status 3"},
                    Isolated{"wait", RAYO_TIMEOUT, "its worker process had no answer after 400 ms"},
                    Isolated{"spin", RAYO_TIMEOUT, "its worker process had no answer after 400 ms"},
                    Isolated{"overwrite", RAYO_INTERNAL, "its worker process wrote outside of an output"},
                    Isolated{"underwrite", RAYO_INTERNAL, "its worker process wrote outside of an output"},
                    Isolated{"input", RAYO_INTERNAL, "its worker process crashed: SIGSEGV"}),
    [](const auto &test) { return test.param.fault; });

TEST(Isolation, AKernelsOwnStatusIsTheCallsOwn) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "late-fail");
  const Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_INTERNAL);
  EXPECT_NE(last_error().find("chaos was asked to fail"), std::string::npos) << last_error();
}

TEST(Isolation, NothingOfThePluginIsMappedHere) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "of-another-process");
  const Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(add_numbers(runtime.get(), kLate), RAYO_OK) << last_error();
  std::ifstream maps("/proc/self/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  EXPECT_EQ(text.find("chaos-of-another-process"), std::string::npos);
  EXPECT_EQ(children().size(), 1U);
}

TEST(Isolation, AKilledWorkerIsReplaced) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  const Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  bool right = false;
  bool untouched = false;
  EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), RAYO_OK) << last_error();
  const std::set<pid_t> before = children();
  ASSERT_EQ(before.size(), 1U);
  ::kill(*before.begin(), SIGKILL);
  EXPECT_EQ(add_on(runtime.get(), "auto", &right, &untouched), RAYO_OK) << last_error();
  EXPECT_TRUE(right);
  EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), RAYO_OK) << last_error();
  EXPECT_TRUE(right);
  const std::set<pid_t> after = children();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_NE(before, after);
  record("launch", "isolated_process_killed_between_calls", "ready", "one call falls back, the next has a new process");
}

TEST(Isolation, AForkedChildHasAWorkerOfItsOwn) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  bool right = false;
  bool untouched = false;
  EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), RAYO_OK) << last_error();
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = true;
    for (int i = 0; i < 10; ++i) {
      good = good && add_on(runtime.get(), "chaos", &right, &untouched) == RAYO_OK && right && untouched;
    }
    good = good && children().size() == 1;
    runtime.reset();
    good = good && children().empty();
    ::_exit(good ? 0 : 1);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), RAYO_OK) << last_error();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(add_on(runtime.get(), "chaos", &right, &untouched), RAYO_OK) << last_error();
  EXPECT_TRUE(right);
  record("lifecycle", "isolated_fork_then_use", "ready", "the child's calls run in a process of its own");
}

TEST(Isolation, NoProcessOutlivesItsRuntimeOrItsApplication) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  EXPECT_EQ(children().size(), 1U);
  runtime.reset();
  EXPECT_TRUE(children().empty());
  // An application that is killed, in the middle of a call that hangs.
  const Folder other;
  add_scalar(other.path());
  add_chaos(other.path(), "late-wait");
  int told[2] = {-1, -1};
  ASSERT_EQ(::pipe(told), 0);
  const pid_t application = ::fork();
  if (application == 0) {
    const Runtime own = open_isolated(other.path(), "process", 60000);
    if (own == nullptr) ::_exit(1);
    const pid_t worker = *children().begin();
    (void)!::write(told[1], &worker, sizeof worker);
    add_numbers(own.get(), kLate);
    ::_exit(2);
  }
  pid_t worker = 0;
  ASSERT_EQ(::read(told[0], &worker, sizeof worker), ssize_t{sizeof worker});
  ::usleep(200000);
  EXPECT_TRUE(fs::exists("/proc/" + std::to_string(worker)));
  ::kill(application, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(application, &status, 0), application);
  EXPECT_TRUE(gone(worker)) << worker;
  record("lifecycle", "isolated_application_killed_in_a_call", "ready", "its worker process ends too");
}

TEST(Isolation, EightThreadsShareOneWorker) {
  const Folder folder;
  add_scalar(folder.path());
  add_chaos(folder.path(), "none-at-all");
  const Runtime runtime = open_isolated(folder.path());
  ASSERT_NE(runtime, nullptr) << last_error();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  constexpr int kThreads = 8;
  constexpr int kRounds = 100;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) good += add_numbers(runtime.get(), 1 + (i * 37 + t) % 3000) == RAYO_OK ? 1 : 0;
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(good, kThreads * kRounds) << last_error();
  EXPECT_EQ(metrics_of(runtime.get()).find("rayo_fallbacks_total{"), std::string::npos) << metrics_of(runtime.get());
  record("lifecycle", "isolated_8_threads", "ready", "each result right, none fell back");
}

TEST(Isolation, WrongSettingsAreNamed) {
  const Folder folder;
  add_scalar(folder.path());
  for (const char *wrong : {"thread", "process:", "process:a,,b", ""}) {
    EXPECT_EQ(open_isolated(folder.path(), wrong), nullptr) << wrong;
    EXPECT_NE(last_error().find("options.isolation"), std::string::npos) << last_error();
    EXPECT_NE(last_error().find("off, process, process:NAME,NAME"), std::string::npos) << last_error();
  }
}

// ---- The same bits ----

struct Operand {
  std::vector<float> data;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // empty: compact
  size_t first = 0;
  rayo_tensor tensor() {
    return rayo_tensor_make(data.data() + first, RAYO_F32, static_cast<int32_t>(shape.size()), shape.data(),
                            strides.empty() ? nullptr : strides.data());
  }
};

Operand operand(std::vector<int64_t> shape, std::vector<int64_t> strides = {}, size_t room = 0, size_t first = 0) {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  Operand out{std::vector<float>(std::max(room, count)), std::move(shape), std::move(strides), first};
  for (size_t i = 0; i < out.data.size(); ++i) out.data[i] = static_cast<float>((i * 37 + 11) % 61) / 16 - 1.75f;
  return out;
}

struct Case {
  const char *op;
  std::vector<Operand> in;
  Operand out;
  bool in_place = false;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  const std::vector<int64_t> shape = {37, 129};
  for (const char *op : {"add", "sub", "mul", "div", "max", "min", "pow"}) {
    all.push_back({op, {operand(shape), operand(shape)}, operand(shape)});
    all.push_back({op, {operand(shape), operand({129})}, operand(shape)});  // broadcast
    all.push_back({op, {operand(shape), operand(shape)}, operand(shape), true});
  }
  for (const char *op : {"neg", "abs", "sqrt", "exp", "log", "sin", "tanh", "sigmoid", "erf", "relu", "gelu", "round",
                         "softmax", "log_softmax"}) {
    all.push_back({op, {operand(shape)}, operand(shape)});
    all.push_back({op, {operand(shape, {400, 3}, 20000, 5)}, operand(shape, {1, 40}, 8000)});  // gaps and columns
    all.push_back({op, {operand(shape, {-129, -1}, 0, 37 * 129 - 1)}, operand(shape)});        // backwards
  }
  all.push_back({"matmul", {operand({65, 130}), operand({130, 47})}, operand({65, 47})});
  all.push_back({"matmul", {operand({65, 130}, {1, 65}), operand({130, 47})}, operand({65, 47}, {47, 1})});
  all.push_back({"transpose", {operand({37, 129})}, operand({129, 37})});
  all.push_back({"reduce_sum", {operand(shape)}, operand({1, 1})});
  all.push_back({"dot", {operand({4099}), operand({4099})}, operand({})});
  all.push_back({"add", {operand({0, 3}), operand({0, 3})}, operand({0, 3})});
  return all;
}

rayo_status run(rayo_runtime *runtime, const char *device, Case *each) {
  std::vector<rayo_tensor> tensors;
  for (Operand &in : each->in) tensors.push_back(in.tensor());
  rayo_tensor out = each->in_place ? tensors[0] : each->out.tensor();
  std::vector<const rayo_tensor *> in;
  for (const rayo_tensor &tensor : tensors) in.push_back(&tensor);
  const rayo_tensor *outs[] = {&out};
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = device;
  return rayo_run_with(runtime, rayo_op_find(each->op), in.data(), static_cast<uint32_t>(in.size()), outs, 1, nullptr,
                       &options);
}

TEST(Isolation, ResultsAreBitForBitThoseOfThePluginLoadedHere) {
  const std::string folder = RAYO_PLUGIN_FOLDER;
  const Runtime here = open_isolated(folder, "off");
  ASSERT_NE(here, nullptr) << last_error();
  const char *device = "scalar";
  for (uint32_t i = 0; i < rayo_device_count(here.get()); ++i) {
    rayo_device_listing listing{};
    listing.struct_size = sizeof listing;
    listing.struct_type = RAYO_TYPE_DEVICE_LISTING;
    ASSERT_EQ(rayo_device_get(here.get(), i, &listing), RAYO_OK);
    if (std::string(listing.id) == "avx2" || std::string(listing.id) == "neon") {
      device = std::string(listing.id) == "avx2" ? "avx2" : "neon";
    }
  }
  const std::string isolation = std::string("process:") + device;
  const Runtime there = open_isolated(folder, isolation.c_str());
  ASSERT_NE(there, nullptr) << last_error();
  EXPECT_EQ(children().size(), 1U);
  std::vector<Case> first = cases();
  std::vector<Case> second = cases();
  for (size_t i = 0; i < first.size(); ++i) {
    const std::string what = std::string(first[i].op) + ", case " + std::to_string(i);
    ASSERT_EQ(run(here.get(), device, &first[i]), RAYO_OK) << what << ": " << last_error();
    ASSERT_EQ(run(there.get(), device, &second[i]), RAYO_OK) << what << ": " << last_error();
    const auto same = [](const Operand &a, const Operand &b) {  // the bytes between elements too
      return a.data.empty() || std::memcmp(a.data.data(), b.data.data(), a.data.size() * sizeof(float)) == 0;
    };
    EXPECT_TRUE(same(first[i].out, second[i].out)) << what;
    for (size_t k = 0; k < first[i].in.size(); ++k) EXPECT_TRUE(same(first[i].in[k], second[i].in[k])) << what;
  }
}

}  // namespace
}  // namespace rayo::faults
