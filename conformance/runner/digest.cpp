// SPDX-License-Identifier: Apache-2.0
#include "runner/digest.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

namespace rayo::conform {
namespace {

// Two chains of multiply and fold, each a bijection of its state for a given word: one changed word always shows.
class Mixer {
 public:
  void add(std::uint64_t word) {
    a_ = (a_ ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    a_ ^= a_ >> 32;
    b_ = (b_ + word) * UINT64_C(0xd1342543de82ef95);
    b_ ^= b_ >> 29;
  }
  Digest digest() const { return {a_, b_}; }

 private:
  std::uint64_t a_ = UINT64_C(0x243f6a8885a308d3);
  std::uint64_t b_ = UINT64_C(0x13198a2e03707344);
};

}  // namespace

Digest digest_of(std::span<const OutputShape> shapes, std::span<const std::vector<double>> results) {
  constexpr std::uint64_t kNan = UINT64_C(0x7ff8000000000000);
  Mixer mixer;
  for (const OutputShape &shape : shapes) {
    mixer.add(static_cast<std::uint64_t>(shape.dtype));
    mixer.add(shape.shape.size());
    for (const std::int64_t extent : shape.shape) mixer.add(static_cast<std::uint64_t>(extent));
  }
  for (const std::vector<double> &result : results) {
    for (const double v : result) mixer.add(std::isnan(v) ? kNan : std::bit_cast<std::uint64_t>(v));
  }
  return mixer.digest();
}

std::string digest_text(const Digest &digest) { return fmt::format("{:016x}{:016x}", digest.high, digest.low); }

}  // namespace rayo::conform
