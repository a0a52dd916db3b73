// SPDX-License-Identifier: Apache-2.0
//
// What a plugin must not do to its process, and to the structs and the memory that it is given.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>

#include "mutant.hpp"

namespace mutant {
namespace {

void flush_to_zero() {
#if defined(__SSE__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);  // FTZ and DAZ
#elif defined(__aarch64__)
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (UINT64_C(1) << 24)));
#endif
}

void on_signal(int) {}

using Prepare = decltype(rayo_kernel::prepare);
Prepare right_prepare = nullptr;  // of the kernel that was made to refuse or to accept too much

rayo_status prepare_exact_size(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out,
                               rayo_error *error) {
  if (desc->struct_size != sizeof(rayo_op_desc) || out->struct_size != sizeof(rayo_prepared)) {
    rayo::plugin::set_error(error, RAYO_INVALID_ARGUMENT, "unexpected struct_size");
    return RAYO_INVALID_ARGUMENT;
  }
  return right_prepare(instance, desc, out, error);
}

rayo_status prepare_without_extensions(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out,
                                       rayo_error *error) {
  rayo_op_desc bare = *desc;
  bare.next = nullptr;
  return right_prepare(instance, &bare, out, error);
}

// Takes memory of the host that nobody gives back.
rayo_status prepare_leaking(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  const rayo_host *host = reinterpret_cast<const rayo::plugin::Instance *>(instance)->host;
  (void)host->alloc(host, 64, 64);
  return right_prepare(instance, desc, out, error);
}

// Fills today's struct whatever its owner said of its size, and what lies behind it.
rayo_status prepare_beyond(rayo_instance *instance, const rayo_op_desc *desc, rayo_prepared *out, rayo_error *error) {
  const rayo_status status = right_prepare(instance, desc, out, error);
  if (out->struct_size > sizeof(rayo_prepared)) reinterpret_cast<unsigned char *>(out)[sizeof(rayo_prepared)] = 0;
  return status;
}

}  // namespace

void misbehave() {
  switch (planted) {
    case Bug::leaves_ftz_on:
      return flush_to_zero();
    case Bug::leaves_rounding_up:
      (void)std::fesetround(FE_UPWARD);
      return;
    case Bug::changes_locale:
      (void)std::setlocale(LC_ALL, "C.UTF-8");
      return;
    case Bug::changes_directory:
      (void)!::chdir("/");
      return;
    case Bug::leaks_a_descriptor:
      (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);
      return;
    case Bug::installs_a_signal_handler:
      (void)::signal(SIGFPE, on_signal);
      return;
    case Bug::sets_a_variable:
      (void)::setenv("MUTANT_WAS_HERE", "1", 1);
      return;
    case Bug::prints_on_stdout:
      (void)!::write(STDOUT_FILENO, "done\n", 5);
      return;
    default:
      return;
  }
}

void make_disobedient(rayo_kernel &kernel) {
  right_prepare = kernel.prepare;
  if (has(Bug::refuses_a_larger_struct)) kernel.prepare = prepare_exact_size;
  if (has(Bug::skips_what_it_must_understand)) kernel.prepare = prepare_without_extensions;
  if (has(Bug::leaks_memory_of_the_host)) kernel.prepare = prepare_leaking;
  if (has(Bug::writes_beyond_struct_size)) kernel.prepare = prepare_beyond;
}

rayo_status answer_query(const rayo_host *host, uint32_t max_abi, const rayo_plugin **out, const rayo_plugin *plugin) {
  if (has(Bug::takes_any_abi_major) && host != nullptr && out != nullptr) {
    *out = plugin;
    return RAYO_OK;
  }
  if (has(Bug::refuses_a_newer_minor) && host != nullptr && out != nullptr && max_abi > RAYO_ABI_VERSION) {
    *out = nullptr;
    host->report_error(host, RAYO_REFUSED, "the host is too new");
    return RAYO_REFUSED;
  }
  return rayo::plugin::answer_query(host, max_abi, out, plugin);
}

}  // namespace mutant
