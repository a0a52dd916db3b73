// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"

#include <map>

namespace rayo::digests {
namespace {

using Calls = std::vector<Call>;
using Shape = std::vector<int64_t>;

constexpr int64_t kLong = 70001;  // several tasks and blocks of 16384, and a tail for every vector length

const Input kAbsent = {{}, Fill::mixed, true};

void append(Calls *to, Calls more) {
  for (Call &call : more) to->push_back(std::move(call));
}

Calls unary(const Attributes &attributes) {
  Calls calls;
  for (const Shape &shape : {Shape{}, {0}, {1}, {7}, {63}, {65}, {3, 5, 7}, {4097}, {kLong}})
    calls.push_back({{{shape}}, attributes});
  calls.push_back({{{{special_count()}, Fill::special}}, attributes});
  calls.push_back({{{{1021}, Fill::halves}}, attributes});
  return calls;
}

Calls unary(const std::string &op) {
  Calls calls = unary(Attributes());
  if (op == "gelu") append(&calls, unary(Attributes().set("approximate", "tanh")));
  if (op == "leaky_relu" || op == "elu") append(&calls, unary(Attributes().set("alpha", 0.3)));
  return calls;
}

Calls binary() {
  const int64_t specials = special_count();
  return {{{{{}}, {{}}}, {}},
          {{{{513}}, {{513}}}, {}},
          {{{{7, 5, 3}}, {{5, 3}}}, {}},
          {{{{33, 1}}, {{1, 31}}}, {}},
          {{{{}}, {{65}}}, {}},
          {{{{0, 3}}, {{1, 3}}}, {}},
          {{{{kLong}}, {{kLong}}}, {}},
          {{{{4099}, Fill::positive}, {{4099}, Fill::uniform}}, {}},
          {{{{specials, 1}, Fill::special}, {{specials}, Fill::special}}, {}},
          {{{{specials, 1}, Fill::special}, {{61}, Fill::halves}}, {}}};
}

Calls ternary(const std::string &op) {
  const Fill first = op == "where" ? Fill::ties : Fill::mixed;
  const Fill first_special = op == "where" ? Fill::ties : Fill::special;
  const int64_t specials = special_count();
  Calls calls = {{{{{}, first}, {{}}, {{}}}, {}},
                 {{{{513}, first}, {{513}}, {{513}}}, {}},
                 {{{{7, 5, 3}, first}, {{5, 1}}, {{3}}}, {}},
                 {{{{0}, first}, {{}}, {{1}}}, {}},
                 {{{{kLong}, first}, {{}}, {{kLong}}}, {}},
                 {{{{23, 1, 1}, first_special}, {{specials, 1}, Fill::special}, {{specials}, Fill::special}}, {}}};
  if (op != "clip") return calls;
  append(&calls, {{{{{257}}}, {}},
                  {{{{257}}, {{}, Fill::uniform}}, {}},
                  {{{{257}}, kAbsent, {{}, Fill::uniform}}, {}},
                  {{{{kLong}}, {{}, Fill::uniform}, {{}, Fill::positive}}, {}}});
  return calls;
}

// Data that keeps its meaning when many are summed; the last ones show NaN, infinities and signed zeros.
Calls reduce(const Attributes &extra) {
  struct Form {
    Shape shape;
    std::vector<int64_t> axes;
    int keepdims;
    Fill fill;
  };
  const std::vector<Form> forms = {{{}, {}, 1, Fill::uniform},
                                   {{1}, {}, 1, Fill::uniform},
                                   {{65}, {}, 0, Fill::uniform},
                                   {{kLong}, {}, 1, Fill::uniform},
                                   {{40000}, {}, 1, Fill::positive},
                                   {{257, 129}, {0}, 1, Fill::uniform},
                                   {{257, 129}, {1}, 0, Fill::uniform},
                                   {{3, 5, 7, 2}, {0, 2}, 0, Fill::uniform},
                                   {{3, 5, 7, 2}, {-1, 1}, 1, Fill::uniform},
                                   {{9, 11, 13}, {}, 0, Fill::uniform},
                                   {{3, 20000}, {1}, 1, Fill::uniform},
                                   {{20000, 3}, {0}, 1, Fill::uniform},
                                   {{2, 0, 4}, {0}, 1, Fill::uniform},
                                   {{2, 0, 4}, {1}, 0, Fill::uniform},
                                   {{37, 66}, {0}, 1, Fill::mixed},
                                   {{37, 66}, {1}, 1, Fill::special},
                                   {{66, 37}, {1}, 1, Fill::finite}};
  Calls calls;
  for (const Form &form : forms) {
    Attributes attributes = extra;
    if (!form.axes.empty()) attributes.set("axes", form.axes);
    calls.push_back({{{form.shape, form.fill}}, attributes.set("keepdims", form.keepdims)});
  }
  return calls;
}

Calls reduce(const std::string &op) {
  Calls calls = reduce(Attributes());
  if (op == "variance") append(&calls, reduce(Attributes().set("correction", 1)));
  return calls;
}

Calls arg_reduce() {
  Calls calls;
  for (const Fill fill : {Fill::ties, Fill::uniform, Fill::mixed, Fill::special}) {
    for (const int last : {0, 1}) {
      const auto with = [&](int64_t axis, int keepdims) {
        return Attributes().set("axis", axis).set("keepdims", keepdims).set("select_last_index", last);
      };
      calls.push_back({{{{1}, fill}}, with(0, 1)});
      calls.push_back({{{{20011}, fill}}, with(0, 0)});
      calls.push_back({{{{37, 65}, fill}}, with(0, 1)});
      calls.push_back({{{{37, 65}, fill}}, with(-1, 0)});
      calls.push_back({{{{3, 5, 7}, fill}}, with(-2, 1)});
    }
  }
  return calls;
}

Calls dot() {
  Calls calls;
  for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{65}, int64_t{16385}, kLong})
    calls.push_back({{{{n}, Fill::uniform}, {{n}, Fill::uniform}}, {}});
  calls.push_back({{{{777}, Fill::finite}, {{777}, Fill::uniform}}, {}});
  return calls;
}

