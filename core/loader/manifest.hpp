// SPDX-License-Identifier: Apache-2.0
//
// The package's own plugins by hash: what manifest.sha256 beside them lists was built and tested with this library and
// needs no probe, wherever a copy of it lies.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace rayo {

class Manifest {
 public:
  Manifest() = default;
  // Lines of "SHA256  NAME", as sha256sum writes them; other lines are skipped.
  explicit Manifest(std::string_view text);

  bool lists(const std::string &sha256) const { return hashes_.contains(sha256); }
  bool empty() const { return hashes_.empty(); }

 private:
  std::unordered_set<std::string> hashes_;
};

// The manifests in these folders: the built-in ones, never those of RAYO_PLUGIN_PATH, since a stranger's folder cannot
// vouch for itself. A manifest that others could have written counts as absent.
Manifest read_manifest(const std::vector<std::string> &folders);

}  // namespace rayo
