# One way to register a GoogleTest program: rayo_add_test(NAME foo_test SOURCES a.cpp LIBS rayo::core LABELS unit).
# Every TEST in it becomes one ctest case, discovered when ctest runs. What tests remember (verdicts of plugins) stays in the
# build folder. A program that sanitizers leave out is not built there, and slowness is borne with.
include(GoogleTest)

function(rayo_add_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;LIBS;LABELS;DEFINES;DEPENDS" ${ARGN})
  if(NOT RAYO_BUILD_TESTS)
    return()
  endif()
  rayo_left_out(${ARG_NAME} left_out)
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LIBS} rayo::warnings GTest::gtest GTest::gtest_main)
  target_compile_definitions(${ARG_NAME} PRIVATE ${ARG_DEFINES})
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests
                                               EXCLUDE_FROM_ALL ${left_out})
  if(ARG_DEPENDS)
    add_dependencies(${ARG_NAME} ${ARG_DEPENDS})
  endif()
  if(left_out)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * ${RAYO_PATIENCE}")
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  gtest_discover_tests(${ARG_NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
                                  ENVIRONMENT "XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/tests/cache")
endfunction()
