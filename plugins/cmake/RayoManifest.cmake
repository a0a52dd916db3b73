# The package's manifest of its own plugins: manifest.sha256 beside them, lines as sha256sum writes them. librayo loads what
# it lists without a probe. It is kept up to date by every link of such a plugin, and made anew by an installation, which
# may strip the files.
set(RAYO_MANIFEST_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/manifest.cmake)

function(rayo_list_in_manifest target)
  add_custom_command(TARGET ${target} POST_BUILD
                     COMMAND ${CMAKE_COMMAND} -DFILES=$<TARGET_FILE:${target}> -P ${RAYO_MANIFEST_SCRIPT} VERBATIM)
  get_target_property(name ${target} OUTPUT_NAME)
  set_property(GLOBAL APPEND PROPERTY RAYO_MANIFEST_NAMES ${name}.so)
endfunction()

# After every plugin's own install rule.
function(rayo_install_manifest)
  get_property(names GLOBAL PROPERTY RAYO_MANIFEST_NAMES)
  install(CODE "
    set(FILES \"\")
    foreach(name ${names})
      list(APPEND FILES \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${RAYO_PLUGIN_INSTALL_DIR}/\${name}\")
    endforeach()
    include(\"${RAYO_MANIFEST_SCRIPT}\")")
endfunction()
