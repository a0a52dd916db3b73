// SPDX-License-Identifier: Apache-2.0
//
// Text from plugins and paths made fit for where it is printed: markup and shell lines.
#pragma once

#include <string>
#include <string_view>

#include "runner/run_info.hpp"
#include "runner/state.hpp"

namespace rayo::conform {

// For XML and HTML, text and attribute values alike. What XML 1.0 cannot hold (control characters, broken UTF-8)
// becomes U+FFFD.
std::string escape_markup(std::string_view text);

// One word of a POSIX shell line; quoted only where it needs to be.
std::string shell_word(std::string_view text);

// The command that runs this case of this plugin again.
std::string replay_command(const PluginReport &report, const RunInfo &run, std::string_view line);

}  // namespace rayo::conform
