# rayo::fmt: fmt without a shared library behind it. Its functions are compiled once (fmt.cpp says why); for a version of
# fmt that fmt.cpp does not know, it is header-only fmt, which builds slowly and works the same.
find_package(fmt REQUIRED)
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  add_library(rayo_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cpp)
  get_target_property(rayo_fmt_include fmt::fmt-header-only INTERFACE_INCLUDE_DIRECTORIES)
  target_include_directories(rayo_fmt SYSTEM PUBLIC ${rayo_fmt_include})
  set_target_properties(rayo_fmt PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
else()
  message(STATUS "fmt ${fmt_VERSION} is used header-only: the build takes longer than with fmt 9")
  add_library(rayo_fmt INTERFACE)
  target_link_libraries(rayo_fmt INTERFACE fmt::fmt-header-only)
endif()
add_library(rayo::fmt ALIAS rayo_fmt)
