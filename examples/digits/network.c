/* SPDX-License-Identifier: Apache-2.0
 *
 * How an application uses plans: describe each call once with its device, then run it by operands alone.
 */
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Operands of the network, by index into network.operands. */
enum { kScans, kW1, kB1, kHidden, kW2, kB2, kLogits, kProbabilities, kDigits };

typedef struct layer {
  const char *op;
  int inputs[3];
  uint32_t input_count;
  uint32_t constant_inputs; /* bit i: input i is a weight */
  int output;
} layer;

static const layer kNetwork[kLayers] = {
    {"gemm", {kScans, kW1, kB1}, 3, 6, kHidden},  {"relu", {kHidden}, 1, 0, kHidden}, /* in place */
    {"gemm", {kHidden, kW2, kB2}, 3, 6, kLogits}, {"softmax", {kLogits}, 1, 0, kProbabilities},
    {"argmax", {kLogits}, 1, 0, kDigits},
};

/* ---- Model -------------------------------------------------------------------------------------------------- */

static int read_part(const char *folder, const char *name, const char *descr, npy_array *out, char *why, size_t size) {
  char path[4096];
  const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (length < 0 || (size_t)length >= sizeof path) {
    snprintf(why, size, "the folder's name is longer than 4000 bytes");
    return 0;
  }
  return npy_read(path, descr, out, why, size);
}

static int shapes_fit(const model *m) {
  return m->scans.ndim == 2 && m->w1.ndim == 2 && m->w2.ndim == 2 && m->b1.ndim == 1 && m->b2.ndim == 1 &&
         m->labels.ndim == 1 && m->scans.shape[0] > 0 && m->labels.shape[0] == m->scans.shape[0] &&
         m->w1.shape[0] == m->scans.shape[1] && m->b1.shape[0] == m->w1.shape[1] && m->w2.shape[0] == m->w1.shape[1] &&
         m->b2.shape[0] == m->w2.shape[1] && m->w2.shape[1] > 0;
}

int model_read(const char *folder, model *out, char *why, size_t why_size) {
  memset(out, 0, sizeof *out);
  int ok = read_part(folder, "weights/w1.npy", "<f4", &out->w1, why, why_size) &&
           read_part(folder, "weights/b1.npy", "<f4", &out->b1, why, why_size) &&
           read_part(folder, "weights/w2.npy", "<f4", &out->w2, why, why_size) &&
           read_part(folder, "weights/b2.npy", "<f4", &out->b2, why, why_size) &&
           read_part(folder, "heldout/scans.npy", "<f4", &out->scans, why, why_size) &&
           read_part(folder, "heldout/labels.npy", "<i8", &out->labels, why, why_size);
  if (ok && !shapes_fit(out)) {
    snprintf(why, why_size, "the shapes of the files in %s do not fit together; run train.py to write them anew",
             folder);
    ok = 0;
  }
  if (!ok) model_free(out);
  return ok;
}

void model_free(model *m) {
  npy_free(&m->w1);
  npy_free(&m->b1);
  npy_free(&m->w2);
  npy_free(&m->b2);
  npy_free(&m->scans);
  npy_free(&m->labels);
}

/* ---- Network ------------------------------------------------------------------------------------------------ */

static void set_operand(network *net, int index, void *data, DLDataType type, int32_t ndim, int64_t d0, int64_t d1) {
  net->shapes[index][0] = d0;
  net->shapes[index][1] = d1;
  net->operands[index] = rayo_tensor_make(data, type, ndim, net->shapes[index], NULL);
}

