// SPDX-License-Identifier: Apache-2.0
#include "runner/schedule.hpp"

#include <algorithm>
#include <numeric>

#include "suites/pcg32.hpp"

namespace rayo::conform {

double expected_work(const Case &c) {
  constexpr double kStart = 2000;  // mappings, processes, messages of the smallest case
  constexpr double kWide = 30;     // an element judged in 113 bits against one in double
  constexpr double kRepeat = 0.1;  // a repeat is called, not judged
  double elements = 0;
  for (const Shape &shape : c.shapes) {
    if (!is_absent(shape)) elements += static_cast<double>(element_count(shape));
  }
  if (c.shapes.size() > 1 && (c.op == "matmul" || c.op == "gemm" || c.op == "matmul_integer")) {
    const Shape &b = c.shapes[1];
    if (!c.shapes[0].empty() && !b.empty()) {
      elements += static_cast<double>(element_count(c.shapes[0])) * static_cast<double>(b.back());
    }
  }
  if (c.dtype == Dtype::f64) elements *= kWide;
  return kStart + elements * (1 + kRepeat * (c.repeat - 1));
}

std::vector<std::vector<std::size_t>> share_out(std::span<const Case> cases, const SessionOptions &options) {
  std::vector<std::size_t> order(cases.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options.shuffle) {
    Pcg32 rng(options.shuffle_seed, 99);
    for (std::size_t n = order.size(); n > 1; --n)
      std::swap(order[n - 1], order[rng.below(static_cast<std::uint32_t>(n))]);
  }
  const std::size_t lanes = std::clamp<std::size_t>(options.lanes, 1, std::max<std::size_t>(1, cases.size()));
  std::vector<std::vector<std::size_t>> shares(lanes);
  std::vector<double> work(lanes, 0);
  for (const std::size_t i : order) {
    const auto least = std::min_element(work.begin(), work.end());
    *least += expected_work(cases[i]);
    shares[static_cast<std::size_t>(least - work.begin())].push_back(i);
  }
  return shares;
}

}  // namespace rayo::conform
