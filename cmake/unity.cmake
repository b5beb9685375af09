# daxrace_unity(TARGET APART...): a library's sources are compiled several to a translation unit, because most of what a
# small source costs is its headers. The TSan tree compiles each by itself and so keeps every source's own includes true.
# APART are sources whose local names clash with others'.
function(daxrace_unity target)
  if(DAXRACE_SANITIZE STREQUAL "thread")
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
