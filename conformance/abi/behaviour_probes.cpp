// SPDX-License-Identifier: Apache-2.0
//
// Checks of kernels called directly: structs that grow, workspaces, executors, instances.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <functional>

#include "abi/direct.hpp"
#include "abi/probe.hpp"
#include "runner/judge.hpp"

namespace rayo::conform::abi {
namespace {

using Bits = std::vector<std::vector<double>>;
constexpr std::uint32_t kStrangeType = 0x00abcdefu;

void demand(bool holds, const std::string &text) {
  if (!holds) throw Defect(text);
}

void demand_equal(const std::string &name, const Bits &a, const Bits &b, const std::string &when) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::string text = bit_difference(a[i], b[i], "a plain call", when);
    demand(text.empty(), fmt::format("{}: {}", name, text));
  }
}

void demand_prepared(DirectCall &call) {
  rayo_error error{};
  const rayo_status status = call.prepare(&error);
  demand(status == RAYO_OK, fmt::format("{}: prepare answers {}: {}", call.name(), status, error.text));
}

Bits plain_call(DirectCall &call, std::uint32_t threads = 1) {
  SerialExecutor executor(false);
  return call.call(executor, threads);
}

// visit(kernel, case) for everything that the kernel list claims.
void for_each_sample(const rayo_plugin &plugin, std::int64_t elements,
                     const std::function<void(const rayo_kernel &, const Case &)> &visit) {
  for (std::uint32_t i = 0; i < plugin.kernel_count; ++i) {
    for (const Case &c : sample_cases(*plugin.kernels[i], elements)) visit(*plugin.kernels[i], c);
  }
}

// A plugin at work: for probes that need one host and one instance.
struct Session {
  explicit Session(const std::string &file) : library(file), plugin(library.plugin(host)), instance(plugin, host) {}
  void for_each(const std::function<void(DirectCall &)> &visit, std::int64_t elements = kModest) {
    for_each_sample(plugin, elements, [&](const rayo_kernel &kernel, const Case &c) {
      DirectCall call(instance.get(), host, kernel, c);
      if (call.why() == RAYO_WHY_SUPPORTED) visit(call);
    });
  }
  Host host;
  Library library;
  const rayo_plugin &plugin;
  Instance instance;
};

void larger_struct_size(const std::string &file) {
  Host host;
  host.grow();
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  const Instance instance(plugin, host);
  for_each_sample(plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
    DirectCall plain(instance.get(), host, kernel, c);
    DirectCall grown(instance.get(), host, kernel, c);
    grown.grow();
    demand(grown.why() == plain.why(), fmt::format("{}: supports() changes with a larger descriptor", grown.name()));
    if (plain.why() != RAYO_WHY_SUPPORTED) return;
    demand_prepared(plain);
    demand_prepared(grown);
    // A plugin of a later minor may know members that lie in the tail; one of this minor may not touch it.
    if (plugin.abi_version <= RAYO_ABI_VERSION) {
      demand(grown.stray_writes().empty(), fmt::format("{}: {}", grown.name(), grown.stray_writes()));
    }
    demand_equal(grown.name(), plain_call(plain), plain_call(grown), "larger structs");
  });
}

void unknown_extension(const std::string &file) {
  const rayo_struct second = {sizeof(rayo_struct), kStrangeType + 1, nullptr};
  const rayo_struct first = {sizeof(rayo_struct), kStrangeType, &second};
  Host host;
  host.edit().next = &first;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  const Instance instance(plugin, host);
  if (plugin.get_extension != nullptr) {
    demand(plugin.get_extension(instance.get(), "rayo_conform.no_such_extension", 1) == nullptr,
           "get_extension finds an extension that does not exist");
  }
  for_each_sample(plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
    DirectCall plain(instance.get(), host, kernel, c);
    DirectCall extended(instance.get(), host, kernel, c);
    extended.desc().next = &first;
    if (plain.why() != RAYO_WHY_SUPPORTED) return;
    demand_prepared(plain);
    demand_prepared(extended);
    demand_equal(extended.name(), plain_call(plain), plain_call(extended), "an unknown extension");
  });
}

void demand_refusal(const std::string &file, bool with_text) {
  const rayo_struct strange = {sizeof(rayo_struct), kStrangeType | RAYO_MUST_UNDERSTAND, nullptr};
  Session session(file);
  session.for_each([&](DirectCall &call) {
    call.desc().next = &strange;
    rayo_error error{};
    const rayo_status status = call.prepare(with_text ? &error : nullptr);
    demand(status == RAYO_UNSUPPORTED,
           fmt::format("{}: prepare answers {} to a must-understand struct it cannot know; expected RAYO_UNSUPPORTED",
                       call.name(), status));
    demand(!with_text || std::strlen(error.text) > 0, fmt::format("{}: refused without a text", call.name()));
  });
}

