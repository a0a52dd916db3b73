// SPDX-License-Identifier: Apache-2.0
//
// Required conformance: a plugin file is accepted only if a certificate covers it, that is a JSON report of
// `rayo conform` (conformance/schema/conform.schema.json) about a full run that this very file, by its SHA-256, passed
// without a failure, expected or not. It lies beside the plugin as FILE.conformance.json, or in the user's verdict
// cache. A report may be large and hostile: it is read up to a limit, and never becomes a tree in memory.
#pragma once

#include <string>
#include <string_view>

namespace rayo {

// "" = covered; else what was looked at, what was wrong with it, and the next step, as a continuation of "it".
// `real_path` has passed distrust(). The same rule holds for the certificate; a privileged process trusts no cache.
std::string lacks_certificate(const std::string &real_path, const std::string &sha256);

// $XDG_CACHE_HOME/rayo/conformance/<sha256>.json, by default below ~/.cache. "" where there is no such place: no
// absolute folder in the environment, a privileged process, or `sha256` is not 64 lower-case hex digits.
std::string certificate_cache_path(std::string_view sha256);

// Why this text is no certificate for `sha256`, as a continuation of "it"; "" = it is one.
std::string judge_certificate(std::string_view text, std::string_view sha256);

}  // namespace rayo
