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

}  // namespace

std::vector<BitsCase> bits_cases(const std::string &op, const std::string &family) {
  if (op == "dot") return {{{{0}, {0}}}, {{{1}, {1}}}, {{{65}, {65}}}, {{{16385}, {16385}}}, {{{100003}, {100003}}}};
  if (op == "argmax" || op == "argmin") return argmax_cases();
  if (op == "matmul") return matmul_cases();
  if (op == "gemm") return gemm_cases();
  if (op == "transpose") return transpose_cases();
  if (op == "softmax" || op == "log_softmax") return normalise_cases();
  if (family == "binary") return binary_cases();
  if (family == "unary") return unary_cases(op);
  if (family == "reduce") return reduce_cases();
  return {};
}

}  // namespace rayo::tools::test
