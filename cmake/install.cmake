# What `cmake --install` puts where, and the Debian package that `cpack -G DEB` makes of it. The man page and the completion
# are written by the program itself, from the tables that its --help prints.
include(GNUInstallDirs)

set(manual ${PROJECT_BINARY_DIR}/manual)
add_custom_command(OUTPUT ${manual}/daxrace.1 ${manual}/daxrace.1.gz ${manual}/daxrace.bash
  COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
  COMMAND $<TARGET_FILE:daxrace> --man > ${manual}/daxrace.1
  COMMAND gzip -9nkf ${manual}/daxrace.1
  COMMAND $<TARGET_FILE:daxrace> --completion > ${manual}/daxrace.bash
  DEPENDS daxrace COMMENT "Writing daxrace(1) and the completion" VERBATIM)
add_custom_target(daxrace_manual ALL DEPENDS ${manual}/daxrace.1.gz ${manual}/daxrace.bash)

install(TARGETS daxrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daxrace)
install(FILES ${manual}/daxrace.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT daxrace)
install(FILES ${manual}/daxrace.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME daxrace
  COMPONENT daxrace)
# Documents keep their places, so that their links to each other lead somewhere.
set(documents ${CMAKE_INSTALL_DATADIR}/doc/daxrace)
install(FILES README.md SECURITY.md CONTRIBUTING.md DESTINATION ${documents} COMPONENT daxrace)
install(FILES LICENSE DESTINATION ${documents} RENAME copyright COMPONENT daxrace)
install(FILES protocols/README.md DESTINATION ${documents}/protocols COMPONENT daxrace)
install(DIRECTORY docs DESTINATION ${documents} COMPONENT daxrace FILES_MATCHING PATTERN "*.md")
install(DIRECTORY results DESTINATION ${documents} COMPONENT daxrace FILES_MATCHING PATTERN "*.md" PATTERN "*.txt"
  PATTERN local EXCLUDE PATTERN reference EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME daxrace)
set(CPACK_PACKAGE_CONTACT "The daxrace developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "lock protocols for DAX truncate and hole punch")
set(CPACK_PACKAGE_DESCRIPTION
  "Runs the lock protocols of DAX file systems under mixed loads of faults, direct I/O, pins,\n leases and layout changes; says of each whether it is safe, whether it ends, what it costs.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL daxrace)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "ndctl, daxctl, bash-completion")
include(CPack)
