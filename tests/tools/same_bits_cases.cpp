// SPDX-License-Identifier: Apache-2.0
#include "same_bits_cases.hpp"

namespace rayo::tools::test {
namespace {

using nlohmann::json;
using Cases = std::vector<BitsCase>;

Cases binary_cases() {
  return {{{{513}, {513}}},     {{{}, {}}},         {{{7, 5, 3}, {5, 3}}},  {{{4, 1, 3}, {2, 3}}},   {{{}, {65}}},
          {{{33, 1}, {1, 31}}}, {{{0, 3}, {1, 3}}}, {{{100003}, {100003}}}, {{{257, 129}, {257, 1}}}};
}

Cases unary_cases(const std::string &op) {
  Cases cases;
  for (const json &attributes :
       op == "gelu" ? json::parse(R"([{"approximate":"none"},{"approximate":"tanh"}])") : json::parse("[{}]")) {
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{}, {0}, {1}, {7}, {63}, {64}, {65}, {3, 5, 7}, {257}, {4097}, {100003}}) {
      cases.push_back({{shape}, attributes});
    }
  }
  return cases;
}

Cases with_alpha_cases(const std::string &op) {
  Cases cases = unary_cases(op);
  cases.push_back({{{257}}, {{"alpha", -1.5}}});
  return cases;
}

Cases ternary_cases(const std::string &op) {
  Cases cases = {
      {{{513}, {513}, {513}}},    {{{}, {}, {}}},           {{{65}, {}, {1}}},       {{{}, {65}, {65}}},
      {{{7, 5, 3}, {5, 3}, {3}}}, {{{33, 1}, {1, 31}, {}}}, {{{0, 3}, {1, 3}, {3}}}, {{{20003}, {20003}, {20003}}}};
  for (BitsCase &each : cases) {
    if (op == "where") each.dtypes = {"u8"};
  }
  if (op == "clip") cases.push_back({{{65}, {}}});
  return cases;
}

Cases reduce_cases() {
  return {{{{1}}},
          {{{}}},
          {{{65}}},
          {{{100003}}},
          {{{257, 129}}, {{"axes", {0}}}},
          {{{257, 129}}, {{"axes", {1}}, {"keepdims", 0}}},
          {{{3, 5, 7, 2}}, {{"axes", {0, 2}}, {"keepdims", 0}}},
          {{{3, 5, 7, 2}}, {{"axes", {-1, 1}}}},
          {{{3, 40000}}, {{"axes", {1}}}},
          {{{40000, 3}}, {{"axes", {0}}}},
          {{{2, 0, 4}}, {{"axes", {0}}}}};
}

Cases argmax_cases() {
  return {{{{1}}},
          {{{100003}}},
          {{{37, 65}}, {{"axis", 0}}},
          {{{37, 65}}, {{"axis", 1}, {"keepdims", 0}}},
          {{{3, 5, 7}}, {{"axis", -2}, {"select_last_index", 1}}}};
}

Cases normalise_cases() {
  return {{{{1}}},
          {{{7, 1000}}},
          {{{33, 65}}, {{"axis", 0}}},
          {{{3, 5, 7}}, {{"axis", 1}}},
          {{{2, 40000}}, {{"axis", -1}}},
          {{{0, 4}}}};
}

Cases variance_cases() {
  Cases cases = reduce_cases();
  cases.push_back({{{65, 33}}, {{"axes", {0}}, {"correction", 1}}});
  cases.push_back({{{65, 33}}, {{"axes", {1}}, {"correction", 1}}});
  return cases;
}

// Scale and, for layer_norm, bias.
Cases norm_cases(std::size_t inputs) {
  Cases cases;
  const auto add = [&](std::vector<int64_t> x, const std::vector<int64_t> &parameter, json attributes) {
    std::vector<std::vector<int64_t>> shapes(inputs, parameter);
    shapes[0] = std::move(x);
    cases.push_back({std::move(shapes), std::move(attributes)});
  };
  const json none = json::object();
  add({1}, {1}, none);
  add({7, 1000}, {1000}, none);
  add({33, 65}, {65}, {{"epsilon", 0.5}});
  add({3, 5, 7}, {5, 7}, {{"axis", 1}});
  add({3, 5, 7}, {7}, {{"axis", 0}});
  add({2, 20000}, {20000}, none);
  add({0, 4}, {4}, none);
  cases.push_back({{{9, 129}, {129}}});
  return cases;
}

