// SPDX-License-Identifier: Apache-2.0
//
// op_digests: takes one SHA-256 per reproducible op and types and compares it with the committed file, so that bits
// cannot change unnoticed. Exit codes: 0 equal, 1 different or missing, 2 usage, 77 no such device here (a skip for
// ctest).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "digest.hpp"

namespace rayo::digests {
namespace {

constexpr int kSkipped = 77;
constexpr const char *kUsage =
    "op_digests --file FILE [--device NAME] [--disable FEATURES] [--one]   compare a device's digests with FILE\n"
    "op_digests --write FILE      write FILE anew: every ready device has to agree first\n"
    "op_digests --calls 'OP TYPES' --device NAME      the digest of every call, to find which one differs\n"
    "  --disable LIST  CPU features to do without, as in RAYO_CPU_DISABLE\n"
    "  --one           one manner (thread count, alignment, strides) instead of all six\n"
    "Plugins are found as always: RAYO_PLUGIN_PATH, else beside the library.\n";

struct Options {
  std::string file, write, device, disable, calls;
  bool one = false;
};

using Digests = std::map<std::string, std::string>;

Digests read_file(const std::string &path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot read " + path);
  Digests digests;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.rfind(' ');
    if (space == std::string::npos || !digests.emplace(line.substr(0, space), line.substr(space + 1)).second)
      throw std::runtime_error(
          std::string(path).append(": '").append(line).append("' is no line 'OP TYPES SHA256', or comes twice"));
  }
  return digests;
}

std::size_t manner_count(const Options &options) { return options.one ? 1 : manners().size(); }

// Compares a device with the file; returns the number of defects, each on stderr.
int compare(Runtime &runtime, const Options &options) {
  Digests expected = read_file(options.file);
  int defects = 0;
  const auto complain = [&](const std::string &text) {
    ++defects;
    std::cerr << "op_digests: " << options.device << ": " << text << "\n";
  };
  const std::vector<Entry> all = entries(runtime);
  for (const Entry &entry : all) {
    const auto line = expected.find(entry.key());
    if (line == expected.end()) {
      complain(entry.key() + " has no line in " + options.file);
      continue;
    }
    const std::string want = line->second;
    expected.erase(line);
    for (std::size_t m = 0; m < manner_count(options); ++m) {
      const Manner &manner = manners()[m];
      const auto got = digest(runtime, entry, options.device, manner);
      if (!got) {
        complain(entry.key() + " has no reproducible kernel on this device");
        break;
      }
      if (*got != want) complain(entry.key() + " (" + manner.name + ") is\n  " + *got + ", the file says\n  " + want);
    }
  }
  for (const auto &[key, value] : expected) complain("the file has a line for '" + key + "', which is no such op");
  std::cout << options.device << ": " << all.size() << " digests, each in " << manner_count(options)
            << " manners: " << (defects == 0 ? "all equal to the file" : std::to_string(defects) + " defects") << "\n";
  return defects;
}

int write(Runtime &runtime, const Options &options) {
  std::ostringstream text;
  text << "# One SHA-256 per reproducible op and its inputs' types, over the calls of tests/digests/calls.cpp.\n"
          "# A changed line is a change of results: say why in the commit. To write it anew: ./dev digests --write\n";
  int lines = 0, missing = 0;
  for (const Entry &entry : entries(runtime)) {
    std::string agreed, first;
    for (const rayo_device_listing &device : runtime.devices()) {
      const auto got = digest(runtime, entry, device.id, manners().front());
      if (!got) continue;
      if (!agreed.empty() && *got != agreed) {
        std::cerr << "op_digests: " << entry.key() << ": " << first << " and " << device.id
                  << " differ; nothing was written\n  op_digests --calls '" << entry.key()
                  << "' --device ... shows where\n";
        return EXIT_FAILURE;
      }
      if (agreed.empty()) agreed = *got, first = device.id;
    }
    if (agreed.empty()) {
      ++missing;
      std::cerr << "op_digests: " << entry.key() << ": no device here has it; no line\n";
      continue;
    }
    ++lines;
    text << entry.key() << ' ' << agreed << '\n';
  }
  std::ofstream stream(options.write);
  if (!(stream << text.str() << std::flush)) throw std::runtime_error("cannot write " + options.write);
  std::cout << options.write << ": " << lines << " lines, " << missing << " ops and types without a kernel\n";
  return EXIT_SUCCESS;
}

int show_calls(Runtime &runtime, const Options &options) {
  for (const Entry &entry : entries(runtime)) {
    if (entry.key() != options.calls) continue;
    for (const Manner &manner : manners()) {
      std::vector<std::string> per_call;
      digest(runtime, entry, options.device, manner, &per_call);
      for (std::size_t i = 0; i < per_call.size(); ++i)
        std::cout << i << ' ' << per_call[i] << "  " << manner.name << '\n';
    }
    return EXIT_SUCCESS;
  }
  std::cerr << "digests: no entry '" << options.calls << "'; the lines of digests.txt name them\n";
  return 2;
}

bool parse(int argc, char **argv, Options *options) {
  std::map<std::string, std::string *> with_value = {{"--file", &options->file},
                                                     {"--write", &options->write},
                                                     {"--device", &options->device},
                                                     {"--disable", &options->disable},
                                                     {"--calls", &options->calls}};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto known = with_value.find(word);
    if (word == "--one") {
      options->one = true;
    } else if (known != with_value.end() && i + 1 < argc) {
      *known->second = argv[++i];
    } else {
      return false;
    }
  }
  return (options->file.empty() ? 0 : 1) + (options->write.empty() ? 0 : 1) + (options->calls.empty() ? 0 : 1) == 1;
}

bool has_device(const Runtime &runtime, const std::string &name) {
  for (const rayo_device_listing &device : runtime.devices())
    if (device.id == name) return true;
  return false;
}

int run(const Options &options) {
  rayo_runtime_options runtime_options = RAYO_RUNTIME_OPTIONS_INIT;
  runtime_options.threads = 7;
  if (!options.disable.empty()) runtime_options.cpu_disable = options.disable.c_str();
  Runtime runtime(runtime_options);
  if (!options.write.empty()) return write(runtime, options);
  if (!has_device(runtime, options.device)) {
    std::cout << "skipped: device '" << options.device << "' is not ready here (rayo devices --all says why)\n";
    return kSkipped;
  }
  if (!options.calls.empty()) return show_calls(runtime, options);
  return compare(runtime, options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace rayo::digests

int main(int argc, char **argv) {
  rayo::digests::Options options;
  options.device = "scalar";
  if (!rayo::digests::parse(argc, argv, &options)) {
    std::cerr << rayo::digests::kUsage;
    return 2;
  }
  try {
    return rayo::digests::run(options);
  } catch (const std::exception &error) {
    std::cerr << "op_digests: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
