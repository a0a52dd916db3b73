// SPDX-License-Identifier: Apache-2.0
//
// Work that does not fit on a device travels through it in tiles: while one tile is computed, the next is uploaded and
// the last one's result downloaded. Two queues side by side, ordered by two semaphores; the trace shows who waited for
// whom.
//
//   async_pipeline [DEVICE] [TRACE.json]        default: host, no trace; open the file in ui.perfetto.dev
//
// Every tile becomes y = 9 x, by eight additions that have the work of a longer chain of ops. Exit codes: 0 right,
// 1 wrong or failed, 2 usage, 3 no such device here.
#include <rayo/device.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kTiles = 8;
constexpr int64_t kFloats = int64_t{1} << 20;  // of a tile
constexpr uint64_t kBytes = kFloats * sizeof(float);
constexpr int kAdditions = 8;

// Two of each: tile k uses number k % 2, while its neighbours use the other one.
struct Stage {
  rayo::DeviceBuffer in, out;
  explicit Stage(const rayo::DeviceRef &device) : in(device, kBytes), out(device, kBytes) {}
};

class Pipeline {
 public:
  explicit Pipeline(const rayo::DeviceRef &device)
      : transfers_(device),
        compute_(device),
        uploaded_(device),
        computed_(device),
        downloaded_(device),
        stages_{Stage(device), Stage(device)} {}

  // Queues all of it and waits for the end. Tiles count from 1: tile k is done with a step at value k of its semaphore.
  // `x` may be used again, and `y` has its result, when this returns.
  void run(const std::vector<float> &x, std::vector<float> *y) {
    upload(1, x);
    for (uint64_t k = 1; k <= kTiles; ++k) {
      compute(k);
      if (k < kTiles) upload(k + 1, x);
      if (k > 1) download(k - 1, y);
    }
    download(kTiles, y);
    transfers_.wait();
    compute_.wait();
  }

 private:
  using Points = rayo::DeviceQueue::Points;
  Stage &stage(uint64_t k) { return stages_[k % 2]; }
  // The tile before the last used the same buffers: until it is through, they are not free.
  static Points behind(const rayo::DeviceSemaphore &semaphore, uint64_t k) {
    return k > 2 ? Points{semaphore.at(k - 2)} : Points{};
  }

  void upload(uint64_t k, const std::vector<float> &x) {
    transfers_.upload(stage(k).in, x.data() + (k - 1) * kFloats, kBytes, behind(computed_, k), {uploaded_.at(k)});
  }
  void compute(uint64_t k) {
    const rayo::TensorView in = stage(k).in.view(RAYO_F32, {kFloats});
    const rayo::TensorView out = stage(k).out.view(RAYO_F32, {kFloats});
    Points waits = behind(downloaded_, k);
    waits.push_back(uploaded_.at(k));
    compute_.run("add", {in, in}, {out}, {}, waits);
    for (int i = 2; i < kAdditions; ++i) compute_.run("add", {out, in}, {out});
    compute_.run("add", {out, in}, {out}, {}, {}, {computed_.at(k)});
  }
  void download(uint64_t k, std::vector<float> *y) {
    transfers_.download(stage(k).out, y->data() + (k - 1) * kFloats, kBytes, {computed_.at(k)}, {downloaded_.at(k)});
  }

  rayo::DeviceQueue transfers_, compute_;
  rayo::DeviceSemaphore uploaded_, computed_, downloaded_;
  Stage stages_[2];
};

double milliseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

int run(const std::string &device_name, const char *trace) {
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.trace = trace;
  const rayo::Runtime runtime(options);
  std::vector<float> x(kTiles * kFloats), y(x.size(), -1.0F);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 1021);

  const rayo::DeviceRef device(runtime, device_name);
  Pipeline pipeline(device);
  const auto start = std::chrono::steady_clock::now();
  pipeline.run(x, &y);
  const double time = milliseconds(std::chrono::steady_clock::now() - start);

  for (size_t i = 0; i < x.size(); ++i) {
    if (y[i] == x[i] * (kAdditions + 1)) continue;
    std::fprintf(stderr, "async_pipeline: y[%zu] is %g, expected %g\n", i, y[i], x[i] * (kAdditions + 1));
    return 1;
  }
  std::printf("%s: %llu tiles of %llu MiB through the device in %.1f ms, all right\n", device_name.c_str(),
              static_cast<unsigned long long>(kTiles), static_cast<unsigned long long>(kBytes >> 20), time);
  if (trace != nullptr) std::printf("trace: %s\n", trace);
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
    std::fprintf(stderr, "usage: async_pipeline [DEVICE] [TRACE.json]; `rayo devices` lists the devices\n");
    return 2;
  }
  try {
    return run(argc > 1 ? argv[1] : "host", argc > 2 ? argv[2] : nullptr);
  } catch (const rayo::Exception &error) {
    std::fprintf(stderr, "async_pipeline: %s\n", error.what());
    return error.status() == RAYO_NOT_FOUND ? 3 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "async_pipeline: %s\n", error.what());
    return 1;
  }
}
