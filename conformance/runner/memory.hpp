// SPDX-License-Identifier: Apache-2.0
//
// Operands in memory that tells on a kernel: inaccessible pages before and behind, canaries around and between the
// elements, poison in outputs, and a snapshot to compare with afterwards.
#pragma once

#include <rayo/rayo.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suites/case.hpp"

namespace rayo::conform {

class Operand {
 public:
  // strides in elements, nullopt = compact. The elements end `offset` bytes before the page behind (Guard::back), or
  // begin `offset` bytes behind the page before (Guard::front). Throws std::bad_alloc.
  Operand(Dtype dtype, Shape shape, std::optional<Shape> strides, std::uint32_t offset, Guard guard);
  ~Operand();
  Operand(const Operand &) = delete;
  Operand &operator=(const Operand &) = delete;

  void write(const std::vector<double> &values);  // row-major; where elements share memory the last one stays
  std::vector<double> read() const;

  // Points into this object; valid as long as it is.
  rayo_tensor tensor() const;

  std::vector<std::byte> snapshot() const;
  // First difference outside the elements (or anywhere, if `elements_too`), as text; empty if there is none.
  std::string difference(const std::vector<std::byte> &before, bool elements_too) const;

  Dtype dtype() const { return dtype_; }
  const Shape &shape() const { return shape_; }
  const Shape &strides() const { return strides_; }
  std::byte *origin() const { return origin_; }  // logical element 0

 private:
  template <class Visit>
  void for_each_address(const Visit &visit) const;

  Dtype dtype_;
  Shape shape_;
  Shape strides_;
  bool compact_;
  std::uint32_t offset_;
  std::byte *mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
  std::byte *pages_ = nullptr;  // accessible ones
  std::size_t pages_size_ = 0;
  std::byte *origin_ = nullptr;
};

Shape compact_strides(const Shape &shape);

}  // namespace rayo::conform
