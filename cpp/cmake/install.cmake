# Installs library, headers, CMake package and pkg-config file; all of them find each other by relative paths.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/liqcore)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(namelink)
if(SKBUILD)
  set(namelink NAMELINK_SKIP)
endif()
install(TARGETS liqcore EXPORT liqcoreTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development ${namelink}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
if(SKBUILD AND CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
  # In place of the symbolic link that -lliqcore follows: a text that linkers read the same way.
  file(CONFIGURE OUTPUT namelink/libliqcore.so CONTENT "INPUT(libliqcore.so.@LIQCORE_ABI@)\n" @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/namelink/libliqcore.so DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
endif()

install(EXPORT liqcoreTargets NAMESPACE liqcore:: DESTINATION ${cmake_dir} COMPONENT development)
get_target_property(LIQCORE_LIBRARY_TYPE liqcore TYPE)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/liqcoreConfig.cmake.in liqcoreConfig.cmake
  INSTALL_DESTINATION ${cmake_dir})
write_basic_package_version_file(liqcoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)  # until 1.0
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/liqcoreConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/liqcoreConfigVersion.cmake
  DESTINATION ${cmake_dir} COMPONENT development)

# GNUInstallDirs takes absolute directories too; only relative ones can move with the prefix.
foreach(kind LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${kind}}")
    set(LIQCORE_PC_${kind} ${CMAKE_INSTALL_${kind}})
  else()
    set(LIQCORE_PC_${kind} \${prefix}/${CMAKE_INSTALL_${kind}})
  endif()
endforeach()
file(RELATIVE_PATH LIQCORE_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" LIQCORE_PC_PREFIX "${LIQCORE_PC_PREFIX}")
# What a program in C must add where the library is static (pkg-config --static).
if("c++" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  set(LIQCORE_PC_LIBS_PRIVATE "-lc++ -lm -pthread")
else()
  set(LIQCORE_PC_LIBS_PRIVATE "-lstdc++ -lm -pthread")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/liqcore.pc.in liqcore.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/liqcore.pc DESTINATION ${pkgconfig_dir} COMPONENT development)
