// SPDX-License-Identifier: Apache-2.0
//
// Settings that come as text, from RAYO_* environment variables or option strings: parsed in one place, with errors
// that name the source, the value and the legal values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rayo {

// True in a set-uid/set-gid or file-capability process (AT_SECURE): the environment there is an attacker's.
bool privileged_process() noexcept;

// Value of a variable; nullptr when unset or empty. Not safe beside setenv in another thread, like getenv.
const char *env_text(const char *name) noexcept;

// $XDG_CACHE_HOME/rayo, by default ~/.cache/rayo. "" where there is no such place: no absolute folder in the
// environment, or a privileged process, whose environment is not its own.
std::string user_cache_folder();

// 'text' in quotes, cut to a readable length, control characters replaced: for messages.
std::string quote(std::string_view text);

constexpr uint32_t kMaxThreads = 1024;

// Each throws Error(RAYO_INVALID_ARGUMENT) naming `source` ("RAYO_NUM_THREADS", "options.threads").
uint32_t parse_threads(std::string_view source, std::string_view text);   // 1 ... kMaxThreads
uint32_t parse_policy(std::string_view source, std::string_view text);    // RAYO_POLICY_*
int32_t parse_log_level(std::string_view source, std::string_view text);  // RAYO_LOG_*; -1 = off
bool parse_log_format(std::string_view source, std::string_view text);    // "text", "json": is it json?
bool parse_switch(std::string_view source, std::string_view text);        // "0", "1"
uint32_t parse_probe_ms(std::string_view source, std::string_view text);  // 1 ... 600000
uint32_t check_threads(std::string_view source, uint32_t threads);

}  // namespace rayo
