// SPDX-License-Identifier: Apache-2.0
//
// Claims about what goes wrong on a Vulkan device, decided through plugin.h on the device itself: a buffer above its
// limit, a kernel that does not end, and what the texts say. The plugin breaks on demand (RAYO_VULKAN_INJECT).
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

#include "abi/direct.hpp"
#include "claims/calls.hpp"
#include "claims/vulkan.hpp"

namespace rayo::conform::claims {
namespace {

// The plugin's first device, opened.
class OpenDevice {
 public:
  explicit OpenDevice(const Backend &backend)
      : library_(backend.file), plugin_(library_.plugin(host_)), instance_(plugin_, host_) {
    if (api().device_open(instance_.get(), 0, &device_, &error_) != RAYO_OK) throw NotEvaluated(error_.text);
    if (api().queue_create(device_, &queue_, &error_) != RAYO_OK) throw NotEvaluated(error_.text);
  }
  ~OpenDevice() {
    if (queue_ != nullptr) api().queue_destroy(queue_);
    if (device_ != nullptr) api().device_close(device_);
  }
  OpenDevice(const OpenDevice &) = delete;
  OpenDevice &operator=(const OpenDevice &) = delete;

  const rayo_device_api &api() const { return *plugin_.device_api; }
  rayo_device *device() const { return device_; }
  rayo_queue *queue() const { return queue_; }
  abi::Host &host() { return host_; }
  rayo_instance *instance() const { return instance_.get(); }
  const rayo_kernel &kernel(std::string_view op) const {
    for (std::uint32_t i = 0; i < plugin_.kernel_count; ++i)
      if (op == plugin_.kernels[i]->op) return *plugin_.kernels[i];
    throw NotEvaluated(fmt::format("the plugin has no kernel of {}", op));
  }
  rayo_status buffer(std::uint64_t size, rayo_buffer **out, rayo_error *error) {
    const rayo_buffer_desc desc{sizeof desc, RAYO_TYPE_BUFFER_DESC, nullptr, size, RAYO_MEMORY_DEVICE, 0};
    return api().buffer_create(device_, &desc, out, error);
  }

 private:
  abi::Host host_;
  abi::Library library_;
  const rayo_plugin &plugin_;
  abi::Instance instance_;
  rayo_error error_{};
  rayo_device *device_ = nullptr;
  rayo_queue *queue_ = nullptr;
};

void need_parts(const std::string &what, const std::string &text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) == std::string::npos)
      throw Refuted(fmt::format("{}: the text '{}' lacks '{}'", what, text, part));
  }
}

// Sets a fault for the devices opened while it lives; this process is the decider's own.
class Injected {
 public:
  explicit Injected(const char *fault) { ::setenv("RAYO_VULKAN_INJECT", fault, 1); }
  ~Injected() { ::unsetenv("RAYO_VULKAN_INJECT"); }
  Injected(const Injected &) = delete;
  Injected &operator=(const Injected &) = delete;
};

}  // namespace

std::vector<VulkanDevice> vulkan_devices(const Backend &backend) {
  abi::Host host;
  const abi::Library library(backend.file);
  const rayo_plugin &plugin = library.plugin(host);
  const abi::Instance instance(plugin, host);
  if (plugin.device_api == nullptr) throw NotEvaluated(backend.name + " has no devices");
  constexpr std::uint32_t kMost = 16;
  std::vector<rayo_device_info> infos(kMost);
  std::vector<rayo_device_info *> pointers;
  for (rayo_device_info &info : infos) {
    info.struct_size = sizeof info;
    info.struct_type = RAYO_TYPE_DEVICE_INFO;
    pointers.push_back(&info);
  }
  std::uint32_t count = 0;
  rayo_error error{};
  if (plugin.device_api->enumerate(instance.get(), kMost, pointers.data(), &count, &error) != RAYO_OK)
    throw NotEvaluated(fmt::format("{}: {}", backend.name, error.text));
  std::vector<VulkanDevice> devices;
  for (std::uint32_t i = 0; i < std::min(count, kMost); ++i) {
    if (infos[i].dl.device_type == kDLVulkan)
      devices.push_back({infos[i].id, infos[i].name, infos[i].max_buffer_bytes});
  }
  if (devices.empty()) throw NotEvaluated("there is no Vulkan device here");
  return devices;
}

