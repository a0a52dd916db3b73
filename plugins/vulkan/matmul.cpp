// SPDX-License-Identifier: Apache-2.0
//
// matmul and gemm: matrices, batches, and the tile that fits the shape and the device.
#include <algorithm>

#include "kernel.h"

namespace rayo::vulkan {
namespace {

constexpr int kShaderBatchAxes = 1;
// Work of one dispatch: seconds on the slowest device there is, so that the watchdog sees progress in a long product.
constexpr double kPieceWork = 4e9;
constexpr uint32_t kPlain = 0;

// matmul.comp's push block, in words; the strides follow the sizes.
constexpr size_t kSize = 4, kAlpha = 18, kBeta = 19, kFlags = 20;
constexpr uint32_t kScaled = 1, kWithC = 2, kRowsOfA = 4, kRowsOfB = 8;
// Operands of the batch layout, which are the bindings too.
constexpr int kA = 0, kB = 1, kC = 2, kY = 3;

struct Problem {
  int64_t m = 1, n = 1, k = 0;
  int64_t a_m = 0, a_k = 0, b_k = 0, b_n = 0, c_m = 0, c_n = 0, y_m = 0, y_n = 0;
  Layout batch;
  float alpha = 1, beta = 1;
  bool has_c = false;
};

int64_t last(const rayo_tensor_desc &t, int32_t back, const int64_t *list) { return list[t.ndim - back]; }

Problem matmul_problem(const rayo_op_desc &desc) {
  Problem p;
  const rayo_tensor_desc &a = *desc.inputs[0], &b = *desc.inputs[1], &y = *desc.outputs[0];
  p.k = last(a, 1, a.shape);
  p.a_k = last(a, 1, a.strides);
  if (a.ndim > 1) {
    p.m = last(a, 2, a.shape);
    p.a_m = last(a, 2, a.strides);
  }
  p.b_k = b.ndim > 1 ? last(b, 2, b.strides) : b.strides[0];
  if (b.ndim > 1) {
    p.n = last(b, 1, b.shape);
    p.b_n = last(b, 1, b.strides);
  }
  // The result lacks the axis that a vector operand lacks.
  int32_t back = 0;
  if (b.ndim > 1) p.y_n = last(y, ++back, y.strides);
  if (a.ndim > 1) p.y_m = last(y, ++back, y.strides);
  const int32_t batch = y.ndim - back;
  const auto stride = [&](const rayo_tensor_desc &t, int32_t axis) -> int64_t {
    const int32_t own = axis - (batch - std::max(t.ndim - 2, 0));
    return own < 0 || t.shape[own] == 1 ? 0 : t.strides[own];
  };
  for (int32_t axis = batch; axis-- > 0;)
    p.batch.push(y.shape[axis], {stride(a, axis), stride(b, axis), 0, y.strides[axis]});
  return p;
}

Problem gemm_problem(const rayo_op_desc &desc) {
  Problem p;
  const rayo_tensor_desc &a = *desc.inputs[0], &b = *desc.inputs[1], &y = *desc.outputs[0];
  const bool trans_a = plugin::attr_int(desc, "transA") != 0, trans_b = plugin::attr_int(desc, "transB") != 0;
  p.m = y.shape[0];
  p.n = y.shape[1];
  p.k = a.shape[trans_a ? 0 : 1];
  p.a_m = a.strides[trans_a ? 1 : 0];
  p.a_k = a.strides[trans_a ? 0 : 1];
  p.b_k = b.strides[trans_b ? 1 : 0];
  p.b_n = b.strides[trans_b ? 0 : 1];
  p.y_m = y.strides[0];
  p.y_n = y.strides[1];
  p.alpha = static_cast<float>(plugin::attr_float(desc, "alpha"));
  p.beta = static_cast<float>(plugin::attr_float(desc, "beta"));
  p.has_c = desc.input_count > 2 && desc.inputs[2]->dtype.bits != 0 && p.beta != 0;
  if (p.has_c) {
    const rayo_tensor_desc &c = *desc.inputs[2];
    if (c.ndim > 0 && last(c, 1, c.shape) != 1) p.c_n = last(c, 1, c.strides);
    if (c.ndim > 1 && last(c, 2, c.shape) != 1) p.c_m = last(c, 2, c.strides);
  }
  return p;
}

// Both attributes and C are gemm's alone; alpha tells them apart.
bool is_gemm(const rayo_op_desc &desc) {
  for (uint32_t i = 0; i < desc.attr_count; ++i)
    if (std::string_view(desc.attrs[i].name) == "alpha") return true;
  return false;
}

Problem problem_of(const rayo_op_desc &desc) { return is_gemm(desc) ? gemm_problem(desc) : matmul_problem(desc); }

uint32_t supports(const rayo_op_desc &desc) {
  if (!fits_32_bits(desc)) return RAYO_WHY_SIZE;
  if (element_count(*desc.outputs[0]) == 0) return RAYO_WHY_SUPPORTED;
  return problem_of(desc).batch.outer_count(kShaderBatchAxes) > kMaxOuter ? RAYO_WHY_RANK : RAYO_WHY_SUPPORTED;
}

struct Tile {
  uint32_t x, y, depth;  // invocations along n and m, 4 x 4 results each; length of a strip
};

// A few tiles serve all shapes, so that few pipelines are compiled: 64 x 64 where there are 256 invocations and 8 KiB
// of shared memory, 32 x 32 on the least that Vulkan guarantees (128 invocations, 16 KiB) and for small results, and
// thin ones for a result of up to 4 rows or columns.
Tile choose_tile(const Device &device, int64_t m, int64_t n) {
  constexpr uint32_t kDepth = 16;
  const uint32_t most = group_size(device, 256);
  Tile tile{16, 16, kDepth};
  if (m <= 4) {
    tile = {64, 1, kDepth};
  } else if (n <= 4) {
    tile = {1, 64, kDepth};
  } else if (most < 256 || (m <= 32 && n <= 32)) {
    tile = {8, 8, kDepth};
  }
  const uint64_t strip = (tile.x + tile.y) * 4 * sizeof(float);
  while (tile.depth > 1 && strip * tile.depth > device.physical().limits.maxComputeSharedMemorySize / 2)
    tile.depth /= 2;
  return tile;
}

void build(State *state, const rayo_op_desc &desc, uint32_t op) {
  Device &device = *state->device;
  const Problem p = problem_of(desc);
  const Tile tile = choose_tile(device, p.m, p.n);
  const auto is_near = [](int64_t stride, int64_t other) { return std::abs(stride) <= std::abs(other); };
  const uint32_t flags = (op != kPlain && p.alpha != 1 ? kScaled : 0u) | (p.has_c ? kWithC : 0u) |
                         (is_near(p.a_k, p.a_m) ? kRowsOfA : 0u) | (is_near(p.b_n, p.b_k) ? kRowsOfB : 0u);
  state->bindings = {0, 1, p.has_c ? 2 : kNoOperand, kOutput};
  VkPipeline pipeline = device.pipeline(
      Shader::matmul,
      {{0, tile.x}, {1, tile.y}, {2, tile.depth}, {kSoftConstant, device.physical().floats.keep_subnormals ? 0u : 1u}});
  const uint32_t *most = device.physical().limits.maxComputeWorkGroupCount;
  const int64_t tile_m = tile.y * 4, tile_n = tile.x * 4;
  const int64_t tiles_m = (p.m + tile_m - 1) / tile_m, tiles_n = (p.n + tile_n - 1) / tile_n;
  const double row_work =
      2.0 * static_cast<double>(tile_m) * static_cast<double>(tiles_n * tile_n) * static_cast<double>(p.k + 1);
  const int64_t rows_per_pass = std::clamp<int64_t>(static_cast<int64_t>(kPieceWork / row_work), 1, most[1]);
  const int64_t columns_per_pass = std::min<int64_t>(tiles_n, most[0]);
  const int64_t matrices_per_pass = std::min<int64_t>(p.batch.extent(0), most[2]);
  // What the grid cannot hold, and work beyond a piece, becomes dispatches of its own.
  for (const auto &offset : p.batch.outer(kShaderBatchAxes)) {
    for (int64_t matrix = 0; matrix < p.batch.extent(0); matrix += matrices_per_pass) {
      for (int64_t first = 0; first < tiles_m; first += rows_per_pass) {
        for (int64_t column = 0; column < tiles_n; column += columns_per_pass) {
          Pass pass;
          pass.pipeline = pipeline;
          pass.groups = {static_cast<uint32_t>(std::min(columns_per_pass, tiles_n - column)),
                         static_cast<uint32_t>(std::min(rows_per_pass, tiles_m - first)),
                         static_cast<uint32_t>(std::min(matrices_per_pass, p.batch.extent(0) - matrix))};
          pass.work = row_work * pass.groups[1] * pass.groups[2];
          const int64_t row = first * tile_m, col = column * tile_n;
          const auto start = [&](int operand) {
            return offset[static_cast<size_t>(operand)] + matrix * p.batch.stride(0, operand);
          };
          pass.push[kA] = word(start(kA) + row * p.a_m);
          pass.push[kB] = word(start(kB) + col * p.b_n);
          pass.push[kC] = word(row * p.c_m + col * p.c_n);
          pass.push[kY] = word(start(kY) + row * p.y_m + col * p.y_n);
          const int64_t words[] = {p.m - row,
                                   p.n - col,
                                   p.k,
                                   p.batch.stride(0, kA),
                                   p.a_m,
                                   p.a_k,
                                   p.b_k,
                                   p.b_n,
                                   p.c_m,
                                   p.c_n,
                                   p.y_m,
                                   p.y_n,
                                   p.batch.stride(0, kB),
                                   p.batch.stride(0, kY)};
          for (size_t i = 0; i < std::size(words); ++i) pass.push[kSize + i] = word(words[i]);
          pass.push[kAlpha] = word(p.alpha);
          pass.push[kBeta] = word(p.beta);
          pass.push[kFlags] = flags;
          state->passes.push_back(pass);
        }
      }
    }
  }
}

}  // namespace

constexpr Family kMatmul = {supports, build};

}  // namespace rayo::vulkan
