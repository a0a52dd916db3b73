// SPDX-License-Identifier: Apache-2.0
//
// What a trial leaves in memory that it shares with its supervisor: how far it got, and its verdict. Fixed size,
// written by plain stores, so that it can be read after any kind of death.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rayo::probe {

class TrialReport {
 public:
  void enter(std::string_view step) noexcept { copy(step, &step_); }
  void finish(bool passed, bool lasting, std::string_view reason) noexcept {
    passed_ = passed;
    lasting_ = lasting;
    copy(reason, &reason_);
    finished_.store(1, std::memory_order_release);
  }

  bool finished() const noexcept { return finished_.load(std::memory_order_acquire) != 0; }
  bool passed() const noexcept { return passed_; }
  bool lasting() const noexcept { return lasting_; }
  std::string_view step() const noexcept { return text_of(step_); }
  std::string_view reason() const noexcept { return text_of(reason_); }

 private:
  // The last byte is never written: it ends the text whatever happens.
  template <size_t N>
  static void copy(std::string_view text, std::array<char, N> *out) noexcept {
    const size_t size = std::min(text.size(), N - 1);
    std::memcpy(out->data(), text.data(), size);
    std::memset(out->data() + size, 0, N - size);
  }
  template <size_t N>
  static std::string_view text_of(const std::array<char, N> &text) noexcept {
    return {text.data(), ::strnlen(text.data(), N - 1)};
  }

  std::atomic<uint32_t> finished_{0};
  bool passed_ = false;
  bool lasting_ = false;
  std::array<char, 256> step_{};
  std::array<char, 1024> reason_{};
};

}  // namespace rayo::probe
