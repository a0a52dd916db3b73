/* SPDX-License-Identifier: Apache-2.0
 *
 * The mock device's extensions. "mock.control": lets a test hold the queues, lose the device, and count live memory.
 * "mock.faults", for the whole process: makes the n-th step fail, counts what is alive, changes what kind of device it
 * is.
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

#define MOCK_FAULTS_NAME "mock.faults"
#define MOCK_FAULTS_VERSION 1u

/* A step is a call of the device API (destroy and close excepted) or the start of a queued job. */
typedef struct mock_faults {
  RAYO_STRUCT_HEADER;
  /* Step `step` (0 = the next one) fails with `status`; RAYO_DEVICE_LOST loses its device for good. A negative step
   * disarms. */
  void (*arm)(int64_t step, rayo_status status);
  uint64_t (*steps)(void);   /* since arm was called */
  uint64_t (*alive)(void);   /* devices, buffers, queues, semaphores and kernel states of all instances */
  void (*unified)(uint32_t); /* devices listed from now on have unified memory and import host memory */
  uint64_t (*imports)(void); /* calls of buffer_import that succeeded */
} mock_faults;

#endif /* RAYO_TESTS_ABI_MOCK_CONTROL_H */
