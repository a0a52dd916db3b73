// SPDX-License-Identifier: Apache-2.0
//
// The calls that RAYO_CAPTURE wrote down, as jobs: each on the very shape that an application runs.
#pragma once

#include <string>
#include <vector>

#include "grid.hpp"

namespace rayo::tools::tune {

// Throws a usage error naming the line that is no captured call. Ops that are not among `ops` are left out.
std::vector<Job> jobs_from_file(const Session &session, const std::string &path, const std::vector<rayo_op_info> &ops);

}  // namespace rayo::tools::tune
