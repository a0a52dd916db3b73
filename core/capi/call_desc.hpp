// SPDX-License-Identifier: Apache-2.0
//
// Reading rayo_call_desc, shared by plans and explain.
#pragma once

#include <rayo/rayo.h>

#include "dispatch/bind.hpp"

namespace rayo {

// Checks the struct and resolves its options; borrows what it points to. Throws Error, also for a NULL runtime.
CallRequest read_call_desc(rayo_runtime *runtime, const rayo_call_desc *desc);

}  // namespace rayo
