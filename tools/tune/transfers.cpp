// SPDX-License-Identifier: Apache-2.0
#include "transfers.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "measure.hpp"
#include "resident.hpp"
#include "tools/command.hpp"

namespace rayo::tools::tune {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSmallest = 4096;
constexpr uint64_t kLargest = uint64_t{16} << 20;
constexpr uint64_t kStep = 4;
constexpr int kLeastReadings = 5;
constexpr int kMostReadings = 25;
constexpr double kPointNs = 2e7;  // of one size and direction

struct DestroyQueue {
  void operator()(rayo_queue *queue) const { rayo_queue_destroy(queue); }
};

// The median of one copy, after one that warms up.
double time_of(const std::function<void()> &copy, const volatile std::sig_atomic_t *stop) {
  copy();
  std::vector<double> readings;
  const auto begun = Clock::now();
  const auto ns_since = [](Clock::time_point then) {
    return std::chrono::duration<double, std::nano>(Clock::now() - then).count();
  };
  while (readings.size() < kLeastReadings || (readings.size() < kMostReadings && ns_since(begun) < kPointNs)) {
    if (*stop != 0) throw Measurer::Stopped{};
    const auto before = Clock::now();
    copy();
    readings.push_back(ns_since(before));
  }
  return median_of(std::move(readings)).ns;
}

using Copy = std::function<void(uint64_t bytes)>;

TransferFit measure_line(uint64_t largest, const Copy &copy, const volatile std::sig_atomic_t *stop) {
  std::vector<std::pair<double, double>> points;
  for (uint64_t bytes = std::min(kSmallest, largest); bytes <= largest; bytes *= kStep) {
    points.emplace_back(static_cast<double>(bytes), time_of([&] { copy(bytes); }, stop));
  }
  return fit_transfer(points);
}

}  // namespace

TransferFit fit_transfer(const std::vector<std::pair<double, double>> &points) {
  // Minimise sum ((a + b x - t) / t)^2 over a >= 0, b >= 0.
  double s = 0, sx = 0, sxx = 0, st = 0, sxt = 0;
  for (const auto &[x, t] : points) {
    const double w = 1 / (t * t);
    s += w, sx += w * x, sxx += w * x * x, st += w * t, sxt += w * x * t;
  }
  const double determinant = s * sxx - sx * sx;
  double a = determinant > 0 ? (sxx * st - sx * sxt) / determinant : st / s;
  double b = determinant > 0 ? (s * sxt - sx * st) / determinant : 0;
  if (a < 0) a = 0, b = sxt / sxx;
  if (b < 0) b = 0, a = st / s;
  return {a, b > 0 ? 1 / b : 0};
}

ProfileTransfer measure_transfers(const Session &session, const std::string &id,
                                  const volatile std::sig_atomic_t *stop) {
  rayo_device *const device = open_device(session, id);
  rayo_device_info info{};
  info.struct_size = sizeof info;
  info.struct_type = RAYO_TYPE_DEVICE_INFO;
  check(rayo_device_describe(device, &info));
  uint64_t largest = kLargest;
  if (info.max_buffer_bytes != 0) largest = std::min(largest, info.max_buffer_bytes);
  if (info.memory_bytes != 0) largest = std::min(largest, std::max<uint64_t>(info.memory_bytes / 8, 1));
  const BufferPtr there = create_buffer(device, largest, RAYO_MEMORY_DEVICE);
  std::vector<char> here(largest, 1);
  ProfileTransfer out;
  out.device = id;
  const TransferFit to = measure_line(
      largest, [&](uint64_t bytes) { check(rayo_buffer_upload(there.get(), 0, here.data(), bytes)); }, stop);
  const TransferFit from = measure_line(
      largest, [&](uint64_t bytes) { check(rayo_buffer_download(there.get(), 0, here.data(), bytes)); }, stop);
  out.to_latency_ns = to.latency_ns;
  out.to_bytes_per_ns = to.bytes_per_ns;
  out.from_latency_ns = from.latency_ns;
  out.from_bytes_per_ns = from.bytes_per_ns;

  rayo_buffer *raw = nullptr;
  if (rayo_buffer_create(device, largest, RAYO_MEMORY_PINNED, &raw) != RAYO_OK) return out;  // it has none
  const BufferPtr pinned(raw);
  rayo_queue *queue_raw = nullptr;
  check(rayo_queue_create(device, &queue_raw));
  const std::unique_ptr<rayo_queue, DestroyQueue> queue(queue_raw);
  const auto copy = [&](rayo_buffer *to_buffer, rayo_buffer *from_buffer, uint64_t bytes) {
    check(rayo_queue_copy(queue.get(), to_buffer, 0, from_buffer, 0, bytes, nullptr));
    check(rayo_queue_wait(queue.get(), UINT64_MAX));
  };
  const TransferFit pinned_to = measure_line(
      largest, [&](uint64_t bytes) { copy(there.get(), pinned.get(), bytes); }, stop);
  const TransferFit pinned_from = measure_line(
      largest, [&](uint64_t bytes) { copy(pinned.get(), there.get(), bytes); }, stop);
  out.has_pinned = true;
  out.pinned_to_latency_ns = pinned_to.latency_ns;
  out.pinned_to_bytes_per_ns = pinned_to.bytes_per_ns;
  out.pinned_from_latency_ns = pinned_from.latency_ns;
  out.pinned_from_bytes_per_ns = pinned_from.bytes_per_ns;
  return out;
}

}  // namespace rayo::tools::tune
