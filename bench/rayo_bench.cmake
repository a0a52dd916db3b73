# rayo_bench: all of `rayo bench` but the peers; needs nothing beyond what the tools need.
set(ceiling_loops)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(ceiling_isas baseline avx2 avx512)
else()
  set(ceiling_isas baseline)
endif()
set(ceiling_flags_baseline -DCEILING_BYTES=16)
set(ceiling_flags_avx2 -DCEILING_BYTES=32 -mavx2 -mfma)
set(ceiling_flags_avx512 -DCEILING_BYTES=64 -mavx512f -mfma -mprefer-vector-width=512)
foreach(isa ${ceiling_isas})
  # Contraction makes a * b + c one FMA; a recognised copy loop would be measured twice as memcpy.
  add_library(rayo_ceilings_${isa} OBJECT measure/ceiling_loops.c)
  target_compile_options(rayo_ceilings_${isa} PRIVATE -O3 -Wall -Wextra -ffp-contract=fast -fno-tree-loop-distribute-patterns
                                                      -DCEILING_ISA=${isa} ${ceiling_flags_${isa}})
  list(APPEND ceiling_loops $<TARGET_OBJECTS:rayo_ceilings_${isa}>)
endforeach()

# The commit that a record was taken at: looked up at every build, written when it changed.
set(commit_folder ${CMAKE_CURRENT_BINARY_DIR}/commit)
add_custom_target(rayo_bench_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${commit_folder}/rayo_bench_commit.h
          -P ${CMAKE_CURRENT_SOURCE_DIR}/write_commit.cmake
  BYPRODUCTS ${commit_folder}/rayo_bench_commit.h COMMENT "" VERBATIM)

add_library(rayo_bench STATIC
  command.cpp machine.cpp options.cpp run.cpp
  measure/ceilings.cpp measure/clock.cpp measure/contest.cpp measure/ours.cpp measure/statistics.cpp
  peers/host.cpp
  report/compare.cpp report/row.cpp report/svg.cpp report/text.cpp
  work/catalogue_work.cpp work/operands.cpp work/shapes.cpp
  ${ceiling_loops})
add_dependencies(rayo_bench rayo_bench_commit)
add_dependencies(rayo_generated rayo_bench_commit)
find_package(Threads REQUIRED)
target_include_directories(rayo_bench PUBLIC ${PROJECT_SOURCE_DIR} PRIVATE ${commit_folder})
target_link_libraries(rayo_bench PUBLIC rayo_tools PRIVATE rayo::warnings Threads::Threads ${CMAKE_DL_LIBS})
