# Compile options of every target of ours.
add_library(daxrace_options INTERFACE)
target_include_directories(daxrace_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(daxrace_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
# What these find depends on what the optimizer inlined, so it comes and goes with the place of a line and with the tree:
# worth a look, no reason to stop a build (GCC 12 takes `std::string(a) + "/"` for an overrun, at -O1 under TSan).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(daxrace_options INTERFACE -Wno-error=array-bounds -Wno-error=stringop-overflow
    -Wno-error=stringop-overread -Wno-error=restrict -Wno-error=maybe-uninitialized -Wno-error=dangling-pointer)
endif()
target_link_libraries(daxrace_options INTERFACE Threads::Threads)

if(DAXRACE_SANITIZE STREQUAL "address")
  target_compile_definitions(daxrace_options INTERFACE DAXRACE_SANITIZED)
  target_compile_options(daxrace_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(daxrace_options INTERFACE -fsanitize=address,undefined)
elseif(DAXRACE_SANITIZE STREQUAL "thread")
  target_compile_definitions(daxrace_options INTERFACE DAXRACE_SANITIZED)
  target_compile_options(daxrace_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -g1)
  target_link_options(daxrace_options INTERFACE -fsanitize=thread)
elseif(DAXRACE_SANITIZE)
  message(FATAL_ERROR "DAXRACE_SANITIZE=${DAXRACE_SANITIZE}: use address or thread")
endif()

# What no thread of a run and no fiber of litmus or explore passes through: a sanitizer finds as much in it without the
# optimizer, which takes more than half of its build.
function(daxrace_sanitize_unoptimized target)
  if(DAXRACE_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()
