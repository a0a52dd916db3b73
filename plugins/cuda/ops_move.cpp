// SPDX-License-Identifier: Apache-2.0
//
// transpose, quantize_linear, dequantize_linear.
#include "bind.h"

namespace rayo::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr int64_t kTileSide = 32;  // of kernels/move.cuh
constexpr int64_t kLeastTile = 8;  // axes shorter than that waste most of a tile

class Transpose : public State {
 public:
  Transpose(Shared &shared, const rayo_op_desc &desc) : wide_(desc.inputs[0]->dtype.bits == 64) {
    const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0];
    const auto perm = plugin::attr_ints(desc, "perm");
    Layout<2> layout{};
    count_ = count_of(y);
    for (int32_t i = 0; i < y.ndim; ++i) {
      int64_t from = perm.empty() ? y.ndim - 1 - i : perm[static_cast<std::size_t>(i)];
      if (from < 0) from += y.ndim;
      push_axis(layout, y.shape[i], {x.strides[from], y.strides[i]});
    }
    close_layout(layout);
    if (!tile(layout)) copy(layout);
    constexpr KernelName kTile32 = {kImageMove, "transpose_b32", kThreads};
    constexpr KernelName kTile64 = {kImageMove, "transpose_b64", kThreads};
    constexpr KernelName kCopy32 = {kImageMove, "copy_strided_b32", kThreads};
    constexpr KernelName kCopy64 = {kImageMove, "copy_strided_b64", kThreads};
    kernel_.emplace(shared, tiled_ ? (wide_ ? kTile64 : kTile32) : (wide_ ? kCopy64 : kCopy32));
    blocks_ = grid_for(shared, count_, kThreads);
  }
  void enqueue(Work &work) const override {
    if (count_ == 0) return;
    if (tiled_) {
      TransposeParams p = tiles_;
      p.in = work.in[0];
      p.out = work.out[0];
      (*kernel_)(work, p, p.tiles_r * p.tiles_c * p.count);
    } else {
      MapParams p = copy_;
      p.in[0] = work.in[0];
      p.out = work.out[0];
      (*kernel_)(work, p, blocks_);
    }
  }

 private:
  /// Tiles where input and output are consecutive along different axes of some length.
  bool tile(const Layout<2> &layout) {
    int32_t in = -1, out = -1;
    for (int32_t i = 0; i < layout.ndim; ++i) {
      if (layout.extent[i] < kLeastTile) continue;
      if (layout.stride[0][i] == 1) in = i;
      if (layout.stride[1][i] == 1) out = i;
    }
    if (in < 0 || out < 0 || in == out) return false;
    tiled_ = true;
    tiles_.cols = layout.extent[in];
    tiles_.rows = layout.extent[out];
    tiles_.in_row = layout.stride[0][out];
    tiles_.out_col = layout.stride[1][in];
    tiles_.tiles_r = ceil_div(tiles_.rows, kTileSide);
    tiles_.tiles_c = ceil_div(tiles_.cols, kTileSide);
    tiles_.count = 1;
    for (int32_t i = 0; i < layout.ndim; ++i) {
      if (i == in || i == out) continue;
      tiles_.count *= layout.extent[i];
      push_axis(tiles_.batch, layout.extent[i], {layout.stride[0][i], layout.stride[1][i]});
    }
    close_layout(tiles_.batch);
    return true;
  }
  void copy(const Layout<2> &layout) {
    copy_.count = count_;
    copy_.layout.ndim = layout.ndim;
    for (int32_t i = 0; i < layout.ndim; ++i) {
      copy_.layout.extent[i] = layout.extent[i];
      copy_.layout.stride[0][i] = layout.stride[0][i];
      copy_.layout.stride[3][i] = layout.stride[1][i];
    }
  }

  bool wide_, tiled_ = false;
  int64_t count_;
  TransposeParams tiles_{};
  MapParams copy_{};
  std::optional<BoundKernel> kernel_;
  int64_t blocks_;
};

class Quantise : public State {
 public:
  Quantise(Shared &shared, const rayo_op_desc &desc, bool quantize) {
    const rayo_tensor_desc &x = *desc.inputs[0], &y = *desc.outputs[0];
    const auto axis = static_cast<int32_t>(x.ndim == 0 ? 0 : plugin::attr_int(desc, "axis"));
    has_zero_ = has_input(desc, 2);
    const auto parameter = [&](uint32_t k, int32_t i) {
      const rayo_tensor_desc &t = *desc.inputs[k];
      return t.ndim == 0 || i != axis || t.shape[0] == 1 ? int64_t{0} : t.strides[0];
    };
    p_.count = count_of(y);
    for (int32_t i = 0; i < x.ndim; ++i) {
      push_axis(p_.layout, x.shape[i], {x.strides[i], parameter(1, i), has_zero_ ? parameter(2, i) : 0, y.strides[i]});
    }
    close_layout(p_.layout);
    const bool is_signed = (quantize ? y : x).dtype.code == kDLInt;
    constexpr KernelName kNames[2][2] = {
        {{kImageMove, "dequantize_u8", kThreads}, {kImageMove, "dequantize_i8", kThreads}},
        {{kImageMove, "quantize_u8", kThreads}, {kImageMove, "quantize_i8", kThreads}}};
    kernel_.emplace(shared, kNames[quantize ? 1 : 0][is_signed ? 1 : 0]);
    blocks_ = grid_for(shared, p_.count, kThreads);
  }
  void enqueue(Work &work) const override {
    if (p_.count == 0) return;
    QuantiseParams p = p_;
    p.x = work.in[0];
    p.scale = static_cast<const float *>(work.in[1]);
    p.zero = has_zero_ ? work.in[2] : nullptr;
    p.y = work.out[0];
    (*kernel_)(work, p, blocks_);
  }

 private:
  QuantiseParams p_{};
  bool has_zero_;
  std::optional<BoundKernel> kernel_;
  int64_t blocks_;
};

template <bool kQuantize>
class QuantiseOf final : public Quantise {
 public:
  QuantiseOf(Shared &shared, const rayo_op_desc &desc) : Quantise(shared, desc, kQuantize) {}
};

constexpr rayo_kernel kKernels[] = {
    device_kernel<Transpose>("transpose_b32", "transpose", "T=f32"),
    device_kernel<Transpose>("transpose_b64", "transpose", "T=f64", {.alignment = 8}),
    device_kernel<QuantiseOf<true>>("quantize_linear", "quantize_linear", "Q=u8,i8"),
    device_kernel<QuantiseOf<false>>("dequantize_linear", "dequantize_linear", "Q=u8,i8"),
};
constexpr const rayo_kernel *kList[] = {&kKernels[0], &kKernels[1], &kKernels[2], &kKernels[3]};

}  // namespace

constexpr KernelList kMoveKernels = {kList, 4};

}  // namespace rayo::cuda
