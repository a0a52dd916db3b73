/* SPDX-License-Identifier: Apache-2.0
 *
 * The Vulkan plugin's extension "vulkan.control": what tests need to see and to break. Found by get_extension; an
 * application has no use for it.
 */
#ifndef RAYO_PLUGINS_VULKAN_CONTROL_H
#define RAYO_PLUGINS_VULKAN_CONTROL_H

#include <rayo/plugin.h>

#define VULKAN_CONTROL_NAME "vulkan.control"
#define VULKAN_CONTROL_VERSION 1u

#define VULKAN_FAULT_OOM 1u  /* the call answers RAYO_OUT_OF_MEMORY */
#define VULKAN_FAULT_LOST 2u /* the device is lost at the call */
#define VULKAN_FAULT_HANG 3u /* the submission does not end; `at` counts submissions */

typedef struct vulkan_control {
  RAYO_STRUCT_HEADER;
  /* Of the instance, since its driver was first asked; counted where RAYO_VULKAN_VALIDATION=1. */
  uint64_t (*validation_messages)(rayo_instance *);
  /* One call that breaks Vulkan's rules, harmless, which the validation layer must notice. */
  void (*misuse)(rayo_device *);
  uint64_t (*live_bytes)(rayo_device *);
  void (*inject)(rayo_device *, uint32_t fault, uint64_t at); /* `at` = 1: the next call; 0 takes the fault back */
  void (*set_watchdog_ms)(rayo_device *, uint64_t milliseconds);
  /* The embedded shaders: name and words of number `index`, as embedded (exact 0) or as given to the device's driver;
   * words 0 past the last. The memory stays the plugin's, good until the next call. */
  const uint32_t *(*shader)(rayo_device *, uint32_t index, uint32_t exact, const char **out_name, uint64_t *out_words);
} vulkan_control;

#endif /* RAYO_PLUGINS_VULKAN_CONTROL_H */
