# Builds with sanitizers (RAYO_SANITIZE). tests/sanitize/left_out.cmake says what they leave out and why; here is what
# reads it. A name there is a folder, a test program or a test; folders and programs are not even built.

# rayo_leave_out(NAME... [UNDER address thread] BECAUSE reason): UNDER: by default every sanitizer.
function(rayo_leave_out)
  cmake_parse_arguments(ARG "" "BECAUSE" "UNDER" ${ARGN})
  if(ARG_UNDER)
    set(met FALSE)
    foreach(sanitizer ${ARG_UNDER})
      if(sanitizer IN_LIST RAYO_SANITIZE)
        set(met TRUE)
      endif()
    endforeach()
  else()
    set(met ${RAYO_SANITIZE})
  endif()
  if(met)
    set_property(GLOBAL APPEND PROPERTY rayo_left_out ${ARG_UNPARSED_ARGUMENTS})
    list(JOIN ARG_UNPARSED_ARGUMENTS ", " names)
    set_property(GLOBAL APPEND_STRING PROPERTY rayo_left_out_text "${names}: ${ARG_BECAUSE}\n")
  endif()
endfunction()

# rayo_left_out(NAME variable): whether this build leaves it out.
function(rayo_left_out name variable)
  get_property(all GLOBAL PROPERTY rayo_left_out)
  if(name IN_LIST all)
    set(${variable} TRUE PARENT_SCOPE)
  else()
    set(${variable} FALSE PARENT_SCOPE)
  endif()
endfunction()

# rayo_sanitize_loops(TARGET [FILE...]): loops over many elements, which sanitizers slow down most. In builds with them
# these files of the target (by default all) are optimised a little; the others are not, which halves the time that they
# take to compile.
function(rayo_sanitize_loops target)
  if(RAYO_SANITIZE AND ARGN)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -O1)
  elseif(RAYO_SANITIZE)
    target_compile_options(${target} PRIVATE -O1)
  endif()
endfunction()

# Tests may take so many times as long.
set(RAYO_PATIENCE 1)
if(RAYO_SANITIZE)
  set(RAYO_PATIENCE 5)
endif()

# rayo_timeout(TEST SECONDS): of a test that add_test made; rayo_add_test does it itself.
function(rayo_timeout test seconds)
  math(EXPR seconds "${seconds} * ${RAYO_PATIENCE}")
  set_tests_properties(${test} PROPERTIES TIMEOUT ${seconds})
endfunction()

include(${PROJECT_SOURCE_DIR}/tests/sanitize/left_out.cmake)

# ctest passes over these tests; `./dev sanitize` prints the text.
get_property(all GLOBAL PROPERTY rayo_left_out)
list(JOIN all "]==]\n  [==[" all)
file(WRITE ${PROJECT_BINARY_DIR}/CTestCustom.cmake "set(CTEST_CUSTOM_TESTS_IGNORE\n  [==[${all}]==])\n")
get_property(text GLOBAL PROPERTY rayo_left_out_text)
file(WRITE ${PROJECT_BINARY_DIR}/left_out.txt "${text}")
