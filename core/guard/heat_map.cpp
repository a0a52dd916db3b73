// SPDX-License-Identifier: Apache-2.0
//
// libpng is loaded when the first picture is drawn: librayo itself needs no more than the C library
// (doc/adr/0008-libpng-at-run-time.md). Its simplified interface is one function and one plain struct.
#include "guard/heat_map.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "guard/elements.hpp"

#if defined(RAYO_HAS_PNG)
#include <png.h>
#endif

namespace rayo {
namespace {

constexpr int64_t kMostPixels = 512;  // of a side

struct Cell {
  double size = -1;    // of the worst distance, or of the value; -1 = nothing there
  double special = 0;  // a NaN or an infinity that outranks it
  bool has_special = false;
};

struct Grid {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<Cell> cells;
};

// Elements of a row of the picture before it is scaled.
int64_t row_length(const OperandDesc &operand) {
  const int64_t elements = operand.elements();
  const int64_t last = operand.ndim > 0 ? operand.shape[operand.ndim - 1] : 1;
  if (last < elements || elements <= 1) return std::max<int64_t>(last, 1);
  return static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(elements))));
}

Grid make_grid(const Finding &finding, const OperandDesc &operand) {
  const int64_t elements = operand.elements();
  const int64_t length = row_length(operand);
  const int64_t height = (elements + length - 1) / length;
  Grid grid;
  grid.rows = std::min(height, kMostPixels);
  grid.columns = std::min(length, kMostPixels);
  grid.cells.resize(static_cast<size_t>(grid.rows * grid.columns));
  const size_t item = operand.dtype.bits / 8;
  for (int64_t i = 0; i < elements; ++i) {
    const int64_t row = i / length * grid.rows / height;
    const int64_t column = i % length * grid.columns / length;
    Cell &cell = grid.cells[static_cast<size_t>(row * grid.columns + column)];
    const double value = element_value(operand.dtype, finding.result.data() + static_cast<size_t>(i) * item);
    double size = std::fabs(value);
    if (!finding.other.empty()) {
      const double other = element_value(operand.dtype, finding.other.data() + static_cast<size_t>(i) * item);
      if (std::isnan(value) && std::isnan(other)) continue;
      size = std::fabs(value - other);
      if (value == other) size = 0;
    }
    if (std::isfinite(size)) {
      cell.size = std::max(cell.size, size);
    } else if (!cell.has_special || std::isnan(value)) {
      cell.special = std::isfinite(value) ? std::numeric_limits<double>::quiet_NaN() : value;
      cell.has_special = true;
    }
  }
  return grid;
}

struct Colour {
  uint8_t red;
  uint8_t green;
  uint8_t blue;
};

Colour colour_of(const Cell &cell, double least, double most, bool compared) {
  if (cell.has_special) {
    if (std::isnan(cell.special)) return {255, 0, 255};
    return cell.special > 0 ? Colour{255, 255, 255} : Colour{0, 0, 255};
  }
  if (cell.size <= 0) return compared ? Colour{0, 0, 0} : Colour{32, 32, 32};
  const double span = std::log(most) - std::log(least);
  const double share = span > 0 ? (std::log(cell.size) - std::log(least)) / span : 1;
  if (!compared) {
    const auto grey = static_cast<uint8_t>(40 + 160 * share);
    return {grey, grey, grey};
  }
  // The smallest difference is still seen beside none.
  return {static_cast<uint8_t>(96 + 159 * std::min(1.0, 2 * share)),
          static_cast<uint8_t>(255 * std::max(0.0, 2 * share - 1)), 0};
}

std::vector<uint8_t> paint(const Grid &grid, bool compared) {
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const Cell &cell : grid.cells) {
    if (cell.size <= 0) continue;
    least = std::min(least, cell.size);
    most = std::max(most, cell.size);
  }
  std::vector<uint8_t> pixels;
  pixels.reserve(grid.cells.size() * 3);
  for (const Cell &cell : grid.cells) {
    const Colour colour = colour_of(cell, least, most, compared);
    pixels.insert(pixels.end(), {colour.red, colour.green, colour.blue});
  }
  return pixels;
}

#if defined(RAYO_HAS_PNG)
std::string encode(const Grid &grid, const std::vector<uint8_t> &pixels) {
  using Write = int (*)(png_imagep, void *, png_alloc_size_t *, int, const void *, png_int_32, const void *);
  static const auto kWrite = [] {
    void *library = ::dlopen("libpng16.so.16", RTLD_NOW | RTLD_LOCAL);
    return library == nullptr ? nullptr : reinterpret_cast<Write>(::dlsym(library, "png_image_write_to_memory"));
  }();
  if (kWrite == nullptr) return {};
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(grid.columns);
  image.height = static_cast<png_uint_32>(grid.rows);
  image.format = PNG_FORMAT_RGB;
  std::string out(pixels.size() + pixels.size() / 8 + 4096, '\0');  // above deflate's worst case
  png_alloc_size_t size = out.size();
  if (kWrite(&image, out.data(), &size, 0, pixels.data(), 0, nullptr) == 0) return {};
  out.resize(size);
  return out;
}
#else
std::string encode(const Grid &, const std::vector<uint8_t> &) { return {}; }
#endif

}  // namespace

std::string heat_map_png(const Finding &finding, const OperandDesc &operand) {
  if (operand.elements() == 0) return {};
  const Grid grid = make_grid(finding, operand);
  return encode(grid, paint(grid, !finding.other.empty()));
}

}  // namespace rayo