static int allocate(const model *m, network *net) {
  const int64_t scans = m->scans.shape[0], pixels = m->scans.shape[1];
  const int64_t hidden = m->w1.shape[1], classes = m->w2.shape[1];
  net->hidden = calloc((size_t)(scans * hidden), sizeof(float));
  net->logits = calloc((size_t)(scans * classes), sizeof(float));
  net->probabilities = calloc((size_t)(scans * classes), sizeof(float));
  net->digits = calloc((size_t)scans, sizeof(int64_t));
  if (!net->hidden || !net->logits || !net->probabilities || !net->digits) return 0;
  set_operand(net, kScans, m->scans.data, RAYO_F32, 2, scans, pixels);
  set_operand(net, kW1, m->w1.data, RAYO_F32, 2, pixels, hidden);
  set_operand(net, kB1, m->b1.data, RAYO_F32, 1, hidden, 0);
  set_operand(net, kHidden, net->hidden, RAYO_F32, 2, scans, hidden);
  set_operand(net, kW2, m->w2.data, RAYO_F32, 2, hidden, classes);
  set_operand(net, kB2, m->b2.data, RAYO_F32, 1, classes, 0);
  set_operand(net, kLogits, net->logits, RAYO_F32, 2, scans, classes);
  set_operand(net, kProbabilities, net->probabilities, RAYO_F32, 2, scans, classes);
  set_operand(net, kDigits, net->digits, RAYO_I64, 1, scans, 0);
  return 1;
}

static void operands_of(const network *net, const layer *l, const rayo_tensor **inputs, const rayo_tensor **outputs) {
  for (uint32_t i = 0; i < l->input_count; ++i) inputs[i] = &net->operands[l->inputs[i]];
  outputs[0] = &net->operands[l->output];
}

static rayo_status bind_layer(rayo_runtime *runtime, const layer *l, const rayo_run_options *options, network *net,
                              rayo_plan **out_plan) {
  /* argmax along the classes, whose axis disappears; the other ops' defaults are what is wanted. */
  static const int64_t kLastAxis = -1, kDrop = 0;
  const rayo_attr argmax[] = {rayo_attr_ints("axis", &kLastAxis, 1), rayo_attr_ints("keepdims", &kDrop, 1),
                              RAYO_ATTR_END};
  const rayo_tensor *inputs[3], *outputs[1];
  operands_of(net, l, inputs, outputs);
  rayo_call_desc desc = RAYO_CALL_DESC_INIT;
  desc.op = rayo_op_find(l->op);
  desc.inputs = inputs;
  desc.input_count = l->input_count;
  desc.constant_inputs = l->constant_inputs;
  desc.outputs = outputs;
  desc.output_count = 1;
  desc.attrs = strcmp(l->op, "argmax") == 0 ? argmax : NULL;
  desc.options = options;
  return rayo_plan_create(runtime, &desc, out_plan);
}

rayo_status network_create(rayo_runtime *runtime, const model *m, const char *device, uint32_t policy, network *out) {
  memset(out, 0, sizeof *out);
  rayo_run_options options = RAYO_RUN_OPTIONS_INIT;
  options.device = device;
  options.numerics = policy;
  rayo_status status = allocate(m, out) ? RAYO_OK : RAYO_OUT_OF_MEMORY;
  for (int i = 0; i < kLayers && status == RAYO_OK; ++i) {
    status = bind_layer(runtime, &kNetwork[i], &options, out, &out->plans[i]);
  }
  if (status != RAYO_OK) network_destroy(out);
  return status;
}

rayo_status network_run(network *net) {
  for (int i = 0; i < kLayers; ++i) {
    const rayo_tensor *inputs[3], *outputs[1];
    operands_of(net, &kNetwork[i], inputs, outputs);
    const rayo_status status = rayo_plan_run(net->plans[i], inputs, outputs);
    if (status != RAYO_OK) return status;
  }
  return RAYO_OK;
}

void network_destroy(network *net) {
  for (int i = 0; i < kLayers; ++i) {
    if (net->plans[i] != NULL) rayo_plan_destroy(net->plans[i]);
  }
  free(net->hidden);
  free(net->logits);
  free(net->probabilities);
  free(net->digits);
  memset(net, 0, sizeof *net);
}
