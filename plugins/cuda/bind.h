// SPDX-License-Identifier: Apache-2.0
//
// What kernels' host halves share: the state that prepare binds, launching, strides in canonical form, descriptors of
// rayo_kernel. One file ops_<family>.cpp per family.
#ifndef RAYO_CUDA_BIND_H
#define RAYO_CUDA_BIND_H

#include <algorithm>
#include <limits>

#include "device.h"
#include "images.h"
#include "kernels/params.h"

namespace rayo::cuda {

/// A kernel by module and name.
struct KernelName {
  int image;
  const char *name;
  unsigned threads;
};

/// One submission on its way into a stream.
struct Work {
  Shared &shared;
  Stream stream;
  const void *const *in;  // logical element 0 of each operand; NULL: absent, or without elements
  void *const *out;
  void *workspace;
  Record &record;
  int queued = 0;  // launches so far

  /// Queues blocks x kernel.threads threads on the parameters. Throws.
  template <class P>
  void launch(Function function, const KernelName &kernel, const P &params, int64_t blocks) {
    P copy = params;
    void *list[] = {&copy};
    const auto grid = static_cast<unsigned>(std::clamp<int64_t>(blocks, 1, std::numeric_limits<int32_t>::max()));
    shared.check(shared.driver->launch(function, grid, 1, 1, kernel.threads, 1, 1, 0, stream, list, nullptr),
                 std::string("launching kernel ") + kernel.name);
    ++queued;
  }
};

/// A kernel that was looked up on its device.
struct BoundKernel {
  BoundKernel(Shared &shared, const KernelName &kernel)
      : name(kernel), function(shared.function(kernel.image, kernel.name)) {}
  template <class P>
  void operator()(Work &work, const P &params, int64_t blocks) const {
    work.launch(function, name, params, blocks);
  }
  KernelName name;
  Function function;
};

/// What prepare binds: immutable, used by many submissions at once.
class State {
 public:
  virtual ~State() = default;
  virtual void enqueue(Work &work) const = 0;

  const Shared *owner = nullptr;  // the device it was prepared for
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  uint64_t workspace_size = 0;
};

int64_t ceil_div(int64_t a, int64_t b);
/// Elements of a shape; 0 for an empty one.
int64_t count_of(const rayo_tensor_desc &tensor);
bool has_input(const rayo_op_desc &desc, uint32_t index);

/// Adds an axis (outermost first) and merges it with the one before where every operand allows that.
template <int N>
void push_axis(Layout<N> &layout, int64_t extent, const int64_t (&stride)[N]) {
  if (extent == 1) return;
  bool joins = layout.ndim > 0;
  const int32_t last = layout.ndim - 1;
  for (int k = 0; joins && k < N; ++k) joins = layout.stride[k][last] == stride[k] * extent;
  const int32_t at = joins ? last : layout.ndim++;
  layout.extent[at] = joins ? layout.extent[last] * extent : extent;
  for (int k = 0; k < N; ++k) layout.stride[k][at] = stride[k];
}
/// A layout has at least one axis, so that kernels need no case for none.
template <int N>
void close_layout(Layout<N> &layout) {
  if (layout.ndim != 0) return;
  layout.ndim = 1;
  layout.extent[0] = 1;
}

/// Blocks for a loop over `items` that any number of blocks can share: enough to fill the device a few times over.
int64_t grid_for(const Shared &shared, int64_t items, int64_t per_block);

/// prepare of a kernel whose state is S: S(Shared &, const rayo_op_desc &) may throw.
template <class S>
rayo_status prepare_state(rayo_instance *, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) noexcept {
  return fence(error, [&] {
    plugin::check_extensions(desc->next);
    if (desc->device == nullptr) throw Error(RAYO_UNSUPPORTED, "this kernel runs on CUDA devices only");
    Shared &shared = *desc->device->shared;
    shared.check_usable();
    auto state = std::make_unique<S>(shared, *desc);
    state->owner = &shared;
    state->inputs = desc->input_count;
    state->outputs = desc->output_count;
    rayo_prepared result{};
    result.threads = 1;
    result.workspace_size = state->workspace_size;
    result.workspace_alignment = 256;
    result.state = static_cast<State *>(state.release());
    plugin::fill(out, result);
  });
}
void release_state(rayo_instance *, void *state) noexcept;

struct KernelTraits {
  uint32_t numerics = RAYO_NUMERICS_REPRODUCIBLE;
  uint32_t flags = 0;
  uint32_t layouts = RAYO_LAYOUT_STRIDED;
  uint32_t alignment = 4;
  uint32_t (*supports)(rayo_instance *, const rayo_op_desc *) = nullptr;
};

template <class S>
constexpr rayo_kernel device_kernel(const char *name, const char *op, const char *types,
                                    const KernelTraits &traits = {}) {
  rayo_kernel k{};
  k.struct_size = sizeof(rayo_kernel);
  k.struct_type = RAYO_TYPE_KERNEL;
  k.name = name;
  k.op = op;
  k.types = types;
  k.schema_min = k.schema_max = 1;
  k.numerics = traits.numerics;
  k.flags = traits.flags | RAYO_KERNEL_DEVICE;
  k.layouts = traits.layouts;
  k.alignment = traits.alignment;
  k.supports = traits.supports;
  k.prepare = prepare_state<S>;
  k.release = release_state;
  return k;
}

/// A family's kernels.
struct KernelList {
  const rayo_kernel *const *kernels;
  uint32_t count;
};
extern const KernelList kMapKernels, kReduceKernels, kRowKernels, kLinearKernels, kMoveKernels, kLibraryKernels,
    kVendorKernels;
extern const rayo_op_schema *const kVendorSchemas[];
extern const uint32_t kVendorSchemaCount;

}  // namespace rayo::cuda

#endif  // RAYO_CUDA_BIND_H
