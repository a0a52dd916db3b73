// SPDX-License-Identifier: Apache-2.0
#include "loader/launch_marks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>

#include "base/descriptor.hpp"
#include "base/env.hpp"
#include "base/folder_names.hpp"
#include "base/locked_file.hpp"
#include "loader/search.hpp"

namespace rayo {
namespace {

constexpr char kMagic[8] = {'r', 'a', 'y', 'o', 'l', 'm', '0', '2'};
constexpr size_t kSlots = 256;     // threads at once; more share the last
constexpr size_t kPlugins = 128;   // of one process
constexpr size_t kLines = 256;     // calls bound at once; more are not written down
constexpr size_t kCacheLine = 64;  // a slot has one of its own
constexpr uint32_t kPluginBits = 8;
constexpr LaunchMark kPluginMask = (1u << kPluginBits) - 1;
static_assert(kPlugins <= kPluginMask);

struct alignas(kCacheLine) Slot {
  std::atomic<LaunchMark> mark;
};

struct PluginEntry {
  char sha256[65];
  char name[63];
};

struct LineEntry {
  char text[kLongestLaunchLine + 8];
};

// The file as it is mapped. A mark is an index into `plugins`, plus 1, and above it one into `lines`, plus 1.
struct MarkFile {
  char magic[8];
  std::atomic<uint32_t> plugin_count;
  char program[1012];
  PluginEntry plugins[kPlugins];
  LineEntry lines[kLines];
  Slot slots[kSlots];
};

std::string folder_of_marks() {
  const std::string cache = user_cache_folder();
  return cache.empty() ? cache : cache + "/launches";
}

void copy_text(std::string_view text, char *out, size_t capacity) noexcept {
  const size_t size = std::min(text.size(), capacity - 1);
  std::memcpy(out, text.data(), size);
  out[size] = '\0';
}

// This process's file: made when the first plugin asks for a mark, there until the process ends.
class Marks {
 public:
  static Marks &instance() {
    static Marks *const marks = new Marks;  // slots are in use until the very end
    return *marks;
  }

  LaunchMark mark_of(const std::string &sha256, const std::string &name) {
    const std::lock_guard lock(mutex_);
    if (parent_ != nullptr) open_in_child();
    if (!opened_) open();
    if (file_ == nullptr) return 0;
    const uint32_t count = file_->plugin_count.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < count; ++i) {
      if (sha256 == file_->plugins[i].sha256) return i + 1;
    }
    if (count == kPlugins) return 0;
    copy_text(sha256, file_->plugins[count].sha256, sizeof file_->plugins[count].sha256);
    copy_text(name, file_->plugins[count].name, sizeof file_->plugins[count].name);
    file_->plugin_count.store(count + 1, std::memory_order_release);
    return count + 1;
  }

  LaunchMark with_line(LaunchMark mark, std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (parent_ != nullptr) open_in_child();
    if (file_ == nullptr || line.size() > kLongestLaunchLine) return mark;
    size_t index = kLines;
    for (size_t i = 0; i < kLines; ++i) {
      if (line_users_[i] != 0 && line == file_->lines[i].text) {
        index = i;
        break;
      }
      if (line_users_[i] == 0 && index == kLines) index = i;
    }
    if (index == kLines) return mark;
    if (line_users_[index]++ == 0) copy_text(line, file_->lines[index].text, sizeof file_->lines[index].text);
    return mark | static_cast<LaunchMark>((index + 1) << kPluginBits);
  }

  void release_line(LaunchMark mark) noexcept {
    const size_t index = mark >> kPluginBits;
    const std::lock_guard lock(mutex_);
    // The text stays until its place is needed: where a kernel calls exit(), plans go while its call still runs.
    if (index != 0 && index <= kLines && line_users_[index - 1] != 0) --line_users_[index - 1];
  }

  std::atomic<LaunchMark> *claim() noexcept {
    const std::lock_guard lock(mutex_);
    if (parent_ != nullptr) open_in_child();
    if (file_ == nullptr) return &nowhere_;
    for (size_t i = 0; i + 1 < kSlots; ++i) {
      if (used_[i]) continue;
      used_[i] = true;
      return &file_->slots[i].mark;
    }
    return &file_->slots[kSlots - 1].mark;
  }

  void give_back(const std::atomic<LaunchMark> *slot) noexcept {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr || slot == &nowhere_) return;
    for (size_t i = 0; i + 1 < kSlots; ++i) {
      if (&file_->slots[i].mark == slot) used_[i] = false;
    }
  }

  // A forked child has marks of its own: its end says nothing about its parent's.
  void after_fork() noexcept {
    new (&mutex_) std::mutex;  // whoever held it is not here
    if (file_ == nullptr) return;
    ::close(fd_);  // the lock stays with the parent
    parent_ = file_;
    file_ = nullptr;
    std::memset(used_, 0, sizeof used_);
  }

  void keep() noexcept {
    const std::lock_guard lock(mutex_);
    keep_ = true;
  }

  // At a normal end there is nothing to tell; exit() called by a plugin's kernel is no normal end.
  void close() noexcept {
    if (file_ == nullptr || path_.empty() || keep_) return;
    for (const Slot &slot : file_->slots) {
      if (slot.mark.load(std::memory_order_relaxed) != 0) return;
    }
    if (owner_ == ::getpid()) ::unlink(path_.c_str());
  }

