// SPDX-License-Identifier: Apache-2.0
//
// Sources: Intel SDM vol. 1 section 13.2 and vol. 2 CPUID (leaves 1, 7.0, 7.1), XGETBV bits of XCR0; Linux
// Documentation/arch/arm64/elf_hwcaps.
#include "loader/cpu_features.hpp"

#include <algorithm>

#include "base/env.hpp"
#include "base/error.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace rayo {
namespace {

constexpr uint64_t kNeedsAvx512f = RAYO_CPU_AVX512BW | RAYO_CPU_AVX512DQ | RAYO_CPU_AVX512VL | RAYO_CPU_AVX512VNNI;
constexpr uint64_t kNeedsAvx2 = RAYO_CPU_AVXVNNI | RAYO_CPU_AVX512F | kNeedsAvx512f;
constexpr uint64_t kNeedsAvx = RAYO_CPU_FMA | RAYO_CPU_F16C | RAYO_CPU_AVX2 | kNeedsAvx2;

struct Feature {
  uint64_t bit;
  const char *name;
  uint64_t dependants;  // features that cannot be there without this one
};
constexpr Feature kFeatures[] = {
    {RAYO_CPU_SSE42, "sse4.2", 0},
    {RAYO_CPU_AVX, "avx", kNeedsAvx},
    {RAYO_CPU_FMA, "fma", 0},
    {RAYO_CPU_F16C, "f16c", 0},
    {RAYO_CPU_AVX2, "avx2", kNeedsAvx2},
    {RAYO_CPU_BMI2, "bmi2", 0},
    {RAYO_CPU_AVX512F, "avx512f", kNeedsAvx512f},
    {RAYO_CPU_AVX512BW, "avx512bw", 0},
    {RAYO_CPU_AVX512DQ, "avx512dq", 0},
    {RAYO_CPU_AVX512VL, "avx512vl", 0},
    {RAYO_CPU_AVX512VNNI, "avx512vnni", 0},
    {RAYO_CPU_AVXVNNI, "avxvnni", 0},
    {RAYO_CPU_NEON, "neon", RAYO_CPU_DOTPROD | RAYO_CPU_FP16},
    {RAYO_CPU_DOTPROD, "dotprod", 0},
    {RAYO_CPU_FP16, "fp16", 0},
};

constexpr uint64_t kAllFeatures = [] {
  uint64_t all = 0;
  for (const Feature &feature : kFeatures) all |= feature.bit;
  return all;
}();

#if defined(__x86_64__)

// XCR0: which register state the operating system saves. Legal only when CPUID.1:ECX.OSXSAVE is set.
uint64_t read_xcr0() noexcept {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

uint64_t detect() noexcept {
  constexpr uint64_t kYmmState = 0x6;   // SSE and AVX state
  constexpr uint64_t kZmmState = 0xe6;  // and opmask, ZMM_Hi256, Hi16_ZMM
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return 0;
  uint64_t found = 0;
  const auto add = [&found](bool present, uint64_t feature) {
    if (present) found |= feature;
  };
  const uint64_t xcr0 = (c & bit_OSXSAVE) != 0 ? read_xcr0() : 0;
  const bool ymm = (xcr0 & kYmmState) == kYmmState && (c & bit_AVX) != 0;
  add((c & bit_SSE4_2) != 0, RAYO_CPU_SSE42);
  add(ymm, RAYO_CPU_AVX);
  add(ymm && (c & bit_FMA) != 0, RAYO_CPU_FMA);
  add(ymm && (c & bit_F16C) != 0, RAYO_CPU_F16C);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
  const unsigned last_subleaf = a;
  const bool zmm = ymm && (xcr0 & kZmmState) == kZmmState && (b & bit_AVX512F) != 0;
  add((b & bit_BMI2) != 0, RAYO_CPU_BMI2);
  add(ymm && (b & bit_AVX2) != 0, RAYO_CPU_AVX2);
  add(zmm, RAYO_CPU_AVX512F);
  add(zmm && (b & bit_AVX512BW) != 0, RAYO_CPU_AVX512BW);
  add(zmm && (b & bit_AVX512DQ) != 0, RAYO_CPU_AVX512DQ);
  add(zmm && (b & bit_AVX512VL) != 0, RAYO_CPU_AVX512VL);
  add(zmm && (c & bit_AVX512VNNI) != 0, RAYO_CPU_AVX512VNNI);
  if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    add(ymm && (a & (1u << 4)) != 0, RAYO_CPU_AVXVNNI);
  }
  return found;
}

#elif defined(__aarch64__)

uint64_t detect() noexcept {
  const unsigned long hwcap = getauxval(AT_HWCAP);
  uint64_t found = 0;
  if ((hwcap & HWCAP_ASIMD) != 0) found |= RAYO_CPU_NEON;
  if ((hwcap & HWCAP_ASIMDDP) != 0) found |= RAYO_CPU_DOTPROD;
  if ((hwcap & HWCAP_FPHP) != 0 && (hwcap & HWCAP_ASIMDHP) != 0) found |= RAYO_CPU_FP16;
  return found;
}

#else

uint64_t detect() noexcept { return 0; }

#endif

}  // namespace

uint64_t detect_cpu_features() noexcept {
  static const uint64_t features = detect();
  return features;
}

std::string cpu_feature_names(uint64_t features) {
  std::string names;
  for (uint32_t bit = 0; bit < 64; ++bit) {
    const uint64_t mask = uint64_t{1} << bit;
    if ((features & mask) == 0) continue;
    const auto *known = std::find_if(std::begin(kFeatures), std::end(kFeatures),
                                     [mask](const Feature &feature) { return feature.bit == mask; });
    if (!names.empty()) names += ", ";
    names += known != std::end(kFeatures) ? std::string(known->name) : fmt::format("bit {}", bit);
  }
  return names.empty() ? "none" : names;
}

uint64_t parse_cpu_disable(std::string_view source, std::string_view text) {
  uint64_t disabled = 0;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto *known = std::find_if(std::begin(kFeatures), std::end(kFeatures),
                                     [name](const Feature &feature) { return name == feature.name; });
    if (known == std::end(kFeatures)) {
      fail(RAYO_INVALID_ARGUMENT, "{} names {}; legal, with commas between: {}", source, quote(name),
           cpu_feature_names(kAllFeatures));
    }
    disabled |= known->bit | known->dependants;
  }
  return disabled;
}

}  // namespace rayo