void must_understand(const std::string &file) { demand_refusal(file, true); }
void error_null(const std::string &file) { demand_refusal(file, false); }

void capabilities(const std::string &file) {
  Session session(file);
  for_each_sample(session.plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
    DirectCall call(session.instance.get(), session.host, kernel, c);
    const std::uint32_t why = call.why();
    demand(why <= RAYO_WHY_OTHER, fmt::format("{}: supports() answers {}, no reason code", call.name(), why));
    demand(why == call.why(), fmt::format("{}: supports() answers differently the second time", call.name()));
    demand(why != RAYO_WHY_DTYPE, fmt::format("{}: refuses types that its own list entry names", call.name()));
    if (why != RAYO_WHY_SUPPORTED) return;
    demand_prepared(call);
    demand(call.stray_writes().empty(), fmt::format("{}: {}", call.name(), call.stray_writes()));
    (void)plain_call(call);
  });
}

void instances(const std::string &file) {
  Host first;
  Host second;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(first);
  auto one = std::make_unique<Instance>(plugin, first);
  const Instance two(plugin, second);
  std::vector<Bits> before;
  for_each_sample(plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
    DirectCall call(one->get(), first, kernel, c);
    if (call.why() != RAYO_WHY_SUPPORTED) return;
    demand_prepared(call);
    before.push_back(plain_call(call));
  });
  one.reset();
  std::size_t at = 0;
  for_each_sample(plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
    DirectCall call(two.get(), second, kernel, c);
    if (call.why() != RAYO_WHY_SUPPORTED) return;
    demand_prepared(call);
    demand(at < before.size(), fmt::format("{}: supported by the second instance alone", call.name()));
    demand_equal(call.name(), before[at++], plain_call(call), "the second instance, the first one gone");
  });
}

void reload(const std::string &file) {
  std::vector<Bits> first;
  for (int round = 0; round < 3; ++round) {
    Session session(file);
    std::size_t at = 0;
    session.for_each([&](DirectCall &call) {
      demand_prepared(call);
      Bits bits = plain_call(call);
      if (round == 0) return first.push_back(std::move(bits));
      demand(at < first.size(), fmt::format("{}: supported only after loading again", call.name()));
      demand_equal(call.name(), first[at++], bits, "the file loaded again");
    });
  }
}

// As f32: -2.9e-16, 0, NaN.
void workspace(const std::string &file) {
  Session session(file);
  session.for_each(
      [&](DirectCall &call) {
        demand_prepared(call);
        SerialExecutor executor(false);
        const Bits first = call.call(executor, 1, 0xA5);
        demand_equal(call.name(), first, call.call(executor, 1, 0x00), "a workspace of zeros");
        demand_equal(call.name(), first, call.call(executor, 1, 0xFF), "a workspace of NaNs");
      },
      kParallel);
}

void executor(const std::string &file) {
  Session session(file);
  session.for_each(
      [&](DirectCall &call) {
        demand_prepared(call);
        const Bits first = plain_call(call);
        for (const std::uint32_t threads : {2u, 7u}) {
          SerialExecutor forwards(false);
          SerialExecutor backwards(true);
          demand_equal(call.name(), first, call.call(forwards, threads), fmt::format("{} workers", threads));
          demand_equal(call.name(), first, call.call(backwards, threads),
                       fmt::format("{} workers, backwards", threads));
        }
      },
      kParallel);
}

void allocations(const std::string &file) {
  Host host;
  const Library library(file);
  const rayo_plugin &plugin = library.plugin(host);
  {
    const Instance instance(plugin, host);
    for_each_sample(plugin, kModest, [&](const rayo_kernel &kernel, const Case &c) {
      DirectCall call(instance.get(), host, kernel, c);
      if (call.why() != RAYO_WHY_SUPPORTED) return;
      demand_prepared(call);
      const std::size_t before = host.live_allocations();
      (void)plain_call(call);
      demand(host.live_allocations() == before, fmt::format("{}: the call keeps memory of the host", call.name()));
    });
  }
  demand(host.live_allocations() == 0,
         fmt::format("{} allocations of the host are not given back by destroy", host.live_allocations()));
}

constexpr std::array<Probe, 10> kProbes = {{{"larger_struct_size", larger_struct_size},
                                            {"unknown_extension", unknown_extension},
                                            {"must_understand", must_understand},
                                            {"error_null", error_null},
                                            {"capabilities", capabilities},
                                            {"instances", instances},
                                            {"reload", reload},
                                            {"workspace", workspace},
                                            {"executor", executor},
                                            {"allocations", allocations}}};

}  // namespace

std::span<const Probe> behaviour_probes() { return kProbes; }

}  // namespace rayo::conform::abi
