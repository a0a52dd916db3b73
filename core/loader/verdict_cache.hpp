// SPDX-License-Identifier: Apache-2.0
//
// What is remembered about plugin files between starts: their hash, as long as stat says that they are unchanged, the
// verdict of their probe, and crashes while they ran. One small JSON file of the user's,
// $XDG_CACHE_HOME/rayo/verdicts.json; deleting it forgets everything. Damage of any kind reads as empty.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "registry/registry.hpp"

namespace rayo {

struct Verdict {
  PluginState state = PluginState::rejected;
  std::string reason;   // "" when ready
  int64_t at = 0;       // seconds since 1970 when it was found
  int64_t expires = 0;  // 0 = holds for as long as its key does
};

// Ends of one program in which a plugin was running, one after the other without a clean end between.
struct LaunchCrashes {
  int64_t count = 0;
  int64_t refuted = 0;             // of them: a replay of the call went well
  int64_t at = 0;                  // the last, seconds since 1970
  std::vector<std::string> lines;  // calls to be replayed once the plugin's file is seen again
};

class VerdictCache {
 public:
  VerdictCache() = default;  // remembers nothing beyond its own life
  explicit VerdictCache(std::string path);
  // What a file of this text holds, remembered nowhere; and the text of what is remembered.
  static VerdictCache from_text(std::string_view text);
  std::string text() const;

  // "" where there is no place for it: a privileged process, or no home.
  static std::string default_path();

  // The file's SHA-256, computed only when the file is not the one that was hashed last time. "" = it is unreadable or
  // is not `file` any more.
  std::string sha256(const std::string &path, const struct stat &file);

  // `machine` is everything besides the file that a verdict depends on. Expired verdicts are not found.
  std::optional<Verdict> find(const std::string &sha256, const std::string &machine, int64_t now) const;
  void put(const std::string &sha256, const std::string &machine, const Verdict &verdict);
  void forget(const std::string &sha256);

  // Crashes while a plugin ran, counted per program: another's bad pointer is not this one's.
  LaunchCrashes launch_crashes(const std::string &sha256, const std::string &program) const;
  // One more, with the calls that were running; or a clean end, which begins the count anew.
  void count_crash(const std::string &sha256, const std::string &program, const std::vector<std::string> &lines,
                   int64_t now);
  void count_clean(const std::string &sha256, const std::string &program, int64_t now);
  // Programs that died in calls of this plugin that nobody has replayed yet.
  std::vector<std::string> programs_to_replay(const std::string &sha256) const;
  // These calls were replayed; `refuted`: all of them went well.
  void set_replayed(const std::string &sha256, const std::string &program, bool refuted);

  static constexpr size_t kMostLines = 4;  // kept for one plugin and program

  // Writes what is new, merged with what others wrote meanwhile, by a temporary file and rename. A failure costs time
  // at the next start and is logged at debug level.
  void save(const Log &log);

 private:
  struct FileEntry {
    struct stat file {};
    std::string sha256;
    int64_t at = 0;
  };
  struct Contents {
    std::map<std::string, FileEntry> files;         // by real path
    std::map<std::string, Verdict> verdicts;        // by "sha256 machine"
    std::map<std::string, LaunchCrashes> launches;  // by "sha256 program"
  };

  static Contents read(const std::string &path);
  static Contents parse(std::string_view text);
  static std::string text_of(const Contents &contents);

  std::string path_;
  Contents contents_;
  Contents fresh_;  // of this process: what save() adds
  std::set<std::string> forgotten_;
  std::set<std::string> cleared_;   // launches whose count began anew
  std::set<std::string> replayed_;  // launches whose lines of before are done with
};

}  // namespace rayo
