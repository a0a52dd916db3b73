/* SPDX-License-Identifier: Apache-2.0
 *
 * The example's network on one device: logits = relu(X W1 + b1) W2 + b2, probabilities = softmax(logits), digit =
 * argmax(logits). Five plans, bound once and run as often as wanted.
 */
#ifndef RAYO_EXAMPLES_DIGITS_NETWORK_H
#define RAYO_EXAMPLES_DIGITS_NETWORK_H

#include <rayo/rayo.h>

#include "npy_file.h"

enum { kLayers = 5 };

/* Everything that is read from files; shared by all devices. */
typedef struct model {
  npy_array w1, b1, w2, b2; /* f32: [pixels, hidden], [hidden], [hidden, classes], [classes] */
  npy_array scans;          /* f32: [scans, pixels], values 0..16 */
  npy_array labels;         /* i64: [scans] */
} model;

/* One device's plans and the memory they write. */
typedef struct network {
  rayo_plan *plans[kLayers];
  rayo_tensor operands[9]; /* indices: see network.c */
  int64_t shapes[9][2];
  float *hidden;        /* [scans, hidden] */
  float *logits;        /* [scans, classes] */
  float *probabilities; /* [scans, classes] */
  int64_t *digits;      /* [scans] */
} network;

/* Reads weights/ and heldout/ below `folder`. 1, or 0 with a message in why and nothing to free. */
int model_read(const char *folder, model *out, char *why, size_t why_size);
void model_free(model *m);

/* Binds the network to `device` under a policy (RAYO_POLICY_*). On failure rayo_last_error() has the text, and there is
 * nothing to free. `m` outlives the network; weights are bound as constants. */
rayo_status network_create(rayo_runtime *runtime, const model *m, const char *device, uint32_t policy, network *out);
/* Classifies every scan of the model. */
rayo_status network_run(network *net);
void network_destroy(network *net);

#endif
