// SPDX-License-Identifier: Apache-2.0
#include "faults/fault_rows.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "faults/fault_files.hpp"

namespace rayo::faults {
namespace {

namespace fs = std::filesystem;

std::string test_name(std::string text) {
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

// The chaos plugin under a name that chooses its fault.
Fault chaos(const char *group, const char *fault, const char *state, const char *reason, bool slow = false) {
  return {
      group, test_name(fault), state, reason, [fault](const std::string &folder) { return add_chaos(folder, fault); },
      slow};
}

Fault fixture(const char *name, const char *reason) {
  return {"load", std::string("answer_") + name, "rejected", reason,
          [name](const std::string &folder) { return add_fixture(folder, name); }};
}

// A copy of the chaos plugin, whole but for what `change` does to its bytes.
Fault forged(const char *group, const char *name, const char *reason,
             const std::function<void(std::vector<char> *)> &change) {
  return {group, name, "rejected", reason, [change](const std::string &folder) {
            std::vector<char> bytes = bytes_of(RAYO_CHAOS_FILE);
            change(&bytes);
            std::string path = folder + "/forged.so";
            write_bytes(path, bytes);
            return path;
          }};
}

std::function<void(std::vector<char> *)> note_field(size_t index, unsigned value) {
  return [=](std::vector<char> *bytes) { put_u32(bytes, note_at(*bytes) + 4 * index, value); };
}

void add_load_rows(std::vector<Fault> *rows) {
  constexpr const char *kCrash = "crashed in its probe, loading";
  for (Fault &row : std::vector<Fault>{
           chaos("load", "load-segv", "quarantined", "crashed in its probe, loading: SIGSEGV"),
           chaos("load", "load-abort", "quarantined", "crashed in its probe, loading: SIGABRT"),
           chaos("load", "load-throw", "quarantined", kCrash),
           chaos("load", "load-exit0", "quarantined", "ended the process in its probe, loading: exit status 0"),
           chaos("load", "load-exit3", "quarantined", "ended the process in its probe, loading: exit status 3"),
           chaos("load", "load-spin", "quarantined", "hung in its probe, loading", true),
           chaos("load", "load-thread", "rejected",
                 "has started 1 thread when it was loaded, but its note declares none"),
           chaos("load", "load-mxcsr", "rejected", "its loading changed the floating-point environment"),
           chaos("load", "load-stdout", "rejected", "wrote 17 bytes to standard output: 'chaos says hello'"),
           chaos("load", "query-segv", "quarantined", "crashed in its probe, in its query: SIGSEGV"),
           chaos("load", "query-wait", "quarantined", "hung in its probe, in its query", true),
           chaos("load", "query-throw", "rejected", "its query threw an exception: chaos"),
           chaos("load", "query-fail", "rejected", "chaos was asked for a failing query"),
           chaos("load", "create-segv", "quarantined", "crashed in its probe, in its create: SIGSEGV"),
           chaos("load", "create-fail", "rejected", "could not start (status -3): chaos was asked not to start"),
           chaos("load", "create-thread", "rejected", "has started 1 thread when it was loaded"),
           chaos("load", "answer-nothing", "rejected", "says that it is not for this host"),
           chaos("load", "answer-short-struct", "rejected", "struct_size 40"),
           chaos("load", "answer-no-type", "rejected", "struct_type 0"),
           chaos("load", "answer-null-name", "rejected", "its name, vendor, version or description is NULL"),
           chaos("load", "answer-other-name", "rejected", "its query calls it 'somebody_else', its note 'chaos'"),
           chaos("load", "answer-null-create", "rejected", "create or destroy is NULL"),
           chaos("load", "answer-null-kernels", "rejected", "are NULL, but the count is not 0"),
           chaos("load", "answer-many-kernels", "rejected", "at most 65536 are legal"),
           chaos("load", "answer-wild-kernels", "quarantined", "crashed in its probe, in its query: SIGSEGV"),
           chaos("load", "answer-wild-name", "quarantined", "crashed in its probe, in its query: SIGSEGV"),
           chaos("load", "answer-abi-99", "rejected", "is built for ABI 99.0"),
           chaos("load", "answer-abi-0", "rejected", "is built for ABI 0.0"),
           fixture("null_kernel", "kernel 1 of 2 is NULL"),
           fixture("null_prepare", "prepare is NULL"),
           fixture("duplicate_kernel", "two kernels are called"),
           fixture("lying_types", "types give T=i8"),
           fixture("unresolved", "rayo_test_symbol_that_nobody_defines"),
           fixture("no_symbol", "does not export rayo_plugin_query"),
           fixture("no_note", "has no .note.rayo section"),
       }) {
    rows->push_back(std::move(row));
  }
}

void add_file_rows(std::vector<Fault> *rows) {
  const auto path = [](const std::string &folder) { return folder + "/bad.so"; };
  rows->push_back({"load", "file_empty", "rejected", "", [path](const std::string &folder) {
                     write_bytes(path(folder), {});
                     return path(folder);
                   }});
  rows->push_back({"load", "file_is_a_folder", "rejected", "", [path](const std::string &folder) {
                     fs::create_directory(path(folder));
                     return path(folder);
                   }});
  rows->push_back({"load", "file_is_a_fifo", "rejected", "", [path](const std::string &folder) {
                     (void)!::mkfifo(path(folder).c_str(), 0600);
                     return path(folder);
                   }});
  rows->push_back(forged("load", "file_wrong_machine", "machine",
                         [](std::vector<char> *bytes) { (*bytes)[offsetof(Elf64_Ehdr, e_machine)] = EM_S390; }));
  rows->push_back(
      forged("load", "file_wrong_class", "", [](std::vector<char> *bytes) { (*bytes)[EI_CLASS] = ELFCLASS32; }));
  rows->push_back(forged("load", "note_abi_too_new", "needs a core of ABI 0.9 or newer", [](std::vector<char> *bytes) {
    note_field(1, 9)(bytes);
    note_field(2, 9)(bytes);
  }));
  rows->push_back(forged("load", "note_abi_too_old", "is built for ABI 0.0", note_field(1, 0)));
  rows->push_back(forged("load", "note_abi_garbage", "is built for ABI", note_field(1, 0xdeadbeef)));
  rows->push_back(forged("load", "note_version_unknown", "damaged or unknown", note_field(0, 77)));
  rows->push_back(forged("load", "note_no_tier", "without a tier", note_field(3, 0)));
  rows->push_back(forged("load", "note_lies_about_tiers", "its note declares the device tier", note_field(3, 3)));
  rows->push_back(forged("load", "note_needs_an_unknown_cpu_feature", "not on this CPU", note_field(5, 0x80000000u)));
  rows->push_back({"load", "duplicate_name", "rejected", "has the name 'chaos', which", [](const std::string &folder) {
                     add_chaos(folder, "aaa-first");
                     return add_chaos(folder, "bbb-second");
                   }});
}

void add_probe_rows(std::vector<Fault> *rows) {
  for (Fault &row : std::vector<Fault>{
           chaos("probe", "kernel-segv", "quarantined", "in its kernel add_f32 of op add: SIGSEGV"),
           chaos("probe", "kernel-sigill", "quarantined", "in its kernel add_f32 of op add: SIGILL"),
           chaos("probe", "kernel-sigfpe", "quarantined", "in its kernel add_f32 of op add: SIGFPE"),
           chaos("probe", "kernel-sigbus", "quarantined", "in its kernel add_f32 of op add: SIGBUS"),
           chaos("probe", "kernel-abort", "quarantined", "in its kernel add_f32 of op add: SIGABRT"),
           chaos("probe", "kernel-exit0", "quarantined", "ended the process in its probe"),
           chaos("probe", "kernel-overflow", "quarantined", "in its kernel add_f32 of op add: SIGSEGV"),
           chaos("probe", "kernel-spin", "quarantined", "hung in its probe, in its kernel add_f32", true),
           chaos("probe", "kernel-wait", "quarantined", "hung in its probe, in its kernel add_f32", true),
           chaos("probe", "kernel-stdout", "rejected", "bytes to standard output: 'chaos says hello"),
           chaos("probe", "kernel-file", "rejected", "leaves files open after its destroy: /dev/null"),
           chaos("probe", "kernel-handler", "rejected", "changed the handler of SIGUSR1"),
           chaos("probe", "kernel-mask", "rejected", "changed the signal mask (SIGTERM)"),
           chaos("probe", "kernel-mxcsr", "rejected", "its kernel for add changed the floating-point environment"),
           chaos("probe", "kernel-locale", "rejected", "changed the locale from 'C'"),
           chaos("probe", "kernel-folder", "rejected", "changed the working directory"),
           chaos("probe", "kernel-umask", "rejected", "changed the umask"),
           chaos("probe", "kernel-thread", "rejected", "after its first calls, but its note declares none"),
           chaos("probe", "kernel-wrong", "rejected", "its kernel for add is wrong: C[110]"),
           chaos("probe", "kernel-wrong-tail", "rejected", "its kernel for add is wrong"),
           chaos("probe", "kernel-lying-dtype", "rejected", "type f64 is"),
           chaos("probe", "kernel-nondeterminism", "rejected", "gives another result when it is called again"),
           chaos("probe", "kernel-overwrite", "rejected", "its kernel for add writes outside its output C"),
           chaos("probe", "kernel-underwrite", "rejected", "its kernel for add writes outside its output C"),
           chaos("probe", "kernel-input", "rejected", "its kernel for add writes to its input A"),
           chaos("probe", "kernel-fail", "rejected", "fails a call that it claims to take"),
           chaos("probe", "prepare-segv", "quarantined", "SIGSEGV"),
           chaos("probe", "destroy-segv", "quarantined", "crashed in its probe, in its destroy: SIGSEGV"),
           chaos("probe", "destroy-twice", "quarantined", "crashed in its probe, in its destroy: SIGABRT"),
           chaos("lifecycle", "exit-segv", "quarantined", "crashed in its probe, at the end of its process: SIGSEGV"),
           chaos("lifecycle", "exit-wait", "quarantined", "hung in its probe, at the end of its process", true),
           chaos("lifecycle", "create-child", "rejected", "has started a process and left it behind"),
       }) {
    rows->push_back(std::move(row));
  }
}

void add_hostile_rows(std::vector<Fault> *rows) {
  rows->push_back(
      {"hostile", "file_writable_by_others", "rejected", "is writable by others", [](const std::string &folder) {
         std::string path = add_chaos(folder, "good-one");
         ::chmod(path.c_str(), 0666);
         return path;
       }});
  rows->push_back({"hostile", "link_to_a_file_in_a_writable_folder", "rejected", "which is writable by others",
                   [](const std::string &folder) {
                     const std::string open = folder + "/open";
                     fs::create_directory(open);
                     ::chmod(open.c_str(), 0777);
                     std::string path = add_chaos(open, "good-one");
                     fs::create_symlink(path, folder + "/linked.so");
                     return path;
                   }});
  rows->push_back({"hostile", "link_to_nowhere", "rejected", "cannot be opened", [](const std::string &folder) {
                     std::string path = folder + "/dangling.so";
                     fs::create_symlink(folder + "/nothing", path);
                     return path;
                   }});
  rows->push_back({"hostile", "link_in_a_circle", "rejected", "cannot be opened", [](const std::string &folder) {
                     std::string path = folder + "/circle.so";
                     fs::create_symlink(path, path);
                     return path;
                   }});
  rows->push_back({"hostile", "name_with_a_newline", "quarantined", "SIGSEGV", [](const std::string &folder) {
                     fs::create_directory(folder + "/new\nline");
                     std::string path = add_chaos(folder + "/new\nline", "load-segv");
                     fs::create_symlink(path, folder + "/line\nbreak.so");
                     return path;
                   }});
}

}  // namespace

const std::vector<Fault> &all_faults() {
  static const std::vector<Fault> rows = [] {
    std::vector<Fault> all;
    add_load_rows(&all);
    add_file_rows(&all);
    add_probe_rows(&all);
    add_hostile_rows(&all);
    return all;
  }();
  return rows;
}

}  // namespace rayo::faults
