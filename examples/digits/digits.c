/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads handwritten digits with Rayo's C API, on every device there is, and compares: how many scans each device reads
 * right, how long it takes, and whether the logits are the same bits. A C11 program that links librayo and libc alone.
 *
 *   digits [FOLDER] [DEVICE...]     FOLDER holds weights/ and heldout/; default: examples/digits
 *
 * Exit code 0: all is well. 1: a file, the runtime or a device failed, fewer than 97% were right, or two devices that
 * promise reproducible results differ. 2: wrong usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "network.h"

enum { kRepeats = 51, kMaxDevices = 64 };
static const double kRequiredAccuracy = 0.97;

/* What a device did. */
typedef struct outcome {
  int ran;
  int reproducible; /* its kernels promise the bits that every reproducible kernel has */
  int64_t right;
  double microseconds; /* median of kRepeats runs over all scans */
  size_t logit_count;
  float *logits; /* a copy */
  char why[RAYO_ERROR_TEXT];
} outcome;

static double now_us(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void keep_last_error(outcome *out, rayo_status status) {
  char text[RAYO_ERROR_TEXT] = "";
  rayo_last_error(text, sizeof text);
  snprintf(out->why, sizeof out->why, "%s: %.400s", rayo_status_name(status), text);
}

/* Runs the network, counts what was right, takes times and keeps the logits. */
static rayo_status measure(const model *m, network *net, outcome *out) {
  double times[kRepeats];
  for (int i = 0; i < kRepeats; ++i) {
    const double start = now_us();
    const rayo_status status = network_run(net);
    if (status != RAYO_OK) return status;
    times[i] = now_us() - start;
  }
  qsort(times, kRepeats, sizeof *times, compare_doubles);
  out->microseconds = times[kRepeats / 2];
  const int64_t *labels = m->labels.data;
  for (int64_t i = 0; i < m->labels.count; ++i) out->right += net->digits[i] == labels[i];
  out->logit_count = (size_t)(m->scans.shape[0] * m->w2.shape[1]);
  out->logits = malloc(out->logit_count * sizeof(float));
  if (out->logits == NULL) return RAYO_OUT_OF_MEMORY;
  memcpy(out->logits, net->logits, out->logit_count * sizeof(float));
  out->ran = 1;
  return RAYO_OK;
}

/* Where a device has no reproducible kernels, every kernel within the strict bounds is taken. A device without a kernel
 * for this network is skipped with its reason; any other failure is one. Returns 0 on failure. */
static int try_device(rayo_runtime *runtime, const model *m, const char *device, network *net, outcome *out) {
  out->reproducible = 1;
  rayo_status status = network_create(runtime, m, device, RAYO_POLICY_REPRODUCIBLE, net);
  if (status == RAYO_UNSUPPORTED) {
    out->reproducible = 0;
    status = network_create(runtime, m, device, RAYO_POLICY_ACCURATE, net);
  }
  const int bound = status == RAYO_OK;
  if (bound) status = measure(m, net, out);
  if (status != RAYO_OK) keep_last_error(out, status);
  if (bound) network_destroy(net);
  return status == RAYO_OK || (!bound && status == RAYO_UNSUPPORTED);
}

static double largest_difference(const outcome *a, const outcome *b) {
  double largest = 0;
  for (size_t i = 0; i < a->logit_count; ++i) {
    const double d = (double)a->logits[i] - (double)b->logits[i];
    if (d > largest || -d > largest) largest = d < 0 ? -d : d;
  }
  return largest;
}

/* One line of the table; returns 0 if the device broke a promise. */
static int report(const char *device, const outcome *o, const outcome *reference, const char *reference_device,
                  int64_t scans) {
  if (!o->ran) {
    printf("  %-10s skipped: %s\n", device, o->why);
    return 1;
  }
  const double accuracy = (double)o->right / (double)scans;
  printf("  %-10s %-12s %4lld of %lld right  %6.2f%%  %9.1f us  %6.3f us/scan  ", device,
         o->reproducible ? "reproducible" : "strict", (long long)o->right, (long long)scans, 100 * accuracy,
         o->microseconds, o->microseconds / (double)scans);
  const int same = memcmp(o->logits, reference->logits, o->logit_count * sizeof(float)) == 0;
  int ok = 1;
  if (o == reference) {
    printf("reference bits\n");
  } else if (same) {
    printf("same bits as %s\n", reference_device);
  } else {
    printf("logits differ from %s by up to %.3g\n", reference_device, largest_difference(o, reference));
    ok = !(o->reproducible && reference->reproducible);
    if (!ok) fprintf(stderr, "digits: %s and %s both promise the same bits, and differ\n", device, reference_device);
  }
  if (accuracy < kRequiredAccuracy) {
    fprintf(stderr, "digits: %s read %.2f%% right; at least %.0f%% is required\n", device, 100 * accuracy,
            100 * kRequiredAccuracy);
    ok = 0;
  }
  return ok;
}

/* The devices to try: those named on the command line, or all. Returns how many, or -1 after a message. */
static int list_devices(const rayo_runtime *runtime, int argc, char **argv, const char **out) {
  int count = 0;
  for (int i = 2; i < argc && count < kMaxDevices; ++i) out[count++] = argv[i];
  if (count > 0) return count;
  const uint32_t present = rayo_device_count(runtime);
  for (uint32_t i = 0; i < present && count < kMaxDevices; ++i) {
    rayo_device_listing listing = {.struct_size = sizeof listing, .struct_type = RAYO_TYPE_DEVICE_LISTING};
    if (rayo_device_get(runtime, i, &listing) != RAYO_OK) return -1;
    out[count++] = listing.id;
  }
  return count;
}

static int classify_everywhere(rayo_runtime *runtime, const model *m, int argc, char **argv) {
  const char *devices[kMaxDevices];
  const int count = list_devices(runtime, argc, argv, devices);
  if (count <= 0) {
    fprintf(stderr, "digits: no device is ready; `rayo devices --all` says why\n");
    return 0;
  }
  outcome *outcomes = calloc((size_t)count, sizeof *outcomes);
  if (outcomes == NULL) return 0;
  int ok = 1;
  const outcome *reference = NULL; /* the first reproducible device; else the first that ran */
  const char *reference_device = "";
  for (int i = 0; i < count; ++i) {
    network net;
    outcome *o = &outcomes[i];
    if (!try_device(runtime, m, devices[i], &net, o)) {
      fprintf(stderr, "digits: %s failed: %s\n", devices[i], o->why);
      ok = 0;
    }
    if (o->ran && (reference == NULL || (o->reproducible && !reference->reproducible))) {
      reference = o;
      reference_device = devices[i];
    }
  }
  const int64_t scans = m->scans.shape[0];
  printf("digits: %lld held-out scans, network %lld-%lld-%lld, median of %d runs\n", (long long)scans,
         (long long)m->w1.shape[0], (long long)m->w1.shape[1], (long long)m->w2.shape[1], kRepeats);
  for (int i = 0; i < count; ++i) {
    if (!report(devices[i], &outcomes[i], reference, reference_device, scans)) ok = 0;
  }
  if (reference == NULL) {
    fprintf(stderr, "digits: no device could run the network\n");
    ok = 0;
  }
  for (int i = 0; i < count; ++i) free(outcomes[i].logits);
  free(outcomes);
  return ok;
}

int main(int argc, char **argv) {
  if (argc > 1 && argv[1][0] == '-') {
    const int asked = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    fprintf(asked ? stdout : stderr,
            "usage: digits [FOLDER] [DEVICE...]\n"
            "  FOLDER  holds weights/ and heldout/ (default: examples/digits)\n"
            "  DEVICE  names as `rayo devices` prints them (default: every ready device)\n");
    return asked ? 0 : 2;
  }
  char why[4096 + 256];
  model m;
  if (!model_read(argc > 1 ? argv[1] : "examples/digits", &m, why, sizeof why)) {
    fprintf(stderr, "digits: %s\n", why);
    return 1;
  }
  rayo_runtime *runtime = NULL;
  const rayo_status status = rayo_runtime_create(NULL, &runtime);
  int ok = status == RAYO_OK;
  if (ok) {
    ok = classify_everywhere(runtime, &m, argc, argv);
    rayo_runtime_destroy(runtime);
  } else {
    rayo_last_error(why, sizeof why);
    fprintf(stderr, "digits: no runtime: %s: %s\n", rayo_status_name(status), why);
  }
  model_free(&m);
  return ok ? 0 : 1;
}
