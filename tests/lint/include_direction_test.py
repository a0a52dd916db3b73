#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants violations of the include direction and sees each one found, and nothing found where there is none."""
import pathlib
import tempfile
import unittest

import include_direction

HEADERS = (
    "plugin-api/include/rayo/types.h",
    "plugin-api/include/rayo/plugin.hpp",
    "plugin-api/ops/catalogue.def",
    "core/include/rayo/rayo.h",
    "core/base/error.hpp",
    "plugins/simd/vec.h",
    "plugins/kernels/gemm.h",
    "plugins/cpu/plugin.h",
    "plugins/avx2/isa.h",
    "plugins/null/null.h",
    "conformance/runner/case.hpp",
    "tools/command.hpp",
)


class IncludeDirection(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rayo-lint-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in HEADERS:
            self.write(name, "/* nothing */\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def violations(self, name, text):
        self.write(name, text)
        return include_direction.check(self.root)[1]

    def forbidden(self, name, include):
        found = self.violations(name, f"// head\n#include {include}\n")
        self.assertEqual(len(found), 1, f"{name} with {include}: {found}")
        self.assertTrue(found[0].startswith(f"{name}:2: "), found[0])

    def allowed(self, name, *includes):
        self.assertEqual(self.violations(name, "".join(f"#include {i}\n" for i in includes)), [])

    def test_plugin_api_includes_nothing_of_ours(self):
        self.forbidden("plugin-api/include/rayo/types.h", "<rayo/rayo.h>")

    def test_plugin_api_headers_are_c(self):
        self.forbidden("plugin-api/include/rayo/plugin.h", "<vector>")

    def test_plugin_api_uses_no_third_party_header(self):
        self.forbidden("plugin-api/include/rayo/plugin.hpp", "<fmt/core.h>")

    def test_plugin_api_uses_no_posix_header(self):
        self.forbidden("plugin-api/include/rayo/plugin.h", "<sys/types.h>")

    def test_core_never_includes_a_plugin(self):
        self.forbidden("core/dispatch/run.cpp", '"plugins/kernels/gemm.h"')

    def test_core_never_includes_tools(self):
        self.forbidden("core/dispatch/run.cpp", '"tools/command.hpp"')

    def test_core_never_includes_conformance(self):
        self.forbidden("core/dispatch/run.cpp", "<conformance/runner/case.hpp>")

    def test_public_headers_of_core_hide_its_inside(self):
        self.forbidden("core/include/rayo/rayo.hpp", '"base/error.hpp"')

    def test_a_relative_path_does_not_hide_a_violation(self):
        self.forbidden("plugins/null/null.cpp", '"../../core/base/error.hpp"')

    def test_plugins_never_include_the_public_api_of_core(self):
        self.forbidden("plugins/cpu/plugin.cpp", "<rayo/rayo.h>")

    def test_simd_does_not_know_kernels(self):
        self.forbidden("plugins/simd/math.h", '"kernels/gemm.h"')

    def test_kernels_do_not_know_the_cpu_plugin(self):
        self.forbidden("plugins/kernels/reduce.h", '"cpu/plugin.h"')

    def test_the_cpu_plugin_does_not_know_an_isa(self):
        self.forbidden("plugins/cpu/plugin.cpp", '"avx2/isa.h"')

    def test_one_isa_does_not_know_another(self):
        self.forbidden("plugins/avx512/isa.cpp", '"avx2/isa.h"')

    def test_other_plugins_stand_alone(self):
        self.forbidden("plugins/vulkan/vulkan.cpp", '"null/null.h"')

    def test_conformance_sees_public_headers_only(self):
        self.forbidden("conformance/runner/run.cpp", '"core/base/error.hpp"')

    def test_conformance_does_not_know_kernels(self):
        self.forbidden("conformance/oracle/matmul.cpp", '"plugins/kernels/gemm.h"')

    def test_examples_are_applications(self):
        self.forbidden("examples/digits/digits.c", '"../../core/base/error.hpp"')

    def test_an_include_after_a_comment_is_seen(self):
        self.assertEqual(len(self.violations("core/a.cpp", '/* x\n*/ #include "plugins/simd/vec.h"\n')), 1)

    def test_a_comment_opened_in_a_line_comment_hides_nothing(self):
        self.assertEqual(len(self.violations("core/a.cpp", '// ops/*\n#include "plugins/simd/vec.h"\n// */\n')), 1)

    def test_what_the_design_allows_is_allowed(self):
        self.allowed("plugin-api/include/rayo/plugin.h", "<rayo/types.h>", "<stdint.h>", "<dlpack/dlpack.h>")
        self.allowed("plugin-api/include/rayo/plugin.hpp", "<rayo/types.h>", "<span>", "<dlpack/dlpack.h>")
        self.allowed("core/registry/ops.cpp", '"ops.hpp"', '"base/error.hpp"', "<ops/catalogue.def>", "<rayo/rayo.h>",
                     "<boost/dll.hpp>")
        self.allowed("plugins/kernels/reduce.h", '"simd/vec.h"', "<rayo/types.h>")
        self.allowed("plugins/avx2/table.cpp", '"cpu/plugin.h"', '"isa.h"', "<immintrin.h>")
        self.allowed("plugins/null/null.cpp", '"null.h"', "<rayo/plugin.hpp>")
        self.allowed("conformance/runner/run.cpp", '"case.hpp"', "<rayo/rayo.h>", "<rayo/types.h>")
        self.allowed("tools/main.cpp", '"command.hpp"', "<conformance/runner/case.hpp>", "<rayo/rayo.h>")

    def test_a_comment_is_no_include(self):
        self.allowed("core/a.cpp", "<vector>\n/*\n#include \"plugins/simd/vec.h\"\n*/\n// #include <plugins/simd/vec.h>")

    def test_an_empty_tree_is_no_pass(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(include_direction.check(pathlib.Path(empty)), (0, []))


if __name__ == "__main__":
    unittest.main()
