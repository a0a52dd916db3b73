// SPDX-License-Identifier: Apache-2.0
#include "device_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "cache_file.h"

extern char **environ;

namespace rayo::vulkan {
namespace {

constexpr const char *kFile = "vulkan-devices.bin";

class Key {
 public:
  void add(const void *data, size_t size) { sum_ = checksum_of({static_cast<const std::byte *>(data), size}, sum_); }
  void add(const std::string &text) { add(text.c_str(), text.size() + 1); }
  // What tells one state of a file or folder from another.
  void add_state(const std::string &path) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return;
    add(path);
    const int64_t state[] = {static_cast<int64_t>(s.st_ino), static_cast<int64_t>(s.st_size), s.st_mtim.tv_sec,
                             s.st_mtim.tv_nsec};
    add(state, sizeof state);
  }
  void add_folder(const std::string &path) {
    DIR *folder = ::opendir(path.c_str());
    if (folder == nullptr) return;
    std::vector<std::string> names;
    while (const dirent *entry = ::readdir(folder))
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    ::closedir(folder);
    std::sort(names.begin(), names.end());
    const std::string prefix = path + "/";
    for (const std::string &name : names) add_state(prefix + name);
  }
  void add_content(const std::string &path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    char text[256];
    const ssize_t got = ::read(file, text, sizeof text);
    if (got > 0) add(text, static_cast<size_t>(got));
    ::close(file);
  }
  uint64_t sum() const { return sum_; }

 private:
  uint64_t sum_ = kChecksumStart;
};

// Where the Vulkan loader looks for manifests.
std::vector<std::string> manifest_roots() {
  std::vector<std::string> roots = {"/etc", "/usr/local/etc", "/usr/share", "/usr/local/share"};
  const auto add_list = [&](const char *variable, const std::string &suffix) {
    const char *value = std::getenv(variable);
    if (value == nullptr) return;
    for (std::string_view rest(value); !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(':'));
      roots.push_back(std::string(one) + suffix);
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
  };
  add_list("XDG_CONFIG_HOME", "");
  add_list("XDG_CONFIG_DIRS", "");
  add_list("XDG_DATA_HOME", "");
  add_list("XDG_DATA_DIRS", "");
  add_list("HOME", "/.config");
  add_list("HOME", "/.local/share");
  return roots;
}

bool matters(std::string_view variable) {
  for (const std::string_view prefix : {"VK_", "RAYO_VULKAN_", "MESA_", "DRI_", "LIBGL_", "LP_", "RADV_", "ANV_",
                                        "INTEL_", "AMD_", "NVIDIA_", "__NV", "__GL", "LD_LIBRARY_PATH="})
    if (variable.starts_with(prefix)) return true;
  return false;
}

uint64_t key_now() {
  Key key;
  key.add(RAYO_PLUGIN_VERSION);
  key.add(std::to_string(sizeof(rayo_device_info)));
  key.add_content("/proc/sys/kernel/random/boot_id");
  key.add_content("/proc/driver/nvidia/version");
  for (const std::string &root : manifest_roots())
    for (const char *folder : {"/vulkan/icd.d", "/vulkan/implicit_layer.d"}) key.add_folder(root + folder);
  // Folders of libraries: whatever is installed there changes them.
  for (const char *folder :
       {"/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib", "/opt"})
    key.add_state(folder);
  for (const char *node : {"/dev/dri", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd"}) key.add_state(node);
  for (char **variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    if (matters(*variable)) key.add(*variable);
  return key.sum();
}

// The file: key, number of devices, their infos, the reason.
struct Head {
  uint64_t key;
  uint64_t devices;
};

}  // namespace

std::optional<DeviceList> kept_device_list() {
  const std::vector<std::byte> content = read_cached(kFile);
  Head head{};
  if (content.size() < sizeof head) return {};
  std::memcpy(&head, content.data(), sizeof head);
  const size_t rest = content.size() - sizeof head;
  if (head.key != key_now() || head.devices > rest / sizeof(rayo_device_info)) return {};
  DeviceList list;
  list.devices.resize(head.devices);
  const std::byte *at = content.data() + sizeof head;
  const size_t bytes = head.devices * sizeof(rayo_device_info);
  if (bytes > 0) std::memcpy(list.devices.data(), at, bytes);
  for (rayo_device_info &info : list.devices) info.next = nullptr;
  list.reason.assign(reinterpret_cast<const char *>(at) + bytes, rest - bytes);
  return list;
}

void keep_device_list(const Driver &driver) {
  const Head head{key_now(), driver.devices().size()};
  std::vector<std::byte> content(sizeof head);
  std::memcpy(content.data(), &head, sizeof head);
  const auto append = [&](const void *data, size_t size) {
    const auto *bytes = static_cast<const std::byte *>(data);
    content.insert(content.end(), bytes, bytes + size);
  };
  for (const PhysicalDevice &device : driver.devices()) append(&device.info, sizeof device.info);
  append(driver.reason().data(), driver.reason().size());
  write_cached(kFile, content);
}

}  // namespace rayo::vulkan
