// SPDX-License-Identifier: Apache-2.0
//
// System calls that a signal of the application's may interrupt.
#pragma once

#include <cerrno>

namespace rayo {

// What `call` returns, called again as often as it says EINTR.
template <class Call>
auto uninterrupted(Call &&call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace rayo
