// SPDX-License-Identifier: Apache-2.0
//
// A small host of the suite's own: a plugin driven through plugin.h alone, without the runtime between.
#pragma once

#include <rayo/plugin.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace rayo::conform::abi {

// The probe has found what it was looking for.
class Defect : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The host table. Not for several threads at once, but for parallel tasks of one call.
class Host {
 public:
  Host();
  Host(const Host &) = delete;
  Host &operator=(const Host &) = delete;

  const rayo_host *table() const { return &table_.host; }
  rayo_host &edit() { return table_.host; }
  // Pretends a later minor: struct_size counts a tail that no plugin of today knows.
  void grow() { table_.host.struct_size = sizeof(Table) - sizeof(Host *); }

  rayo_op intern(const std::string &name);
  std::size_t live_allocations() const { return allocations_.size(); }
  const std::string &reported() const { return reported_; }

 private:
  struct Table {
    rayo_host host;
    unsigned char future[64];
    Host *self;
  };
  static Host &of(const rayo_host *table);

  Table table_{};
  std::vector<std::unique_ptr<std::string>> names_;
  std::map<std::string, rayo_op> ids_;
  std::map<void *, std::uint64_t> allocations_;
  std::string reported_;
};

// An executor that runs tasks on the caller's thread, forwards or backwards, under changing worker numbers.
class SerialExecutor {
 public:
  explicit SerialExecutor(bool backwards);
  const rayo_executor *get() const { return &executor_; }
  std::uint64_t regions() const { return regions_; }

 private:
  static void run(void *self, std::uint64_t tasks, std::uint32_t max_threads, rayo_task_fn fn, void *ctx);
  rayo_executor executor_{};
  bool backwards_;
  std::uint64_t regions_ = 0;
};

// A plugin file, loaded until the object goes. Throws Defect where the file cannot be loaded or queried.
class Library {
 public:
  explicit Library(const std::string &file);
  ~Library();
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  rayo_plugin_query_fn query() const { return query_; }
  const rayo_plugin &plugin(const Host &host) const;  // by query

 private:
  void *handle_;
  rayo_plugin_query_fn query_;
};

// create() and destroy().
class Instance {
 public:
  Instance(const rayo_plugin &plugin, const Host &host);
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;
  rayo_instance *get() const { return instance_; }

 private:
  const rayo_plugin &plugin_;
  rayo_instance *instance_ = nullptr;
};

}  // namespace rayo::conform::abi
