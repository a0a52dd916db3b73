// SPDX-License-Identifier: Apache-2.0
//
// No kernel touches memory outside its operands: every operand ends where an inaccessible page begins, or begins where
// one ends. A stray read or write kills the test.
#include <sys/mman.h>
#include <unistd.h>

#include "cases.h"

namespace rayo_test {
namespace {

/// `bytes` of memory against a guard page: at its upper end (`high`), or right after the lower one.
class Guarded {
 public:
  Guarded(size_t bytes, bool high) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t inner = (bytes + page - 1) / page * page;
    size_ = inner + 2 * page;
    base_ = static_cast<char *>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (inner != 0) mprotect(base_ + page, inner, PROT_READ | PROT_WRITE);
    data_ = high ? base_ + page + inner - bytes : base_ + page;
  }
  ~Guarded() { munmap(base_, size_); }
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;
  void *data() const { return data_; }

 private:
  char *base_ = nullptr;
  char *data_ = nullptr;
  size_t size_ = 0;
};

template <class T>
void fill(const Guarded &g, size_t n, uint64_t seed) {
  const std::vector<T> x = make_data<T>(n, seed);
  if (n != 0) std::memcpy(g.data(), x.data(), n * sizeof(T));
}

template <class T>
void run_all(int64_t n, bool high) {
  const auto count = static_cast<size_t>(n);
  const Guarded a(count * sizeof(T), high), b(count * sizeof(T), high), y(count * sizeof(T), high), one(8, high);
  const Guarded condition(count, high);
  fill<T>(a, count, 1);
  fill<T>(b, count, 2);
  const View v = compact({n}, dtype_of<T>()), scalar = compact({}, dtype_of<T>()), index = compact({}, RAYO_I64);
  for (const auto &p : plugins()) {
    for (const char *op : {"add", "sub", "mul", "div", "max", "min"}) {
      ASSERT_EQ(p->run(op, {v, v}, {a.data(), b.data()}, v, y.data()), RAYO_OK);
      const View same = {{n}, {0}, dtype_of<T>()};
      ASSERT_EQ(p->run(op, {v, same}, {a.data(), one.data()}, v, y.data()), RAYO_OK);
    }
    for (const char *op : {"neg", "abs", "sqrt", "rsqrt", "relu", "leaky_relu", "exp", "log", "sin", "cos", "tanh",
                           "erf", "sigmoid", "gelu", "swish", "elu", "round", "floor", "ceil"}) {
      const std::vector<Attr> attrs = {string_attr("approximate", "none"), float_attr("alpha", 0.5)};
      ASSERT_EQ(p->run(op, {v}, {a.data()}, v, y.data(), attrs), RAYO_OK);
    }
    ASSERT_EQ(p->run("pow", {v, v}, {a.data(), b.data()}, v, y.data()), RAYO_OK);
    ASSERT_EQ(p->run("fma", {v, v, v}, {a.data(), b.data(), a.data()}, v, y.data()), RAYO_OK);
    ASSERT_EQ(p->run("clip", {v, v, v}, {a.data(), b.data(), b.data()}, v, y.data()), RAYO_OK);
    const View bytes = compact({n}, RAYO_U8);
    ASSERT_EQ(p->run("where", {bytes, v, v}, {condition.data(), a.data(), b.data()}, v, y.data()), RAYO_OK);
    for (const char *op :
         {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_l1", "reduce_l2", "variance"}) {
      const std::vector<Attr> attrs = {int_attr("axes", {0}), int_attr("keepdims", {0})};
      ASSERT_EQ(p->run(op, {v}, {a.data()}, scalar, one.data(), attrs), RAYO_OK);
      const View row = compact({1, n}, dtype_of<T>());
      ASSERT_EQ(p->run(op, {row}, {a.data()}, v, y.data(), attrs), RAYO_OK);
    }
    ASSERT_EQ(p->run("dot", {v, v}, {a.data(), b.data()}, scalar, one.data()), RAYO_OK);
    if (n > 0) {
      for (const char *op : {"argmax", "argmin"}) {
        ASSERT_EQ(p->run(op, {v}, {a.data()}, index, one.data(), {int_attr("axis", {0})}), RAYO_OK);
      }
    }
    for (const char *op : {"softmax", "log_softmax"}) {
      ASSERT_EQ(p->run(op, {v}, {a.data()}, v, y.data(), {int_attr("axis", {0})}), RAYO_OK);
      const View column = compact({2, n / 2}, dtype_of<T>());
      ASSERT_EQ(p->run(op, {column}, {a.data()}, column, y.data(), {int_attr("axis", {0})}), RAYO_OK);
    }
    const std::vector<Attr> norm = {int_attr("axis", {0}), float_attr("epsilon", 1e-5)};
    ASSERT_EQ(p->run("layer_norm", {v, v, v}, {a.data(), b.data(), b.data()}, v, y.data(), norm), RAYO_OK);
    ASSERT_EQ(p->run("rms_norm", {v, v}, {a.data(), b.data()}, v, y.data(), norm), RAYO_OK);
    if (n % 6 == 0) {
      const View from = compact({n / 6, 6}, dtype_of<T>()), to = compact({6, n / 6}, dtype_of<T>());
      ASSERT_EQ(p->run("transpose", {from}, {a.data()}, to, y.data()), RAYO_OK);
    }
  }
}

/// Conversions to and from every type, and products of bytes.
void run_bytes(int64_t n, bool high) {
  const auto count = static_cast<size_t>(n);
  const std::vector<DLDataType> types = {RAYO_F32, RAYO_F64, RAYO_F16, RAYO_BF16, RAYO_I8, RAYO_U8, RAYO_I32, RAYO_I64};
  for (const auto &p : plugins()) {
    for (DLDataType from : types) {
      const Guarded x(count * from.bits / 8, high);
      if (n != 0) std::memset(x.data(), 0x31, count * from.bits / 8);
      for (DLDataType to : types) {
        const Guarded y(count * to.bits / 8, high);
        ASSERT_EQ(p->run("cast", {compact({n}, from)}, {x.data()}, compact({n}, to), y.data()), RAYO_OK);
      }
    }
    const Guarded x(count * 4, high), q(count, high), z(1, high), scale(4, high), sums(count * 4, high);
    fill<float>(x, count, 1);
    fill<float>(scale, 1, 2);
    const View real = compact({n}, RAYO_F32), byte = compact({n}, RAYO_U8);
    const View one = compact({}, RAYO_F32), zero = compact({}, RAYO_U8);
    const std::vector<const void *> in = {x.data(), scale.data(), z.data()}, back = {q.data(), scale.data(), z.data()};
    const std::vector<Attr> axis = {int_attr("axis", {0})};
    ASSERT_EQ(p->run("quantize_linear", {real, one, zero}, in, byte, q.data(), axis), RAYO_OK);
    ASSERT_EQ(p->run("dequantize_linear", {byte, one, zero}, back, real, x.data(), axis), RAYO_OK);
    const View row = compact({1, n}, RAYO_U8), column = compact({n, 1}, RAYO_U8);
    ASSERT_EQ(p->run("matmul_integer", {row, column}, {q.data(), q.data()}, compact({1, 1}, RAYO_I32), scale.data()),
              RAYO_OK);
    ASSERT_EQ(p->run("matmul_integer", {compact({1, 1}, RAYO_U8), row}, {z.data(), q.data()}, compact({1, n}, RAYO_I32),
                     sums.data()),
              RAYO_OK);
  }
}

TEST(Guard, NoConversionLeavesItsOperands) {
  for (int64_t n = 0; n <= 140; ++n) {
    for (bool high : {false, true}) {
      SCOPED_TRACE(n);
      run_bytes(n, high);
    }
  }
}

TEST(Guard, NoKernelLeavesItsOperands) {
  for (int64_t n = 0; n <= 140; ++n) {
    for (bool high : {false, true}) {
      SCOPED_TRACE(n);
      run_all<float>(n, high);
      run_all<double>(n, high);
    }
  }
}

}  // namespace
}  // namespace rayo_test
