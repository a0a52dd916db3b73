// SPDX-License-Identifier: Apache-2.0
//
// Runs the threads of a block: a fiber each where a kernel has barriers, so that it stops at them as a GPU's thread
// does; a plain loop where it has none.
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "on_host.h"

namespace rayo::cuda::simulator {

Index3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;

enum class At { running, block_barrier, warp_barrier, end };

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  At at = At::running;
};

struct Warp {
  uint32_t words[2][32 * 8];  // of this exchange and of the one before, which a slow lane may still read
  unsigned turn[32];
};

const Kernel *first_kernel = nullptr;
const Kernel *current_kernel = nullptr;
const void *current_params = nullptr;
std::vector<Fiber> fibers;
std::vector<Warp> warps;
ucontext_t scheduler;
bool direct = false;  // no fibers

[[noreturn]] void die(const char *what) {
  std::fprintf(stderr, "CUDA simulator: kernel %s: %s\n", current_kernel->name, what);
  std::abort();
}

void stop_at(At where) {
  if (direct) die("a barrier in a kernel that is listed as having none");
  Fiber &self = fibers[thread_index.x];
  self.at = where;
  const Index3 index = thread_index;
  swapcontext(&self.context, &scheduler);
  thread_index = index;
}

void fiber_main() {
  current_kernel->entry(current_params);
  fibers[thread_index.x].at = At::end;
}

/// Lets those go that wait for `where` in [begin, end) if all that have not ended do.
bool release(std::size_t begin, std::size_t end, At where) {
  bool any = false;
  for (std::size_t i = begin; i < end; ++i) {
    if (fibers[i].at != where && fibers[i].at != At::end) return false;
    any = any || fibers[i].at == where;
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (fibers[i].at == where) fibers[i].at = At::running;
  }
  return any;
}

void run_fibers(unsigned threads) {
  while (fibers.size() < threads) {
    fibers.emplace_back();
    fibers.back().stack = std::make_unique<char[]>(kStackBytes);
  }
  fibers.resize(threads);
  warps.assign((threads + 31) / 32, Warp{});
  for (Fiber &f : fibers) {
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack.get();
    f.context.uc_stack.ss_size = kStackBytes;
    f.context.uc_link = &scheduler;
    f.at = At::running;
    makecontext(&f.context, fiber_main, 0);
  }
  for (;;) {
    bool ran = false;
    for (unsigned t = 0; t < threads; ++t) {
      if (fibers[t].at != At::running) continue;
      ran = true;
      thread_index = {t, 0, 0};
      swapcontext(&scheduler, &fibers[t].context);
    }
    bool released = false;
    for (std::size_t w = 0; w < threads; w += 32) {
      released = release(w, w + 32 < threads ? w + 32 : threads, At::warp_barrier) || released;
    }
    if (!released) released = release(0, threads, At::block_barrier);
    if (released) continue;
    for (const Fiber &f : fibers) {
      if (f.at != At::end) die("its threads wait at different barriers");
    }
    if (!ran || !released) return;
  }
}

/// Kernels whose threads never meet.
bool has_no_barrier(std::string_view name) {
  for (const std::string_view prefix : {"map_", "copy_strided_", "quantize_", "dequantize_", "reduce_chain_",
                                        "softmax_columns_", "log_softmax_columns_", "eigh_store_"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

float from_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
float from_bf16(uint32_t pair, int half) { return from_bits(half != 0 ? pair & 0xffff0000u : pair << 16); }

}  // namespace

Kernel::Kernel(const char *the_name, std::size_t the_params, Entry the_entry)
    : name(the_name), params(the_params), entry(the_entry), next(const_cast<Kernel *>(first_kernel)) {
  first_kernel = this;
}

const Kernel *find_kernel(const char *name) {
  for (const Kernel *k = first_kernel; k != nullptr; k = k->next) {
    if (std::string_view(k->name) == name) return k;
  }
  return nullptr;
}

void run_kernel(const Kernel &kernel, const void *params, unsigned blocks, unsigned threads) {
  current_kernel = &kernel;
  current_params = params;
  block_size = {threads, 1, 1};
  grid_size = {blocks, 1, 1};
  direct = has_no_barrier(kernel.name);
  for (unsigned b = 0; b < blocks; ++b) {
    block_index = {b, 0, 0};
    if (!direct) {
      run_fibers(threads);
      continue;
    }
    for (unsigned t = 0; t < threads; ++t) {
      thread_index = {t, 0, 0};
      kernel.entry(params);
    }
  }
}

void block_barrier() { stop_at(At::block_barrier); }

const uint32_t *warp_exchange(const uint32_t *words, int count) {
  Warp &warp = warps[thread_index.x / 32];
  const unsigned lane = thread_index.x % 32;
  uint32_t *slots = warp.words[warp.turn[lane]++ % 2];
  for (int i = 0; i < count; ++i) slots[lane * 8 + static_cast<unsigned>(i)] = words[i];
  stop_at(At::warp_barrier);
  return slots;
}

}  // namespace rayo::cuda::simulator

namespace rayo::cuda {

using simulator::from_bf16;
using simulator::from_bits;

void host_mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const uint32_t words[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const uint32_t *all = simulator::warp_exchange(words, 6);
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int e = 0; e < 4; ++e) {
    const int row = lane / 4 + e / 2 * 8, col = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 8; ++k) {
      const float x = from_bits(all[(row % 8 * 4 + k % 4) * 8 + row / 8 + k / 4 * 2]);
      const float y = from_bits(all[(col * 4 + k % 4) * 8 + 4 + k / 4]);
      d[e] += x * y;
    }
  }
}

void host_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const uint32_t words[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const uint32_t *all = simulator::warp_exchange(words, 6);
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int e = 0; e < 4; ++e) {
    const int row = lane / 4 + e / 2 * 8, col = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 16; ++k) {
      const int pair = k / 2;
      const float x = from_bf16(all[(row % 8 * 4 + pair % 4) * 8 + row / 8 + pair / 4 * 2], k % 2);
      const float y = from_bf16(all[(col * 4 + pair % 4) * 8 + 4 + pair / 4], k % 2);
      d[e] += x * y;
    }
  }
}

}  // namespace rayo::cuda
