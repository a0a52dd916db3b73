// SPDX-License-Identifier: Apache-2.0
#include "oracle/contract.hpp"

#include <algorithm>
#include <cmath>

namespace rayo::conform::contract {
namespace {

// Neighbours are added until one is left; an odd one out waits for the next round.
template <class T>
T pairwise(std::vector<T> v) {
  if (v.empty()) return T(0);
  while (v.size() > 1) {
    std::vector<T> next;
    for (std::size_t i = 0; i + 1 < v.size(); i += 2) next.push_back(v[i] + v[i + 1]);
    if (v.size() % 2 == 1) next.push_back(v.back());
    v = std::move(next);
  }
  return v[0];
}

// Lane l takes elements l, l + W, ... of the block; then lanes l and l + w are added for w = W/2, W/4, ..., 1.
template <class T, class Step>
T block(std::size_t begin, std::size_t end, const Step &step) {
  std::vector<T> lanes(Order<T>::kLanes, T(0));
  for (std::size_t i = begin; i < end; ++i) {
    T &lane = lanes[(i - begin) % Order<T>::kLanes];
    lane = step(lane, i);
  }
  // The last group is filled up with +0 (dot: +0 times +0), which turns a lane's -0 into +0 and changes nothing else.
  const std::size_t filled = (end - begin) % Order<T>::kLanes;
  for (std::size_t l = filled; filled != 0 && l < Order<T>::kLanes; ++l) lanes[l] = lanes[l] + T(0);
  for (std::size_t half = Order<T>::kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lanes[l] = lanes[l] + lanes[l + half];
  }
  return lanes[0];
}

template <class T, class Step>
T lanes_order(std::size_t n, const Step &step) {
  std::vector<T> blocks;
  for (std::size_t begin = 0; begin < n; begin += Order<T>::kBlock) {
    blocks.push_back(block<T>(begin, std::min(n, begin + Order<T>::kBlock), step));
  }
  return pairwise(std::move(blocks));
}

template <class T, class Step>
T chain_order(std::size_t n, const Step &step) {
  std::vector<T> blocks;
  for (std::size_t begin = 0; begin < n; begin += Order<T>::kLeadingBlock) {
    T acc = 0;
    const std::size_t end = std::min(n, begin + Order<T>::kLeadingBlock);
    for (std::size_t i = begin; i < end; ++i) acc = step(acc, i);
    blocks.push_back(acc);
  }
  return pairwise(std::move(blocks));
}

}  // namespace

template <class T>
T sum(std::span<const T> x) {
  return lanes_order<T>(x.size(), [&](T lane, std::size_t i) { return lane + x[i]; });
}

template <class T>
T dot(std::span<const T> a, std::span<const T> b) {
  return lanes_order<T>(a.size(), [&](T lane, std::size_t i) { return std::fma(a[i], b[i], lane); });
}

template <class T>
T leading_sum(std::span<const T> x) {
  return chain_order<T>(x.size(), [&](T acc, std::size_t i) { return acc + x[i]; });
}

template <class T>
T sum_abs(std::span<const T> x, bool lanes) {
  const auto step = [&](T acc, std::size_t i) { return acc + std::fabs(x[i]); };
  return lanes ? lanes_order<T>(x.size(), step) : chain_order<T>(x.size(), step);
}

template <class T>
T sum_squares(std::span<const T> x, bool lanes) {
  const auto step = [&](T acc, std::size_t i) { return std::fma(x[i], x[i], acc); };
  return lanes ? lanes_order<T>(x.size(), step) : chain_order<T>(x.size(), step);
}

template <class T>
T chain(std::span<const T> a, std::span<const T> b) {
  T acc = 0;
  for (std::size_t i = 0; i < a.size(); ++i) acc = std::fma(a[i], b[i], acc);
  return acc;
}

template float sum(std::span<const float>);
template double sum(std::span<const double>);
template float leading_sum(std::span<const float>);
template double leading_sum(std::span<const double>);
template float sum_abs(std::span<const float>, bool);
template double sum_abs(std::span<const double>, bool);
template float sum_squares(std::span<const float>, bool);
template double sum_squares(std::span<const double>, bool);
template float dot(std::span<const float>, std::span<const float>);
template double dot(std::span<const double>, std::span<const double>);
template float chain(std::span<const float>, std::span<const float>);
template double chain(std::span<const double>, std::span<const double>);

}  // namespace rayo::conform::contract
