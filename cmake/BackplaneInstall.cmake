# What `cmake --install` lays out. Everything finds its neighbours by relative paths, so that the tree can be moved:
#
#   bin/backplane   lib/libbackplane_sdk.so*   lib/backplane/plugins/*.{so,json}   include/backplane/
#   lib/cmake/Backplane/   lib/systemd/system/backplane*   share/backplane/config/   share/doc/backplane/
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Backplane)
file(RELATIVE_PATH lib_from_bin /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})

set(libraries backplane_sdk)
if(TARGET backplane_testing)
  list(APPEND libraries backplane_testing)
endif()
set_target_properties(${libraries} PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS ${libraries} EXPORT BackplaneTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/testing/include)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/sdk/testing/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN *.h)
endif()

if(TARGET backplane)
  set_target_properties(backplane PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
  install(TARGETS backplane RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(BACKPLANE_EXECUTABLE_LIBRARIES)
    install(TARGETS ${BACKPLANE_EXECUTABLE_LIBRARIES} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endif()

install(EXPORT BackplaneTargets NAMESPACE Backplane:: DESTINATION ${package_dir})
configure_package_config_file(${PROJECT_SOURCE_DIR}/sdk/cmake/BackplaneConfig.cmake.in
  ${PROJECT_BINARY_DIR}/BackplaneConfig.cmake INSTALL_DESTINATION ${package_dir})
# Until 1.0 a minor version may change what plugins are compiled against.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/BackplaneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/BackplaneConfig.cmake ${PROJECT_BINARY_DIR}/BackplaneConfigVersion.cmake
  sdk/cmake/BackplaneAddPlugin.cmake sdk/cmake/plugin_exports.map sdk/cmake/plugin_manifest.cc.in
  DESTINATION ${package_dir})

configure_file(packaging/systemd/backplane.service.in ${PROJECT_BINARY_DIR}/backplane.service @ONLY)
configure_file(packaging/systemd/backplane@.service.in ${PROJECT_BINARY_DIR}/backplane@.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/backplane.service ${PROJECT_BINARY_DIR}/backplane@.service
  packaging/systemd/backplane.target DESTINATION lib/systemd/system)
if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/config)
  install(DIRECTORY config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/backplane/config)
endif()
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/backplane)
