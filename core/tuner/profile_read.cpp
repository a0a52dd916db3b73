// SPDX-License-Identifier: Apache-2.0
//
// Reading profiles. A profile is data from a file that anything may have happened to: size, nesting, types, lengths,
// indices and numbers are all checked, and the message says what was wrong.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/json_value.hpp"
#include "base/uninterrupted.hpp"
#include "tuner/features.hpp"
#include "tuner/profile.hpp"

namespace rayo {
namespace {

constexpr size_t kDeepest = 12;
constexpr size_t kMostEntries = 100'000;
constexpr size_t kMostCandidates = 4096;
constexpr size_t kMostText = 4096;
constexpr uint64_t kMostLevel = 256;

[[noreturn]] void refuse(const std::string &what) { throw Error(RAYO_REFUSED, what); }

const JsonValue &member(const JsonValue &object, const char *name, const std::string &where) {
  if (!object.is_object()) refuse(where + " is not an object");
  const JsonValue *value = object.find(name);
  if (value == nullptr) refuse(fmt::format("{} has no '{}'", where, name));
  return *value;
}

std::string text(const JsonValue &object, const char *name, const std::string &where) {
  const JsonValue &value = member(object, name, where);
  const auto *result = value.get<std::string>();
  if (result == nullptr) refuse(fmt::format("{}.{} is not a text", where, name));
  if (result->size() > kMostText) refuse(fmt::format("{}.{} is {} bytes long", where, name, result->size()));
  return *result;
}

uint64_t whole(const JsonValue &value, uint64_t most, const std::string &where) {
  const auto *number = value.get<uint64_t>();
  if (number == nullptr || *number > most) refuse(fmt::format("{} is not an integer from 0 to {}", where, most));
  return *number;
}

double real(const JsonValue &value, const std::string &where) {
  const double result = value.is_number() ? value.number() : -1;
  if (!(result >= 0) || result > 1e18) refuse(where + " is not a number from 0 to 1e18");
  return result;
}

const JsonValue::Array &array(const JsonValue &object, const char *name, size_t most, const std::string &where) {
  const auto *list = member(object, name, where).get<JsonValue::Array>();
  if (list == nullptr || list->size() > most) {
    refuse(fmt::format("{}.{} is not a list of at most {} items", where, name, most));
  }
  return *list;
}

std::vector<uint64_t> increasing(const JsonValue &object, const char *name, size_t most, const std::string &where) {
  std::vector<uint64_t> out;
  for (const JsonValue &value : array(object, name, most, where)) {
    out.push_back(whole(value, UINT64_MAX, fmt::format("{}.{}", where, name)));
    if (out.size() > 1 && out.back() <= out[out.size() - 2])
      refuse(fmt::format("{}.{} does not increase", where, name));
  }
  if (out.empty()) refuse(fmt::format("{}.{} is empty", where, name));
  return out;
}

int32_t level_of(const JsonValue &object, const std::string &where) {
  return static_cast<int32_t>(whole(member(object, "level", where), kMostLevel, where + ".level"));
}

uint32_t class_of(const JsonValue &object, const std::string &where) {
  return static_cast<uint32_t>(whole(member(object, "class", where), 1000, where + ".class"));
}

Machine read_machine(const JsonValue &document) {
  const JsonValue &object = member(document, "machine", "the profile");
  Machine machine;
  machine.class_key = text(object, "class", "machine");
  machine.instance_key = text(object, "instance", "machine");
  machine.cpu = text(object, "cpu", "machine");
  machine.isa = text(object, "isa", "machine");
  machine.caches = text(object, "caches", "machine");
  machine.topology = text(object, "topology", "machine");
  for (const JsonValue &device : array(object, "devices", 256, "machine")) {
    machine.devices.push_back(
        {text(device, "id", "a device"), text(device, "name", "a device"), text(device, "driver", "a device")});
  }
  return machine;
}

ProfileTransfer read_transfer(const JsonValue &object) {
  const std::string where = "a transfer";
  ProfileTransfer out;
  out.device = text(object, "device", where);
  const auto number = [&](const char *name) { return real(member(object, name, where), where + "." + name); };
  if (const JsonValue *pinned = object.find("pinned"); pinned != nullptr) {
    const std::string inside = where + ".pinned";
    const auto of_pinned = [&](const char *name) { return real(member(*pinned, name, inside), inside + "." + name); };
    out.has_pinned = true;
    out.pinned_to_latency_ns = of_pinned("to_latency_ns");
    out.pinned_to_bytes_per_ns = of_pinned("to_bytes_per_ns");
    out.pinned_from_latency_ns = of_pinned("from_latency_ns");
    out.pinned_from_bytes_per_ns = of_pinned("from_bytes_per_ns");
  }
  out.launch_ns = number("launch_ns");
  out.to_latency_ns = number("to_latency_ns");
  out.to_bytes_per_ns = number("to_bytes_per_ns");
  out.from_latency_ns = number("from_latency_ns");
  out.from_bytes_per_ns = number("from_bytes_per_ns");
  return out;
}

std::vector<std::vector<double>> matrix(const JsonValue &object, const char *name, size_t rows, size_t columns,
                                        const std::string &where) {
  std::vector<std::vector<double>> out;
  for (const JsonValue &each : array(object, name, rows, where)) {
    const auto *list = each.get<JsonValue::Array>();
    if (list == nullptr || list->size() != columns) {
      refuse(fmt::format("{}.{} has a row that is not {} numbers", where, name, columns));
    }
    std::vector<double> row;
    for (const JsonValue &value : *list) {
      row.push_back(value.is_null() ? -1.0 : real(value, fmt::format("{}.{}", where, name)));
    }
    out.push_back(std::move(row));
  }
  if (out.size() != rows) refuse(fmt::format("{}.{} has {} rows for {} candidates", where, name, out.size(), rows));
  return out;
}

void read_surfaces(const JsonValue &object, const std::string &where, ProfileEntry *entry) {
  for (const JsonValue &each : array(object, "surfaces", 4096, where)) {
    Surface surface;
    surface.shape_class = class_of(each, where);
    surface.level = level_of(each, where);
    surface.volumes = increasing(each, "volumes", 4096, where);
    surface.times = matrix(each, "ns", entry->candidates.size(), surface.volumes.size(), where);
    surface.noise = matrix(each, "noise", entry->candidates.size(), surface.volumes.size(), where);
    if (surface.shape_class < kShapeClasses) entry->surfaces.push_back(std::move(surface));
  }
}

void read_choices(const JsonValue &object, const std::string &where, ProfileEntry *entry) {
  for (const JsonValue &each : array(object, "choices", 4096, where)) {
    ChoiceRow row;
    row.threads = static_cast<uint32_t>(whole(member(each, "threads", where), 1024, where + ".threads"));
    row.shape_class = class_of(each, where);
    row.level = level_of(each, where);
    row.from = increasing(each, "from", 4096, where);
    if (row.from.front() != 0) refuse(where + ".choices do not begin at 0");
    for (const JsonValue &value : array(each, "candidate", row.from.size(), where)) {
      row.candidate.push_back(static_cast<uint32_t>(whole(value, entry->candidates.size() - 1, where + ".candidate")));
    }
    if (row.candidate.size() != row.from.size()) refuse(where + ".choices: 'from' and 'candidate' differ in length");
    if (row.shape_class < kShapeClasses) entry->choices.push_back(std::move(row));
  }
}

uint32_t plugin_of(const JsonValue &object, const Profile &profile, const std::string &where) {
  if (profile.plugins.empty()) refuse(where + " names a plugin, and 'plugins' is empty");
  return static_cast<uint32_t>(whole(member(object, "plugin", where), profile.plugins.size() - 1, where + ".plugin"));
}

ProfileEntry read_entry(const JsonValue &object, const Profile &profile, size_t index) {
  std::string where = fmt::format("entries[{}]", index);
  ProfileEntry entry;
  entry.op = text(object, "op", where);
  where += fmt::format(" ({})", entry.op.substr(0, 40));
  entry.schema_version =
      static_cast<uint32_t>(whole(member(object, "schema_version", where), UINT32_MAX, where + ".schema_version"));
  entry.types = text(object, "types", where);
  entry.layout = text(object, "layout", where);
  entry.residency = text(object, "residency", where);
  for (const JsonValue &each : array(object, "candidates", kMostCandidates, where)) {
    ProfileCandidate candidate;
    candidate.plugin = plugin_of(each, profile, where);
    candidate.device = text(each, "device", where);
    candidate.kernel = text(each, "kernel", where);
    candidate.threads = static_cast<uint32_t>(whole(member(each, "threads", where), 1024, where + ".threads"));
    if (candidate.threads == 0) refuse(where + ".threads is 0");
    candidate.checked = text(each, "checked", where);
    entry.candidates.push_back(std::move(candidate));
  }
  for (const JsonValue &each : array(object, "rejected", kMostCandidates, where)) {
    entry.rejected.push_back(
        {plugin_of(each, profile, where), text(each, "device", where), text(each, "reason", where)});
  }
  if (!entry.candidates.empty()) {
    read_surfaces(object, where, &entry);
    read_choices(object, where, &entry);
  }
  return entry;
}

// Over everything before the line that holds it. A file without one was written by hand.
void check_sum(std::string_view content) {
  const size_t at = content.rfind("\n  \"checksum\": \"");
  if (at == std::string_view::npos) return;
  const size_t begin = at + std::strlen("\n  \"checksum\": \"");
  const std::string expected = checksum_text(content.substr(0, at + 1));
  if (content.substr(begin, 16) != expected) {
    refuse(
        "it is damaged: its checksum does not match (edited by hand? then remove the line \"checksum\", and the "
        "comma before it)");
  }
}

JsonValue parse_bounded(std::string_view content) {
  try {
    return JsonValue::parse(content, kDeepest);
  } catch (const JsonError &error) {
    refuse(fmt::format("it is empty, cut off or damaged: {}", error.what()));
  }
}

class File {
 public:
  explicit File(const std::string &path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Profile parse_profile(std::string_view content) {
  if (content.size() > kMostProfileBytes) {
    refuse(fmt::format("it has {} bytes; at most {} are read", content.size(), kMostProfileBytes));
  }
  const JsonValue document = parse_bounded(content);
  const std::string schema = text(document, "schema", "the profile");
  if (schema != kProfileSchema) {
    const bool newer = schema.rfind("urn:rayo:profile:", 0) == 0;
    refuse(fmt::format("its schema is '{}', {} '{}'", schema.substr(0, 60),
                       newer ? "from another version of Rayo; this one reads" : "expected", kProfileSchema));
  }
  check_sum(content);
  Profile profile;
  profile.created = text(document, "created", "the profile");
  profile.kind = text(document, "kind", "the profile");
  const auto *complete = member(document, "complete", "the profile").get<bool>();
  profile.complete = complete != nullptr && *complete;
  profile.machine = read_machine(document);
  for (const JsonValue &each : array(document, "plugins", kMostCandidates, "the profile")) {
    profile.plugins.push_back(
        {text(each, "name", "a plugin"), text(each, "sha256", "a plugin"), text(each, "version", "a plugin")});
  }
  for (const JsonValue &each : array(document, "transfers", 256, "the profile")) {
    profile.transfers.push_back(read_transfer(each));
  }
  for (const JsonValue &each : array(document, "entries", kMostEntries, "the profile")) {
    profile.entries.push_back(read_entry(each, profile, profile.entries.size()));
  }
  return profile;
}

Profile read_profile(const std::string &path) {
  const File file(path);
  if (file.get() < 0) {
    const int error = errno;
    throw Error(error == ENOENT || error == ENOTDIR ? RAYO_NOT_FOUND : RAYO_IO,
                fmt::format("it cannot be opened: {}", std::strerror(error)));
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) refuse("it is not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > kMostProfileBytes) {
    refuse(fmt::format("it has {} bytes; at most {} are read", size, kMostProfileBytes));
  }
  std::string content(size, '\0');
  uint64_t have = 0;
  while (have < size) {
    const ssize_t got = uninterrupted([&] { return ::read(file.get(), content.data() + have, size - have); });
    if (got < 0) throw Error(RAYO_IO, fmt::format("it cannot be read: {}", std::strerror(errno)));
    if (got == 0) break;
    have += static_cast<uint64_t>(got);
  }
  content.resize(have);
  return parse_profile(content);
}

}  // namespace rayo
