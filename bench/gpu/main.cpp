// SPDX-License-Identifier: Apache-2.0
//
// rayo-gpu-bench [--device ID] [--json FILE] [--quick]: ops on device-resident data, beside their peers.
#include <rayo/device.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "peers.hpp"

namespace rayo::gpu_bench {
namespace {

constexpr int kNoDevice = 3;

void check(rayo_status status) {
  if (status == RAYO_OK) return;
  char text[500];
  rayo_last_error(text, sizeof text);
  throw std::runtime_error(text);
}

struct Attribute {
  std::string name;
  int64_t value;
};

/// One line of work: inputs' shapes and the output's.
struct Work {
  std::string op;
  std::vector<std::vector<int64_t>> inputs;
  std::vector<int64_t> output;
  std::vector<Attribute> attrs;
  double flops = 0;  // 0: bound by memory, judged by the copy's bandwidth
  bool tf32 = false;
};

int64_t elements(const std::vector<int64_t> &shape) {
  int64_t n = 1;
  for (const int64_t e : shape) n *= e;
  return n;
}

std::vector<Work> all_work(bool quick) {
  const int64_t big = quick ? int64_t{1} << 22 : int64_t{1} << 26, side = quick ? 1024 : 4096;
  std::vector<Work> all;
  for (const char *op : {"add", "mul", "max"}) all.push_back({op, {{big}, {big}}, {big}, {}});
  for (const char *op : {"relu", "exp", "log", "sqrt", "tanh", "sigmoid", "swish"})
    all.push_back({op, {{big}}, {big}, {}});
  all.push_back({"reduce_sum", {{big}}, {1}, {{"keepdims", 1}}});
  all.push_back({"dot", {{big}, {big}}, {}, {}});
  all.push_back({"softmax", {{side, 1024}}, {side, 1024}, {}});
  all.push_back({"layer_norm", {{side, 1024}, {1024}, {1024}}, {side, 1024}, {}});
  all.push_back({"rms_norm", {{side, 1024}, {1024}}, {side, 1024}, {}});
  all.push_back({"transpose", {{side, side}}, {side, side}, {}});
  for (const int64_t n : {int64_t{512}, int64_t{1024}, side}) {
    for (const bool tf32 : {false, true}) {
      all.push_back({"matmul", {{n, n}, {n, n}}, {n, n}, {}, 2.0 * std::pow(static_cast<double>(n), 3), tf32});
    }
  }
  return all;
}

/// A plan on the device, its buffers and a queue.
class Ours {
 public:
  Ours(rayo_runtime *runtime, rayo_device *device, const Work &work) {
    for (const auto &shape : work.inputs) add(device, shape, true);
    add(device, work.output, false);
    for (const auto &[name, value] : work.attrs) attrs_.push_back({name.c_str(), RAYO_ATTR_INT, 1, &value});
    attrs_.push_back(RAYO_ATTR_END);
    rayo_device_info info{};
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_DEVICE_INFO;
    check(rayo_device_describe(device, &info));
    rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
    options.device = info.id;
    options.numerics = work.tf32 ? RAYO_POLICY_RELAXED : RAYO_POLICY_REPRODUCIBLE;
    rayo_call_desc desc = RAYO_CALL_DESC_INIT;
    desc.op = rayo_op_find(work.op.c_str());
    desc.input_count = static_cast<uint32_t>(work.inputs.size());
    desc.inputs = pointers_.data();
    desc.attrs = attrs_.data();
    desc.options = &options;
    check(rayo_plan_create(runtime, &desc, &plan_));
    check(rayo_queue_create(device, &queue_));
  }
  ~Ours() {
    rayo_queue_destroy(queue_);
    rayo_plan_destroy(plan_);
    for (rayo_buffer *b : buffers_) rayo_buffer_destroy(b);
  }
  Ours(const Ours &) = delete;
  Ours &operator=(const Ours &) = delete;

  void run(int calls) const {
    for (int i = 0; i < calls; ++i) {
      check(rayo_queue_run_plan(queue_, plan_, pointers_.data(), pointers_.data() + pointers_.size() - 1, nullptr));
    }
    check(rayo_queue_wait(queue_, UINT64_MAX));
  }
  double bytes() const { return bytes_; }

 private:
  void add(rayo_device *device, const std::vector<int64_t> &shape, bool fill) {
    const auto size = static_cast<uint64_t>(elements(shape)) * sizeof(float);
    rayo_buffer *buffer = nullptr;
    check(rayo_buffer_create(device, size, RAYO_MEMORY_DEVICE, &buffer));
    buffers_.push_back(buffer);
    shapes_.push_back(std::make_unique<std::vector<int64_t>>(shape));
    if (fill) {
      std::vector<float> values(static_cast<std::size_t>(elements(shape)));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f + static_cast<float>(i % 1021) / 1024.0f;
      check(rayo_buffer_upload(buffer, 0, values.data(), size));
    }
    tensors_.push_back(std::make_unique<rayo_tensor>());
    check(rayo_buffer_tensor(buffer, 0, RAYO_F32, static_cast<int32_t>(shape.size()), shapes_.back()->data(), nullptr,
                             tensors_.back().get()));
    pointers_.push_back(tensors_.back().get());
    bytes_ += static_cast<double>(size);
  }

