// SPDX-License-Identifier: Apache-2.0
//
// One line of `rayo run --batch` as a job.
#pragma once

#include <string>

#include "batch.hpp"
#include "job.hpp"

namespace rayo::tools {

// Throws a usage error that names the key, its value's legal form, or where the JSON ends.
Job parse_batch_line(const std::string &line, const BatchSettings &settings);

}  // namespace rayo::tools
