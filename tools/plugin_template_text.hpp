// SPDX-License-Identifier: Apache-2.0
//
// The files of plugin-api/template as text; defined in a source that CMake generates.
#pragma once

namespace rayo::tools {

extern const char *const kTemplateBuild;
extern const char *const kTemplateSource;
extern const char *const kTemplateReadme;

}  // namespace rayo::tools
