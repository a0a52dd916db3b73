// SPDX-License-Identifier: Apache-2.0
//
// A claim, and what its decider gets and gives. A decider runs in a child process of its own, makes a comparison that
// could go either way, and returns the evidence: a number and what was compared.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rayo::conform::claims {

enum class Outcome { upheld, refuted, not_evaluated };
std::string_view outcome_name(Outcome outcome);

// A plugin file that the run may use, as it described itself when it was loaded alone.
struct Backend {
  std::string name;
  std::string file;
  std::string sha256;
  bool gpu = false;    // has a device of kind GPU
  bool host = false;   // has kernels for host memory: the claims about CPU plugins are about it
  std::string reason;  // why it is not ready; empty = it is
};

struct Setting {
  std::vector<Backend> backends;  // every file seen, ready or not
  std::string reference;          // file of the scalar plugin, if none of the backends is it
  std::string aarch64;            // build folder for 64-bit ARM (bin/, lib/); empty = none
  std::string arguments;          // of the command line that a command in a report must repeat: " --seed 7"
  std::uint64_t seed = 1;
  bool nightly = false;
  // Says what is tried next. A step without another behind it for kStepSeconds hangs; a crash is blamed on the last
  // one.
  std::function<void(const std::string &)> step;

  const Backend &need(std::string_view name) const;  // ready; otherwise throws NotEvaluated
  std::vector<const Backend *> ready() const;        // with host kernels: at least one, else throws NotEvaluated
};
inline constexpr int kStepSeconds = 120;

// The comparison went against the claim. `command` shows it again, where one line can.
struct Refuted : std::runtime_error {
  explicit Refuted(const std::string &evidence, std::string command_line = {})
      : std::runtime_error(evidence), command(std::move(command_line)) {}
  std::string command;
};
// No comparison decided it: why, and what would.
struct NotEvaluated : std::runtime_error {
  explicit NotEvaluated(const std::string &reason, std::string command_line = {})
      : std::runtime_error(reason), command(std::move(command_line)) {}
  std::string command;
};

// "rayo conform --plugin FILE --case 'LINE'"
std::string replay(const Backend &backend, const std::string &line);

// Evidence of an upheld claim.
using Decider = std::string (*)(const Setting &);

// What must exist before a claim can be decided.
enum class Needs { nothing, gpu, cuda, neon_hardware, wasm, profile, stress, dashboard, pictures };

struct Claim {
  std::string_view id;
  std::string_view title;
  Needs needs;
  Decider decide;      // NULL: whatever it needs does not exist in this version
  bool alone = false;  // measures time: nothing else of ours runs beside it
};
std::span<const Claim> all_claims();

// Deciders, by the file they are in.
std::string scalar_repeats(const Setting &);  // determinism.cpp
std::string repeats_with_redrawn_inputs(const Setting &);
std::string thread_counts(const Setting &);
std::string repeats_at_sizes(const Setting &);
std::string repeats_on_extremes(const Setting &);
std::string repeats_on_subnormals(const Setting &);
std::string repeats_on_nan(const Setting &);
std::string repeats_on_infinity(const Setting &);
std::string gpus_repeat(const Setting &);
std::string shuffled_order(const Setting &);  // conditions.cpp
std::string under_load(const Setting &);
std::string under_memory_limit(const Setting &);
std::string in_forked_child(const Setting &);
std::string in_parallel(const Setting &);
std::string avx2_equals_scalar(const Setting &);  // backends.cpp
std::string avx512_equals_scalar(const Setting &);
std::string cpu_gate(const Setting &);                // gate.cpp
std::string falls_back_without_gpu(const Setting &);  // selection.cpp
std::string same_choice(const Setting &);
std::string choice_time(const Setting &);
std::string avx512_against_avx2(const Setting &);  // speed.cpp
std::string subnormals_kept(const Setting &);
std::string pcg32_vectors(const Setting &);  // random.cpp
std::string pcg32_seeds(const Setting &);
std::string add_commutes(const Setting &);  // algebra.cpp
std::string add_associates(const Setting &);
std::string mul_commutes(const Setting &);
std::string dot_commutes(const Setting &);
std::string dot_of_itself(const Setting &);
std::string softmax_sums_to_one(const Setting &);
std::string relu_everywhere(const Setting &);  // functions.cpp
std::string sigmoid_everywhere(const Setting &);
std::string tanh_everywhere(const Setting &);
std::string gelu_everywhere(const Setting &);
std::string swish_everywhere(const Setting &);
std::string every_tail(const Setting &);  // layout.cpp
std::string empty_operands(const Setting &);
std::string one_element(const Setting &);
std::string every_misalignment(const Setting &);
std::string ymm_loops(const Setting &);  // disassembly.cpp
std::string zmm_loops(const Setting &);
std::string fma_loops(const Setting &);
std::string neon_loops(const Setting &);
std::string ptx_entries(const Setting &);  // cuda.cpp
std::string ptx_shared_addresses(const Setting &);
std::string ptx_gemm_barriers(const Setting &);
std::string ptx_attention_barriers(const Setting &);
std::string ptx_causal_names(const Setting &);
std::string ptx_loops(const Setting &);
std::string ptxas_spills(const Setting &);
std::string ptx_assembles(const Setting &);
std::string ptxas_shared(const Setting &);
std::string ptxas_registers(const Setting &);
std::string cuda_softmax_large(const Setting &);  // gpu.cpp
std::string cuda_layer_norm_constant(const Setting &);
std::string cuda_quantize(const Setting &);
std::string cuda_odd_shapes(const Setting &);
std::string cuda_kernels(const Setting &);
std::string gpus_within_bounds(const Setting &);
std::string vulkan_shaders_valid(const Setting &);  // vulkan_shaders.cpp
std::string vulkan_add(const Setting &);            // vulkan.cpp
std::string vulkan_mul(const Setting &);
std::string vulkan_dot(const Setting &);
std::string vulkan_relu(const Setting &);
std::string vulkan_sigmoid(const Setting &);
std::string vulkan_tanh(const Setting &);
std::string vulkan_gelu(const Setting &);
std::string vulkan_swish(const Setting &);
std::string vulkan_softmax(const Setting &);
std::string vulkan_matmul(const Setting &);
std::string vulkan_oversized_buffer(const Setting &);  // vulkan_faults.cpp
std::string vulkan_watchdog(const Setting &);
std::string vulkan_error_texts(const Setting &);
std::string every_vulkan_driver(const Setting &);  // vulkan.cpp
std::string memory_per_call(const Setting &);      // suite.cpp
std::string deterministic_cases_pass(const Setting &);
std::string report_complete(const Setting &);
std::string seed_reproduces(const Setting &);

}  // namespace rayo::conform::claims
