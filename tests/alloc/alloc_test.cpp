// SPDX-License-Identifier: Apache-2.0
//
// The N-th allocation fails, for every N: an error or a success, never a crash, a leak, or a library that is broken
// afterwards.
#include <gtest/gtest.h>
#include <rayo/rayo.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <rayo/rayo.hpp>
#include <set>

#include "../core/temp_folder.hpp"
#include "../digests/calls.hpp"
#include "../digests/digest.hpp"
#include "failing_malloc.hpp"

namespace {

using rayo_test::arm;
using rayo_test::disarm;
using rayo_test::failed;
using rayo_test::live_blocks;

// RAYO_ALLOC_FULL=1 tries every N; otherwise every one up to 400, and then with gaps that grow by 2%.
uint64_t step_after(uint64_t n) {
  static const bool full = std::getenv("RAYO_ALLOC_FULL") != nullptr;
  return full || n < 400 ? 1 : n / 50;
}

// `attempt` returns a status and cleans up after itself. Runs it with each allocation failing in turn until none did.
// Returns how many were made to fail.
uint64_t fail_each_allocation(const std::string &what, const std::function<rayo_status()> &attempt) {
  // What is kept for good (names, libraries, a thread's caches) is there after two runs.
  for (int i = 0; i < 2; ++i) EXPECT_EQ(attempt(), RAYO_OK) << what;
  // Fails allocation n; how many blocks that left behind.
  const auto fail_one = [&attempt](uint64_t n, rayo_status *out_status) {
    const int64_t before = live_blocks();
    arm(n);
    *out_status = attempt();
    disarm();
    return live_blocks() - before;
  };
  uint64_t tried = 0;
  for (uint64_t n = 1;; n += step_after(n)) {
    rayo_status status = RAYO_OK;
    int64_t left = fail_one(n, &status);
    if (!failed()) {
      EXPECT_EQ(status, RAYO_OK) << what;
      return tried;
    }
    ++tried;
    // The first exception to pass through a function leaves the unwinder's own notes; a leak grows every time.
    if (left > 0) left = fail_one(n, &status);
    EXPECT_LE(left, 0) << what << ": blocks left behind when allocation " << n << " failed (status " << status << ")";
    if (left > 0) return tried;
    // Afterwards all works, and what the failure threw out of caches comes back.
    EXPECT_EQ(attempt(), RAYO_OK) << what << " after the failure of allocation " << n;
  }
}

const char *const kFiles[] = {RAYO_SCALAR_PLUGIN};

rayo_runtime_options quiet_options() {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES;
  options.plugin_files = kFiles;
  options.plugin_file_count = 1;
  options.threads = 2;
  options.log = [](void *, int32_t, const char *) {};
  return options;
}

rayo_status create_and_destroy(const rayo_runtime_options &options) {
  rayo_runtime *runtime = nullptr;
  const rayo_status status = rayo_runtime_create(&options, &runtime);
  EXPECT_EQ(runtime != nullptr, status == RAYO_OK);
  rayo_runtime_destroy(runtime);
  return status;
}

// A cache folder of this test's own, with an entry in its list of launches that no start takes away: every attempt
// finds the same, and reads a folder that is not empty.
class FailingAllocationsInFolder : public testing::Test {
 protected:
  FailingAllocationsInFolder() {
    std::filesystem::create_directories(cache_.path() + "/rayo/launches/kept");
    ::setenv("XDG_CACHE_HOME", cache_.path().c_str(), 1);
  }
  ~FailingAllocationsInFolder() override { ::unsetenv("XDG_CACHE_HOME"); }

