// SPDX-License-Identifier: Apache-2.0
//
// Runs a plan of the matrix product: cuts it into tasks, hands them to the executor, and feeds the ISA's hot loops with
// blocks. No allocation; everything lies in the call's workspace.
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

/// What the tasks of one call share.
template <class T>
struct Run {
  const GemmPlan<T> &plan;
  const T *a;
  const T *b;
  const T *c;
  T *y;
  unsigned char *workers;

  T *worker(uint32_t index, uint64_t offset) const {
    return reinterpret_cast<T *>(workers + index * plan.worker_bytes + offset);
  }
  GemmEpilogue<T> epilogue(int64_t row, int64_t column) const {
    const T *c_at = c == nullptr ? nullptr : c + row * plan.p.c.rs + column * plan.p.c.cs;
    return {plan.alpha, plan.beta, c_at, plan.p.c.rs, plan.p.c.cs};
  }
};

/// Offsets of matrix `index` of the batch.
struct BatchOffset {
  int64_t a = 0, b = 0, y = 0;
  BatchOffset(const GemmProblem &p, int64_t index) {
    for (int32_t i = p.batch_ndim - 1; i >= 0; --i) {
      const int64_t at = index % p.batch_shape[i];
      index /= p.batch_shape[i];
      a += at * p.a_batch[i];
      b += at * p.b_batch[i];
      y += at * p.y_batch[i];
    }
  }
};

// ---- A tile of y over all of k --------------------------------------------------------------------------------------

/// One block of depth: all rows of the tile, so many at a time. g: the tile, its k and b set; `depth` is its first k.
template <class T>
void run_depth(const Run<T> &run, const GemmBlock<T> &g, const T *a, T *packed_a) {
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  GemmBlock<T> h = g;
  for (int64_t row = 0; row < g.m; row += plan.mi) {
    h.m = min64(plan.mi, g.m - row);
    h.a = a + row * p.a.rs;
    if (plan.pack_a) {
      plan.table->pack_a({h.a, p.a.rs, p.a.cs, packed_a, h.m, h.k, plan.mr});
      h.a = packed_a;
    }
    h.y = g.y + row * g.ldy;
    if (g.epilogue.c != nullptr) h.epilogue.c = g.epilogue.c + row * g.epilogue.c_rs;
    plan.table->block(h);
    h.copied = 1;
  }
}

template <class T>
void run_tile(const Run<T> &run, const BatchOffset &at, int64_t row, int64_t col, uint32_t worker) {
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  GemmBlock<T> g{};
  g.m = min64(plan.mc, p.m - row);
  g.n = min64(plan.nc, p.n - col);
  g.mr = plan.mr;
  g.nr = plan.nr;
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  g.packed = plan.pack_a;
  g.epilogue = run.epilogue(row, col);
  T *y = run.y + at.y + row * p.y.rs + col * p.y.cs;
  g.y = plan.scratch ? run.worker(worker, plan.scratch_offset) : y;
  g.ldy = plan.scratch ? g.n : p.y.rs;
  const T *a = run.a + at.a + row * p.a.rs;
  const T *b = run.b + at.b + col * p.b.cs;
  T *packed_b = run.worker(worker, plan.b_offset);
  int64_t depth = 0;
  do {
    g.k = min64(plan.kc, p.k - depth);
    g.first = depth == 0;
    g.last = depth + g.k == p.k && !plan.scratch;
    if (plan.pack_b) {
      plan.table->pack_b({b + depth * p.b.rs, p.b.rs, p.b.cs, packed_b, g.k, g.n, g.nr});
      g.b = packed_b;
      g.ldb = g.nr;
      g.b_panel = g.nr * g.k;
      g.b_padded = 1;
    } else {
      g.b = b + depth * p.b.rs;
      g.ldb = p.b.rs;
      g.b_panel = g.nr;
      g.copy = plan.copy_b ? packed_b : nullptr;
      g.copy_panel = plan.mi < plan.mc ? g.nr * g.k : 0;
    }
    run_depth(run, g, a + depth * p.a.cs, run.worker(worker, 0));
    depth += g.k;
  } while (depth < p.k);
  if (plan.scratch) plan.table->finish({g.y, g.ldy, y, p.y.rs, p.y.cs, g.epilogue, g.m, g.n});
}

template <class T>
void tile_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const int64_t tiles = plan.m_blocks * plan.n_blocks;
  const int64_t index = static_cast<int64_t>(task);
  const int64_t tile = index % tiles;
  const int64_t first = index / tiles * plan.batch_step;
  const int64_t end = min64(first + plan.batch_step, plan.batch);
  const int64_t row = tile / plan.n_blocks * plan.mc;
  const int64_t col = tile % plan.n_blocks * plan.nc;
  for (int64_t i = first; i < end; ++i) run_tile(run, BatchOffset(plan.p, i), row, col, worker);
}

