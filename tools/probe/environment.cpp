// SPDX-License-Identifier: Apache-2.0
#include "probe/environment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/folder_names.hpp"

namespace rayo::probe {
namespace {

namespace fs = std::filesystem;

std::set<int> numbers_in(const char *folder) {
  std::set<int> numbers;
  std::vector<std::string> names;
  folder_names(folder, &names);
  for (const std::string &name : names) numbers.insert(std::atoi(name.c_str()));
  return numbers;
}

bool same_handler(const struct sigaction &a, const struct sigaction &b) {
  return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
}

std::string signal_name(int number) {
  const char *name = ::sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

}  // namespace

Environment::Environment() {
  for (int i = 1; i < NSIG; ++i) ::sigaction(i, nullptr, &handlers_[static_cast<size_t>(i)]);
  ::sigprocmask(SIG_SETMASK, nullptr, &mask_);
  std::error_code error;
  folder_ = fs::current_path(error).string();
  locale_ = std::setlocale(LC_ALL, nullptr);
  umask_ = ::umask(0);
  ::umask(umask_);
  files_ = numbers_in("/proc/self/fd");
  // The descriptor that listed the folder is closed again.
  std::erase_if(files_, [](int fd) { return ::fcntl(fd, F_GETFD) < 0; });
  threads_ = numbers_in("/proc/self/task").size();
}

std::string Environment::difference(const Environment &now) const {
  for (int i = 1; i < NSIG; ++i) {
    if (!same_handler(handlers_[static_cast<size_t>(i)], now.handlers_[static_cast<size_t>(i)])) {
      return fmt::format("changed the handler of {}; a plugin installs none", signal_name(i));
    }
    if (::sigismember(&mask_, i) != ::sigismember(&now.mask_, i)) {
      return fmt::format("changed the signal mask ({}) of its caller's thread", signal_name(i));
    }
  }
  if (folder_ != now.folder_) return fmt::format("changed the working directory to '{}'", now.folder_);
  if (locale_ != now.locale_) return fmt::format("changed the locale from '{}' to '{}'", locale_, now.locale_);
  if (umask_ != now.umask_) return fmt::format("changed the umask from {:03o} to {:03o}", umask_, now.umask_);
  return "";
}

std::string Environment::new_files(const Environment &now) const {
  std::string names;
  size_t count = 0;
  for (const int fd : now.files_) {
    if (files_.contains(fd)) continue;
    std::error_code error;
    const fs::path target = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
    if (++count <= 3)
      names += (names.empty() ? "" : ", ") + (error ? fmt::format("descriptor {}", fd) : target.string());
  }
  return count <= 3 ? names : fmt::format("{} and {} more", names, count - 3);
}

}  // namespace rayo::probe
