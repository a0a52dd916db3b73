// SPDX-License-Identifier: Apache-2.0
//
// The shaders, compiled by glslc when this was built, as words.
#include <iterator>

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

static_assert(std::size(kShaders) == RAYO_VULKAN_SHADERS, "the build compiles other shaders than the table has");

// "rayo vulkan shaders: 06", for who counts the modules in the file without running it.
struct Mark {
  char text[32] = "rayo vulkan shaders: ";
  constexpr Mark() {
    static_assert(std::size(kShaders) < 100);
    text[21] = static_cast<char>('0' + std::size(kShaders) / 10);
    text[22] = static_cast<char>('0' + std::size(kShaders) % 10);
  }
};
[[gnu::used]] constexpr Mark kMark;

}  // namespace

std::span<const uint32_t> embedded(Shader shader) { return kShaders[static_cast<size_t>(shader)].words; }
const char *shader_name(Shader shader) { return kShaders[static_cast<size_t>(shader)].name; }

}  // namespace rayo::vulkan
