// SPDX-License-Identifier: Apache-2.0
//
// The CPU gate, asked one feature at a time: a copy of a plugin whose note demands just that feature is let in or
// refused, and the answer is held against CPUID and XGETBV as read here by hand.
// Source of the bits: Intel SDM vol. 2, CPUID leaves 1 and 7; vol. 1 section 13.3, XCR0.
#include <fmt/format.h>
#include <rayo/plugin.h>
#include <stdlib.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "claims/bare_runtime.hpp"
#include "claims/claim.hpp"

namespace rayo::conform::claims {
namespace {

namespace fs = std::filesystem;

#if defined(__x86_64__)

struct Registers {
  std::uint32_t a, b, c, d;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r{};
  __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
  return r;
}

bool bit(std::uint32_t word, unsigned number) { return (word >> number & 1u) != 0; }

struct Feature {
  std::uint64_t mask;
  const char *name;
  bool present;
};

// What the processor has and the operating system saves the registers of.
std::vector<Feature> features_here() {
  const Registers zero = cpuid(0, 0);
  const Registers one = cpuid(1, 0);
  const Registers seven = zero.a >= 7 ? cpuid(7, 0) : Registers{};
  const Registers seven_one = zero.a >= 7 && seven.a >= 1 ? cpuid(7, 1) : Registers{};
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  if (bit(one.c, 27)) __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const bool avx = bit(low, 1) && bit(low, 2) && bit(one.c, 28);
  const bool avx512 = avx && bit(low, 5) && bit(low, 6) && bit(low, 7) && bit(seven.b, 16);
  return {{RAYO_CPU_SSE42, "sse4.2", bit(one.c, 20)},
          {RAYO_CPU_AVX, "avx", avx},
          {RAYO_CPU_FMA, "fma", avx && bit(one.c, 12)},
          {RAYO_CPU_F16C, "f16c", avx && bit(one.c, 29)},
          {RAYO_CPU_AVX2, "avx2", avx && bit(seven.b, 5)},
          {RAYO_CPU_BMI2, "bmi2", bit(seven.b, 8)},
          {RAYO_CPU_AVX512F, "avx512f", avx512},
          {RAYO_CPU_AVX512BW, "avx512bw", avx512 && bit(seven.b, 30)},
          {RAYO_CPU_AVX512DQ, "avx512dq", avx512 && bit(seven.b, 17)},
          {RAYO_CPU_AVX512VL, "avx512vl", avx512 && bit(seven.b, 31)},
          {RAYO_CPU_AVX512VNNI, "avx512vnni", avx512 && bit(seven.c, 11)},
          {RAYO_CPU_AVXVNNI, "avxvnni", avx && bit(seven_one.a, 4)},
          {RAYO_CPU_NEON, "neon", false},
          {RAYO_CPU_DOTPROD, "dotprod", false},
          {RAYO_CPU_FP16, "fp16", false}};
}

#endif

std::vector<char> read_file(const std::string &file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Offset of the one Rayo note in a plugin file; throws NotEvaluated where it is not plain to see.
std::size_t find_note(const std::vector<char> &bytes, const std::string &file) {
  const rayo_note head{5, sizeof(rayo_note_desc), RAYO_NOTE_TYPE, RAYO_NOTE_OWNER, {}};
  std::size_t found = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i + sizeof(rayo_note) <= bytes.size(); i += 4) {
    if (std::memcmp(bytes.data() + i, &head, offsetof(rayo_note, desc)) != 0) continue;
    ++found;
    at = i + offsetof(rayo_note, desc);
  }
  if (found != 1) throw NotEvaluated(fmt::format("{}: {} notes found in the file, 1 expected", file, found));
  return at;
}

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((fs::temp_directory_path() / "rayo-claims-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) throw NotEvaluated("no temporary folder could be made at " + path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

// A copy of the plugin that demands `needs`.
std::string demanding(const TemporaryFolder &folder, std::vector<char> bytes, std::size_t note, std::uint64_t needs,
                      const std::string &name) {
  rayo_note_desc desc;
  std::memcpy(&desc, bytes.data() + note, sizeof desc);
  desc.cpu_low = static_cast<std::uint32_t>(needs);
  desc.cpu_high = static_cast<std::uint32_t>(needs >> 32);
  std::memcpy(bytes.data() + note, &desc, sizeof desc);
  std::string file = folder.path() + "/" + name + ".so";
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return file;
}

}  // namespace

std::string cpu_gate(const Setting &setting) {
  const Backend &scalar = setting.need("scalar");
#if defined(__x86_64__)
  const std::vector<char> bytes = read_file(scalar.file);
  const std::size_t note = find_note(bytes, scalar.file);
  const TemporaryFolder folder;
  const std::vector<Feature> features = features_here();
  std::size_t present = 0;
  for (const Feature &feature : features) {
    setting.step(fmt::format("loading a copy of {} that demands {}", scalar.file, feature.name));
    std::string text;
    const rayo_status status = try_load(demanding(folder, bytes, note, feature.mask, feature.name), text);
    present += feature.present ? 1 : 0;
    const bool named = text.find(fmt::format("needs {}: not on this CPU", feature.name)) != std::string::npos;
    const bool as_expected = feature.present ? status == RAYO_OK : status != RAYO_OK && named;
    if (as_expected) continue;
    throw Refuted(fmt::format("{}: CPUID and XGETBV say {}, the gate answers {} {}", feature.name,
                              feature.present ? "present" : "absent", rayo_status_name(status), text));
  }
  return fmt::format(
      "{} of {} features answered as CPUID and XGETBV say ({} present, {} absent and named in the refusal)",
      features.size(), features.size(), present, features.size() - present);
#else
  throw NotEvaluated(fmt::format("{}: CPUID and XGETBV are x86 instructions", scalar.name));
#endif
}

}  // namespace rayo::conform::claims
