// SPDX-License-Identifier: Apache-2.0
//
// Which way a matrix product is computed. Every choice here is free of consequences for bits: an element's chain over k
// is the same in every path, block and orientation (only matrix times vector has its own order, decided by the
// contract).
#include <cpu/gemm_plan.h>
#include <cpu/plugin.h>

namespace rayo {
namespace {

// Few rows read a large B once, as it lies: so many of its rows at a time, which keeps the pages in use few enough for
// the first-level translation buffer. Emerald Rapids: 1x1024x1024 0.64x oneDNN over all of k, 0.97x by 128 rows.
constexpr int64_t kThinBytes = int64_t{256} << 10;
constexpr int64_t kThinKc = 128;
constexpr int64_t kThinTiles = 2;
// Bytes of B from which a single row of y is computed along B's rows. Zen 3, AVX2, f32, time of tiles over it:
// 1x64x64 0.97, 1x128x128 1.12, 1x512x512 1.12, 1x1000x1000 1.09, 1x1024x1024 1.9, 1x4096x4096 1.9;
// Zen 5, AVX-512: 1x128x128 1.00, 1x512x512 1.08, 1x1000x1000 1.08, 1x1024x1024 1.5, 1x4096x4096 1.5.
constexpr int64_t kWalkBytes = int64_t{32} << 10;
// With 64-byte vectors, rows of y that are; bytes of B, and between its rows, from which more than one are. The lines
// of a tile's column fall on few sets of the cache where B's rows lie multiples of 2,048 bytes apart, and on a page
// each where these are far apart. Zen 5, f32, k 1000 (n 4096: 4096), time of tiles over it by rows of y, AVX2:
//   n 512: 2 rows 1.05, 4 rows 1.46, 8 rows 1.1       n 1536: 1.04 to 1.1
//   n 1024: 2.2, 1.6, 1.6, 12 rows 1.6, 16 rows 1.1   n 4096: 4 rows 2.5, 8 rows 2.1, 16 rows 1.4
//   n 1000: 0.7, 0.96, 0.97                           n 3000: 0.77, 1.02, 1.03
// With 64-byte vectors:
//   n 1024: 2 rows 1.0, 4 rows 1.17, 8 rows 0.9       n 4096: 3 rows 1.45, 4 rows 1.2, 8 rows 0.98, 16 rows 0.9
constexpr int64_t kWalkWideRows = 4;
constexpr int64_t kWalkRowsBytes = int64_t{512} << 10;
constexpr int64_t kWalkWideBytes = int64_t{8} << 20;
constexpr int64_t kWalkPitch = int64_t{15} << 10;
constexpr int64_t kWalkWidePitch = int64_t{16} << 10;
constexpr int64_t kWalkBadPitch = 2048;
// Blocks of so few rows are cut into low tiles.
constexpr int64_t kLowRows = 48;
// FMAs in flight that hide their latency.
constexpr int32_t kChains = 8;
// A B that fits the first-level cache whole is read where it lies; so is an A, where packing serves the cache.
constexpr int64_t kCopyBytes = int64_t{32} << 10;
// Columns of full tiles from which packing A pays, where it serves the cache.
constexpr int64_t kPackColumns = 6;
// Columns of a task that packs A, times the table's: each task packs its own. Zen 5, f32, AVX-512: 1024^3, A
// transposed, 1.03, 2048^3 1.12; AVX2, either way: 1536^3 1.02, 2048^3 1.01.
constexpr int64_t kPackedColumns = 2;
// A transposed A whose columns lie this far apart is packed wherever that pays: each step along k is another page, or
// another line of the same few sets. A 2-core Xeon with AVX-512, time unpacked over packed: f32 256^3 (1024 bytes)
// 0.99, 300^3 1.04, 512^3 1.18, 1024^3 1.84; f64 128^3 (1024 bytes) 0.92, 256^3 1.08, 512^3 1.84.
constexpr int64_t kFarBytes = 1200;
// Over a short k a large y is most of the traffic: blocks of few rows, so that it is written along its rows rather than
// down columns of tiles. A 2-core Xeon with AVX-512, f32, over blocks by the cache's size: 1024x1024x4 1.28x,
// x16 1.41x, x64 1.22x; AVX2 1.24x, 1.20x, 1.01x.
constexpr int64_t kShallow = 64;
constexpr int64_t kShallowRows = 24;
constexpr int64_t kShallowBytes = int64_t{1} << 20;
// Steps of k, and for each column of y, from which few columns are computed along y's rows. A 2-core Xeon with AVX-512,
// time of the other way over this: 256x4x16 1.3, 1000x8x24 0.93, 256x8x16 0.82; AVX2 256x6x16 1.3.
constexpr int64_t kNarrowSteps = 16;
constexpr int64_t kNarrowStepsPerColumn = 4;
// Rows of y over a transposed B, which would have to be packed otherwise: so many times what is taken at once. A 2-core
// Xeon with AVX-512, f32, time of packing over it: 8x1024x1024 1.3 (AVX2 1.4), 12 rows 1.75 (1.4), 16 rows 1.6 (1.15),
// 20 rows 1.2, 32 rows 0.95.
constexpr int64_t kNarrowTurns = 2;
// Vectors in a row of y from which few steps of k have a path of their own; with 64-byte vectors, tiles are as fast on
// short rows of a y in the first-level cache. A 2-core Xeon with AVX-512, time of tiles over it: 32x32x2 0.74 (AVX2
// 1.4), 64x64x4 0.77 (1.3), 1000x33x4 1.13 (1.2), 4x1000x2 2.1 (4), 100x5000x3 1.2 (1.9), 1024x1024x4 1.5 (1.7).
constexpr int64_t kShallowVectors = 2;
constexpr int64_t kShallowLongVectors = 8;
constexpr int64_t kTasks = 16;  // aimed at where there is work for several threads

int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
uint64_t bytes_of(int64_t elements, size_t size) {
  return static_cast<uint64_t>(round_up(elements * static_cast<int64_t>(size), 64));
}

/// a * b, capped: only compared with thresholds.
int64_t capped_product(int64_t a, int64_t b) {
  int64_t r = 0;
  return __builtin_mul_overflow(a, b, &r) ? INT64_MAX : r;
}

/// y^T = b^T a^T: the same chains with rows and columns exchanged.
void swap_roles(GemmProblem *p) {
  const GemmProblem q = *p;
  p->swapped = !q.swapped;
  p->m = q.n;
  p->n = q.m;
  p->a = {q.b.cs, q.b.rs};
  p->b = {q.a.cs, q.a.rs};
  p->c = {q.c.cs, q.c.rs};
  p->y = {q.y.cs, q.y.rs};
  for (int32_t i = 0; i < p->batch_ndim; ++i) {
    p->a_batch[i] = q.b_batch[i];
    p->b_batch[i] = q.a_batch[i];
  }
}

/// An axis of extent 1 has no stride: give it the one that suits the kernels.
void settle_strides(GemmProblem *p) {
  if (p->m == 1) p->a.rs = 1;
  if (p->k == 1) p->a.cs = p->a.rs == 1 ? p->a.cs : 1;
  if (p->n == 1) {
    p->b.cs = 1;
    p->y.cs = 1;
    p->c.cs = 0;
  }
  if (p->m == 1) p->c.rs = 0;
}

/// A batch that shares B and whose rows follow one another is one tall matrix.
void fold_batch(GemmProblem *p) {
  if (p->batch_ndim != 1 || p->b_batch[0] != 0 || p->has_c) return;
  if (p->m == 1) {
    p->a.rs = p->a_batch[0];
    p->y.rs = p->y_batch[0];
  } else if (p->a_batch[0] != p->m * p->a.rs || p->y_batch[0] != p->m * p->y.rs) {
    return;
  }
  p->m *= p->batch_shape[0];
  p->batch_ndim = 0;
}

bool is_dot(const GemmProblem &p) {
  return !p.chain && ((p.n == 1 && !p.a_transposed) || (p.m == 1 && p.b_transposed));
}

template <class T>
void plan_dot(GemmPlan<T> *plan, bool threads) {
  GemmProblem &p = plan->p;
  if (!(p.n == 1 && !p.a_transposed)) swap_roles(&p);  // the matrix is a, the vector b
  fold_batch(&p);
  plan->path = GemmPath::kDot;
  if (p.k == 1) p.a.cs = 1;
  plan->pack_a = p.a.cs != 1;  // rows are gathered
  plan->pack_b = p.b.rs != 1 && p.k > 1;
  // A task reads about 64 Ki elements: 5 to 20 us.
  plan->mc = min64(p.m, max64(4, round_up((int64_t{1} << 16) / max64(p.k, 1), 4)));
  plan->m_blocks = ceil_div(p.m, plan->mc);
  plan->n_blocks = 1;
  plan->worker_bytes = plan->pack_a ? bytes_of(kGemmDotBlock<T>, sizeof(T)) : 0;
  plan->scratch_offset = 0;
  plan->b_offset = plan->worker_bytes;
  if (plan->pack_b) plan->worker_bytes += bytes_of(p.k, sizeof(T));
  // A matrix that comes from memory gains from a second core only when it is large.
  plan->parallel = threads && capped_product(capped_product(p.m, p.k), plan->batch) >= kGemmParallelWork / 8;
}

bool narrow_steps(int64_t k, int64_t columns) { return k >= kNarrowSteps && k >= kNarrowStepsPerColumn * columns; }

/// Few columns of y, along whose rows A can be read, or turned in registers as it is read.
template <class T>
bool is_narrow(const GemmProblem &p, const GemmTable<T> &t) {
  return p.n <= t.narrow && p.m >= t.lanes && narrow_steps(p.k, p.n) && (p.a.cs == 1 || p.a.rs == 1);
}

/// The same seen from y^T, where that turns B on the way; a B that lies along y's rows is best read as it lies.
template <class T>
bool is_narrow_swapped(const GemmProblem &p, const GemmTable<T> &t) {
  return p.m <= kNarrowTurns * t.narrow && p.n >= t.lanes && narrow_steps(p.k, p.m) && p.b.rs == 1 && p.b.cs != 1;
}

template <class T>
void plan_narrow(GemmPlan<T> *plan) {
  GemmProblem &p = plan->p;
  const int64_t lanes = plan->table->lanes;
  plan->path = GemmPath::kNarrow;
  plan->pack_b = p.n > 1 && p.b.cs != 1;
  plan->worker_bytes = plan->pack_b ? bytes_of(p.k * p.n, sizeof(T)) : 0;
  // A task reads about 64 Ki elements of A, as those of the dot order do; none has less than a vector of rows.
  plan->mc = p.m;
  if (plan->parallel) plan->mc = min64(p.m, max64(lanes, round_up((int64_t{1} << 16) / p.k, lanes)));
  while (p.m % plan->mc != 0 && p.m % plan->mc < lanes) plan->mc += lanes;
  plan->m_blocks = ceil_div(p.m, plan->mc);
  plan->nc = p.n;
  plan->n_blocks = 1;
  const int64_t work = max64(1, capped_product(capped_product(p.m, p.n), p.k));
  plan->batch_step = min64(plan->batch, max64(1, kGemmParallelWork / work));
}

/// The tile of y of a task.
template <class T>
void plan_tasks(GemmPlan<T> *plan) {
  const GemmProblem &p = plan->p;
  const GemmTable<T> &t = *plan->table;
  plan->mc = plan->scratch ? min64(p.m, 256) : p.m;
  plan->nc = min64(p.n, plan->scratch ? 512 : plan->pack_a ? kPackedColumns * t.nc : t.nc);
  plan->batch_step = plan->batch;
  if (plan->parallel) {
    const int64_t wide = 4 * t.cols;
    while (ceil_div(p.m, plan->mc) * ceil_div(p.n, plan->nc) * plan->batch < kTasks) {
      if (plan->nc > wide && plan->nc >= plan->mc) {
        plan->nc = round_up(ceil_div(plan->nc, 2), wide);
      } else if (plan->mc > 4 * t.mr) {
        plan->mc = ceil_div(plan->mc, 2);
      } else if (plan->nc > wide) {
        plan->nc = round_up(ceil_div(plan->nc, 2), wide);
      } else {
        break;
      }
    }
    const int64_t work = max64(1, capped_product(capped_product(p.m, p.n), p.k));
    plan->batch_step = min64(plan->batch, max64(1, kGemmParallelWork / work));
  }
  plan->m_blocks = ceil_div(p.m, plan->mc);
  plan->mc = ceil_div(p.m, plan->m_blocks);
  plan->n_blocks = ceil_div(p.n, plan->nc);
}

/// Few steps of k: y is written along its rows, from operands as they lie.
template <class T>
bool is_shallow(const GemmPlan<T> &plan) {
  const GemmProblem &p = plan.p;
  const GemmTable<T> &t = *plan.table;
  const int64_t y_bytes = capped_product(capped_product(p.m, p.n), sizeof(T));
  const bool tiles = t.lanes * sizeof(T) == 64 && y_bytes <= kCopyBytes;
  const int64_t vectors = tiles ? kShallowLongVectors : kShallowVectors;
  if (p.k < 1 || p.k > t.shallow || p.n < vectors * t.lanes) return false;
  return p.b.cs == 1 && p.y.cs == 1 && (!p.has_c || p.c.cs == 0 || p.c.cs == 1);
}

/// Few rows of y over a B that tiles, which go down its columns, read badly: the same loops, some steps of k at a time.
template <class T>
bool is_walk(const GemmPlan<T> &plan, bool alias) {
  const GemmProblem &p = plan.p;
  const GemmTable<T> &t = *plan.table;
  if (alias || plan.scratch || t.walk == 0 || p.k < t.walk || p.b.cs != 1) return false;
  const int64_t b_bytes = capped_product(capped_product(p.k, p.n), sizeof(T));
  if (p.m == 1) return b_bytes >= kWalkBytes;
  const int64_t pitch = capped_product(p.b.rs, sizeof(T));
  const bool wide = t.lanes * sizeof(T) == 64;
  if (p.m > (wide ? kWalkWideRows : kGemmWalkRows) || b_bytes < (wide ? kWalkWideBytes : kWalkRowsBytes)) return false;
  return pitch >= (wide ? kWalkWidePitch : kWalkPitch) || (!wide && pitch % kWalkBadPitch == 0);
}

template <class T>
void plan_shallow(GemmPlan<T> *plan) {
  const GemmProblem &p = plan->p;
  plan->path = GemmPath::kShallow;
  plan->scratch = false;
  plan_tasks(plan);
  if (plan->parallel) return;
  plan->mc = p.m;
  plan->nc = p.n;
  plan->m_blocks = 1;
  plan->n_blocks = 1;
}

/// Work that one block does, for which the general loops cost as much as the product.
template <class T>
void plan_one(GemmPlan<T> *plan) {
  const GemmProblem &p = plan->p;
  if (plan->pack_a || plan->pack_b || plan->copy_b || plan->scratch || plan->parallel || p.batch_ndim > 1) return;
  if (plan->m_blocks * plan->n_blocks != 1 || plan->mi < p.m || plan->kc < p.k) return;
  plan->path = GemmPath::kOne;
  GemmBlock<T> &g = plan->block;
  g.a_rs = p.a.rs;
  g.a_cs = p.a.cs;
  g.ldb = p.b.rs;
  g.b_panel = plan->nr;
  g.ldy = p.y.rs;
  g.epilogue = {plan->alpha, plan->beta, nullptr, p.c.rs, p.c.cs};
  g.m = p.m;
  g.n = p.n;
  g.k = p.k;
  g.mr = plan->mr;
  g.nr = plan->nr;
  g.first = 1;
  g.last = 1;
}

/// Low and wide tiles suit few rows; and, where they hold chains enough, a single vector of columns, as fewer rows of A
/// are read at a time. A 2-core Xeon with AVX-512, f32, time of full tiles over theirs: 10x1000x1000 1.3 to 1.5,
/// 31x1023x1025 1.1 to 1.2, 48x48x1000 1.1 to 1.2, 4096x16x256 1.2; f64 31x1023x1025 1.2, but 10x1000x1000 0.85.
template <class T>
bool low_tiles(const GemmPlan<T> &plan, bool thin) {
  const GemmTable<T> &t = *plan.table;
  if (plan.mi <= t.mr) return thin && sizeof(T) == 4;
  return plan.mi <= kLowRows || (plan.p.n <= t.lanes && t.low_mr >= kChains);
}

/// Blocks inside a task, and where its copies lie.
template <class T>
void plan_tiles(GemmPlan<T> *plan) {
  const GemmProblem &p = plan->p;
  const GemmTable<T> &t = *plan->table;
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  plan->path = GemmPath::kTiles;
  plan_tasks(plan);
  const int64_t b_bytes = capped_product(capped_product(p.k, p.n), kSize);
  const bool thin = !plan->pack_b && plan->mc <= kThinTiles * t.mr && b_bytes > kThinBytes;
  plan->kc = ceil_div(p.k, max64(1, ceil_div(p.k, thin ? kThinKc : t.depth)));
  const bool shallow = p.k <= kShallow && capped_product(capped_product(plan->mc, plan->nc), kSize) >= kShallowBytes;
  const int64_t row_bytes = max64(plan->kc, 1) * kSize;
  const bool whole = capped_product(plan->mc, row_bytes) <= 2 * t.block_bytes;
  const int64_t rows = shallow ? kShallowRows : whole ? plan->mc : max64(4 * t.mr, t.block_bytes / row_bytes);
  plan->mi = ceil_div(plan->mc, ceil_div(plan->mc, rows));
  plan->mr = low_tiles(*plan, thin) ? t.low_mr : t.mr;
  plan->nr = t.tile_cols(plan->mi, plan->mr);
  plan->copy_b = !plan->pack_b && !thin && plan->mi > plan->mr && p.n > plan->nr && b_bytes > kCopyBytes;
  plan->worker_bytes = plan->pack_a ? bytes_of(plan->mi * plan->kc, sizeof(T)) : 0;
  plan->b_offset = plan->worker_bytes;
  if (plan->pack_b || (plan->copy_b && plan->mi < plan->mc)) {
    plan->worker_bytes += bytes_of(round_up(plan->nc, plan->nr) * plan->kc, sizeof(T));
  } else if (plan->copy_b) {
    plan->worker_bytes += bytes_of(plan->nr * plan->kc, sizeof(T));
  }
  plan->scratch_offset = plan->worker_bytes;
  if (plan->scratch) plan->worker_bytes += bytes_of(plan->mc * plan->nc, sizeof(T));
  plan_one(plan);
}

}  // namespace

template <class T>
void gemm_make_plan(const GemmProblem &problem, const GemmTable<T> &table, bool alias, bool threads, GemmPlan<T> *out) {
  *out = GemmPlan<T>{};
  GemmPlan<T> &plan = *out;
  plan.table = &table;
  plan.p = problem;
  plan.alpha = static_cast<T>(problem.alpha);
  plan.beta = static_cast<T>(problem.beta);
  GemmProblem &p = plan.p;
  plan.batch = 1;
  for (int32_t i = 0; i < p.batch_ndim; ++i) plan.batch *= p.batch_shape[i];
  if (p.m == 0 || p.n == 0 || plan.batch == 0) {
    plan.path = GemmPath::kEmpty;
    return;
  }
  const int64_t matrix = capped_product(capped_product(p.m, p.n), p.k);
  plan.parallel = threads && capped_product(matrix, plan.batch) >= kGemmParallelWork;
  if (is_dot(p)) {
    plan_dot(&plan, threads);
    plan.batch = p.batch_ndim == 0 ? 1 : plan.batch;
    return;
  }
  if (!alias && (is_narrow(p, table) || is_narrow_swapped(p, table))) {
    if (!is_narrow(p, table)) swap_roles(&p);
    fold_batch(&p);
    if (p.batch_ndim == 0) plan.batch = 1;
    return plan_narrow(&plan);
  }
  // Vectors run along y's rows: they should lie along its unit stride.
  const bool along_rows = p.y.rs == 1 && p.y.cs != 1 && p.m > 1;
  if (along_rows || (p.n == 1 && p.m > 1)) swap_roles(&p);
  settle_strides(&p);
  fold_batch(&p);
  if (p.batch_ndim == 0) plan.batch = 1;
  plan.scratch = p.y.cs != 1 || (p.has_c && p.c.cs != 0 && p.c.cs != 1) || (alias && p.k > kThinKc);
  if (is_shallow(plan) || is_walk(plan, alias)) return plan_shallow(&plan);
  const int64_t a_bytes = capped_product(capped_product(p.m, p.k), sizeof(T));
  const bool far = p.a.rs == 1 && capped_product(p.a.cs, sizeof(T)) >= kFarBytes;
  const bool packs =
      (table.packs_a != 0 || far) && a_bytes > kCopyBytes && p.m > table.mr && p.n >= kPackColumns * table.cols;
  plan.pack_a = packs || (p.a.rs != 1 && p.a.cs != 1);
  plan.pack_b = p.b.cs != 1;
  plan_tiles(&plan);
}

template <class T>
uint64_t gemm_tasks(const GemmPlan<T> &plan) {
  if (plan.path == GemmPath::kEmpty) return 1;
  const int64_t tasks = plan.m_blocks * plan.n_blocks;
  return static_cast<uint64_t>(tasks * ceil_div(plan.batch, max64(1, plan.batch_step)));
}

template void gemm_make_plan(const GemmProblem &, const GemmTable<float> &, bool, bool, GemmPlan<float> *);
template void gemm_make_plan(const GemmProblem &, const GemmTable<double> &, bool, bool, GemmPlan<double> *);
template uint64_t gemm_tasks(const GemmPlan<float> &);
template uint64_t gemm_tasks(const GemmPlan<double> &);

}  // namespace rayo
