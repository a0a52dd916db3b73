// SPDX-License-Identifier: Apache-2.0
//
// The shaders, compiled by glslc when this was built, as words.
#include "spirv.h"

namespace rayo::vulkan {
namespace {

constexpr uint32_t kUnaryWords[] = {
#include "unary.spv.inc"
};
constexpr uint32_t kBinaryWords[] = {
#include "binary.spv.inc"
};
constexpr uint32_t kQuantiseWords[] = {
#include "quantise.spv.inc"
};
constexpr uint32_t kReduceWords[] = {
#include "reduce.spv.inc"
};
constexpr uint32_t kRowsWords[] = {
#include "rows.spv.inc"
};
constexpr uint32_t kMatmulWords[] = {
#include "matmul.spv.inc"
};

struct Embedded {
  const char *name;
  std::span<const uint32_t> words;
};
// By Shader.
constexpr Embedded kShaders[] = {{"unary", kUnaryWords},   {"binary", kBinaryWords}, {"quantise", kQuantiseWords},
                                 {"reduce", kReduceWords}, {"rows", kRowsWords},     {"matmul", kMatmulWords}};

}  // namespace

std::span<const uint32_t> embedded(Shader shader) { return kShaders[static_cast<size_t>(shader)].words; }
const char *shader_name(Shader shader) { return kShaders[static_cast<size_t>(shader)].name; }

}  // namespace rayo::vulkan
