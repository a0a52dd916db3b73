// SPDX-License-Identifier: Apache-2.0
//
// matmul_integer: descriptor, prepare, driver. A unit of work is a block of one matrix of the result: it packs the
// columns it needs once per block of k, then its rows a tile's height at a time. Sums are exact modulo 2^32, so blocks
// and their order are free.
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

constexpr int64_t kBlockRows = 128;
constexpr int64_t kBlockColumns = 256;
constexpr int64_t kBlockK = 2048;                    // 256 columns of pairs: 1 MB, half of a second-level cache
constexpr int64_t kMaxTile = 8 * 32;                 // elements of the largest tile
constexpr int64_t kParallelFrom = int64_t{1} << 22;  // multiply-adds
constexpr int64_t kTask = int64_t{1} << 21;

/// One operand: its lanes (rows of A, columns of B) and their zero points.
struct Side {
  int32_t input;  // 0 or 1; the zero point is input + 2
  bool is_signed;
  bool has_zero;
  int64_t zero_stride;
  int64_t lane_stride;
  int64_t k_stride;
  int64_t lanes;
};

/// left runs down the tile, right along it; left is B where that fills the tiles better.
struct IntState {
  const GemmIntTable *table;
  Side left;
  Side right;
  int64_t k;
  int64_t left_y;  // strides of y along the lanes of each
  int64_t right_y;
  GemmProblem problem;  // the batch
  int64_t left_blocks;
  int64_t right_blocks;
  Split split;  // units: (matrix, block of left, block of right)
  uint64_t right_bytes;
  uint64_t worker_bytes;
};

struct Block {
  const void *left;
  const void *right;
  char *y;
  int64_t left_first, left_count;
  int64_t right_first, right_count;
};

void read_zeros(const rayo_call &call, const Side &side, int64_t first, int64_t n, int16_t *out) {
  const void *zero = side.has_zero ? call.inputs[side.input + 2] : nullptr;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = (first + i) * side.zero_stride;
    out[i] = 0;
    if (zero == nullptr) continue;
    out[i] = side.is_signed ? static_cast<int16_t>(static_cast<const int8_t *>(zero)[at])
                            : static_cast<int16_t>(static_cast<const uint8_t *>(zero)[at]);
  }
}

/// y += tile, or y = tile for the first block of k. y may lie at any address.
void store_tile(const IntState &s, const int32_t *tile, int64_t rows, int64_t columns, bool first, char *y) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      char *at = y + (i * s.left_y + j * s.right_y) * 4;
      auto value = static_cast<uint32_t>(tile[i * s.table->columns + j]);
      if (!first) {
        uint32_t before;
        memcpy(&before, at, 4);
        value += before;
      }
      memcpy(at, &value, 4);
    }
  }
}

/// One block of the result over k steps from `k0` on. packed: the right side's panels, then one of the left side.
void run_k_block(const IntState &s, const Block &b, const int16_t *left_zero, const int16_t *right_zero, int64_t k0,
                 int32_t *packed) {
  const GemmIntTable &t = *s.table;
  const int64_t steps = min64(kBlockK, s.k - k0);
  const int64_t pairs = ceil_div(steps, 2);
  int32_t *left_panel = packed + s.right_bytes / 4;
  for (int64_t j = 0; j < b.right_count; j += t.columns) {
    const int64_t offset = (b.right_first + j) * s.right.lane_stride + k0 * s.right.k_stride;
    const IntPackSource source = {advance(b.right, offset, 1),
                                  s.right.is_signed,
                                  s.right.lane_stride,
                                  s.right.k_stride,
                                  right_zero + j,
                                  min64(t.columns, b.right_count - j),
                                  steps};
    t.pack(source, t.columns, packed + j * pairs);
  }
  int32_t tile[kMaxTile];
  for (int64_t i = 0; i < b.left_count; i += t.rows) {
    const int64_t offset = (b.left_first + i) * s.left.lane_stride + k0 * s.left.k_stride;
    const int64_t rows = min64(t.rows, b.left_count - i);
    const IntPackSource source = {
        advance(b.left, offset, 1), s.left.is_signed, s.left.lane_stride, s.left.k_stride, left_zero + i, rows, steps};
    t.pack(source, t.rows, left_panel);
    for (int64_t j = 0; j < b.right_count; j += t.columns) {
      t.tile(left_panel, packed + j * pairs, pairs, tile);
      char *y = b.y + ((b.left_first + i) * s.left_y + (b.right_first + j) * s.right_y) * 4;
      store_tile(s, tile, rows, min64(t.columns, b.right_count - j), k0 == 0, y);
    }
  }
}

