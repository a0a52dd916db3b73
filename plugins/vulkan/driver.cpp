// SPDX-License-Identifier: Apache-2.0
#include "driver.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "device_list.h"

namespace rayo::vulkan {
namespace {

constexpr const char *kValidationLayer = "VK_LAYER_KHRONOS_validation";

bool validation_wanted() {
  const char *value = std::getenv("RAYO_VULKAN_VALIDATION");
  if (value == nullptr || value[0] == '\0' || std::strcmp(value, "0") == 0) return false;
  if (std::strcmp(value, "1") == 0) return true;
  throw Error(RAYO_INVALID_ARGUMENT, "RAYO_VULKAN_VALIDATION is '" + std::string(value) + "'; legal: 0, 1");
}

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
  auto *sink = static_cast<MessageSink *>(user);
  ++sink->count;
  const bool error = (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) != 0;
  const std::string text = std::string("vulkan validation: ") + (data->pMessage != nullptr ? data->pMessage : "");
  sink->host->log(sink->host, error ? RAYO_LOG_ERROR : RAYO_LOG_WARN, text.c_str());
  return VK_FALSE;
}

// RAYO_VULKAN_DEVICES: positions in the full list, with commas between; not set = all.
bool is_wanted(uint32_t position) {
  const char *text = std::getenv("RAYO_VULKAN_DEVICES");
  if (text == nullptr || text[0] == '\0') return true;
  for (const char *at = text;;) {
    char *end = nullptr;
    const unsigned long wanted = std::strtoul(at, &end, 10);
    if (end == at || (*end != '\0' && *end != ','))
      throw Error(RAYO_INVALID_ARGUMENT,
                  std::string("RAYO_VULKAN_DEVICES is '") + text + "'; legal: numbers from 0 with commas between");
    if (wanted == position) return true;
    if (*end == '\0') return false;
    at = end + 1;
  }
}

// The files that are loaded now.
std::set<std::string> loaded_files() {
  std::set<std::string> files;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *to) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/')
          static_cast<std::set<std::string> *>(to)->insert(info->dlpi_name);
        return 0;
      },
      &files);
  return files;
}

// The Vulkan loader unloads drivers and layers with its instance. They do not like it: what they keep in statics is
// lost (Mesa's list of the CPU's caches), and a driver of LLVM's size is bound anew by the next instance.
void keep_loaded_since(const std::set<std::string> &before) {
  for (const std::string &file : loaded_files()) {
    if (before.contains(file)) continue;
    if (void *library = dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)) dlclose(library);
  }
}

void tell(const rayo_host &host, const std::string &reason) {
  if (!reason.empty()) host.log(&host, RAYO_LOG_INFO, ("vulkan: " + reason).c_str());
}

int rank_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 0;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 1;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 4;
    default:
      return 3;
  }
}

}  // namespace

std::string result_name(VkResult result) {
  const char *name = "VkResult";
  switch (result) {
#define NAME(code) \
  case code:       \
    name = #code;  \
    break
    NAME(VK_SUCCESS);
    NAME(VK_TIMEOUT);
    NAME(VK_ERROR_OUT_OF_HOST_MEMORY);
    NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    NAME(VK_ERROR_OUT_OF_POOL_MEMORY);
    NAME(VK_ERROR_INITIALIZATION_FAILED);
    NAME(VK_ERROR_DEVICE_LOST);
    NAME(VK_ERROR_MEMORY_MAP_FAILED);
    NAME(VK_ERROR_LAYER_NOT_PRESENT);
    NAME(VK_ERROR_EXTENSION_NOT_PRESENT);
    NAME(VK_ERROR_FEATURE_NOT_PRESENT);
    NAME(VK_ERROR_INCOMPATIBLE_DRIVER);
    NAME(VK_ERROR_TOO_MANY_OBJECTS);
    NAME(VK_ERROR_FRAGMENTED_POOL);
    NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE);
    NAME(VK_ERROR_UNKNOWN);
#undef NAME
    default:
      break;
  }
  return std::string(name) + " (" + std::to_string(result) + ")";
}

rayo_status status_of(VkResult result) {
  switch (result) {
    case VK_SUCCESS:
      return RAYO_OK;
    case VK_TIMEOUT:
      return RAYO_TIMEOUT;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_MEMORY_MAP_FAILED:
      return RAYO_OUT_OF_MEMORY;
    case VK_ERROR_DEVICE_LOST:
      return RAYO_DEVICE_LOST;
    case VK_ERROR_FEATURE_NOT_PRESENT:
    case VK_ERROR_EXTENSION_NOT_PRESENT:
    case VK_ERROR_LAYER_NOT_PRESENT:
    case VK_ERROR_INCOMPATIBLE_DRIVER:
    case VK_ERROR_INVALID_EXTERNAL_HANDLE:
      return RAYO_UNSUPPORTED;
    default:
      return RAYO_INTERNAL;
  }
}

Driver::Driver(const rayo_host *host) : host_(host), pid_(getpid()), sink_{host} {
  open_loader();
  if (!reason_.empty()) return;
  const std::set<std::string> before = loaded_files();
  create_instance();
  if (reason_.empty()) find_devices();
  keep_loaded_since(before);
}

