/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices, buffers, queues: the part of the application API for data that stays on a device between calls, and for work
 * that runs while the caller does something else. rayo_run on host memory needs nothing of it. The conventions are
 * those of rayo.h; structs and constants that plugins share (rayo_device_info, rayo_point, RAYO_MEMORY_*) come from the
 * plugin ABI. Handles here (rayo_device, rayo_buffer, rayo_queue, rayo_semaphore) are librayo's, never a plugin's own.
 *
 *   rayo_device_find(rt, "vulkan0", &gpu);
 *   rayo_buffer_create(gpu, 4096, RAYO_MEMORY_DEVICE, &x);      and y
 *   rayo_buffer_tensor(x, 0, RAYO_F32, 1, shape, NULL, &tx);    and ty
 *   rayo_buffer_upload(x, 0, values, 4096);
 *   rayo_run(rt, relu, in, 1, out, 1, NULL);                    runs where its data is
 *   rayo_buffer_download(y, 0, result, 4096);
 *
 * Where a call runs. Under the device "auto": where its tensors live, all or some of them (the rest travels with the
 * call); with every tensor in host memory on the host, unless a measured profile says otherwise or only a device has
 * the op. Under a device's NAME: there, or the call fails with the reason. Under "NAME,auto": there if it can, else as
 * under "auto". "host" is a name too: any CPU kernel, never a device.
 *
 * Fallback. Under "auto" and "NAME,auto" a call that its device cannot take (RAYO_FALLBACK_*) runs on the host with the
 * same result, as long as its data can still be read: a lost device takes the tensors that live on it along, and an
 * in-place call that failed half-way has no input left. Every such call is counted, and logged once per op, device and
 * reason.
 *
 * After fork() devices and all that was made from them answer RAYO_FORKED in the child; its calls on host memory work.
 * What was made from a device may be destroyed after its runtime, and then answers RAYO_PRECONDITION.
 */
#ifndef RAYO_DEVICE_H
#define RAYO_DEVICE_H

#include <rayo/plugin.h>
#include <rayo/rayo.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Devices ----------------------------------------------------------------------------------------------- */

/* The device with this id: "vulkan0", or "host": this process's memory and the CPU kernels behind the same functions (a
 * CPU plugin's name: its kernels alone). Opens it on first use, which may take long; it stays open until the runtime is
 * destroyed. RAYO_NOT_FOUND: no such device (the text lists them). */
RAYO_API rayo_status rayo_device_find(rayo_runtime *runtime, const char *id, rayo_device **out_device);
/* Fill struct_size and struct_type (RAYO_TYPE_DEVICE_INFO) before the call. */
RAYO_API rayo_status rayo_device_describe(const rayo_device *device, rayo_device_info *out_info);

/* ---- Buffers ----------------------------------------------------------------------------------------------- */

/* `memory`: RAYO_MEMORY_*. Contents are undefined. RAYO_OUT_OF_MEMORY: also above the device's max_buffer_bytes.
 * RAYO_UNSUPPORTED: not this kind of memory here. */
RAYO_API rayo_status rayo_buffer_create(rayo_device *device, uint64_t size, uint32_t memory, rayo_buffer **out_buffer);
/* Host memory as a buffer, without a copy; it outlives the buffer. RAYO_UNSUPPORTED: the device cannot reach this
 * memory (no RAYO_DEVICE_HOST_IMPORT, or an address or size that it does not take). */
RAYO_API rayo_status rayo_buffer_import(rayo_device *device, void *host, uint64_t size, rayo_buffer **out_buffer);
/* Queued work that uses it keeps the memory until it is done. NULL is ignored, here and by the other destroys. */
RAYO_API void rayo_buffer_destroy(rayo_buffer *buffer);
/* Its host address, valid until destroy. RAYO_UNSUPPORTED: memory that the host cannot address. */
RAYO_API rayo_status rayo_buffer_map(rayo_buffer *buffer, void **out_host);
/* A tensor in a buffer: `offset` bytes from its start lies logical element 0. Borrows shape and strides, and the
 * buffer: with `buffer` set, dl.data is what this function puts there and nothing else. */
RAYO_API rayo_status rayo_buffer_tensor(rayo_buffer *buffer, uint64_t offset, DLDataType dtype, int32_t ndim,
                                        const int64_t *shape, const int64_t *strides, rayo_tensor *out_tensor);
/* Copies from and to host memory; the copy is done when the call returns. Wait first for queued work on the buffer. */
RAYO_API rayo_status rayo_buffer_upload(rayo_buffer *buffer, uint64_t offset, const void *host, uint64_t size);
RAYO_API rayo_status rayo_buffer_download(rayo_buffer *buffer, uint64_t offset, void *host, uint64_t size);

/* ---- Semaphores and queues ---------------------------------------------------------------------------------- */

/* A timeline of a device (see rayo_semaphore in plugin.h). Destroying one that queued work still signals is legal. */
RAYO_API rayo_status rayo_semaphore_create(rayo_device *device, uint64_t initial, rayo_semaphore **out_semaphore);
RAYO_API void rayo_semaphore_destroy(rayo_semaphore *semaphore);
RAYO_API rayo_status rayo_semaphore_query(rayo_semaphore *semaphore, uint64_t *out_value);
/* Until it reaches `value`. RAYO_CANCELLED: it never will. RAYO_TIMEOUT after timeout_ns (UINT64_MAX = never, 0 = look
 * only). */
