// SPDX-License-Identifier: Apache-2.0
//
// Certificates: full reports of good plugins, kept in the verdict cache where a runtime that requires conformance
// looks for them (rayo_certificate_path). The core reads them; core/loader/certificate.hpp says what it accepts.
#pragma once

#include <string>

#include "runner/run_info.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

// Writes the certificate of a good report of a full run; a bad one withdraws what an earlier run has left. Returns
// one line that says what was done. Throws std::runtime_error if the cache cannot be written.
std::string record_verdict(const PluginReport &report, const RunInfo &run);

}  // namespace rayo::conform