void run_unit(const IntState &s, const rayo_call &call, int64_t unit, int32_t *packed) {
  const GemmProblem &p = s.problem;
  int64_t matrix = unit / (s.left_blocks * s.right_blocks);
  int64_t offset[2] = {0, 0}, y_offset = 0;
  for (int32_t i = p.batch_ndim - 1; i >= 0; --i) {
    const int64_t at = matrix % p.batch_shape[i];
    matrix /= p.batch_shape[i];
    offset[0] += at * p.a_batch[i];
    offset[1] += at * p.b_batch[i];
    y_offset += at * p.y_batch[i];
  }
  Block b;
  b.left = advance(call.inputs[s.left.input], offset[s.left.input], 1);
  b.right = advance(call.inputs[s.right.input], offset[s.right.input], 1);
  b.y = static_cast<char *>(call.outputs[0]) + y_offset * 4;
  b.left_first = unit / s.right_blocks % s.left_blocks * kBlockRows;
  b.left_count = min64(kBlockRows, s.left.lanes - b.left_first);
  b.right_first = unit % s.right_blocks * kBlockColumns;
  b.right_count = min64(kBlockColumns, s.right.lanes - b.right_first);
  int16_t left_zero[kBlockRows], right_zero[kBlockColumns];
  read_zeros(call, s.left, b.left_first, b.left_count, left_zero);
  read_zeros(call, s.right, b.right_first, b.right_count, right_zero);
  int64_t k0 = 0;
  do {
    run_k_block(s, b, left_zero, right_zero, k0, packed);
    k0 += kBlockK;
  } while (k0 < s.k);
}

void int_task(void *ctx, uint64_t task, uint32_t worker) {
  const rayo_call &call = *static_cast<const rayo_call *>(ctx);
  const IntState &s = *static_cast<const IntState *>(call.state);
  char *space = static_cast<char *>(call.workspace) + worker * s.worker_bytes;
  const int64_t begin = static_cast<int64_t>(task) * s.split.group;
  const int64_t end = min64(begin + s.split.group, s.split.units);
  for (int64_t u = begin; u < end; ++u) run_unit(s, call, u, reinterpret_cast<int32_t *>(space));
}

rayo_status run_int(const rayo_call *call) {
  run_tasks(*call, static_cast<const IntState *>(call->state)->split, int_task, const_cast<rayo_call *>(call));
  return RAYO_OK;
}

Side read_side(const rayo_op_desc &desc, int32_t input, GemmStrides strides, int64_t lanes) {
  Side side{};
  side.input = input;
  side.is_signed = desc.inputs[input]->dtype.code == kDLInt;
  side.lane_stride = input == 0 ? strides.rs : strides.cs;
  side.k_stride = input == 0 ? strides.cs : strides.rs;
  side.lanes = lanes;
  const auto zero = static_cast<uint32_t>(input) + 2;
  side.has_zero = desc.input_count > zero && desc.inputs[zero]->dtype.bits != 0;
  if (side.has_zero && desc.inputs[zero]->ndim == 1 && desc.inputs[zero]->shape[0] != 1) {
    side.zero_stride = desc.inputs[zero]->strides[0];
  }
  return side;
}

rayo_status prepare(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  IntState *s = make_state<IntState>(instance, error);
  if (s == nullptr) return RAYO_OUT_OF_MEMORY;
  s->table = instance->tables->gemm_int;
  GemmProblem &p = s->problem;
  gemm_read_matmul(*desc, &p);
  s->k = p.k;
  s->left = read_side(*desc, 0, p.a, p.m);
  s->right = read_side(*desc, 1, p.b, p.n);
  s->left_y = p.y.rs;
  s->right_y = p.y.cs;
  if (p.n < s->table->columns && p.m > p.n) {
    const Side side = s->left;
    s->left = s->right;
    s->right = side;
    s->left_y = p.y.cs;
    s->right_y = p.y.rs;
  }
  s->left_blocks = ceil_div(s->left.lanes, kBlockRows);
  s->right_blocks = ceil_div(s->right.lanes, kBlockColumns);
  int64_t matrices = 1;
  for (int32_t i = 0; i < p.batch_ndim; ++i) matrices *= p.batch_shape[i];
  const int64_t work = min64(s->left.lanes, kBlockRows) * min64(s->right.lanes, kBlockColumns) * p.k;
  s->split = make_split(*desc, matrices * s->left_blocks * s->right_blocks, work, kTask, kParallelFrom);
  const int64_t pairs = ceil_div(min64(p.k, kBlockK), 2);
  const int64_t columns = ceil_div(min64(s->right.lanes, kBlockColumns), s->table->columns) * s->table->columns;
  s->right_bytes = static_cast<uint64_t>(columns * pairs) * 4;
  s->worker_bytes = (s->right_bytes + static_cast<uint64_t>(s->table->rows * pairs) * 4 + 63) / 64 * 64;
  out->fn = run_int;
  out->state = s;
  out->threads = s->split.threads;
  out->workspace_size = s->worker_bytes * out->threads;
  return RAYO_OK;
}

constexpr rayo_kernel make() {
  rayo_kernel k = make_kernel("matmul_integer", "matmul_integer", "P=u8,i8 Q=u8,i8", 0, checked<prepare>);
  k.accumulator = RAYO_I32;
  return k;
}
constexpr rayo_kernel kMatmulInteger = make();
constexpr const rayo_kernel *kList[] = {&kMatmulInteger};

}  // namespace

const KernelList gemm_int_kernels = {kList, 1};

}  // namespace rayo
