// SPDX-License-Identifier: Apache-2.0
//
// Runs kernels of a plugin file without the core: dlopen, a small host table, an executor of real threads. For tests of
// plugins alone.
#ifndef RAYO_PLUGINS_TESTS_PLUGIN_HARNESS_H
#define RAYO_PLUGINS_TESTS_PLUGIN_HARNESS_H

#include <rayo/plugin.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rayo_test {

/// An attribute with its value.
struct Attr {
  std::string name;
  uint32_t kind = RAYO_ATTR_INT;
  std::vector<int64_t> ints;
  std::vector<double> reals;
  std::string text;
};
Attr int_attr(std::string name, std::vector<int64_t> values);
Attr float_attr(std::string name, double value);
Attr string_attr(std::string name, std::string value);

/// Shape and strides of an operand. Empty strides with a shape = compact row-major.
struct View {
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
  DLDataType dtype = RAYO_F32;
};
View compact(std::vector<int64_t> shape, DLDataType dtype);

/// CPU features that the tests offer to plugins: those of this machine, less `without`.
uint64_t host_features(uint64_t without = 0);

/// One loaded plugin with an instance. Not copyable; aborts the test program with a message when it cannot load.
class Plugin {
 public:
  Plugin(const char *file, uint64_t features);
  ~Plugin();
  Plugin(const Plugin &) = delete;
  Plugin &operator=(const Plugin &) = delete;

  const rayo_plugin &table() const { return *table_; }
  const std::string &name() const { return name_; }
  /// The first kernel of `op` that lists the element type, or whose types are not those of input 0 (variable T); NULL
  /// if there is none.
  const rayo_kernel *find(const std::string &op, DLDataType type) const;

  /// prepare, call with `threads`, release. Pointers are to logical element 0. Returns the call's status.
  rayo_status run(const std::string &op, const std::vector<View> &inputs, const std::vector<const void *> &in,
                  const View &output, void *out, const std::vector<Attr> &attrs = {}, uint32_t threads = 1) const;

  /// The same with `use` in the place of the call: it may run the prepared kernel on the packet as often as it likes.
  rayo_status prepared(const std::string &op, const std::vector<View> &inputs, const std::vector<const void *> &in,
                       const View &output, void *out, const std::vector<Attr> &attrs, uint32_t threads,
                       const std::function<rayo_status(rayo_kernel_fn, const rayo_call &)> &use) const;

  /// Bytes of workspace that such a call takes with so many threads.
  uint64_t workspace(const std::string &op, const std::vector<View> &inputs, const View &output,
                     const std::vector<Attr> &attrs, uint32_t threads) const;

 private:
  using Use = std::function<rayo_status(const rayo_prepared &, rayo_call &)>;
  rayo_status prepare(const std::string &op, const std::vector<View> &inputs, const View &output,
                      const std::vector<Attr> &attrs, uint32_t threads, const Use &use) const;

  void *handle_ = nullptr;
  rayo_host host_{};
  const rayo_plugin *table_ = nullptr;
  rayo_instance *instance_ = nullptr;
  std::string name_;
};

}  // namespace rayo_test

#endif  // RAYO_PLUGINS_TESTS_PLUGIN_HARNESS_H
