// SPDX-License-Identifier: Apache-2.0
#include "cache_file.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace rayo::vulkan {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{64} << 20;

// What stands before the content.
struct Header {
  char magic[8];
  uint64_t size;
  uint64_t checksum;  // drivers trust their data too much
};
constexpr char kMagic[8] = {'r', 'a', 'y', 'o', 'v', 'k', 'c', '1'};

// "" = no cache: switched off, no home, or a process with borrowed rights.
std::string cache_folder() {
  if (getauxval(AT_SECURE) != 0) return {};
  if (const char *own = std::getenv("RAYO_VULKAN_CACHE"); own != nullptr && own[0] != '\0')
    return own[0] == '/' ? std::string(own) : std::string();  // "off", and relative paths
  if (const char *xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && xdg[0] == '/')
    return std::string(xdg) + "/rayo";
  if (const char *home = std::getenv("HOME"); home != nullptr && home[0] == '/')
    return std::string(home) + "/.cache/rayo";
  return {};
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  bool good() const { return descriptor_ >= 0; }
  bool read_all(void *to, size_t size) const {
    auto *at = static_cast<std::byte *>(to);
    while (size > 0) {
      const ssize_t got = ::read(descriptor_, at, size);
      if (got <= 0) return false;
      at += got;
      size -= static_cast<size_t>(got);
    }
    return true;
  }
  bool write_all(const void *from, size_t size) const {
    const auto *at = static_cast<const std::byte *>(from);
    while (size > 0) {
      const ssize_t put = ::write(descriptor_, at, size);
      if (put <= 0) return false;
      at += put;
      size -= static_cast<size_t>(put);
    }
    return true;
  }

 private:
  int descriptor_;
};

}  // namespace

uint64_t checksum_of(std::span<const std::byte> data, uint64_t sum) {
  for (const std::byte b : data) sum = (sum ^ static_cast<uint64_t>(b)) * 0x100000001b3u;
  return sum;
}

std::vector<std::byte> read_cached(const std::string &name) {
  const std::string folder = cache_folder();
  if (folder.empty()) return {};
  const File file(::open((folder + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  Header header{};
  if (!file.good() || !file.read_all(&header, sizeof header)) return {};
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.size > kMaxBytes) return {};
  std::vector<std::byte> content(header.size);
  if (!file.read_all(content.data(), content.size()) || checksum_of(content) != header.checksum) return {};
  return content;
}

void write_cached(const std::string &name, std::span<const std::byte> content) {
  const std::string folder = cache_folder();
  if (folder.empty() || content.empty() || content.size() > kMaxBytes) return;
  const std::string path = folder + "/" + name;
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0700);
  std::string temporary = path + ".XXXXXX";
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.good()) return;
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.size = content.size();
  header.checksum = checksum_of(content);
  if (!file.write_all(&header, sizeof header) || !file.write_all(content.data(), content.size()) ||
      ::rename(temporary.c_str(), path.c_str()) != 0)
    ::unlink(temporary.c_str());
}

}  // namespace rayo::vulkan
