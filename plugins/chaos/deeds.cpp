// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "chaos.h"

namespace chaos {
namespace {

constexpr const char *kPrefix = "chaos-";

// "STAGE-DEED" of this file's name; "" if it has none.
const char *own_fault() noexcept {
  static char fault[64] = "";
  static const bool read = [] {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void *>(&own_fault), &info) == 0 || info.dli_fname == nullptr) return false;
    const char *slash = std::strrchr(info.dli_fname, '/');
    const char *name = slash != nullptr ? slash + 1 : info.dli_fname;
    if (std::strncmp(name, kPrefix, std::strlen(kPrefix)) != 0) return false;
    std::strncpy(fault, name + std::strlen(kPrefix), sizeof fault - 1);
    if (char *end = std::strstr(fault, ".so"); end != nullptr) *end = '\0';
    return true;
  }();
  return read ? fault : "";
}

// The optimiser must not reason about what follows.
volatile int g_zero = 0;
volatile int g_hundred = 100;
volatile int *volatile g_nowhere = nullptr;

// NOLINTNEXTLINE(misc-no-recursion): that is the deed
int overflow_stack(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return overflow_stack(depth + 1) + frame[0];
}

void *sleep_for_ever(void *) {
  for (;;) pause();
}

void divide() { g_zero = g_hundred / g_zero; }
void crash() { *g_nowhere = 1; }
void bus() { raise(SIGBUS); }
void illegal() { __builtin_trap(); }
void quit() { _exit(0); }
void quit_3() { exit(3); }
void spin() {
  while (g_zero == 0) {
  }
}
void wait() { sleep_for_ever(nullptr); }
void throw_it() { throw std::runtime_error("chaos"); }
void throw_number() { throw 7; }
void overflow() { g_zero = overflow_stack(0) != 0 ? 0 : g_zero; }
void start_thread() {
  pthread_t thread;
  if (pthread_create(&thread, nullptr, sleep_for_ever, nullptr) == 0) pthread_detach(thread);
}
void spam() { std::printf("chaos says hello\n"); }
void leak_file() { (void)!open("/dev/null", O_RDONLY); }
void take_signal() { signal(SIGUSR1, SIG_IGN); }
void mask_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}
void change_locale() {
  for (const char *name : {"C.UTF-8", "C.utf8", "POSIX"}) {
    if (setlocale(LC_CTYPE, name) != nullptr) return;
  }
}
void change_folder() { (void)!chdir("/"); }
void change_umask() { umask(0007); }
void leave_child() {
  if (fork() == 0) {
    setsid();
    sleep_for_ever(nullptr);
  }
}
#if defined(__x86_64__)
void flush_subnormals() { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u); }
#elif defined(__aarch64__)
void flush_subnormals() {
  uint64_t fpcr = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (uint64_t{1} << 24)));
}
#endif

void unlink_itself() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void *>(&unlink_itself), &info) != 0) unlink(info.dli_fname);
}

struct Deed {
  const char *name;
  void (*act)();
};

constexpr Deed kDeeds[] = {
    {"segv", crash},          {"sigill", illegal},      {"sigfpe", divide},         {"sigbus", bus},
    {"abort", abort},         {"exit0", quit},          {"exit3", quit_3},          {"spin", spin},
    {"wait", wait},           {"throw", throw_it},      {"number", throw_number},   {"unlink", unlink_itself},
    {"overflow", overflow},   {"thread", start_thread}, {"stdout", spam},           {"file", leak_file},
    {"handler", take_signal}, {"mask", mask_signal},    {"locale", change_locale},  {"folder", change_folder},
    {"umask", change_umask},  {"child", leave_child},   {"mxcsr", flush_subnormals}};

}  // namespace

const char *deed_of(const char *stage) noexcept {
  const char *fault = own_fault();
  const size_t length = std::strlen(stage);
  return std::strncmp(fault, stage, length) == 0 && fault[length] == '-' ? fault + length + 1 : "";
}

bool is(const char *stage, const char *deed) noexcept { return std::strcmp(deed_of(stage), deed) == 0; }

void act(const char *stage) {
  const char *deed = deed_of(stage);
  if (*deed == '\0') return;
  for (const Deed &each : kDeeds) {
    if (std::strcmp(each.name, deed) == 0) each.act();
  }
}

}  // namespace chaos
