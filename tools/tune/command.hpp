// SPDX-License-Identifier: Apache-2.0
//
// `rayo tune`.
#pragma once

#include "tools/command.hpp"

namespace rayo::tools {

int tune_command(Arguments arguments);

}  // namespace rayo::tools