std::string vulkan_oversized_buffer(const Setting &setting) {
  const Backend &backend = setting.need("vulkan");
  const VulkanDevice device = vulkan_devices(backend).front();
  setting.step("a buffer above the limit of " + device.id);
  OpenDevice open(backend);
  rayo_error error{};
  rayo_buffer *made = nullptr;
  const std::uint64_t limit = device.max_buffer_bytes;
  for (const std::uint64_t size : {limit + 1, 2 * limit, UINT64_MAX}) {
    const rayo_status status = open.buffer(size, &made, &error);
    if (status != RAYO_OUT_OF_MEMORY)
      throw Refuted(fmt::format("a buffer of {} bytes, limit {}: status {}", size, limit, status));
    need_parts("buffer above the limit", error.text, {device.id, std::to_string(size), std::to_string(limit)});
  }
  if (open.buffer(4096, &made, &error) != RAYO_OK) throw Refuted(fmt::format("and afterwards: {}", error.text));
  open.api().buffer_destroy(made);
  return fmt::format(
      "3 of 3 sizes above {}'s limit of {} bytes answer RAYO_OUT_OF_MEMORY, naming both; a smaller buffer works after",
      device.id, limit);
}

std::string vulkan_watchdog(const Setting &setting) {
  using Clock = std::chrono::steady_clock;
  const Backend &backend = setting.need("vulkan");
  const VulkanDevice device = vulkan_devices(backend).front();
  const Injected fault("hang@1");
  OpenDevice open(backend);
  rayo_error error{};
  setting.step("work that does not end on " + device.id);
  std::vector<rayo_buffer *> buffers(2);
  for (rayo_buffer *&b : buffers)
    if (open.buffer(4096, &b, &error) != RAYO_OK) throw NotEvaluated(error.text);
  rayo_copy copy{};
  copy.struct_size = sizeof copy;
  copy.struct_type = RAYO_TYPE_COPY;
  copy.dst_buffer = buffers[0];
  copy.src_buffer = buffers[1];
  copy.size = 4096;
  const auto start = Clock::now();
  if (open.api().copy(open.queue(), &copy) != RAYO_OK) throw NotEvaluated(open.host().reported());
  const rayo_status status = open.api().queue_wait(open.queue(), UINT64_MAX, &error);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (rayo_buffer *b : buffers) open.api().buffer_destroy(b);
  if (status != RAYO_DEVICE_LOST)
    throw Refuted(fmt::format("a wait for work that does not end answered {} after {:.1f} s", status, seconds));
  need_parts("work that does not end", error.text, {device.id, "watchdog"});
  if (seconds < 9 || seconds > 20) throw Refuted(fmt::format("given up after {:.1f} s, not 10", seconds));
  return fmt::format("work that does not end on {} was given up after {:.1f} s: {}", device.id, seconds, error.text);
}

std::string vulkan_error_texts(const Setting &setting) {
  const Backend &backend = setting.need("vulkan");
  const VulkanDevice device = vulkan_devices(backend).front();
  setting.step("errors of " + device.id);
  std::string shown;
  {
    const Injected fault("oom@3");  // after queue_create and buffer_create
    OpenDevice open(backend);
    rayo_error error{};
    rayo_buffer *made = nullptr;
    if (open.buffer(4096, &made, &error) != RAYO_OK) throw NotEvaluated(error.text);
    const Case add = parse_case("add f32 64,64 - 0 uniform 1");
    const rayo_kernel &kernel = open.kernel("add");
    abi::DirectCall call(open.instance(), open.host(), kernel, add);
    call.desc().device = open.device();
    if (call.prepare(&error) != RAYO_OUT_OF_MEMORY)
      throw Refuted(fmt::format("out of memory while binding add: '{}'", error.text));
    need_parts("out of memory", error.text,
               {"add", "plugin vulkan", "device " + device.id, "VK_ERROR_OUT_OF_DEVICE_MEMORY (-2)", "; "});
    shown = error.text;
    open.api().buffer_destroy(made);
  }
  const Injected fault("lost@2");
  OpenDevice open(backend);
  rayo_error error{};
  rayo_buffer *made = nullptr;
  if (open.buffer(4096, &made, &error) != RAYO_DEVICE_LOST)
    throw Refuted(fmt::format("a lost device answered '{}'", error.text));
  need_parts("lost", error.text,
             {"buffer_create", "plugin vulkan", "device " + device.id, "VK_ERROR_DEVICE_LOST (-4)", "; "});
  return fmt::format("2 of 2 texts name op or function, plugin, device, code and what to do: '{}'", shown);
}

}  // namespace rayo::conform::claims
