// SPDX-License-Identifier: Apache-2.0
//
// The deciders of D-051 ... D-064 that need no GPU: the PTX inside the plugin's file, and what ptxas of the machine's
// toolkit says of it. They look at the file alone, so a plugin that is rejected for want of a driver is judged too.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "abi/elf_file.hpp"
#include "claims/claim.hpp"
#include "claims/cuda_code.hpp"

namespace rayo::conform::claims {
namespace {

namespace fs = std::filesystem;

std::vector<PtxModule> modules_of(const Setting &setting) {
  for (const Backend &b : setting.backends) {
    if (b.name != "cuda" && fs::path(b.file).filename() != "cuda.so") continue;
    const auto section = abi::ElfFile(b.file).section(".rayo.ptx");
    if (!section) continue;
    setting.step("parsing the PTX in " + b.file);
    return parse_ptx_section(*section);
  }
  throw NotEvaluated(fmt::format("there is no plugin 'cuda' with PTX among the {} found: it is built where nvcc is",
                                 setting.backends.size()));
}

/// ptxas of the machine's toolkit, run on files of a folder of its own.
class Assembler {
 public:
  Assembler() {
    std::vector<std::string> places;
    if (const char *home = std::getenv("CUDA_PATH")) places.push_back(fmt::format("{}/bin/ptxas", home));
    std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
    for (std::size_t at = 0; at <= path.size();) {
      const auto end = std::min(path.find(':', at), path.size());
      if (end > at) places.push_back(path.substr(at, end - at) + "/ptxas");
      at = end + 1;
    }
    places.emplace_back("/usr/local/cuda/bin/ptxas");
    for (const std::string &place : places) {
      if (::access(place.c_str(), X_OK) == 0) {
        program_ = place;
        break;
      }
    }
    if (program_.empty()) throw NotEvaluated("there is no ptxas here (the CUDA Toolkit has it): nothing was assembled");
    std::string pattern = (fs::temp_directory_path() / "rayo_ptx_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw NotEvaluated("no temporary folder can be made");
    folder_ = pattern;
  }
  ~Assembler() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Assembler(const Assembler &) = delete;
  Assembler &operator=(const Assembler &) = delete;

  std::vector<std::string> architectures() const {
    std::string text;
    (void)run({"--help"}, text);
    std::vector<std::string> names = listed_architectures(text);
    if (names.empty()) throw NotEvaluated(program_ + " --help names no architecture");
    return names;
  }
  /// ptxas -v; throws Refuted with its words where it fails.
  std::string assemble(const PtxModule &module, const std::string &architecture) const {
    const std::string ptx = (folder_ / "module.ptx").string();
    std::ofstream(ptx) << module.text;
    std::string text;
    const int status = run({"-v", "-arch=" + architecture, ptx, "-o", (folder_ / "module.cubin").string()}, text);
    if (status != 0) {
      throw Refuted(fmt::format("ptxas for {} fails: {}", architecture,
                                text.substr(0, std::min<std::size_t>(300, text.find("\n\n")))),
                    fmt::format("{} -v -arch={} MODULE.ptx", program_, architecture));
    }
    return text;
  }

 private:
  /// stdout and stderr together. No argument of ours holds a quote.
  int run(const std::vector<std::string> &arguments, std::string &text) const {
    std::string command = "'" + program_ + "'";
    for (const std::string &argument : arguments) command += " '" + argument + "'";
    command += " 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE *)> pipe(::popen(command.c_str(), "re"), [](FILE *) { return 0; });
    if (pipe == nullptr) throw NotEvaluated(program_ + " cannot be started");
    std::array<char, 4096> piece{};
    for (std::size_t n; (n = std::fread(piece.data(), 1, piece.size(), pipe.get())) > 0;) text.append(piece.data(), n);
    return ::pclose(pipe.get());
  }

  std::string program_;
  fs::path folder_;
};

/// The modules' own target, the oldest the code runs on, and the newest that the assembler knows.
std::vector<std::string> two_architectures(const std::vector<PtxModule> &modules, const Assembler &assembler) {
  std::vector<std::string> two{modules.at(0).target};
  const std::string newest = assembler.architectures().back();
  if (newest != two[0]) two.push_back(newest);
  return two;
}

std::string decide_use(const Setting &setting, Limit limit) {
  const std::vector<PtxModule> modules = modules_of(setting);
  const Assembler assembler;
  return judge_use(
      modules, two_architectures(modules, assembler),
      [&](const PtxModule &module, const std::string &architecture) {
        setting.step("assembling for " + architecture);
        return assembler.assemble(module, architecture);
      },
      limit);
}

}  // namespace

std::string ptx_entries(const Setting &setting) { return judge_entries(modules_of(setting)); }
std::string ptx_shared_addresses(const Setting &setting) { return judge_shared_addresses(modules_of(setting)); }
std::string ptx_gemm_barriers(const Setting &setting) { return judge_barriers(modules_of(setting), "gemm_"); }
std::string ptx_attention_barriers(const Setting &setting) { return judge_barriers(modules_of(setting), "attention_"); }
std::string ptx_causal_names(const Setting &setting) { return judge_causal_names(modules_of(setting)); }
std::string ptx_loops(const Setting &setting) { return judge_loops_of_ptx(modules_of(setting)); }
std::string ptxas_spills(const Setting &setting) { return decide_use(setting, Limit::spills); }
std::string ptxas_shared(const Setting &setting) { return decide_use(setting, Limit::shared); }
std::string ptxas_registers(const Setting &setting) { return decide_use(setting, Limit::registers); }

std::string ptx_assembles(const Setting &setting) {
  const std::vector<PtxModule> modules = modules_of(setting);
  const Assembler assembler;
  std::vector<std::string> architectures;
  for (const std::string &name : assembler.architectures()) {
    if (architecture_number(name) >= architecture_number(modules.at(0).target)) architectures.push_back(name);
  }
  return judge_assembly(modules, architectures, [&](const PtxModule &module, const std::string &architecture) {
    setting.step("assembling for " + architecture);
    return assembler.assemble(module, architecture);
  });
}

}  // namespace rayo::conform::claims
