// SPDX-License-Identifier: Apache-2.0
#include "base/env.hpp"

#include <rayo/rayo.h>
#include <sys/auxv.h>

#include <charconv>
#include <cstdlib>

#include "base/error.hpp"

namespace rayo {

bool privileged_process() noexcept { return getauxval(AT_SECURE) != 0; }

const char *env_text(const char *name) noexcept {
  const char *value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::string user_cache_folder() {
  if (privileged_process()) return "";
  const char *cache = env_text("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/rayo";
  const char *home = env_text("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/rayo" : std::string();
}

std::string quote(std::string_view text) {
  constexpr size_t kLongest = 120;
  std::string out = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (text.size() > kLongest) out += fmt::format("...' ({} bytes)", text.size());
  return text.size() > kLongest ? out : out + "'";
}

uint32_t check_threads(std::string_view source, uint32_t threads) {
  if (threads == 0 || threads > kMaxThreads) {
    fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: a number of threads from 1 to {}", source, threads, kMaxThreads);
  }
  return threads;
}

uint32_t parse_threads(std::string_view source, std::string_view text) {
  uint32_t threads = 0;
  const char *end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, threads);
  if (result.ec != std::errc() || result.ptr != end || threads == 0 || threads > kMaxThreads) {
    fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: a number of threads from 1 to {}", source, quote(text), kMaxThreads);
  }
  return threads;
}

uint32_t parse_probe_ms(std::string_view source, std::string_view text) {
  constexpr uint32_t kLongest = 600000;
  uint32_t ms = 0;
  const char *end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, ms);
  if (result.ec != std::errc() || result.ptr != end || ms == 0 || ms > kLongest) {
    fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: milliseconds from 1 to {}", source, quote(text), kLongest);
  }
  return ms;
}

uint32_t parse_policy(std::string_view source, std::string_view text) {
  if (text == "reproducible") return RAYO_POLICY_REPRODUCIBLE;
  if (text == "accurate") return RAYO_POLICY_ACCURATE;
  if (text == "relaxed") return RAYO_POLICY_RELAXED;
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: reproducible, accurate, relaxed", source, quote(text));
}

bool parse_log_format(std::string_view source, std::string_view text) {
  if (text == "text" || text == "json") return text == "json";
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: text, json", source, quote(text));
}

bool parse_switch(std::string_view source, std::string_view text) {
  if (text == "0" || text == "1") return text == "1";
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: 0, 1", source, quote(text));
}

int32_t parse_log_level(std::string_view source, std::string_view text) {
  if (text == "off") return -1;
  if (text == "error") return RAYO_LOG_ERROR;
  if (text == "warn") return RAYO_LOG_WARN;
  if (text == "info") return RAYO_LOG_INFO;
  if (text == "debug") return RAYO_LOG_DEBUG;
  fail(RAYO_INVALID_ARGUMENT, "{} is {}; legal: error, warn, info, debug, off", source, quote(text));
}

}  // namespace rayo
