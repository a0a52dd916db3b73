// SPDX-License-Identifier: Apache-2.0
//
// One SHA-256 per op and types: over the results of its calls on one device, whose bits the arithmetic contract fixes.
#pragma once

#include <optional>
#include <rayo/rayo.hpp>
#include <string>
#include <vector>

namespace rayo::digests {

// What a digest is taken of: a reproducible op of the catalogue, with one choice of its inputs' types.
struct Entry {
  std::string op;
  std::string family;
  std::string types;                     // "f32"; "u8,i8" for two type variables
  std::vector<std::string> input_types;  // of each input
  std::string key() const { return op + " " + types; }
};

// Every entry of the catalogue, in its order.
std::vector<Entry> entries(const Runtime &runtime);

// How a call is made; none of it may change a bit.
struct Manner {
  const char *name;
  uint32_t threads;
  uint32_t offset;  // bytes by which every operand misses a multiple of 64
  enum { compact, columns, reversed } layout;
};
const std::vector<Manner> &manners();

// The digest, 64 hex digits. Nothing where the device has no reproducible kernel for a call. Throws rayo::Exception for
// any other failure, std::runtime_error for an op without calls. per_call: also each call's digest, in order.
std::optional<std::string> digest(Runtime &runtime, const Entry &entry, const std::string &device, const Manner &manner,
                                  std::vector<std::string> *per_call = nullptr);

}  // namespace rayo::digests
