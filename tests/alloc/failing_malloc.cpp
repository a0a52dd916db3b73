// SPDX-License-Identifier: Apache-2.0
//
// glibc's own functions stay reachable under their internal names, which is all that is needed of it. operator new of
// libstdc++ comes here by way of malloc.
#include "failing_malloc.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);
}

namespace {

thread_local bool t_armed = false;
thread_local bool t_failed = false;
thread_local uint64_t t_count = 0;
thread_local uint64_t t_fail_at = 0;
std::atomic<int64_t> g_live{0};

bool refuse() noexcept {
  if (!t_armed || ++t_count != t_fail_at) return false;
  t_failed = true;
  errno = ENOMEM;
  return true;
}

void *counted(void *block) noexcept {
  if (block != nullptr) g_live.fetch_add(1, std::memory_order_relaxed);
  return block;
}

}  // namespace

namespace rayo_test {

void arm(uint64_t fail_at) noexcept {
  t_count = 0;
  t_fail_at = fail_at;
  t_failed = false;
  t_armed = true;
}

uint64_t disarm() noexcept {
  t_armed = false;
  return t_count;
}

bool failed() noexcept { return t_failed; }
int64_t live_blocks() noexcept { return g_live.load(std::memory_order_relaxed); }

}  // namespace rayo_test

extern "C" {

void *malloc(size_t size) { return refuse() ? nullptr : counted(__libc_malloc(size)); }
void *calloc(size_t nmemb, size_t size) { return refuse() ? nullptr : counted(__libc_calloc(nmemb, size)); }
void *memalign(size_t alignment, size_t size) { return refuse() ? nullptr : counted(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memptr, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (block == nullptr) return ENOMEM;
  *memptr = block;
  return 0;
}

void *realloc(void *ptr, size_t size) {
  if (refuse()) return nullptr;
  void *moved = __libc_realloc(ptr, size);
  if (ptr == nullptr) counted(moved);
  if (ptr != nullptr && size == 0) g_live.fetch_sub(1, std::memory_order_relaxed);
  return moved;
}

void free(void *ptr) {
  if (ptr != nullptr) g_live.fetch_sub(1, std::memory_order_relaxed);
  __libc_free(ptr);
}

}  // extern "C"
