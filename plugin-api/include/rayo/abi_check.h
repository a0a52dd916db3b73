/* SPDX-License-Identifier: Apache-2.0
 *
 * Compile-time proof that the structs of the ABI have the layout their minor was released with. Include it in one
 * source file of a core or a plugin: a compiler, flag or edit that moves a member stops the build there.
 */
#ifndef RAYO_ABI_CHECK_H
#define RAYO_ABI_CHECK_H

#include <rayo/plugin.h>

#ifdef __cplusplus
#define RAYO_ABI_ASSERT(condition, text) static_assert(condition, text)
#else
#define RAYO_ABI_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* The lists hold for 8-byte pointers (LP64, LLP64). Elsewhere the same members follow each other in the same order. */
#if UINTPTR_MAX == UINT64_MAX
#define STRUCT(type, size) RAYO_ABI_ASSERT(sizeof(type) >= (size), #type " is smaller than its ABI minor says");
#define MEMBER(type, member, offset, size)                                                         \
  RAYO_ABI_ASSERT(offsetof(type, member) == (offset), #type "." #member " moved: the ABI breaks"); \
  RAYO_ABI_ASSERT(sizeof(((type *)0)->member) == (size), #type "." #member " changed its size: the ABI breaks");
#include <rayo/abi_0_1.def>
#undef STRUCT
#undef MEMBER
#endif

#endif /* RAYO_ABI_CHECK_H */
