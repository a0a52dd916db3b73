// SPDX-License-Identifier: Apache-2.0
//
// The floating-point environment of this thread, compared and restored around everything a plugin does at start-up:
// loading one object that was linked with -ffast-math turns on flush-to-zero for the whole thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace rayo {

class FpEnvironment {
 public:
  FpEnvironment() noexcept { read(&control_, &x87_); }

  // "" when rounding, masks and flush modes are as they were at construction; otherwise puts them back and tells.
  std::string restore() const {
    uint32_t control = 0;
    uint16_t x87 = 0;
    read(&control, &x87);
    if (control == control_ && x87 == x87_) return "";
    write(control_, x87_);
    return fmt::format("changed the floating-point environment ({} {:#x} to {:#x}{}); is it built with -ffast-math?",
                       kRegister, control_, control, x87 == x87_ ? "" : ", and the x87 control word");
  }

 private:
#if defined(__x86_64__)
  static constexpr const char *kRegister = "MXCSR";
  static constexpr uint32_t kStickyFlags = 0x3f;  // exceptions seen: any arithmetic may set them

  static void read(uint32_t *control, uint16_t *x87) noexcept {
    *control = __builtin_ia32_stmxcsr() & ~kStickyFlags;
    __asm__ volatile("fnstcw %0" : "=m"(*x87));
  }
  static void write(uint32_t control, uint16_t x87) noexcept {
    __builtin_ia32_ldmxcsr(control);
    __asm__ volatile("fldcw %0" : : "m"(x87));
  }
#elif defined(__aarch64__)
  static constexpr const char *kRegister = "FPCR";

  static void read(uint32_t *control, uint16_t *x87) noexcept {
    uint64_t fpcr = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    *control = static_cast<uint32_t>(fpcr);
    *x87 = 0;
  }
  static void write(uint32_t control, uint16_t) noexcept {
    const uint64_t fpcr = control;
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
  }
#endif

  uint32_t control_ = 0;
  uint16_t x87_ = 0;
};

}  // namespace rayo
