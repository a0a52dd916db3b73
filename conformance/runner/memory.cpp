// SPDX-License-Identifier: Apache-2.0
#include "runner/memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>

namespace rayo::conform {
namespace {

// As f32 about -2.9e-16, as f64 about -1.2e-130: finite, so that an element nobody wrote never passes for a NaN.
constexpr int kPoison = 0xA5;

}  // namespace

Shape compact_strides(const Shape &shape) {
  Shape strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = step;
    step *= shape[d] > 0 ? shape[d] : 1;
  }
  return strides;
}

Operand::Operand(Dtype dtype, Shape shape, std::optional<Shape> strides, std::uint32_t offset, Guard guard)
    : dtype_(dtype),
      shape_(std::move(shape)),
      strides_(strides ? *strides : compact_strides(shape_)),
      compact_(!strides),
      offset_(offset) {
  if (strides_.size() != shape_.size()) {
    throw CaseError(fmt::format("strides have {} entries for a shape of rank {}", strides_.size(), shape_.size()));
  }
  std::int64_t low = 0;
  std::int64_t high = element_count(shape_) > 0 ? 1 : 0;
  for (std::size_t d = 0; d < shape_.size() && high > 0; ++d) {
    const std::int64_t reach = (shape_[d] - 1) * strides_[d];
    (reach < 0 ? low : high) += reach;
  }
  const std::size_t size = dtype_size(dtype_);
  const std::size_t bytes = static_cast<std::size_t>(high - low) * size;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  pages_size_ = (bytes + offset + page - 1) / page * page;
  if (pages_size_ == 0) pages_size_ = page;
  mapping_size_ = pages_size_ + 2 * page;
  void *mapping = ::mmap(nullptr, mapping_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte *>(mapping);
  pages_ = mapping_ + page;
  if (::mprotect(pages_, pages_size_, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(mapping_, mapping_size_);
    throw std::bad_alloc();
  }
  std::memset(pages_, kPoison, pages_size_);
  std::byte *first = guard == Guard::front ? pages_ + offset : pages_ + pages_size_ - offset - bytes;
  origin_ = first + static_cast<std::size_t>(-low) * size;
}

Operand::~Operand() { ::munmap(mapping_, mapping_size_); }

template <class Visit>
void Operand::for_each_address(const Visit &visit) const {
  if (element_count(shape_) == 0) return;
  const auto size = static_cast<std::int64_t>(dtype_size(dtype_));
  Shape index(shape_.size(), 0);
  do {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < shape_.size(); ++d) at += index[d] * strides_[d];
    visit(origin_ + at * size);
  } while (advance(index, shape_));
}

void Operand::write(const std::vector<double> &values) {
  if (compact_) return values.empty() ? void() : store_elements(dtype_, origin_, values);
  std::size_t i = 0;
  for_each_address([&](std::byte *at) { store_element(dtype_, at, values[i++]); });
}

std::vector<double> Operand::read() const {
  if (compact_) {
    std::vector<double> all(static_cast<std::size_t>(element_count(shape_)));
    if (!all.empty()) load_elements(dtype_, origin_, all);
    return all;
  }
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(element_count(shape_)));
  for_each_address([&](const std::byte *at) { values.push_back(load_element(dtype_, at)); });
  return values;
}

rayo_tensor Operand::tensor() const {
  rayo_tensor t = rayo_tensor_make(origin_ - offset_, dtype_dl(dtype_), static_cast<int32_t>(shape_.size()),
                                   shape_.data(), compact_ ? nullptr : strides_.data());
  t.dl.byte_offset = offset_;
  return t;
}

std::vector<std::byte> Operand::snapshot() const { return {pages_, pages_ + pages_size_}; }

std::string Operand::difference(const std::vector<std::byte> &before, bool elements_too) const {
  if (std::memcmp(before.data(), pages_, pages_size_) == 0) return {};
  if (compact_ && !elements_too) {
    const auto first = static_cast<std::size_t>(origin_ - pages_);
    const std::size_t end = first + static_cast<std::size_t>(element_count(shape_)) * dtype_size(dtype_);
    if (std::memcmp(before.data(), pages_, first) == 0 &&
        std::memcmp(before.data() + end, pages_ + end, pages_size_ - end) == 0) {
      return {};
    }
  }
  std::vector<bool> own(elements_too ? 0 : pages_size_, false);
  if (!elements_too) {
    for_each_address([&](const std::byte *at) {
      for (std::size_t b = 0; b < dtype_size(dtype_); ++b) own[static_cast<std::size_t>(at - pages_) + b] = true;
    });
  }
  for (std::size_t i = 0; i < pages_size_; ++i) {
    if (pages_[i] == before[i] || (!elements_too && own[i])) continue;
    return fmt::format("byte {} from element 0 changed from 0x{:02x} to 0x{:02x}", pages_ + i - origin_,
                       std::to_integer<int>(before[i]), std::to_integer<int>(pages_[i]));
  }
  return {};
}

}  // namespace rayo::conform
