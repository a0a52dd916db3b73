/* SPDX-License-Identifier: Apache-2.0
 *
 * The mock device's extension "mock.control": lets a test hold the queues, lose the device, and count live memory.
 */
#ifndef RAYO_TESTS_ABI_MOCK_CONTROL_H
#define RAYO_TESTS_ABI_MOCK_CONTROL_H

#include <rayo/plugin.h>

#define MOCK_CONTROL_NAME "mock.control"
#define MOCK_CONTROL_VERSION 1u

typedef struct mock_control {
  RAYO_STRUCT_HEADER;
  void (*pause)(rayo_device *, uint32_t on); /* queues start no further work while on */
  void (*lose)(rayo_device *);
  uint64_t (*live_bytes)(rayo_device *);
} mock_control;

#endif /* RAYO_TESTS_ABI_MOCK_CONTROL_H */
