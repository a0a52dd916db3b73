// SPDX-License-Identifier: Apache-2.0
//
// Writing profiles: JSON with one line per curve, so that people and diff can read it.
#include <fmt/format.h>

#include "base/json_text.hpp"
#include "tuner/profile.hpp"

namespace rayo {
namespace {

template <class List, class Format>
std::string joined(const List &list, Format format) {
  std::string text;
  for (const auto &item : list) text += (text.empty() ? "" : ", ") + format(item);
  return "[" + text + "]";
}

std::string integers(const std::vector<uint64_t> &list) {
  return joined(list, [](uint64_t x) { return fmt::format("{}", x); });
}

std::string times(const std::vector<double> &list) {
  return joined(list, [](double x) { return x < 0 ? std::string("null") : fmt::format("{:.6g}", x); });
}

std::string noises(const std::vector<double> &list) {
  return joined(list, [](double x) { return x < 0 ? std::string("null") : fmt::format("{:.2g}", x); });
}

class Writer {
 public:
  explicit Writer(const Profile &profile) : profile_(profile) {}

  std::string text() {
    line("{{");
    line(R"(  "schema": {},)", json_string(std::string(kProfileSchema)));
    line(R"(  "created": {},)", json_string(profile_.created));
    line(R"(  "kind": {},)", json_string(profile_.kind));
    line(R"(  "complete": {},)", profile_.complete);
    machine();
    list("plugins", profile_.plugins, [](const ProfilePlugin &each) {
      return fmt::format(R"(    {{"name": {}, "sha256": {}, "version": {}}})", json_string(each.name),
                         json_string(each.sha256), json_string(each.version));
    });
    list("transfers", profile_.transfers, [](const ProfileTransfer &each) {
      const auto directions = [](double to_latency, double to_rate, double from_latency, double from_rate) {
        return fmt::format(
            R"("to_latency_ns": {:.6g}, "to_bytes_per_ns": {:.6g}, "from_latency_ns": {:.6g}, "from_bytes_per_ns": {:.6g})",
            to_latency, to_rate, from_latency, from_rate);
      };
      std::string text = fmt::format(
          R"(    {{"device": {}, "launch_ns": {:.6g}, {})", json_string(each.device), each.launch_ns,
          directions(each.to_latency_ns, each.to_bytes_per_ns, each.from_latency_ns, each.from_bytes_per_ns));
      if (each.has_pinned) {
        text += fmt::format(",\n     \"pinned\": {{{}}}",
                            directions(each.pinned_to_latency_ns, each.pinned_to_bytes_per_ns,
                                       each.pinned_from_latency_ns, each.pinned_from_bytes_per_ns));
      }
      return text + "}";
    });
    list("entries", profile_.entries, [](const ProfileEntry &each) { return entry(each); });
    const std::string sum = checksum_text(out_);
    line(R"(  "checksum": "{}")", sum);
    line("}}");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args &&...args) {
    out_ += fmt::format(format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void machine() {
    const Machine &m = profile_.machine;
    line(
        R"(  "machine": {{"class": {}, "instance": {}, "cpu": {}, "isa": {}, "caches": {}, "topology": {}, "devices": {}}},)",
        json_string(m.class_key), json_string(m.instance_key), json_string(m.cpu), json_string(m.isa),
        json_string(m.caches), json_string(m.topology), joined(m.devices, [](const MachineDevice &each) {
          return fmt::format(R"({{"id": {}, "name": {}, "driver": {}}})", json_string(each.id), json_string(each.name),
                             json_string(each.driver));
        }));
  }

  template <class List, class Format>
  void list(const char *name, const List &items, Format format) {
    out_ += fmt::format("  \"{}\": [", name);
    for (size_t i = 0; i < items.size(); ++i) out_ += (i == 0 ? "\n" : ",\n") + format(items[i]);
    out_ += items.empty() ? "],\n" : "\n  ],\n";
  }

  static std::string entry(const ProfileEntry &e) {
    std::string text = fmt::format(
        "    {{\"op\": {}, \"schema_version\": {}, \"types\": {}, \"layout\": {}, \"residency\": {},\n     "
        "\"candidates\": {}",
        json_string(e.op), e.schema_version, json_string(e.types), json_string(e.layout), json_string(e.residency),
        joined(e.candidates, [](const ProfileCandidate &c) {
          return fmt::format(R"({{"plugin": {}, "device": {}, "kernel": {}, "threads": {}, "checked": {}}})", c.plugin,
                             json_string(c.device), json_string(c.kernel), c.threads, json_string(c.checked));
        }));
    text += ",\n     \"surfaces\": [";
    for (size_t i = 0; i < e.surfaces.size(); ++i) text += (i == 0 ? "\n" : ",\n") + surface(e.surfaces[i]);
    text += "],\n     \"choices\": [";
    for (size_t i = 0; i < e.choices.size(); ++i) {
      const ChoiceRow &row = e.choices[i];
      text +=
          fmt::format("{}\n      {{\"threads\": {}, \"class\": {}, \"level\": {}, \"from\": {}, \"candidate\": {}}}",
                      i == 0 ? "" : ",", row.threads, row.shape_class, row.level, integers(row.from),
                      joined(row.candidate, [](uint32_t c) { return fmt::format("{}", c); }));
    }
    text += "],\n     \"rejected\": ";
    text += joined(e.rejected, [](const ProfileRejection &r) {
      return fmt::format(R"({{"plugin": {}, "device": {}, "reason": {}}})", r.plugin, json_string(r.device),
                         json_string(r.reason));
    });
    return text + "}";
  }

  static std::string surface(const Surface &s) {
    return fmt::format(
        "      {{\"class\": {}, \"level\": {}, \"volumes\": {},\n       \"ns\": {},\n       \"noise\": {}}}",
        s.shape_class, s.level, integers(s.volumes), joined(s.times, times), joined(s.noise, noises));
  }

  const Profile &profile_;
  std::string out_;
};

}  // namespace

std::string checksum_text(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

std::string profile_text(const Profile &profile) { return Writer(profile).text(); }

}  // namespace rayo
