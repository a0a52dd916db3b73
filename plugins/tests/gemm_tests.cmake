# Tests of matmul and gemm, through the ABI only. Included by this folder's CMakeLists.txt, which sets plugin_files
# and plugin_targets.
list(JOIN plugin_files ":" gemm_plugin_list)
foreach(name gemm_test gemm_matmul_test)
  rayo_add_test(NAME ${name} SOURCES ${name}.cpp LIBS rayo::plugin_api ${CMAKE_DL_LIBS} LABELS "unit;numerics"
                DEFINES "RAYO_TEST_PLUGINS=\"${gemm_plugin_list}\"" DEPENDS ${plugin_targets})
  rayo_sanitize_loops(${name})
endforeach()
