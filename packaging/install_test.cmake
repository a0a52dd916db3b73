# Installs a build into a fresh folder, moves that folder, and builds and runs an application against it: by CMake's
# find_package and by pkg-config (where that is installed). No RAYO_* variable helps to find the plugins.
set(work ${BUILD}/packaging/install_test)
file(REMOVE_RECURSE ${work})
foreach(name RAYO_PLUGIN_PATH RAYO_DEVICE LD_LIBRARY_PATH)
  unset(ENV{${name}})
endforeach()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_result)
  if(NOT output MATCHES "58 64 139 154")
    message(FATAL_ERROR "the application printed something else: ${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/first)
file(RENAME ${work}/first ${work}/prefix)
set(libdir ${work}/prefix/${LIBDIR})

run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${work}/by_cmake -G ${GENERATOR} -DCMAKE_C_COMPILER=${CC}
    -DCMAKE_PREFIX_PATH=${work}/prefix)
run(${CMAKE_COMMAND} --build ${work}/by_cmake)
run(${work}/by_cmake/consumer)
expect_result()

find_program(pkg_config pkg-config)
if(pkg_config)
  set(ENV{PKG_CONFIG_PATH} ${libdir}/pkgconfig)
  run(${pkg_config} --cflags --libs rayo)
  separate_arguments(options UNIX_COMMAND "${output}")
  run(${CC} -std=c11 ${CONSUMER}/consumer.c -o ${work}/by_pkg_config ${options} -Wl,-rpath,${libdir})
  run(${work}/by_pkg_config)
  expect_result()
endif()

# The installed program runs from its new place too.
run(${work}/prefix/bin/rayo devices --json)
if(NOT output MATCHES "\"ready\"")
  message(FATAL_ERROR "the installed rayo finds no ready plugin: ${output}")
endif()
file(REMOVE_RECURSE ${work})
