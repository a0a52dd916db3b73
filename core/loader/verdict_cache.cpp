// SPDX-License-Identifier: Apache-2.0
#include "loader/verdict_cache.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/env.hpp"
#include "base/error.hpp"
#include "base/json_value.hpp"
#include "base/locked_file.hpp"
#include "base/read_file.hpp"
#include "base/sha256.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

constexpr const char *kSchema = "urn:rayo:verdicts:1";
constexpr size_t kLargest = size_t{4} << 20;
constexpr size_t kMostEntries = 1024;
constexpr size_t kDeepest = 4;

int64_t nanoseconds(const timespec &time) { return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec; }

timespec to_timespec(int64_t ns) {
  timespec time{};
  time.tv_sec = ns / 1000000000;
  time.tv_nsec = ns % 1000000000;
  return time;
}

const char *state_name(PluginState state) {
  return state == PluginState::ready ? "ready" : state == PluginState::quarantined ? "quarantined" : "rejected";
}

PluginState state_of(const std::string &name) {
  if (name == "ready") return PluginState::ready;
  return name == "quarantined" ? PluginState::quarantined : PluginState::rejected;
}

// Drops the oldest entries.
template <class Map>
void cut(Map *map) {
  while (map->size() > kMostEntries) {
    auto oldest = map->begin();
    for (auto it = map->begin(); it != map->end(); ++it) {
      if (it->second.at < oldest->second.at) oldest = it;
    }
    map->erase(oldest);
  }
}

// A moment in seconds since 1970, in a range in which sums and dates make sense.
int64_t moment(const JsonValue &value) {
  constexpr int64_t kLatest = int64_t{1} << 40;
  const int64_t seconds = value.integer();
  if (seconds < 0 || seconds > kLatest) throw JsonError("is no moment");
  return seconds;
}

void add_line(const std::string &line, std::vector<std::string> *lines) {
  if (lines->size() < VerdictCache::kMostLines && std::find(lines->begin(), lines->end(), line) == lines->end()) {
    lines->push_back(line);
  }
}

std::string key_of(const std::string &sha256, const std::string &machine) { return sha256 + " " + machine; }

}  // namespace

std::string VerdictCache::default_path() {
  const std::string folder = user_cache_folder();
  return folder.empty() ? folder : folder + "/verdicts.json";
}

VerdictCache::VerdictCache(std::string path) : path_(std::move(path)) {
  if (!path_.empty()) contents_ = read(path_);
}

VerdictCache VerdictCache::from_text(std::string_view text) {
  VerdictCache cache;
  cache.contents_ = parse(text);
  return cache;
}

std::string VerdictCache::text() const { return text_of(contents_); }

VerdictCache::Contents VerdictCache::read(const std::string &path) {
  Contents contents;
  const std::string real = real_path(path);
  std::string text;
  if (real.empty() || !distrust(real).empty() || !read_file_bounded(real, kLargest, &text).empty()) return contents;
  return parse(text);
}

VerdictCache::Contents VerdictCache::parse(std::string_view text) {
  Contents contents;
  try {
    const JsonValue document = JsonValue::parse(text, kDeepest);
    if (document.at("schema").text() != kSchema) return contents;
    for (const auto &[file, entry] : document.at("files").members()) {
      FileEntry &out = contents.files[file];
      out.file.st_dev = entry.at("dev").count();
      out.file.st_ino = entry.at("ino").count();
      out.file.st_size = entry.at("size").integer();
      out.file.st_mtim = to_timespec(entry.at("mtime").integer());
      out.file.st_ctim = to_timespec(entry.at("ctime").integer());
      out.sha256 = entry.at("sha256").text();
      out.at = moment(entry.at("at"));
    }
    for (const auto &[key, entry] : document.at("verdicts").members()) {
      Verdict &out = contents.verdicts[key];
      out.state = state_of(entry.at("state").text());
      out.reason = entry.at("reason").text();
      out.at = moment(entry.at("at"));
      out.expires = moment(entry.at("expires"));
      if (out.state != PluginState::ready && out.reason.empty()) return Contents{};
    }
    for (const auto &[key, entry] : document.at("launches").members()) {
      LaunchCrashes &out = contents.launches[key];
      out.count = entry.at("count").integer();
      out.at = moment(entry.at("at"));
      if (const JsonValue *refuted = entry.find("refuted")) out.refuted = refuted->integer();
      if (const JsonValue *lines = entry.find("lines")) {
        for (const JsonValue &line : lines->items()) add_line(line.text(), &out.lines);
      }
    }
  } catch (const JsonError &) {
    return Contents{};
  }
  return contents;
}

std::string VerdictCache::text_of(const Contents &contents) {
  using Object = JsonValue::Object;
  Object files;
  for (const auto &[path, entry] : contents.files) {
    files.push_back({path, Object{{"dev", entry.file.st_dev},
                                  {"ino", entry.file.st_ino},
                                  {"size", entry.file.st_size},
                                  {"mtime", nanoseconds(entry.file.st_mtim)},
                                  {"ctime", nanoseconds(entry.file.st_ctim)},
                                  {"sha256", entry.sha256},
                                  {"at", entry.at}}});
  }
  Object verdicts;
  for (const auto &[key, verdict] : contents.verdicts) {
    verdicts.push_back({key, Object{{"state", state_name(verdict.state)},
                                    {"reason", verdict.reason},
                                    {"at", verdict.at},
                                    {"expires", verdict.expires}}});
  }
  Object launches;
  for (const auto &[key, crashes] : contents.launches) {
    JsonValue::Array lines(crashes.lines.begin(), crashes.lines.end());
    launches.push_back(
        {key,
         Object{
             {"count", crashes.count}, {"refuted", crashes.refuted}, {"at", crashes.at}, {"lines", std::move(lines)}}});
  }
  const JsonValue document = Object{{"schema", kSchema},
                                    {"files", std::move(files)},
                                    {"verdicts", std::move(verdicts)},
                                    {"launches", std::move(launches)}};
  return document.dump(1);
}

