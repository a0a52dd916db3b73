# rayo_cpu_plugin(NAME avx2 ISAS avx2 [FLAGS ...]): a CPU plugin from the shared sources. Its folder brings plugin.cpp
# (identity, note, entry); the kernel sources are compiled once per ISA in the table below, and cpu/ once for all.
#
# Every ISA needs three variables: its flags, its vector header, and nothing else. Adding an ISA = a header in simd/, three
# lines here, a folder.

# Under sanitizers -O3 takes four times as long to compile what it then cannot speed up; and AddressSanitizer's checks as
# calls, not inline, take a third off. -fexpensive-optimizations: without it GCC leaves the upper halves of registers dirty,
# and every SSE instruction after a kernel costs 50 times as much (6 to 300 ns an fmaf on an Emerald Rapids core).
set(RAYO_KERNEL_OPTIMISATION -O3)
if(RAYO_SANITIZE)
  set(RAYO_KERNEL_OPTIMISATION -O1 $<$<CXX_COMPILER_ID:GNU>:-fexpensive-optimizations>
                               $<$<CXX_COMPILER_ID:GNU>:--param=asan-instrumentation-with-call-threshold=0>)
endif()
# What all kernel objects share. No contraction: FMA is written where it is meant. No unique or merged symbols across ISAs.
set(RAYO_KERNEL_FLAGS ${RAYO_KERNEL_OPTIMISATION} -ffp-contract=off -fno-math-errno -fno-exceptions -fno-rtti -fno-gnu-unique
                      -fno-asynchronous-unwind-tables -fvisibility=hidden -fvisibility-inlines-hidden)

# One element at a time: the compiler must not widen what the scalar plugin is there to judge.
set(RAYO_ISA_FLAGS_scalar -fno-tree-vectorize -fno-tree-slp-vectorize)
set(RAYO_ISA_HEADER_scalar scalar.h)
# The same with hardware FMA: the library's fmaf costs 20 times an instruction. Same bits.
set(RAYO_ISA_FLAGS_scalar_fma ${RAYO_ISA_FLAGS_scalar} -mfma)
set(RAYO_ISA_HEADER_scalar_fma scalar.h)

set(RAYO_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(RAYO_ISA_HEADER_avx2 avx2.h)

# GCC 12 warns inside its own AVX-512 headers (_mm512_undefined_ps).
set(RAYO_ISA_FLAGS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mbmi2 -mprefer-vector-width=512
                          -Wno-uninitialized -Wno-maybe-uninitialized)
set(RAYO_ISA_HEADER_avx512 avx512.h)

set(RAYO_ISA_FLAGS_neon "")
set(RAYO_ISA_HEADER_neon neon.h)

# Scheduling before register allocation interleaves the two vectors of a step, whose formulas GCC otherwise leaves one
# behind the other: on an Emerald Rapids core, AVX-512, n = 16384, exp 2.62 to 2.52 us, erf 7.5 to 7.2, gelu 9.06 to 8.81;
# AVX2 erf 14.9 to 13.6. The order of instructions, never their operands: bits stay.
set(RAYO_SCHEDULED_FAMILIES elementwise)

# Kernel families: kernels/<family>.cpp once per ISA, cpu/ sources once.
set(RAYO_KERNEL_FAMILIES tables elementwise reduce normalise transpose gemm gemm_int quantise convert)
set(RAYO_CPU_SOURCES
    plugin.cpp layout.cpp elementwise.cpp reduce.cpp reduce_chain.cpp reduce_misc.cpp normalise.cpp
    normalise_columns.cpp normalise_layer.cpp transpose.cpp quantise.cpp
    gemm.cpp gemm_plan.cpp gemm_problem.cpp gemm_run.cpp gemm_int.cpp)

# Baseline half of every CPU plugin.
function(rayo_cpu_common)
  list(TRANSFORM RAYO_CPU_SOURCES PREPEND ${RAYO_PLUGINS_DIR}/cpu/)
  add_library(rayo_cpu_common OBJECT ${RAYO_CPU_SOURCES})
  target_include_directories(rayo_cpu_common PUBLIC ${RAYO_PLUGINS_DIR})
  target_link_libraries(rayo_cpu_common PUBLIC rayo::plugin_api PRIVATE rayo::warnings)
  target_compile_options(rayo_cpu_common PRIVATE -fno-exceptions -fno-rtti -fno-gnu-unique -fno-threadsafe-statics
                         -fvisibility=hidden -fvisibility-inlines-hidden)
  rayo_sanitize_loops(rayo_cpu_common)
  target_compile_definitions(rayo_cpu_common PUBLIC RAYO_PLUGIN_VERSION="${PROJECT_VERSION}")
endfunction()

# Kernel objects of one ISA, made on first use.
function(rayo_isa_objects isa)
  if(TARGET rayo_isa_${isa})
    return()
  endif()
  set(sources ${RAYO_KERNEL_FAMILIES})
  list(TRANSFORM sources PREPEND ${RAYO_PLUGINS_DIR}/kernels/)
  list(TRANSFORM sources APPEND .cpp)
  add_library(rayo_isa_${isa} OBJECT ${sources})
  target_include_directories(rayo_isa_${isa} PRIVATE ${RAYO_PLUGINS_DIR})
  target_link_libraries(rayo_isa_${isa} PRIVATE rayo::warnings)
  target_compile_options(rayo_isa_${isa} PRIVATE ${RAYO_KERNEL_FLAGS} ${RAYO_ISA_FLAGS_${isa}})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(TRANSFORM RAYO_SCHEDULED_FAMILIES REPLACE "(.+)" "${RAYO_PLUGINS_DIR}/kernels/\\1.cpp" OUTPUT_VARIABLE scheduled)
    set_source_files_properties(${scheduled} PROPERTIES COMPILE_OPTIONS "-fschedule-insns;-fsched-pressure")
  endif()
  target_compile_definitions(rayo_isa_${isa} PRIVATE RAYO_ISA=${isa} "RAYO_SIMD_HEADER=<simd/${RAYO_ISA_HEADER_${isa}}>")
endfunction()

function(rayo_cpu_plugin)
  cmake_parse_arguments(ARG "" "NAME" "ISAS;FLAGS" ${ARGN})
  set(target rayo_plugin_${ARG_NAME})
  add_library(${target} MODULE plugin.cpp $<TARGET_OBJECTS:rayo_cpu_common>)
  foreach(isa ${ARG_ISAS})
    rayo_isa_objects(${isa})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:rayo_isa_${isa}>)
  endforeach()
  target_link_libraries(${target} PRIVATE rayo::plugin_api rayo::warnings)
  target_include_directories(${target} PRIVATE ${RAYO_PLUGINS_DIR})
  target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti -fno-gnu-unique -fvisibility=hidden ${ARG_FLAGS})
  target_compile_definitions(${target} PRIVATE RAYO_PLUGIN_VERSION="${PROJECT_VERSION}")
  set(map ${RAYO_PLUGINS_DIR}/cmake/plugin.map)
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--as-needed -Wl,--version-script=${map}
                      $<$<NOT:$<BOOL:${RAYO_SANITIZE}>>:-Wl,-z,defs>)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${ARG_NAME} LINK_DEPENDS ${map}
                        LIBRARY_OUTPUT_DIRECTORY ${RAYO_PLUGIN_OUTPUT_DIR})
  install(TARGETS ${target} LIBRARY DESTINATION ${RAYO_PLUGIN_INSTALL_DIR})
  rayo_list_in_manifest(${target})
endfunction()