Calls softmax() {
  return {{{{{1}}}, {}},
          {{{{7, 1000}, Fill::uniform}}, {}},
          {{{{7, 1000}, Fill::halves}}, {}},
          {{{{33, 65}, Fill::mixed}}, Attributes().set("axis", 0)},
          {{{{33, 65}, Fill::uniform}}, Attributes().set("axis", 0)},
          {{{{3, 5, 7}, Fill::positive}}, Attributes().set("axis", 1)},
          {{{{2, 20000}, Fill::uniform}}, Attributes().set("axis", -1)},
          {{{{64, 3}, Fill::special}}, {}},
          {{{{0, 4}}}, {}}};
}

Calls norm(bool has_bias) {
  Calls calls;
  struct Form {
    Shape shape, scale;
    int64_t axis;
    Fill fill;
  };
  const std::vector<Form> forms = {{{1}, {1}, -1, Fill::uniform},
                                   {{7, 1000}, {1000}, -1, Fill::uniform},
                                   {{5, 333}, {333}, 1, Fill::positive},
                                   {{3, 5, 7}, {5, 7}, 1, Fill::uniform},
                                   {{3, 5, 7}, {3, 5, 7}, 0, Fill::uniform},
                                   {{2, 20000}, {20000}, -1, Fill::uniform},
                                   {{64, 3}, {3}, -1, Fill::special},
                                   {{9, 65}, {65}, -1, Fill::mixed},
                                   {{0, 4}, {4}, -1, Fill::uniform}};
  for (const Form &form : forms) {
    const std::vector<Input> inputs = {{form.shape, form.fill}, {form.scale, Fill::uniform}};
    calls.push_back({inputs, Attributes().set("axis", form.axis)});
    if (!has_bias) continue;
    std::vector<Input> biased = inputs;
    biased.push_back({form.scale, Fill::uniform});
    calls.push_back({biased, Attributes().set("axis", form.axis).set("epsilon", 1e-3)});
  }
  return calls;
}

Calls matmul(Fill fill) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{1, 1}, {1, 1}},         {{7, 5}, {5, 3}},           {{65, 129}, {129, 67}}, {{129, 65}, {65, 255}},
      {{13, 1025}, {1025, 33}}, {{3, 1, 17, 9}, {2, 9, 5}}, {{9}, {9, 4}},          {{4, 9}, {9}},
      {{1, 1000}, {1000, 37}},  {{37, 1000}, {1000, 1}},    {{3, 0}, {0, 4}},       {{2, 33}, {33, 2}}};
  Calls calls;
  for (const auto &[a, b] : shapes) calls.push_back({{{a, fill}, {b, fill}}, {}});
  return calls;
}

Calls matmul() {
  Calls calls = matmul(Fill::uniform);
  const Attributes invariant = Attributes().set("batch_invariant", 1);
  append(&calls, {{{{{37, 1000}, Fill::uniform}, {{1000, 1}, Fill::uniform}}, invariant},
                  {{{{1, 1000}, Fill::uniform}, {{1000, 37}, Fill::uniform}}, invariant},
                  {{{{17, 19}, Fill::special}, {{19, 23}, Fill::special}}, {}}});
  return calls;
}

