// SPDX-License-Identifier: Apache-2.0
//
// Temporary files and the table of their names that the signal handler reads.
#include "temp_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "command.hpp"

namespace rayo::tools {
namespace {

constexpr std::size_t kMostTempFiles = 64;  // outputs and backups of one call: at most 2 * RAYO_MAX_OPERANDS
constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

// Names for the handler. A name is freed only after its slot is empty and with the signals blocked.
std::array<std::atomic<char *>, kMostTempFiles> temp_names;
static_assert(std::atomic<char *>::is_always_lock_free, "the signal handler reads temp_names");

extern "C" void remove_temp_files(int signal_number) {
  for (const std::atomic<char *> &name : temp_names) {
    if (const char *path = name.load()) ::unlink(path);
  }
  std::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : kSignals) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals &) = delete;
  BlockedSignals &operator=(const BlockedSignals &) = delete;

 private:
  sigset_t before_;
};

void remember(const std::string &path) {
  char *copy = ::strdup(path.c_str());
  for (std::atomic<char *> &name : temp_names) {
    char *empty = nullptr;
    if (name.compare_exchange_strong(empty, copy)) return;
  }
  std::free(copy);  // table full: this name is removed by the destructor only
}

void forget(const std::string &path) {
  for (std::atomic<char *> &name : temp_names) {
    char *entry = name.load();
    if (entry != nullptr && path == entry) {
      name.store(nullptr);
      std::free(entry);
      return;
    }
  }
}

CommandError cannot_write(const std::string &path, const std::string &why, const char *next) {
  return CommandError(RAYO_IO, fmt::format("{}: cannot be written: {}; {}", path, why, next));
}

std::string folder_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The mode that open(2) would have given a new file. umask can only be read by setting it.
mode_t default_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return static_cast<mode_t>(0666) & ~mask;
}

}  // namespace

void remove_temp_files_on_signals() {
  for (const int number : kSignals) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = remove_temp_files;
    sigfillset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
}

OutputFiles::OutputFiles(const std::vector<std::string> &paths) {
  files_.reserve(paths.size());
  try {
    for (const std::string &path : paths) {
      files_.push_back({path, path, "", "", -1, false});
      open_temp(files_.back());
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (files_[i].target != files_[j].target) continue;
        throw usage_error(fmt::format("{}: given for two outputs; give each output its own file", files_[i].path));
      }
    }
  } catch (...) {
    close_and_remove();
    throw;
  }
}

OutputFiles::~OutputFiles() { close_and_remove(); }

void OutputFiles::open_temp(File &file) {
  if (file.path.empty()) throw usage_error("an output's file name is empty; give a path such as out.npy");
  struct stat existing {};
  mode_t mode = default_mode();
  if (::stat(file.path.c_str(), &existing) == 0) {
    if (S_ISDIR(existing.st_mode)) throw cannot_write(file.path, "it is a folder", "name a file in it");
    if (!S_ISREG(existing.st_mode)) {
      throw cannot_write(file.path, "it is not a regular file", "without -o a summary is printed");
    }
    mode = existing.st_mode & static_cast<mode_t>(07777);
  }
  const std::string &folder_source = file.path;
  const std::unique_ptr<char, decltype(&std::free)> folder(::realpath(folder_of(folder_source).c_str(), nullptr),
                                                           std::free);
  if (folder == nullptr) {
    throw cannot_write(file.path, fmt::format("folder {}: {}", folder_of(file.path), std::strerror(errno)),
                       "create the folder or choose another");
  }
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(file.path.c_str(), nullptr), std::free);
  const std::size_t slash = file.path.rfind('/');
  const std::string name = slash == std::string::npos ? file.path : file.path.substr(slash + 1);
  if (name.empty()) throw cannot_write(file.path, "it names a folder", "name a file in it");
  file.target = resolved != nullptr ? std::string(resolved.get()) : fmt::format("{}/{}", folder.get(), name);

  std::string temp = fmt::format("{}/.rayo-{}-XXXXXX", folder_of(file.target), ::getpid());
  const BlockedSignals blocked;
  file.descriptor = ::mkostemp(temp.data(), O_CLOEXEC);
  if (file.descriptor < 0) {
    throw cannot_write(file.path, fmt::format("folder {}: {}", folder_of(file.target), std::strerror(errno)),
                       "choose a folder that you may write to");
  }
  file.temp = temp;
  remember(temp);
  if (::fchmod(file.descriptor, mode) != 0) {
    throw cannot_write(file.path, std::strerror(errno), "choose another folder");
  }
}

void OutputFiles::commit() {
  for (File &file : files_) {
    const BlockedSignals blocked;
    const int closed = ::close(file.descriptor);
    file.descriptor = -1;
    if (closed != 0) {
      const int error = errno;
      undo();
      throw cannot_write(file.path, std::strerror(error), "free space on the disk or choose another folder");
    }
    // A second name for the old content, for undo(). Only useful when a later rename can still fail.
    const std::string backup = file.temp + ".old";
    if (files_.size() > 1 && ::link(file.target.c_str(), backup.c_str()) == 0) {
      file.backup = backup;
      remember(backup);
    }
    if (::rename(file.temp.c_str(), file.target.c_str()) != 0) {
      const int error = errno;
      undo();
      throw cannot_write(file.path, std::strerror(error), "choose another file");
    }
    file.renamed = true;
    forget(file.temp);
    file.temp.clear();
  }
}

void OutputFiles::undo() {
  for (File &file : files_) {
    if (!file.renamed) continue;
    if (file.backup.empty()) {
      ::unlink(file.target.c_str());
    } else if (::rename(file.backup.c_str(), file.target.c_str()) == 0) {
      forget(file.backup);
      file.backup.clear();
    }
    file.renamed = false;
  }
}

void OutputFiles::close_and_remove() {
  const BlockedSignals blocked;
  for (File &file : files_) {
    if (file.descriptor >= 0) ::close(file.descriptor);
    file.descriptor = -1;
    for (std::string *name : {&file.temp, &file.backup}) {
      if (name->empty()) continue;
      ::unlink(name->c_str());
      forget(*name);
      name->clear();
    }
  }
}

}  // namespace rayo::tools