  std::vector<rayo_buffer *> buffers_;
  std::vector<std::unique_ptr<std::vector<int64_t>>> shapes_;
  std::vector<std::unique_ptr<rayo_tensor>> tensors_;
  std::vector<const rayo_tensor *> pointers_;
  std::vector<rayo_attr> attrs_;
  rayo_plan *plan_ = nullptr;
  rayo_queue *queue_ = nullptr;
  double bytes_ = 0;
};

/// The device's own copy: bytes read plus bytes written per second.
class CopyCeiling {
 public:
  CopyCeiling(rayo_device *device, uint64_t size) : size_(size) {
    check(rayo_buffer_create(device, size, RAYO_MEMORY_DEVICE, &from_));
    check(rayo_buffer_create(device, size, RAYO_MEMORY_DEVICE, &to_));
    check(rayo_queue_create(device, &queue_));
  }
  ~CopyCeiling() {
    rayo_queue_destroy(queue_);
    rayo_buffer_destroy(to_);
    rayo_buffer_destroy(from_);
  }
  CopyCeiling(const CopyCeiling &) = delete;
  CopyCeiling &operator=(const CopyCeiling &) = delete;
  void run(int calls) const {
    for (int i = 0; i < calls; ++i) check(rayo_queue_copy(queue_, to_, 0, from_, 0, size_, nullptr));
    check(rayo_queue_wait(queue_, UINT64_MAX));
  }
  double bytes() const { return 2.0 * static_cast<double>(size_); }

