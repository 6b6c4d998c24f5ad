# backplane_add_plugin(name MANIFEST plugin.json SOURCES a.cc b.cc [LIBRARIES lib...] [FOLDER folder])
#
# Builds plugin `name` as lib/backplane/plugins/<name>.so in the build tree, with its manifest beside it, and installs
# both. The manifest's text and its SHA-256 are compiled in; one symbol is exported; the object is never unloaded.
# With FOLDER it is built there and not installed: a plugin of a test.
# Works in Backplane's own tree and, after find_package(Backplane), in any other.
include(GNUInstallDirs)
set(BACKPLANE_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin_exports.map)
set(BACKPLANE_PLUGIN_EMBED_TEMPLATE ${CMAKE_CURRENT_LIST_DIR}/plugin_manifest.cc.in)

function(backplane_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MANIFEST;FOLDER" "SOURCES;LIBRARIES")
  if(NOT arg_MANIFEST OR NOT arg_SOURCES)
    message(FATAL_ERROR "backplane_add_plugin(${name}): MANIFEST and SOURCES are required")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "backplane_add_plugin(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  get_filename_component(manifest ${arg_MANIFEST} ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${manifest})
  file(READ ${manifest} BACKPLANE_MANIFEST_TEXT)
  file(SHA256 ${manifest} BACKPLANE_MANIFEST_SHA256)
  configure_file(${BACKPLANE_PLUGIN_EMBED_TEMPLATE} ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest.cc @ONLY)

  add_library(${name} MODULE ${arg_SOURCES} ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest.cc)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE Backplane::sdk ${arg_LIBRARIES})
  set(plugin_dir ${CMAKE_BINARY_DIR}/lib/backplane/plugins)
  if(arg_FOLDER)
    set(plugin_dir ${arg_FOLDER})
  endif()
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${plugin_dir} LINK_DEPENDS ${BACKPLANE_PLUGIN_VERSION_SCRIPT}
    INSTALL_RPATH "$ORIGIN/../..")
  target_link_options(${name} PRIVATE LINKER:--version-script=${BACKPLANE_PLUGIN_VERSION_SCRIPT} LINKER:-z,nodelete)
  if(NOT BACKPLANE_SANITIZE)  # the sanitizers' run-time is found only when the program is there
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  configure_file(${manifest} ${plugin_dir}/${name}.json COPYONLY)
  set_property(GLOBAL APPEND PROPERTY BACKPLANE_PLUGINS ${name})
  if(arg_FOLDER)
    return()
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/backplane/plugins)
  install(FILES ${manifest} DESTINATION ${CMAKE_INSTALL_LIBDIR}/backplane/plugins RENAME ${name}.json)
endfunction()