RAYO_API rayo_status rayo_semaphore_wait(rayo_semaphore *semaphore, uint64_t value, uint64_t timeout_ns);
RAYO_API rayo_status rayo_semaphore_signal(rayo_semaphore *semaphore, uint64_t value); /* from the host */

/* What a piece of queued work waits for, and what it advances when it is done. Of the queue's device. Frozen. */
typedef struct rayo_sync {
  const rayo_point *waits;
  const rayo_point *signals;
  uint32_t wait_count;
  uint32_t signal_count;
} rayo_sync;

/* Work in a queue runs in order, different queues side by side; only semaphores order one queue behind another. The
 * functions below queue and return. A status other than RAYO_OK: nothing was queued. A failure later on cancels what
 * waits on it, and what is behind it in its queue, until rayo_queue_wait has told of it. `sync` may be NULL. */
RAYO_API rayo_status rayo_queue_create(rayo_device *device, rayo_queue **out_queue);
RAYO_API void rayo_queue_destroy(rayo_queue *queue); /* waits for its work */
/* Until the queue is empty. RAYO_OK, RAYO_TIMEOUT, or the first failure since the last call. */
RAYO_API rayo_status rayo_queue_wait(rayo_queue *queue, uint64_t timeout_ns);
/* Runs op on the queue's device, never elsewhere: RAYO_UNSUPPORTED where it cannot. Every operand lives on that device.
 * Buffers may be destroyed once this has returned; tensors, shapes and attributes are not kept. A tensor whose `queue`
 * is set is waited for. */
RAYO_API rayo_status rayo_queue_run(rayo_queue *queue, rayo_op op, const rayo_tensor *const *inputs,
                                    uint32_t input_count, const rayo_tensor *const *outputs, uint32_t output_count,
                                    const rayo_attr *attrs, const rayo_sync *sync);
/* The same for a plan that was bound on that device; it may be destroyed once this has returned. */
RAYO_API rayo_status rayo_queue_run_plan(rayo_queue *queue, rayo_plan *plan, const rayo_tensor *const *inputs,
                                         const rayo_tensor *const *outputs, const rayo_sync *sync);
/* Copies. The call does not wait for the copy, nor for what the copy waits for: `host` is read or written at some time
 * between the call and the end of the work. Until then (a signal of `sync` is reached or poisoned, or rayo_queue_wait
 * has returned) it stays valid, an upload's source is not written and a download's destination not touched; from then
 * on it is the caller's again, and a download's bytes are in it. Small copies (up to about 128 KiB) may be done before
 * the call returns, which is nothing to rely on. For memory that may go at once use rayo_buffer_upload, which blocks.
 * The two places of a copy do not overlap. */
RAYO_API rayo_status rayo_queue_upload(rayo_queue *queue, rayo_buffer *buffer, uint64_t offset, const void *host,
                                       uint64_t size, const rayo_sync *sync);
RAYO_API rayo_status rayo_queue_download(rayo_queue *queue, rayo_buffer *buffer, uint64_t offset, void *host,
                                         uint64_t size, const rayo_sync *sync);
RAYO_API rayo_status rayo_queue_copy(rayo_queue *queue, rayo_buffer *dst, uint64_t dst_offset, rayo_buffer *src,
                                     uint64_t src_offset, uint64_t size, const rayo_sync *sync);

/* ---- Fallback ------------------------------------------------------------------------------------------------ */

/* Why a call ran elsewhere than where it belongs. */
#define RAYO_FALLBACK_NO_DEVICE 1u     /* not present, or it could not be opened */
#define RAYO_FALLBACK_UNSUPPORTED 2u   /* no kernel of it takes the call */
#define RAYO_FALLBACK_OUT_OF_MEMORY 3u /* of the device, also in its driver */
#define RAYO_FALLBACK_TOO_LARGE 4u     /* an operand is above max_buffer_bytes */
#define RAYO_FALLBACK_DEVICE_LOST 5u
#define RAYO_FALLBACK_WORKER 7u /* the process of an isolated plugin died, hung or broke its memory (rayo.h) */
#define RAYO_FALLBACK_FORKED 6u /* the process is a fork of the one that opened the device */

#define RAYO_TYPE_FALLBACK 64u

typedef struct rayo_fallback {
  RAYO_STRUCT_HEADER;
  const char *op;
  const char *device;
  const char *reason; /* "out_of_memory", ... */
  const char *text;   /* of the first time */
  uint64_t count;     /* calls, since the runtime was created */
  uint32_t code;      /* RAYO_FALLBACK_* */
  uint32_t reserved;
} rayo_fallback;

/* One entry per op, device and reason that has occurred; the list only grows. */
RAYO_API uint32_t rayo_fallback_count(const rayo_runtime *runtime);
RAYO_API rayo_status rayo_fallback_get(const rayo_runtime *runtime, uint32_t index, rayo_fallback *out_fallback);

#ifdef __cplusplus
}
#endif

#endif /* RAYO_DEVICE_H */