std::string VerdictCache::sha256(const std::string &path, const struct stat &file) {
  const auto known = contents_.files.find(path);
  if (known != contents_.files.end() && same_file(known->second.file, file)) return known->second.sha256;
  FileEntry entry{file, sha256_of_file(path, &file), std::time(nullptr)};
  if (entry.sha256.empty()) return "";
  fresh_.files[path] = entry;
  contents_.files[path] = entry;
  return entry.sha256;
}

std::optional<Verdict> VerdictCache::find(const std::string &sha256, const std::string &machine, int64_t now) const {
  const auto it = contents_.verdicts.find(key_of(sha256, machine));
  if (it == contents_.verdicts.end()) return std::nullopt;
  const Verdict &verdict = it->second;
  // A clock that was set back must not keep a verdict for ever.
  if (verdict.expires != 0 && (now >= verdict.expires || now < verdict.at)) return std::nullopt;
  return verdict;
}

void VerdictCache::put(const std::string &sha256, const std::string &machine, const Verdict &verdict) {
  const std::string key = key_of(sha256, machine);
  fresh_.verdicts[key] = verdict;
  contents_.verdicts[key] = verdict;
}

void VerdictCache::forget(const std::string &sha256) {
  for (Contents *contents : {&contents_, &fresh_}) {
    std::erase_if(contents->verdicts, [&](const auto &entry) { return entry.first.starts_with(sha256); });
    std::erase_if(contents->launches, [&](const auto &entry) { return entry.first.starts_with(sha256); });
  }
  forgotten_.insert(sha256);
}

LaunchCrashes VerdictCache::launch_crashes(const std::string &sha256, const std::string &program) const {
  const auto it = contents_.launches.find(key_of(sha256, program));
  return it != contents_.launches.end() ? it->second : LaunchCrashes{};
}

void VerdictCache::count_crash(const std::string &sha256, const std::string &program,
                               const std::vector<std::string> &lines, int64_t now) {
  for (auto *launches : {&contents_.launches, &fresh_.launches}) {
    LaunchCrashes &entry = (*launches)[key_of(sha256, program)];
    ++entry.count;
    entry.at = now;
    for (const std::string &line : lines) add_line(line, &entry.lines);
  }
}

void VerdictCache::count_clean(const std::string &sha256, const std::string &program, int64_t now) {
  const std::string key = key_of(sha256, program);
  if (!contents_.launches.contains(key)) return;
  for (auto *launches : {&contents_.launches, &fresh_.launches}) (*launches)[key] = {0, 0, now, {}};
  cleared_.insert(key);
}

std::vector<std::string> VerdictCache::programs_to_replay(const std::string &sha256) const {
  std::vector<std::string> programs;
  const std::string prefix = key_of(sha256, "");
  for (const auto &[key, crashes] : contents_.launches) {
    if (key.starts_with(prefix) && !crashes.lines.empty()) programs.push_back(key.substr(prefix.size()));
  }
  return programs;
}

void VerdictCache::set_replayed(const std::string &sha256, const std::string &program, bool refuted) {
  const std::string key = key_of(sha256, program);
  for (auto *launches : {&contents_.launches, &fresh_.launches}) {
    LaunchCrashes &entry = (*launches)[key];
    if (refuted) ++entry.refuted;
    entry.at = contents_.launches[key].at;
    entry.lines.clear();
  }
  replayed_.insert(key);
}

void VerdictCache::save(const Log &log) {
  if (path_.empty() ||
      (fresh_.files.empty() && fresh_.verdicts.empty() && fresh_.launches.empty() && forgotten_.empty())) {
    return;
  }
  const std::string problem = update_file(path_, [this] {
    Contents merged = read(path_);
    for (const std::string &sha256 : forgotten_) {
      std::erase_if(merged.verdicts, [&](const auto &entry) { return entry.first.starts_with(sha256); });
      std::erase_if(merged.launches, [&](const auto &entry) { return entry.first.starts_with(sha256); });
    }
    for (const auto &[key, crashes] : fresh_.launches) {
      LaunchCrashes &entry = merged.launches[key];
      if (cleared_.contains(key)) entry = {};
      if (replayed_.contains(key)) entry.lines.clear();
      entry.count += crashes.count;
      entry.refuted += crashes.refuted;
      entry.at = crashes.at;
      for (const std::string &line : crashes.lines) add_line(line, &entry.lines);
    }
    std::erase_if(merged.launches, [](const auto &entry) { return entry.second.count == 0; });
    for (const auto &[path, entry] : fresh_.files) merged.files[path] = entry;
    for (const auto &[key, verdict] : fresh_.verdicts) merged.verdicts[key] = verdict;
    // What is gone needs no hash: folders of tests and builds would pile up.
    std::erase_if(merged.files, [](const auto &entry) {
      struct stat now {};
      return ::stat(entry.first.c_str(), &now) != 0 || !same_file(now, entry.second.file);
    });
    cut(&merged.files);
    cut(&merged.verdicts);
    cut(&merged.launches);
    return text_of(merged);
  });
  if (!problem.empty()) {
    log(RAYO_LOG_DEBUG, "verdicts of plugins are not kept: {} {}", path_, problem);
    return;
  }
  fresh_ = Contents{};
  forgotten_.clear();
  cleared_.clear();
  replayed_.clear();
}

}  // namespace rayo