 private:
  void open() {
    opened_ = true;
    const std::string folder = folder_of_marks();
    if (folder.empty() || !make_private_folders(folder)) return;
    path_ = folder + "/XXXXXX";
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) return;
    // The lock goes with the process, however it ends. posix_fallocate: a full disk must not become SIGBUS later.
    void *memory = MAP_FAILED;
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0 && ::posix_fallocate(fd_, 0, sizeof(MarkFile)) == 0) {
      memory = ::mmap(nullptr, sizeof(MarkFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    }
    if (memory == MAP_FAILED) {
      ::unlink(path_.c_str());
      ::close(fd_);
      path_.clear();
      return;
    }
    file_ = static_cast<MarkFile *>(memory);  // zeroes, as a new file holds
    copy_text(own_program(), file_->program, sizeof file_->program);
    std::memcpy(file_->magic, kMagic, sizeof kMagic);
    owner_ = ::getpid();
    static const bool once = [] {
      std::atexit([] { instance().close(); });
      ::pthread_atfork(nullptr, nullptr, [] {
        t_launch_slot = nullptr;
        instance().after_fork();
      });
      return true;
    }();
    (void)once;
  }

  // The same plugins under the same marks, which records and plans hold.
  void open_in_child() noexcept {
    try {
      open();
    } catch (const std::exception &) {
    }
    if (file_ != nullptr) {
      std::memcpy(file_->plugins, parent_->plugins, sizeof file_->plugins);
      std::memcpy(file_->lines, parent_->lines, sizeof file_->lines);
      file_->plugin_count.store(parent_->plugin_count.load(std::memory_order_acquire), std::memory_order_release);
    }
    parent_ = nullptr;  // stays mapped: a guard on this thread's stack may still point into it
  }

  std::mutex mutex_;
  bool opened_ = false;
  bool keep_ = false;
  int fd_ = -1;
  pid_t owner_ = -1;
  std::string path_;
  MarkFile *file_ = nullptr;
  MarkFile *parent_ = nullptr;  // in a forked child, until it has a file of its own
  bool used_[kSlots] = {};
  uint32_t line_users_[kLines] = {};
  std::atomic<LaunchMark> nowhere_{0};
};

// Gives the slot back when its thread ends.
struct SlotOwner {
  std::atomic<LaunchMark> *slot = nullptr;
  ~SlotOwner() {
    if (slot == nullptr || t_launch_slot != slot) return;  // none, or the parent's
    t_launch_slot = nullptr;
    // A thread that ends inside a call ends by the kernel's exit(): Marks::close must still see it.
    if (slot->load(std::memory_order_relaxed) == 0) Marks::instance().give_back(slot);
  }
};

template <size_t N>
std::string text_of(const char (&text)[N]) {
  return {text, ::strnlen(text, N)};
}

LaunchRecord read_marks(const MarkFile &file) {
  LaunchRecord record;
  if (std::memcmp(file.magic, kMagic, sizeof kMagic) != 0) return record;
  record.program = text_of(file.program);
  const size_t count = std::min<size_t>(file.plugin_count.load(std::memory_order_acquire), kPlugins);
  std::vector<bool> running(count);
  std::vector<std::vector<std::string>> lines(count);
  for (const Slot &slot : file.slots) {
    const LaunchMark mark = slot.mark.load(std::memory_order_relaxed);
    const size_t plugin = mark & kPluginMask;
    const size_t line = mark >> kPluginBits;
    if (plugin == 0 || plugin > count) continue;
    running[plugin - 1] = true;
    if (line == 0 || line > kLines) continue;
    std::string text = text_of(file.lines[line - 1].text);
    std::vector<std::string> &known = lines[plugin - 1];
    if (!text.empty() && std::find(known.begin(), known.end(), text) == known.end()) known.push_back(std::move(text));
  }
  for (size_t i = 0; i < count; ++i) {
    std::string sha256 = text_of(file.plugins[i].sha256);
    if (running[i]) {
      record.crashed.push_back({std::move(sha256), std::move(lines[i])});
    } else {
      record.clean.push_back(std::move(sha256));
    }
  }
  return record;
}

// One file, unless its process lives.
void take_in(const std::string &path, std::vector<LaunchRecord> *records) {
  const Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!fd.ok() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return;
  }
  const auto file = std::make_unique<MarkFile>();
  if (::pread(fd.get(), static_cast<void *>(file.get()), sizeof(MarkFile), 0) == ssize_t{sizeof(MarkFile)}) {
    records->push_back(read_marks(*file));
  }
  ::unlink(path.c_str());
}

}  // namespace

constinit thread_local std::atomic<LaunchMark> *t_launch_slot = nullptr;

std::atomic<LaunchMark> *claim_launch_slot() noexcept {
  thread_local SlotOwner owner;
  owner.slot = Marks::instance().claim();
  t_launch_slot = owner.slot;
  return owner.slot;
}

LaunchMark launch_mark(const std::string &sha256, const std::string &name) noexcept {
  try {
    return sha256.empty() ? 0 : Marks::instance().mark_of(sha256, name);
  } catch (const std::exception &) {
    return 0;
  }
}

LaunchMark with_launch_line(LaunchMark mark, std::string_view line) noexcept {
  try {
    return mark == 0 ? mark : Marks::instance().with_line(mark, line);
  } catch (const std::exception &) {
    return mark;
  }
}

void release_launch_line(LaunchMark mark) noexcept {
  if (mark > kPluginMask) Marks::instance().release_line(mark);
}

void keep_launch_file() noexcept { Marks::instance().keep(); }

std::vector<LaunchRecord> collect_launches() {
  std::vector<LaunchRecord> records;
  const std::string folder = folder_of_marks();
  if (folder.empty() || real_path(folder).empty() || !distrust(real_path(folder)).empty()) return records;
  constexpr size_t kMost = 256;
  std::vector<std::string> names;
  folder_names(folder, &names, kMost);  // an error: the next start tries again
  for (const std::string &name : names) take_in(fmt::format("{}/{}", folder, name), &records);
  return records;
}

std::string own_program() {
  std::error_code error;
  const std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return error ? std::string() : path;
}

}  // namespace rayo