 private:
  uint64_t size_;
  rayo_buffer *from_ = nullptr, *to_ = nullptr;
  rayo_queue *queue_ = nullptr;
};

double time_ns(const Batch &batch, int calls) {
  const auto begin = std::chrono::steady_clock::now();
  batch(calls);
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / calls;
}

/// How many calls take some 5 ms: the wait at a batch's end then weighs little.
int batch_size(const Batch &batch) {
  batch(1);
  for (int calls = 1;; calls *= 2) {
    if (time_ns(batch, calls) * calls > 5e6 || calls >= 1 << 14) return calls;
  }
}

struct Times {
  double median = 0, low = 0, high = 0;  // ns a call; quartiles
};
Times summary(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return {all[all.size() / 2], all[all.size() / 4], all[all.size() * 3 / 4]};
}

/// All in turn within each round, so that clocks and temperature are alike for all.
std::vector<Times> interleaved(const std::vector<Batch> &batches, int rounds) {
  std::vector<int> calls;
  for (const Batch &b : batches) calls.push_back(batch_size(b));
  std::vector<std::vector<double>> all(batches.size());
  for (int r = 0; r < rounds; ++r) {
    for (std::size_t i = 0; i < batches.size(); ++i) all[i].push_back(time_ns(batches[i], calls[i]));
  }
  std::vector<Times> times;
  for (auto &one : all) times.push_back(summary(std::move(one)));
  return times;
}

std::string shape_text(const Work &work) {
  std::string text;
  for (const auto &shape : work.inputs) {
    if (!text.empty()) text += ',';
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? "x" : "") + std::to_string(shape[i]);
  }
  return text;
}

struct Row {
  Work work;
  Times ours, copy;
  double bytes = 0, copy_bytes = 0;
  std::string peer;  // empty: there is none
  Times peer_times;
};

Row measure(rayo_runtime *runtime, rayo_device *device, const DriverMemory *memory, const Work &work, int rounds) {
  Row row;
  row.work = work;
  const Ours ours(runtime, device, work);
  const CopyCeiling copy(device, uint64_t{1} << 27);
  std::vector<Batch> batches = {[&](int n) { ours.run(n); }, [&](int n) { copy.run(n); }};
  Batch peer;
  if (memory != nullptr && work.op == "matmul") {
    peer = cublas_product(*memory, work.output[0], work.output[1], work.inputs[0][1], work.tf32);
    row.peer = work.tf32 ? "cublas tf32" : "cublas pedantic";
  } else if (memory != nullptr && work.op == "reduce_sum") {
    peer = cub_sum(*memory, work.inputs[0][0]);
    row.peer = "cub";
  }
  if (peer) {
    batches.push_back(peer);
  } else {
    row.peer.clear();
  }
  const std::vector<Times> times = interleaved(batches, rounds);
  row.ours = times[0];
  row.copy = times[1];
  row.bytes = ours.bytes();
  row.copy_bytes = copy.bytes();
  if (peer) row.peer_times = times[2];
  return row;
}

void print(const Row &r, std::FILE *json, bool first) {
  const double bandwidth = r.bytes / r.ours.median, ceiling = r.copy_bytes / r.copy.median;
  const bool by_memory = r.work.flops == 0;
  std::printf("%-10s %-5s %-24s %12.0f ns  ", r.work.op.c_str(), r.work.tf32 ? "tf32" : "f32",
              shape_text(r.work).c_str(), r.ours.median);
  if (by_memory) {
    std::printf("%8.0f GB/s, %5.1f%% of the copy's %.0f", bandwidth, 100 * bandwidth / ceiling, ceiling);
  } else {
    std::printf("%8.2f TFLOP/s", r.work.flops / r.ours.median / 1e3);
  }
  if (!r.peer.empty()) std::printf(", %.2fx %s", r.peer_times.median / r.ours.median, r.peer.c_str());
  std::printf("\n");
  if (json == nullptr) return;
  std::fprintf(json,
               "%s\n  {\"op\":\"%s\",\"dtype\":\"%s\",\"shape\":\"%s\",\"ns\":%.1f,\"ns_low\":%.1f,\"ns_high\":%.1f,"
               "\"bytes\":%.0f,\"flops\":%.0f,\"copy_gb_s\":%.1f,",
               first ? "" : ",", r.work.op.c_str(), r.work.tf32 ? "tf32" : "f32", shape_text(r.work).c_str(),
               r.ours.median, r.ours.low, r.ours.high, r.bytes, r.work.flops, ceiling);
  if (by_memory) {
    std::fprintf(json, "\"share_of_copy\":%.4f,", bandwidth / ceiling);
  }
  if (r.peer.empty()) {
    std::fprintf(json, "\"peer\":null}");
  } else {
    std::fprintf(json, "\"peer\":\"%s\",\"peer_ns\":%.1f,\"ratio\":%.4f}", r.peer.c_str(), r.peer_times.median,
                 r.peer_times.median / r.ours.median);
  }
}

int run(int argc, char **argv) {
  std::string id = "cuda0", json_file;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--quick") {
      quick = true;
    } else if ((arg == "--device" || arg == "--json") && i + 1 < argc) {
      (arg == "--device" ? id : json_file) = argv[++i];
    } else {
      std::fprintf(stderr, "usage: rayo-gpu-bench [--device ID] [--json FILE] [--quick]\n");
      return arg == "--help" ? 0 : 2;
    }
  }
  rayo_runtime *raw = nullptr;
  check(rayo_runtime_create(nullptr, &raw));
  const std::unique_ptr<rayo_runtime, void (*)(rayo_runtime *)> runtime(raw, rayo_runtime_destroy);
  rayo_device *device = nullptr;
  if (rayo_device_find(runtime.get(), id.c_str(), &device) != RAYO_OK) {
    char text[500];
    rayo_last_error(text, sizeof text);
    std::fprintf(stderr, "rayo-gpu-bench: no device %s: %s\n", id.c_str(), text);
    return kNoDevice;
  }
  rayo_device_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_DEVICE_INFO;
  check(rayo_device_describe(device, &info));
  // Peers run on the NVIDIA device of the same number, which is 0 here.
  std::optional<DriverMemory> memory;
  if (id == "cuda0" && (info.flags & RAYO_DEVICE_SOFTWARE) == 0) memory.emplace();
  std::printf("%s: %s, %s%s\n", info.id, info.name, info.driver,
              (info.flags & RAYO_DEVICE_SOFTWARE) != 0 ? " (software: these times say nothing of a GPU)" : "");
  std::FILE *json = json_file.empty() ? nullptr : std::fopen(json_file.c_str(), "w");
  if (json != nullptr) {
    std::fprintf(json, "{\"device\":{\"id\":\"%s\",\"name\":\"%s\",\"driver\":\"%s\",\"software\":%s},\"rows\":[",
                 info.id, info.name, info.driver, (info.flags & RAYO_DEVICE_SOFTWARE) != 0 ? "true" : "false");
  }
  int failed = 0;
  bool first = true;
  for (const Work &work : all_work(quick)) {
    try {
      print(measure(runtime.get(), device, memory ? &*memory : nullptr, work, quick ? 5 : 21), json, first);
      first = false;
    } catch (const std::exception &e) {
      std::printf("%-10s %s: failed: %s\n", work.op.c_str(), shape_text(work).c_str(), e.what());
      ++failed;
    }
  }
  if (json != nullptr) {
    std::fprintf(json, "\n],\"failed\":%d}\n", failed);
    std::fclose(json);
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace rayo::gpu_bench

int main(int argc, char **argv) {
  try {
    return rayo::gpu_bench::run(argc, argv);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "rayo-gpu-bench: %s\n", e.what());
    return 1;
  }
}
