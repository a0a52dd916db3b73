// SPDX-License-Identifier: Apache-2.0
//
// The smoke test: one small call per kernel and type, twice, with canaries around its outputs, compared with the scalar
// plugin. Kernels of class reproducible must have scalar's bits. Of the others, ops that the arithmetic contract
// defines as exact on whole numbers are compared on whole numbers; the rest must merely run. `rayo conform` is the real
// judge.
#pragma once

#include "probe/report.hpp"
#include "registry/registry.hpp"

namespace rayo::probe {

// `registry` holds one ready plugin. `reference`: the scalar plugin's, or nullptr. Throws Error with what is wrong.
void run_smoke_test(const Registry &registry, const Registry *reference, TrialReport *report);

}  // namespace rayo::probe
