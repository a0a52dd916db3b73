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

constexpr char kMagic[8] = {'r', 'a', 'y', 'o', 'l', 'm', '0', '1'};
constexpr size_t kSlots = 256;    // threads at once; more share the last
constexpr size_t kPlugins = 128;  // of one process
constexpr size_t kLine = 64;      // a slot has a cache line of its own

struct alignas(kLine) Slot {
  std::atomic<LaunchMark> mark;
};

struct PluginEntry {
  char sha256[65];
  char name[63];
};

// The file as it is mapped. Marks are indices into `plugins`, plus 1.
struct MarkFile {
  char magic[8];
  std::atomic<uint32_t> plugin_count;
  char program[1012];
  PluginEntry plugins[kPlugins];
  Slot slots[kSlots];
};

std::string folder_of_marks() {
  const std::string cache = user_cache_folder();
  return cache.empty() ? cache : cache + "/launches";
}

void copy_text(const std::string &text, char *out, size_t capacity) noexcept {
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

LaunchRecord read_marks(const MarkFile &file) {
  LaunchRecord record;
  if (std::memcmp(file.magic, kMagic, sizeof kMagic) != 0) return record;
  record.program.assign(file.program, ::strnlen(file.program, sizeof file.program));
  const size_t count = std::min<size_t>(file.plugin_count.load(std::memory_order_acquire), kPlugins);
  std::vector<bool> running(count);
  for (const Slot &slot : file.slots) {
    const LaunchMark mark = slot.mark.load(std::memory_order_relaxed);
    if (mark != 0 && mark <= count) running[mark - 1] = true;
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string sha256(file.plugins[i].sha256, ::strnlen(file.plugins[i].sha256, sizeof file.plugins[i].sha256));
    (running[i] ? record.crashed : record.clean).push_back(sha256);
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
