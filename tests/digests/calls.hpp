// SPDX-License-Identifier: Apache-2.0
//
// The calls that make up an op's digest: odd shapes around vector lengths and blocks, every attribute, special values.
// What is listed here is part of the digest: a change of a call changes it, and digests.txt must be written anew.
#pragma once

#include <cstdint>
#include <rayo/rayo.hpp>
#include <string>
#include <vector>

#include "values.hpp"

namespace rayo::digests {

struct Input {
  std::vector<int64_t> shape;
  Fill fill = Fill::mixed;
  bool absent = false;
};

struct Call {
  std::vector<Input> inputs;
  Attributes attributes;
};

// Calls of an op, by its name or its family; `types` as in the digest file ("f32", "u8,i8"). Empty for an op that
// nobody has thought of: the test then fails.
std::vector<Call> calls_of(const std::string &op, const std::string &family, const std::string &types);

}  // namespace rayo::digests
