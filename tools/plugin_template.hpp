// SPDX-License-Identifier: Apache-2.0
//
// The plugin that `rayo plugin new` writes: plugin-api/template, carried in the program.
#pragma once

#include <string>
#include <vector>

namespace rayo::tools {

// Makes the folder `name` here and returns the files written. Throws CommandError: not a plugin's name, or there
// already.
std::vector<std::string> write_plugin_template(const std::string &name);

}  // namespace rayo::tools