Driver::~Driver() {
  if (instance_ == VK_NULL_HANDLE || pid_ != getpid()) return;
  if (messenger_ != VK_NULL_HANDLE) {
    const auto destroy =
        reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(get_proc_(instance_, "vkDestroyDebugUtilsMessengerEXT"));
    destroy(instance_, messenger_, nullptr);
  }
  vk_.DestroyInstance(instance_, nullptr);
}

// The library stays open for ever, as the drivers do.
void Driver::open_loader() {
  void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    reason_ = "no Vulkan loader (libvulkan.so.1) on this machine";
    return;
  }
  get_proc_ = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
  if (get_proc_ == nullptr) {
    reason_ = "libvulkan.so.1 has no vkGetInstanceProcAddr";
    return;
  }
#define GLOBAL(name) global_.name = reinterpret_cast<PFN_vk##name>(get_proc_(VK_NULL_HANDLE, "vk" #name));
#define INSTANCE(name)
#define DEVICE(name)
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
  uint32_t version = VK_API_VERSION_1_0;
  if (global_.EnumerateInstanceVersion != nullptr) global_.EnumerateInstanceVersion(&version);
  if (version < VK_API_VERSION_1_2) reason_ = "the Vulkan loader is older than 1.2";
}

void Driver::create_instance() {
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "rayo";
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  const bool validate = validation_wanted();
  if (validate) {
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kValidationLayer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
  }
  const VkResult result = global_.CreateInstance(&info, nullptr, &instance_);
  if (result != VK_SUCCESS) {
    instance_ = VK_NULL_HANDLE;
    if (validate)
      throw Error(status_of(result), "RAYO_VULKAN_VALIDATION=1, but vkCreateInstance answered " + result_name(result) +
                                         "; is the package vulkan-validationlayers installed?");
    reason_ = "no Vulkan driver here: vkCreateInstance answered " + result_name(result);
    return;
  }
#define GLOBAL(name)
#define INSTANCE(name) vk_.name = reinterpret_cast<PFN_vk##name>(get_proc_(instance_, "vk" #name));
#define DEVICE(name)
#include "functions.def"
#undef GLOBAL
#undef INSTANCE
#undef DEVICE
  if (validate) watch_validation();
}

void Driver::watch_validation() {
  VkDebugUtilsMessengerCreateInfoEXT info{VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  info.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT;
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
  info.pfnUserCallback = on_message;
  info.pUserData = &sink_;
  const auto create =
      reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(get_proc_(instance_, "vkCreateDebugUtilsMessengerEXT"));
  if (create(instance_, &info, nullptr, &messenger_) != VK_SUCCESS) messenger_ = VK_NULL_HANDLE;
}

void Driver::find_devices() {
  uint32_t count = 0;
  VkResult result = vk_.EnumeratePhysicalDevices(instance_, &count, nullptr);
  std::vector<VkPhysicalDevice> handles(count);
  if (result == VK_SUCCESS && count > 0) result = vk_.EnumeratePhysicalDevices(instance_, &count, handles.data());
  if (result < 0) {
    reason_ = "vkEnumeratePhysicalDevices answered " + result_name(result);
    return;
  }
  handles.resize(count);
  std::stable_sort(handles.begin(), handles.end(), [&](VkPhysicalDevice a, VkPhysicalDevice b) {
    VkPhysicalDeviceProperties of_a, of_b;
    vk_.GetPhysicalDeviceProperties(a, &of_a);
    vk_.GetPhysicalDeviceProperties(b, &of_b);
    return rank_of(of_a.deviceType) < rank_of(of_b.deviceType);
  });
  uint32_t position = 0;
  for (VkPhysicalDevice handle : handles) {
    PhysicalDevice device;
    if (!describe(handle, &device) || !is_wanted(position++)) continue;
    std::snprintf(device.info.id, sizeof device.info.id, "vulkan%zu", devices_.size());
    device.info.dl = {kDLVulkan, static_cast<int32_t>(devices_.size())};
    devices_.push_back(device);
  }
  if (devices_.empty()) reason_ = "no physical device with Vulkan 1.2, timeline semaphores and a compute queue";
}

// Called with the instance's lock held.
static Driver &make_driver(rayo_instance *instance) {
  if (!instance->driver) {
    instance->driver = std::make_shared<Driver>(instance->host);
    keep_device_list(*instance->driver);
    tell(*instance->host, instance->driver->reason());
  }
  return *instance->driver;
}

std::shared_ptr<Driver> driver_of(rayo_instance *instance) {
  const std::lock_guard lock(instance->mutex);
  make_driver(instance);
  return instance->driver;
}

std::vector<rayo_device_info> devices_of(rayo_instance *instance) {
  const std::lock_guard lock(instance->mutex);
  if (!instance->driver) {
    if (std::optional<DeviceList> kept = kept_device_list()) {
      tell(*instance->host, kept->reason);
      return kept->devices;
    }
  }
  std::vector<rayo_device_info> infos;
  for (const PhysicalDevice &device : make_driver(instance).devices()) infos.push_back(device.info);
  return infos;
}

}  // namespace rayo::vulkan