Calls gemm() {
  const auto with = [](double alpha, double beta, int a, int b) {
    return Attributes().set("alpha", alpha).set("beta", beta).set("transA", a).set("transB", b);
  };
  constexpr Fill u = Fill::uniform;
  return {{{{{7, 5}, u}, {{5, 3}, u}}, {}},
          {{{{65, 129}, u}, {{129, 67}, u}, {{67}, u}}, with(0.7, -1, 0, 0)},
          {{{{129, 65}, u}, {{129, 67}, u}, {{65, 1}, u}}, with(-1, 1, 1, 0)},
          {{{{65, 129}, u}, {{67, 129}, u}, {{65, 67}, u}}, with(1, 0.7, 0, 1)},
          {{{{129, 65}, u}, {{67, 129}, u}, {{}, u}}, with(1, 0, 1, 1)},
          {{{{129, 65}, u}, {{67, 129}, u}, {{}, Fill::special}}, with(0, 0, 1, 1)},
          {{{{1, 300}, u}, {{300, 41}, u}, {{41}, u}}, with(2, 0.5, 0, 0)},
          {{{{41, 300}, u}, {{300, 1}, u}, {{1}, u}}, Attributes().set("batch_invariant", 1)},
          {{{{3, 0}, u}, {{0, 4}, u}, {{3, 4}, u}}, {}}};
}

Calls transpose() {
  return {{{{{}}}, {}},
          {{{{65, 129}}}, {}},
          {{{{3, 5, 7}}}, Attributes().set("perm", std::vector<int64_t>{2, 0, 1})},
          {{{{2, 3, 0}}}, {}},
          {{{{17, 1, 9, 5}}}, Attributes().set("perm", std::vector<int64_t>{-1, 1, 0, 2})},
          {{{{300, 211}}}, {}}};
}

Calls matmul_integer() {
  Calls calls = matmul(Fill::mixed);
  append(&calls, {{{{{65, 129}}, {{129, 67}}, {{}}}, {}},
                  {{{{65, 129}}, {{129, 67}}, {{65}}, {{67}}}, {}},
                  {{{{65, 129}}, {{129, 67}}, kAbsent, {{}}}, {}},
                  {{{{5, 7}}, {{7, 3}}, {{}}, {{}}}, {}}});
  return calls;
}

Calls quantize(const std::string &op, const std::string &types) {
  const bool forward = op == "quantize_linear";
  const auto data = [&](Shape shape, Fill fill = Fill::mixed) { return Input{std::move(shape), fill}; };
  Calls calls = {{{data({}), {{}, Fill::positive}, {{}}}, {}},
                 {{data({0}), {{}, Fill::positive}, {{}}}, {}},
                 {{data({4097}, Fill::halves), {{}, Fill::positive}, {{}}}, {}},
                 {{data({kLong}), {{}, Fill::positive}, {{}}}, {}},
                 {{data({3, 65, 7}), {{65}, Fill::positive}, {{65}}}, Attributes().set("axis", 1)},
                 {{data({33, 129}, Fill::special), {{129}, Fill::positive}, {{129}}}, Attributes().set("axis", -1)},
                 {{data({33, 129}, Fill::halves), {{33}, Fill::positive}, {{33}}}, Attributes().set("axis", 0)}};
  if (forward) {
    calls.push_back(
        {{data({513}, Fill::halves), {{}, Fill::positive}}, Attributes().set("output_dtype", types.c_str())});
  } else {
    calls.push_back({{data({513}), {{}, Fill::positive}}, {}});
  }
  return calls;
}

Calls cast() {
  Calls calls;
  for (const char *to : {"f32", "f64", "f16", "bf16", "i8", "u8", "i32", "i64"}) {
    const Attributes attributes = Attributes().set("to", to);
    calls.push_back({{{{}}}, attributes});
    calls.push_back({{{{0, 3}}}, attributes});
    calls.push_back({{{{3, 5, 7}}}, attributes});
    calls.push_back({{{{17001}}}, attributes});
    calls.push_back({{{{special_count()}, Fill::special}}, attributes});
    calls.push_back({{{{1021}, Fill::halves}}, attributes});
  }
  return calls;
}

}  // namespace

std::vector<Call> calls_of(const std::string &op, const std::string &family, const std::string &types) {
  if (op == "dot") return dot();
  if (op == "argmax" || op == "argmin") return arg_reduce();
  if (op == "softmax" || op == "log_softmax") return softmax();
  if (op == "layer_norm" || op == "rms_norm") return norm(op == "layer_norm");
  if (op == "matmul") return matmul();
  if (op == "gemm") return gemm();
  if (op == "transpose") return transpose();
  if (op == "matmul_integer") return matmul_integer();
  if (op == "quantize_linear" || op == "dequantize_linear") return quantize(op, types);
  if (op == "cast") return cast();
  if (family == "unary") return unary(op);
  if (family == "binary") return binary();
  if (family == "ternary") return ternary(op);
  if (family == "reduce") return reduce(op);
  return {};
}

}  // namespace rayo::digests
