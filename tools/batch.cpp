// SPDX-License-Identifier: Apache-2.0
//
// Reading of job lines, bounded in length, and reporting of each.
#include "batch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "batch_line.hpp"
#include "command.hpp"
#include "job.hpp"

namespace rayo::tools {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = std::size_t{16} << 20;

// Lines of a file; what exceeds kLongestLine is dropped and the line marked.
class LineReader {
 public:
  explicit LineReader(const std::string &file) : file_(file) {
    stream_ = file == "-" ? stdin : std::fopen(file.c_str(), "rbe");
    if (stream_ == nullptr) fail(std::strerror(errno));
    struct stat status {};
    if (::fstat(::fileno(stream_), &status) == 0 && S_ISDIR(status.st_mode)) fail("it is a folder");
  }
  ~LineReader() {
    if (stream_ != nullptr && stream_ != stdin) std::fclose(stream_);
  }
  LineReader(const LineReader &) = delete;
  LineReader &operator=(const LineReader &) = delete;

  // false at the end of the file.
  bool next(std::string *line, bool *too_long) {
    line->clear();
    *too_long = false;
    bool any = false;
    char buffer[64 * 1024];
    // fgets stops at a line's end; embedded NULs cut the piece, and the JSON is then refused.
    while (std::fgets(buffer, sizeof buffer, stream_) != nullptr) {
      any = true;
      const std::size_t size = std::strlen(buffer);
      const bool ends = size > 0 && buffer[size - 1] == '\n';
      if (line->size() + size > kLongestLine) *too_long = true;
      if (!*too_long) line->append(buffer, size - (ends ? 1 : 0));
      if (ends) break;
    }
    if (std::ferror(stream_) != 0) fail(std::strerror(errno));
    return any;
  }

 private:
  [[noreturn]] void fail(const std::string &why) {
    throw CommandError(RAYO_IO, fmt::format("--batch {}: cannot be read: {}; give a file of JSON lines, or - for "
                                            "standard input",
                                            file_, why));
  }
  std::string file_;
  std::FILE *stream_ = nullptr;
};

json failure(uint64_t line, rayo_status status, const std::string &text) {
  return {{"line", line}, {"ok", false}, {"status", rayo_status_name(status)}, {"error", text}};
}

json run_line(const Session &session, const SessionOptions &options, const std::string &line, uint64_t number,
              const BatchSettings &settings) {
  try {
    const Job job = parse_batch_line(line, settings);
    json result = job_result_json(job, run_job(session, options, job, true));
    result["line"] = number;
    result["ok"] = true;
    return result;
  } catch (const CommandError &error) {
    return failure(number, error.status(), error.what());
  } catch (const std::bad_alloc &) {
    return failure(number, RAYO_OUT_OF_MEMORY, "out of memory; try smaller inputs, or free memory first");
  }
}

// "job 12, 1 failed" on a terminal, at most ten times a second; nothing elsewhere.
class Progress {
 public:
  void show(uint64_t done, uint64_t failed) {
    const auto now = std::chrono::steady_clock::now();
    if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    shown_ = true;
    fmt::print(stderr, "\r{} jobs done, {} failed ", done, failed);
    std::fflush(stderr);
  }
  void clear() const {
    if (shown_) fmt::print(stderr, "\r{:60}\r", "");
  }

 private:
  // When the results go to the same terminal they are the progress.
  bool terminal_ = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace

int run_batch(const Session &session, const SessionOptions &options, const std::string &file,
              const BatchSettings &settings) {
  LineReader reader(file);
  Progress progress;
  std::string line;
  bool too_long = false;
  uint64_t done = 0;
  uint64_t failed = 0;
  for (uint64_t number = 1; reader.next(&line, &too_long); ++number) {
    if (!too_long && line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const json result =
        too_long ? failure(number, RAYO_INVALID_ARGUMENT, fmt::format("the line has more than {} bytes", kLongestLine))
                 : run_line(session, options, line, number, settings);
    ++done;
    if (!result["ok"].get<bool>()) ++failed;
    fmt::print("{}\n", result.dump(-1, ' ', false, json::error_handler_t::replace));
    std::fflush(stdout);
    progress.show(done, failed);
  }
  progress.clear();
  return failed == 0 ? kExitOk : kExitFailed;
}

}  // namespace rayo::tools
