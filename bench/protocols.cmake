# Where protocols meet the engine: for every word in protocols/CMakeLists.txt one translation unit, and the one that
# defines protocols(). An object library, because an archive would drop what nobody names.
set(entries "")
set(declarations "")
set(sources "")
set(litmus_entries "")
set(litmus_declarations "")
set(litmus_sources "")
foreach(DAXRACE_PROTOCOL IN LISTS DAXRACE_PROTOCOLS)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/protocols/${DAXRACE_PROTOCOL}.cpp)
  configure_file(protocol.cpp.in ${source} @ONLY)
  list(APPEND sources ${source})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/protocols/litmus_${DAXRACE_PROTOCOL}.cpp)
  configure_file(litmus_protocol.cpp.in ${source} @ONLY)
  list(APPEND litmus_sources ${source})
  string(APPEND litmus_declarations "Script script_of_${DAXRACE_PROTOCOL}();\n")
  string(APPEND litmus_entries "      script_of_${DAXRACE_PROTOCOL}(),\n")
  string(APPEND declarations "ProtocolEntry entry_of_${DAXRACE_PROTOCOL}();\n")
  string(APPEND entries "      entry_of_${DAXRACE_PROTOCOL}(),\n")
endforeach()
configure_file(protocols.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/protocols/protocols.cpp @ONLY)

add_library(daxrace_protocols OBJECT ${sources} ${CMAKE_CURRENT_BINARY_DIR}/protocols/protocols.cpp)
target_link_libraries(daxrace_protocols PUBLIC daxrace_engine)
daxrace_unity(daxrace_protocols)

# The same protocols on the deterministic machine, in objects of their own.
configure_file(litmus_protocols.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/protocols/litmus_protocols.cpp @ONLY)
add_library(daxrace_litmus_protocols OBJECT ${litmus_sources} ${CMAKE_CURRENT_BINARY_DIR}/protocols/litmus_protocols.cpp)
target_link_libraries(daxrace_litmus_protocols PUBLIC daxrace_litmus)
# The explorer tells states apart by what stands on a task's stack, dead values included. What is not inlined takes its
# dead values with it when it returns: range_lock in faults_io_punch has 5.9 million states, 14.2 million with plain -O2.
if(NOT DAXRACE_SANITIZE)
  target_compile_options(daxrace_litmus_protocols PRIVATE
    -fno-inline-functions -fno-inline-small-functions -fno-inline-functions-called-once)
endif()
daxrace_unity(daxrace_litmus_protocols)
