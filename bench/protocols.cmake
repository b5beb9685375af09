# Where protocols meet the engine: for every word in protocols/CMakeLists.txt one translation unit, and the one that
# defines protocols(). An object library, because an archive would drop what nobody names.
set(entries "")
set(declarations "")
set(sources "")
foreach(DAXRACE_PROTOCOL IN LISTS DAXRACE_PROTOCOLS)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/protocols/${DAXRACE_PROTOCOL}.cpp)
  configure_file(protocol.cpp.in ${source} @ONLY)
  list(APPEND sources ${source})
  string(APPEND declarations "ProtocolEntry entry_of_${DAXRACE_PROTOCOL}();\n")
  string(APPEND entries "      entry_of_${DAXRACE_PROTOCOL}(),\n")
endforeach()
configure_file(protocols.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/protocols/protocols.cpp @ONLY)

add_library(daxrace_protocols OBJECT ${sources} ${CMAKE_CURRENT_BINARY_DIR}/protocols/protocols.cpp)
target_link_libraries(daxrace_protocols PUBLIC daxrace_harness)
