# What the binary says of itself. Included, it gives daxrace_add_build_info(target); run by every build (cmake -P), it
# asks git and rewrites build_info.cpp only if the answer has changed: never stale, and nothing is rebuilt in vain.

function(daxrace_git_commit source_dir result)
  set(${result} "unknown" PARENT_SCOPE)
  find_program(DAXRACE_GIT git)
  if(NOT DAXRACE_GIT)
    return()
  endif()
  # safe.directory: sudo builds a tree that belongs to somebody else.
  set(git ${DAXRACE_GIT} -c safe.directory=${source_dir} -C ${source_dir})
  # A tarball unpacked inside some other repository must not get that one's commit.
  execute_process(COMMAND ${git} rev-parse --show-toplevel OUTPUT_VARIABLE top RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH "${source_dir}" source_path)
  if(failed OR NOT top STREQUAL source_path)
    return()
  endif()
  execute_process(COMMAND ${git} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${git} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes
    RESULT_VARIABLE status_failed ERROR_QUIET)
  if(failed)
    return()
  endif()
  if(changes OR status_failed)
    string(APPEND commit "-dirty")
  endif()
  set(${result} "${commit}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  daxrace_git_commit("${SOURCE_DIR}" DAXRACE_GIT_COMMIT)
  configure_file("${SOURCE_DIR}/harness/results/build_info.cpp.in" "${OUTPUT}" @ONLY)
  return()
endif()

set(DAXRACE_BUILD_INFO_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

# Adds build_info() to a target of ours.
function(daxrace_add_build_info target)
  set(output "${PROJECT_BINARY_DIR}/generated/build_info.cpp")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}" flags)
  if(DAXRACE_SANITIZE)
    string(APPEND flags " -fsanitize=${DAXRACE_SANITIZE}")
  endif()
  add_custom_target(${target}_build_info
    COMMAND ${CMAKE_COMMAND}
      "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}"
      "-DOUTPUT=${output}"
      "-DDAXRACE_VERSION=${PROJECT_VERSION}"
      "-DDAXRACE_COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
      "-DDAXRACE_FLAGS=${flags}"
      "-DDAXRACE_BUILD_TYPE=${CMAKE_BUILD_TYPE}"
      -P "${DAXRACE_BUILD_INFO_SCRIPT}"
    BYPRODUCTS "${output}"
    COMMENT "Asking git for the commit"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}")
  add_dependencies(${target} ${target}_build_info)
endfunction()