// ---- Dot: matrix times vector ---------------------------------------------------------------------------------------

template <class T>
void dot_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  const int64_t index = static_cast<int64_t>(task);
  const BatchOffset at(p, index / plan.m_blocks);
  const int64_t row = index % plan.m_blocks * plan.mc;
  const T *x = run.b + at.b;
  if (plan.pack_b) {
    T *copy = run.worker(worker, plan.b_offset);
    plan.table->pack_a({x, 0, p.b.rs, copy, 1, p.k, 1});
    x = copy;
  }
  GemmRows<T> g{};
  g.a = run.a + at.a + row * p.a.rs;
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  g.x = x;
  g.y = run.y + at.y + row * p.y.rs;
  g.y_s = p.y.rs;
  g.epilogue = run.epilogue(row, 0);
  g.m = min64(plan.mc, p.m - row);
  g.k = p.k;
  g.scratch = run.worker(worker, plan.scratch_offset);
  plan.table->rows(g);
}

// ---- Few columns of y, few steps of k -------------------------------------------------------------------------------

template <class T>
void direct_task(void *ctx, uint64_t task, uint32_t worker) {
  const Run<T> &run = *static_cast<const Run<T> *>(ctx);
  const GemmPlan<T> &plan = run.plan;
  const GemmProblem &p = plan.p;
  const int64_t tiles = plan.m_blocks * plan.n_blocks;
  const int64_t index = static_cast<int64_t>(task);
  const int64_t row = index % tiles / plan.n_blocks * plan.mc;
  const int64_t col = index % plan.n_blocks * plan.nc;
  const int64_t first = index / tiles * plan.batch_step;
  const int64_t end = min64(first + plan.batch_step, plan.batch);
  GemmDirect<T> g{};
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  g.ldb = plan.pack_b ? p.n : p.b.rs;
  g.y_rs = p.y.rs;
  g.y_cs = p.y.cs;
  g.epilogue = run.epilogue(row, col);
  g.m = min64(plan.mc, p.m - row);
  g.n = min64(plan.nc, p.n - col);
  g.k = p.k;
  for (int64_t i = first; i < end; ++i) {
    const BatchOffset at(p, i);
    g.a = run.a + at.a + row * p.a.rs;
    g.b = run.b + at.b + col * p.b.cs;
    g.y = run.y + at.y + row * p.y.rs + col * p.y.cs;
    if (plan.pack_b) {
      T *copy = run.worker(worker, plan.b_offset);
      plan.table->pack_a({g.b, p.b.cs, p.b.rs, copy, p.n, p.k, static_cast<int32_t>(p.n)});
      g.b = copy;
    }
    (plan.path == GemmPath::kNarrow ? plan.table->direct_narrow : plan.table->direct_shallow)(g);
  }
}

// ---- One block per matrix -------------------------------------------------------------------------------------------

template <class T>
void run_one(const GemmPlan<T> &plan, const T *a, const T *b, const T *c, T *y) {
  GemmBlock<T> g = plan.block;
  g.a = a;
  g.b = b;
  g.y = y;
  g.epilogue.c = c;
  plan.table->block(g);
  for (int64_t i = 1; i < plan.batch; ++i) {
    g.a += plan.p.a_batch[0];
    g.b += plan.p.b_batch[0];
    g.y += plan.p.y_batch[0];
    plan.table->block(g);
  }
}

}  // namespace

template <class T>
void gemm_run(const GemmPlan<T> &plan, const rayo_call &call, const T *a, const T *b, const T *c, T *y) {
  if (plan.path == GemmPath::kEmpty) return;
  if (plan.p.swapped) {
    const T *first = a;
    a = b;
    b = first;
  }
  if (!plan.p.has_c) c = nullptr;
  if (plan.path == GemmPath::kOne) return run_one(plan, a, b, c, y);
  Run<T> run{plan, a, b, c, y, static_cast<unsigned char *>(call.workspace)};
  const bool direct = plan.path == GemmPath::kNarrow || plan.path == GemmPath::kShallow;
  const auto task = plan.path == GemmPath::kDot ? dot_task<T> : direct ? direct_task<T> : tile_task<T>;
  run_tasks(call, gemm_tasks(plan), plan.parallel, task, &run);
}

template void gemm_run(const GemmPlan<float> &, const rayo_call &, const float *, const float *, const float *,
                       float *);
template void gemm_run(const GemmPlan<double> &, const rayo_call &, const double *, const double *, const double *,
                       double *);

}  // namespace rayo
