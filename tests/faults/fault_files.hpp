// SPDX-License-Identifier: Apache-2.0
//
// Making the files of the fault table: copies of the chaos plugin under telling names, damaged and forged copies.
#pragma once

#include <string>
#include <vector>

namespace rayo::faults {

// chaos-FAULT.so in the folder; returns its path.
std::string add_chaos(const std::string &folder, const std::string &fault);
// scalar.so in the folder, by a link: the good plugin of every row.
void add_scalar(const std::string &folder);
// A plugin of tests/core/fixtures.
std::string add_fixture(const std::string &folder, const std::string &name);

std::vector<char> bytes_of(const std::string &path);
void write_bytes(const std::string &path, const std::vector<char> &bytes);

// Where the note's descriptor begins in a plugin file (version, abi_version, abi_min, tiers, ...: uint32_t each).
size_t note_at(const std::vector<char> &bytes);
void put_u32(std::vector<char> *bytes, size_t at, unsigned value);

}  // namespace rayo::faults