 private:
  rayo_test::TempFolder cache_;
};

TEST_F(FailingAllocationsInFolder, CreatingARuntime) {
  const rayo_runtime_options options = quiet_options();
  const uint64_t tried = fail_each_allocation("rayo_runtime_create", [&] { return create_and_destroy(options); });
  EXPECT_GT(tried, 100u);
  std::printf("rayo_runtime_create: %llu allocations failed in turn\n", static_cast<unsigned long long>(tried));
}

TEST_F(FailingAllocationsInFolder, CreatingARuntimeFromAPluginPath) {
  const rayo_test::TempFolder plugins;
  std::filesystem::create_symlink(RAYO_SCALAR_PLUGIN, plugins.path() + "/scalar.so");
  const std::string &path = plugins.path();
  rayo_runtime_options options = quiet_options();
  options.flags = RAYO_RUNTIME_NO_ENVIRONMENT | RAYO_RUNTIME_TRUST_FILES;
  options.plugin_files = nullptr;
  options.plugin_file_count = 0;
  options.plugin_path = path.c_str();
  const uint64_t tried = fail_each_allocation("rayo_runtime_create", [&] { return create_and_destroy(options); });
  EXPECT_GT(tried, 100u);
  std::printf("rayo_runtime_create with a folder: %llu allocations failed in turn\n",
              static_cast<unsigned long long>(tried));
}

// The smallest call of an op that has elements in every operand.
const rayo::digests::Call *small_call(const std::vector<rayo::digests::Call> &calls) {
  const rayo::digests::Call *best = nullptr;
  int64_t best_size = 5000;
  for (const rayo::digests::Call &call : calls) {
    int64_t size = 0;
    bool empty = false;
    for (const rayo::digests::Input &input : call.inputs) {
      int64_t elements = 1;
      for (const int64_t extent : input.shape) elements *= extent;
      empty = empty || (elements == 0 && !input.absent);
      size += input.shape.empty() ? 1000 : elements;  // scalars say little
    }
    if (!empty && size < best_size) best = &call, best_size = size;
  }
  return best;
}

// An op's small call, ready to be made without an allocation of the test's own.
struct Prepared {
  Prepared(rayo_runtime *runtime, const rayo::digests::Entry &entry, const rayo::digests::Call &call)
      : op(rayo_op_find(entry.op.c_str())), attributes(call.attributes.c()) {
    for (size_t i = 0; i < call.inputs.size(); ++i) {
      const rayo::digests::Input &input = call.inputs[i];
      const DLDataType dtype = rayo::digests::parse_type(entry.input_types[i]);
      int64_t elements = 1;
      for (const int64_t extent : input.shape) elements *= extent;
      memory.push_back(
          rayo::digests::make_values(dtype, input.fill, elements, entry.key(), 0, static_cast<uint32_t>(i)));
      tensors.push_back(rayo_tensor_make(memory.back().data(), dtype, static_cast<int32_t>(input.shape.size()),
                                         input.shape.data(), nullptr));
    }
    for (size_t i = 0; i < call.inputs.size(); ++i) inputs.push_back(call.inputs[i].absent ? nullptr : &tensors[i]);
    uint32_t count = 0;
    shapes.resize(RAYO_MAX_OPERANDS);
    EXPECT_EQ(rayo_infer_shapes(runtime, op, inputs.data(), static_cast<uint32_t>(inputs.size()), attributes.data(),
                                shapes.data(), RAYO_MAX_OPERANDS, &count),
              RAYO_OK);
    for (uint32_t i = 0; i < count; ++i) {
      int64_t elements = 1;
      for (int32_t axis = 0; axis < shapes[i].ndim; ++axis) elements *= shapes[i].extents[axis];
      memory.emplace_back(static_cast<size_t>(elements) * 8);
      results.push_back(
          rayo_tensor_make(memory.back().data(), shapes[i].dtype, shapes[i].ndim, shapes[i].extents, nullptr));
    }
    for (rayo_tensor &result : results) outputs.push_back(&result);
  }
  rayo_status run(rayo_runtime *runtime) const {
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = op;
    desc.inputs = inputs.data();
    desc.input_count = static_cast<uint32_t>(inputs.size());
    desc.attrs = attributes.data();
    rayo_plan *plan = nullptr;  // an eager call would remember its plan
    rayo_status status = rayo_plan_create(runtime, &desc, &plan);
    if (status == RAYO_OK) status = rayo_plan_run(plan, inputs.data(), outputs.data());
    rayo_plan_destroy(plan);
    return status;
  }

  rayo_op op;
  std::vector<rayo_attr> attributes;
  std::vector<std::vector<uint8_t>> memory;
  std::vector<rayo_tensor> tensors;
  std::vector<rayo_tensor> results;
  std::vector<const rayo_tensor *> inputs;
  std::vector<const rayo_tensor *> outputs;
  std::vector<rayo_shape> shapes;
};

TEST(FailingAllocations, BindingAndRunningEachOp) {
  const rayo::Runtime owner(quiet_options());
  rayo_runtime *runtime = owner.get();
  std::set<std::string> done;
  uint64_t tried = 0;
  for (const rayo::digests::Entry &entry : rayo::digests::entries(owner)) {
    if (!done.insert(entry.op).second) continue;  // one choice of types is enough
    const std::vector<rayo::digests::Call> calls = rayo::digests::calls_of(entry.op, entry.family, entry.types);
    const rayo::digests::Call *call = small_call(calls);
    ASSERT_NE(call, nullptr) << entry.op;
    const Prepared prepared(runtime, entry, *call);
    tried += fail_each_allocation(entry.op, [&] { return prepared.run(runtime); });
  }
  EXPECT_GE(done.size(), 50u);
  std::printf("%zu ops: %llu allocations failed in turn\n", done.size(), static_cast<unsigned long long>(tried));
}

TEST(FailingAllocations, AnEagerCallAndItsGuards) {
  const rayo::Runtime runtime(quiet_options());
  const float x[64] = {1};
  float y[64];
  const int64_t shape = 64;
  bool odd = false;
  const uint64_t tried = fail_each_allocation("rayo_run_with", [&] {
    odd = !odd;  // so that the cache of the thread does not answer
    const rayo_tensor in = rayo_tensor_make(const_cast<float *>(x), RAYO_F32, 1, &shape, nullptr);
    const rayo_tensor out = rayo_tensor_make(y, RAYO_F32, 1, &shape, nullptr);
    const rayo_tensor *inputs[] = {&in};
    const rayo_tensor *outputs[] = {&out};
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.verify = odd ? "nan,nondeterminism" : "inf,nondeterminism";
    return rayo_run_with(runtime.get(), rayo_op_find("relu"), inputs, 1, outputs, 1, nullptr, &options);
  });
  EXPECT_GT(tried, 10u);
}

}  // namespace
