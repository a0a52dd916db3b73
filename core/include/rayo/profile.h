/* SPDX-License-Identifier: Apache-2.0
 *
 * Device profiles: what `rayo tune` measured decides who runs a call. A part of Rayo's application API with a header of
 * its own, for those who choose profiles or look at choices; the others never need it.
 *
 * Profiles are read when a runtime is created, from these layers, the first that has an entry for the op, types, layout
 * and residency: the application's (rayo_profile_options, RAYO_PROFILE), the user's (rayo_profile_path), the system's
 * (/etc/rayo/profile.json), those shipped for a class of machines (lib/rayo/profiles). Entries of another machine, or
 * of a plugin whose file has changed, do not count; without one that does, the static order holds. A profile that is
 * damaged costs a line on the log, never the start. Nothing is ever measured inside a call.
 */
#ifndef RAYO_PROFILE_H
#define RAYO_PROFILE_H

#include <rayo/rayo.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAYO_TYPE_PROFILE_OPTIONS 50u
#define RAYO_TYPE_SELECTION 51u

/* Chained behind rayo_runtime_options by `next`. */
typedef struct rayo_profile_options {
  RAYO_STRUCT_HEADER;
  const char *profile; /* the application's profile: a file, or "none" for no profile at all; NULL = RAYO_PROFILE */
} rayo_profile_options;

#define RAYO_PROFILE_OPTIONS_INIT \
  { sizeof(rayo_profile_options), RAYO_TYPE_PROFILE_OPTIONS, NULL, NULL }

/* Reads the profiles anew, with `file` as the application's (NULL: as when the runtime was created; "none": no profile
 * at all), and publishes them at once. Plans keep what they were bound to. RAYO_NOT_FOUND: there is no such file. */
RAYO_API rayo_status rayo_runtime_load_profile(rayo_runtime *runtime, const char *file);

/* Where the user's profile lies: $XDG_CONFIG_HOME/rayo/profile.json, by default below ~/.config. Copies and returns
 * like rayo_last_error; 0 = no such place: no absolute folder in the environment, or a privileged process. */
RAYO_API size_t rayo_profile_path(char *buf, size_t cap);

#define RAYO_LEVEL_STATIC 0u  /* by the plugins' stated preference */
#define RAYO_LEVEL_FORCED 1u  /* a device was asked for */
#define RAYO_LEVEL_PROFILE 2u /* by what was measured */

typedef struct rayo_selection {
  RAYO_STRUCT_HEADER;
  const char *device;
  const char *plugin;
  const char *kernel; /* "" if the profile was exchanged since the plan was bound and names another plugin */
  uint32_t threads;
  uint32_t level;       /* RAYO_LEVEL_* */
  uint32_t shape_class; /* what the choice looked at: see docs/tuning.md */
  int32_t shape_level;
  uint64_t volume;
  uint32_t layout; /* 0 contiguous, 1 broadcast, 2 strided */
  uint32_t reserved;
} rayo_selection;

/* Chooses anew for the plan's call by the profile in use: the choice alone, without binding. No lock, no allocation, no
 * system call. Equal calls get equal answers as long as the profile is the same. */
RAYO_API rayo_status rayo_plan_select(const rayo_plan *plan, rayo_selection *out_selection);

#ifdef __cplusplus
}
#endif

#endif /* RAYO_PROFILE_H */
