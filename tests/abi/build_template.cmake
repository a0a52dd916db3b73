# Builds plugin-api/template as a vendor would: copied out of the tree, with the plugin headers alone.
#   cmake -DTEMPLATE=dir -DINCLUDE=dir -DWORK=dir -DCXX=compiler -DGENERATOR=name -P build_template.cmake
file(REMOVE_RECURSE ${WORK})
file(COPY ${TEMPLATE}/ DESTINATION ${WORK}/source)
file(COPY ${INCLUDE}/rayo DESTINATION ${WORK}/include)
file(STRINGS ${WORK}/source/acme.cpp lines)
list(LENGTH lines count)
if(count GREATER_EQUAL 100)
  message(FATAL_ERROR "the template has ${count} lines; it must stay under 100")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/source -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX}
                        -DRAYO_INCLUDE_DIR=${WORK}/include -DCMAKE_CXX_FLAGS=-Werror
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build COMMAND_ERROR_IS_FATAL ANY)