Cases matmul_cases() {
  return {{{{1, 1}, {1, 1}}},
          {{{7, 5}, {5, 3}}},
          {{{65, 129}, {129, 67}}},
          {{{255, 257}, {257, 63}}},
          {{{13, 2049}, {2049, 33}}},
          {{{3, 1, 17, 9}, {2, 9, 5}}},
          {{{9}, {9, 4}}},
          {{{4, 9}, {9}}},
          {{{1, 1000}, {1000, 37}}},
          {{{37, 1000}, {1000, 1}}},
          {{{37, 1000}, {1000, 1}}, {{"batch_invariant", 1}}},
          {{{3, 0}, {0, 4}}}};
}

Cases gemm_cases() {
  return {{{{7, 5}, {5, 3}}},
          {{{65, 129}, {129, 67}, {67}}, {{"alpha", 0.7}, {"beta", -1.0}}},
          {{{129, 65}, {129, 67}, {65, 1}}, {{"transA", 1}, {"alpha", -1.0}}},
          {{{65, 129}, {67, 129}, {65, 67}}, {{"transB", 1}, {"beta", 0.7}}},
          {{{129, 65}, {67, 129}, {}}, {{"transA", 1}, {"transB", 1}, {"beta", 0.0}}},
          {{{1, 300}, {300, 41}, {41}}},
          {{{41, 300}, {300, 1}, {1}}, {{"batch_invariant", 1}}}};
}

Cases transpose_cases() {
  return {{{{}}}, {{{65, 129}}}, {{{3, 5, 7}}, {{"perm", {2, 0, 1}}}}, {{{2, 3, 0}}}, {{{17, 1, 9, 5}}}};
}

Cases matmul_integer_cases() {
  Cases cases;
  for (const char *other : {"u8", "i8"}) {
    const std::vector<std::string> dtypes = {"", other, "", other};
    cases.push_back({{{7, 5}, {5, 3}}, json::object(), dtypes});
    cases.push_back({{{65, 129}, {129, 67}, {}, {}}, json::object(), dtypes});
    cases.push_back({{{33, 100}, {100, 31}, {33}, {31}}, json::object(), dtypes});
    cases.push_back({{{3, 1, 17, 9}, {2, 9, 5}, {17}}, json::object(), dtypes});
    cases.push_back({{{9}, {9, 4}}, json::object(), dtypes});
  }
  return cases;
}

Cases quantise_cases(const std::string &op) {
  const bool back = op == "dequantize_linear";
  const std::vector<std::string> dtypes = {back ? "" : "f32", "f32", ""};
  Cases cases = {{{{1000}, {}, {}}, {{"axis", 0}}, dtypes},       {{{7, 65}, {65}, {65}}, json::object(), dtypes},
                 {{{7, 65, 3}, {7}, {7}}, {{"axis", 0}}, dtypes}, {{{0, 3}, {3}, {3}}, json::object(), dtypes},
                 {{{100003}, {}, {}}, {{"axis", 0}}, dtypes},     {{{129}, {}}, {{"axis", 0}}, dtypes}};
  if (!back) cases.push_back({{{129}, {}}, {{"axis", 0}, {"output_dtype", "i8"}}, dtypes});
  return cases;
}

Cases cast_cases() {
  Cases cases;
  for (const char *to : {"f32", "f64", "i8", "u8", "i32", "i64"}) {
    for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{}, {0}, {65}, {3, 5, 7}, {4097}}) {
      cases.push_back({{shape}, {{"to", to}}});
    }
  }
  return cases;
}

}  // namespace

std::vector<BitsCase> bits_cases(const std::string &op, const std::string &family) {
  if (op == "dot") return {{{{0}, {0}}}, {{{1}, {1}}}, {{{65}, {65}}}, {{{16385}, {16385}}}, {{{100003}, {100003}}}};
  if (op == "argmax" || op == "argmin") return argmax_cases();
  if (op == "matmul") return matmul_cases();
  if (op == "gemm") return gemm_cases();
  if (op == "transpose") return transpose_cases();
  if (op == "softmax" || op == "log_softmax") return normalise_cases();
  if (op == "layer_norm") return norm_cases(3);
  if (op == "rms_norm") return norm_cases(2);
  if (op == "variance") return variance_cases();
  if (op == "matmul_integer") return matmul_integer_cases();
  if (op == "quantize_linear" || op == "dequantize_linear") return quantise_cases(op);
  if (op == "cast") return cast_cases();
  if (op == "leaky_relu" || op == "elu") return with_alpha_cases(op);
  if (family == "ternary") return ternary_cases(op);
  if (family == "binary") return binary_cases();
  if (family == "unary") return unary_cases(op);
  if (family == "reduce") return reduce_cases();
  return {};
}

}  // namespace rayo::tools::test
