// SPDX-License-Identifier: Apache-2.0
//
// Trace files, counters and JSON log lines of the built library, read by Python's json.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace {

using rayo_test::last_error;

class Folder {
 public:
  Folder() { EXPECT_NE(mkdtemp(path_), nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  std::string operator/(const char *name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[32] = "/tmp/rayo_trace_XXXXXX";
};

// What Python prints for `expression` with the file's JSON in `d`; an error if it is no JSON.
std::string ask(const std::string &file, const std::string &expression) {
  const std::string command = "python3 -c 'import json,sys\nd=json.load(open(sys.argv[1]))\nx=[e for e in " +
                              std::string("d.get(\"traceEvents\",[]) if e[\"ph\"]==\"X\"]\nprint(") + expression +
                              ")' " + file + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 256> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  EXPECT_EQ(pclose(pipe), 0) << out;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

rayo_runtime *make_runtime(const char *trace, uint32_t more_flags = 0) {
  const char *file = RAYO_SCALAR_PLUGIN;
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_ONLY_FILES | RAYO_RUNTIME_TRUST_FILES | more_flags;
  options.plugin_files = &file;
  options.plugin_file_count = 1;
  options.threads = 2;
  options.trace = trace;
  rayo_runtime *runtime = nullptr;
  EXPECT_EQ(rayo_runtime_create(&options, &runtime), RAYO_OK) << last_error();
  return runtime;
}

void add(rayo_runtime *runtime, int times) {
  const std::vector<float> a(8, 1.0f);
  std::vector<float> c(8);
  for (int i = 0; i < times; ++i) EXPECT_EQ(rayo_add_f32(runtime, 8, a.data(), a.data(), c.data()), RAYO_OK);
}

std::string metrics(const rayo_runtime *runtime) {
  std::string text(rayo_metrics_text(runtime, nullptr, 0), '\0');
  EXPECT_EQ(rayo_metrics_text(runtime, text.data(), text.size() + 1), text.size());
  return text;
}

TEST(Trace, HoldsASpanForEachStepAndIsJsonAfterEachFlush) {
  const Folder folder;
  const std::string file = folder / "trace.json";
  rayo_runtime *runtime = make_runtime(file.c_str());
  EXPECT_EQ(ask(file, "len(x)"), "0") << "whole JSON from the start";
  add(runtime, 3);
  ASSERT_EQ(rayo_trace_flush(runtime), RAYO_OK) << last_error();
  EXPECT_EQ(ask(file, "sorted([e[\"cat\"],e[\"name\"]] for e in x)"),
            "[['call', 'add'], ['call', 'add'], ['call', 'add'], ['load', 'scalar.so'], ['plan', 'add'], ['runtime', "
            "'runtime create']]");
  EXPECT_EQ(ask(file, "[e for e in x if e[\"cat\"]==\"call\"][0][\"args\"][\"device\"]"), "scalar");
  EXPECT_EQ(ask(file,
                "min(e[\"dur\"] for e in x) >= 0 and all(e[\"args\"][\"threads\"]>=1 and e[\"args\"][\"kernel\"] "
                "for e in x if e[\"cat\"]==\"call\")"),
            "True");
  add(runtime, 2);
  rayo_runtime_destroy(runtime);
  EXPECT_EQ(ask(file, "len([e for e in x if e[\"cat\"]==\"call\"])"), "5") << "destroying flushes too";
}

TEST(Trace, EveryThreadIsInItAndAFullBufferIsCounted) {
  const Folder folder;
  const std::string file = folder / "trace.json";
  rayo_runtime *runtime = make_runtime(file.c_str());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) threads.emplace_back([runtime] { add(runtime, 100); });
  for (std::thread &thread : threads) thread.join();
  add(runtime, 20000);  // more than a thread keeps
  ASSERT_EQ(rayo_trace_flush(runtime), RAYO_OK) << last_error();
  EXPECT_EQ(ask(file, "len(set(e[\"tid\"] for e in x))"), "4");
  // Of this thread: create, load and plan, then calls until the buffer was full.
  EXPECT_EQ(ask(file, "len([e for e in x if e[\"cat\"]==\"call\"]), d[\"otherData\"][\"dropped\"]"), "16681 3619");
  EXPECT_NE(metrics(runtime).find("rayo_trace_dropped_total 3619\n"), std::string::npos);
  rayo_runtime_destroy(runtime);
}

TEST(Trace, AForkedChildLeavesTheFileAlone) {
  const Folder folder;
  const std::string file = folder / "trace.json";
  rayo_runtime *runtime = make_runtime(file.c_str());
  add(runtime, 1);
  const pid_t child = fork();
  if (child == 0) {
    add(runtime, 10);
    rayo_runtime_destroy(runtime);
    exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  add(runtime, 1);
  rayo_runtime_destroy(runtime);
  EXPECT_EQ(ask(file, "len([e for e in x if e[\"cat\"]==\"call\"])"), "2");
}

TEST(Trace, IsWholeAfterTheProcessEndsWithoutDestroying) {
  const Folder folder;
  const std::string file = folder / "trace-%p.json";
  const pid_t child = fork();
  if (child == 0) {
    add(make_runtime(file.c_str()), 4);
    exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ask(folder / ("trace-" + std::to_string(child) + ".json").c_str(), "len(x)"), "7");
}

TEST(Trace, AFileThatCannotBeWrittenFailsCreateWithItsName) {
  const char *plugin = RAYO_SCALAR_PLUGIN;
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  options.flags = RAYO_RUNTIME_ONLY_FILES;
  options.plugin_files = &plugin;
  options.plugin_file_count = 1;
  options.trace = "/nowhere/trace.json";
  rayo_runtime *runtime = nullptr;
  EXPECT_EQ(rayo_runtime_create(&options, &runtime), RAYO_IO);
  EXPECT_NE(last_error().find("/nowhere/trace.json"), std::string::npos) << last_error();
}

TEST(Metrics, CountCallsFailuresAndTimeWhereAskedTo) {
  rayo_runtime *runtime = make_runtime(nullptr, RAYO_RUNTIME_METRICS);
  add(runtime, 7);
  const std::string text = metrics(runtime);
  EXPECT_NE(text.find("# TYPE rayo_calls_total counter\nrayo_calls_total{op=\"add\",device=\"scalar\",kernel=\""),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\"} 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("rayo_call_seconds_total{op=\"add\""), std::string::npos) << text;
  EXPECT_EQ(text.find("rayo_call_failures_total"), std::string::npos) << "nothing failed:\n" << text;
  EXPECT_NE(text.find("rayo_plugins{state=\"ready\"} 1\n"), std::string::npos) << text;
  rayo_runtime_destroy(runtime);
  runtime = make_runtime(nullptr);
  add(runtime, 7);
  EXPECT_EQ(metrics(runtime).find("rayo_calls_total"), std::string::npos) << "off by default";
  rayo_runtime_destroy(runtime);
  char cut[4] = "xxx";
  EXPECT_EQ(rayo_metrics_text(nullptr, cut, sizeof cut), 0u);
  EXPECT_EQ(cut[0], '\0');
}

TEST(Log, LinesAreJsonWhereAskedTo) {
  const Folder folder;
  const std::string file = folder / "log";
  const pid_t child = fork();
  if (child == 0) {
    if (freopen(file.c_str(), "w", stderr) == nullptr) _exit(2);
    setenv("RAYO_LOG", "info", 1);
    setenv("RAYO_LOG_FORMAT", "json", 1);
    rayo_runtime_destroy(make_runtime(nullptr));
    exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const std::string command =
      "python3 -c 'import json,sys\nlines=[json.loads(l) for l in open(sys.argv[1])]\n"
      "assert all(l[\"source\"]==\"rayo\" and l[\"time\"][-1]==\"Z\" and l[\"pid\"]>0 for l in lines),lines\n"
      "assert any(l[\"level\"]==\"info\" and l[\"text\"].startswith(\"plugin scalar is ready\") for l in "
      "lines),lines' " +
      file;
  EXPECT_EQ(std::system(command.c_str()), 0);
  setenv("RAYO_LOG_FORMAT", "xml", 1);
  rayo_runtime_options options = RAYO_RUNTIME_OPTIONS_INIT;
  rayo_runtime *runtime = nullptr;
  EXPECT_EQ(rayo_runtime_create(&options, &runtime), RAYO_INVALID_ARGUMENT);
  unsetenv("RAYO_LOG_FORMAT");
  EXPECT_NE(last_error().find("RAYO_LOG_FORMAT is 'xml'; legal: text, json"), std::string::npos) << last_error();
}

}  // namespace
