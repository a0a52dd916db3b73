// SPDX-License-Identifier: Apache-2.0
//
// What a plugin leaves of the process around it: a part of the process's state is written down as text before the file
// is loaded and after every stage of its life; the text must stay the same.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <functional>

#include "abi/direct.hpp"
#include "abi/elf_file.hpp"
#include "abi/probe.hpp"

extern "C" char **environ;

namespace rayo::conform::abi {
namespace {

using State = std::string (*)();

std::string fp_mode() {
#if defined(__x86_64__)
  constexpr unsigned kControl = 0xffc0;  // the lower bits say what happened, not what shall
  std::uint16_t x87 = 0;
  __asm__ volatile("fnstcw %0" : "=m"(x87));
  return fmt::format("MXCSR {:#x}, x87 {:#x}", __builtin_ia32_stmxcsr() & kControl, x87);
#elif defined(__aarch64__)
  std::uint64_t fpcr = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  return fmt::format("FPCR {:#x}", fpcr);
#else
  return {};
#endif
}

std::string locale() {
  return fmt::format("{}, thread's {}, decimal point '{}'", std::setlocale(LC_ALL, nullptr),
                     static_cast<void *>(::uselocale(nullptr)), std::localeconv()->decimal_point);
}

std::string cwd() {
  std::array<char, 4096> folder{};
  const char *name = ::getcwd(folder.data(), folder.size());
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return fmt::format("{}, umask {:o}", name == nullptr ? "?" : name, mask);
}

std::string signals() {
  std::string text;
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  for (int i = 1; i < 64; ++i) {
    struct sigaction action {};
    if (::sigaction(i, nullptr, &action) != 0) continue;
    const bool own = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
    if (!own && action.sa_handler == SIG_DFL && ::sigismember(&blocked, i) == 0) continue;
    text += fmt::format("{}: {}{}; ", i,
                        own ? fmt::format("{}", reinterpret_cast<void *>(action.sa_sigaction)) : "ignored or default",
                        ::sigismember(&blocked, i) != 0 ? " blocked" : "");
  }
  return text;
}

std::vector<std::string> entries(const char *folder) {
  std::vector<std::string> names;
  DIR *dir = ::opendir(folder);
  if (dir == nullptr) return names;
  const std::string own = std::to_string(::dirfd(dir));
  while (const dirent *entry = ::readdir(dir)) {
    if (entry->d_name[0] != '.' && entry->d_name != own) names.emplace_back(entry->d_name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::string files() {
  std::string text;
  for (const std::string &fd : entries("/proc/self/fd")) {
    std::array<char, 512> target{};
    const ssize_t n = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target.data(), target.size());
    text += fmt::format("{} -> {}; ", fd, std::string_view(target.data(), n > 0 ? static_cast<std::size_t>(n) : 0));
  }
  return text;
}

std::string variables() {
  std::string text;
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) text += fmt::format("{}; ", *entry);
  return text;
}

std::string thread_count() { return fmt::format("{} threads", entries("/proc/self/task").size()); }

// Where the two differ, not the whole of long texts.
std::string difference(const std::string &before, const std::string &after) {
  const auto [a, b] = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  static constexpr std::ptrdiff_t kShown = 60;
  const auto excerpt = [](std::string::const_iterator from, const std::string &text, std::ptrdiff_t back) {
    const auto first = from - std::min(back, from - text.begin());
    return std::string(first, first + std::min<std::ptrdiff_t>(kShown, text.end() - first));
  };
  return fmt::format("'{}' became '{}'", excerpt(a, before, 20), excerpt(b, after, 20));
}

// Calls everything that the kernel list claims. A refusal is the business of other checks.
void use(const rayo_plugin &plugin, const Instance &instance, Host &host) {
  SerialExecutor executor(false);
  for (std::uint32_t i = 0; i < plugin.kernel_count; ++i) {
    for (const Case &c : sample_cases(*plugin.kernels[i])) {
      DirectCall call(instance.get(), host, *plugin.kernels[i], c);
      rayo_error error{};
      if (call.why() == RAYO_WHY_SUPPORTED && call.prepare(&error) == RAYO_OK) (void)call.call(executor, 1);
    }
  }
}

// Runs a plugin's life; check(stage) is called after each stage.
void live(const std::string &file, const std::function<void(const char *stage)> &check) {
  Host host;
  {
    const Library library(file);
    check("loading");
    const rayo_plugin &plugin = library.plugin(host);
    check("query");
    {
      const Instance instance(plugin, host);
      check("create");
      use(plugin, instance, host);
      check("calls");
    }
    check("destroy");
  }
  check("unloading");
}

template <State Take>
void unchanged(const std::string &file) {
  const std::string before = Take();
  live(file, [&](const char *stage) {
    const std::string after = Take();
    if (after != before) throw Defect(fmt::format("after {}: {}", stage, difference(before, after)));
  });
}

void silence(const std::string &file) {
  std::FILE *sink = std::tmpfile();
  if (sink == nullptr) throw Defect("no temporary file to catch the output with");
  (void)::dup2(::fileno(sink), STDOUT_FILENO);
  (void)::dup2(::fileno(sink), STDERR_FILENO);
  live(file, [&](const char *stage) {
    (void)std::fflush(nullptr);
    struct stat info {};
    if (::fstat(::fileno(sink), &info) != 0 || info.st_size == 0) return;
    std::array<char, 200> text{};
    const ssize_t n = ::pread(::fileno(sink), text.data(), text.size(), 0);
    throw Defect(fmt::format("after {}: {} bytes were written: '{}'", stage, info.st_size,
                             std::string_view(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0)));
  });
}

void threads(const std::string &file) {
  const auto note = ElfFile(file).note();
  const std::uint32_t declared = note ? note->threads : RAYO_THREADS_NONE;
  const std::string before = thread_count();
  live(file, [&](const char *stage) {
    const std::string name = stage;
    const bool loaded = name == "loading" || name == "query" || name == "destroy" || name == "unloading";
    if (declared == RAYO_THREADS_AT_LOAD || (declared == RAYO_THREADS_OWN && !loaded)) return;
    if (thread_count() == before) return;
    throw Defect(fmt::format("after {}: {}, {} before; the note declares {}", stage, thread_count(), before,
                             declared == RAYO_THREADS_NONE ? "none" : "none outside create and destroy"));
  });
}

constexpr std::array<Probe, 8> kProbes = {{{"fp_mode", unchanged<fp_mode>},
                                           {"locale", unchanged<locale>},
                                           {"cwd", unchanged<cwd>},
                                           {"signals", unchanged<signals>},
                                           {"files", unchanged<files>},
                                           {"variables", unchanged<variables>},
                                           {"stdout", silence},
                                           {"threads", threads}}};

}  // namespace

std::span<const Probe> environment_probes() { return kProbes; }

}  // namespace rayo::conform::abi
