# How this tree is compiled: warnings, linker, compiler cache, sanitizers. Nothing here reaches third parties.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths below the source tree are made relative, so that checkouts in other folders share the cache.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -fno-semantic-interposition)
if(BACKPLANE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BACKPLANE_SANITIZE STREQUAL "thread")
  # std::atomic_thread_fence is not modelled by the thread sanitizer; libraries use it, we do not.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
  # What each executable links first (tests/support/sanitizers/c11_threads.c).
  add_library(backplane_c11_threads SHARED ${CMAKE_SOURCE_DIR}/tests/support/sanitizers/c11_threads.c)
  set(BACKPLANE_EXECUTABLE_LIBRARIES backplane_c11_threads)
elseif(BACKPLANE_SANITIZE)
  message(FATAL_ERROR "BACKPLANE_SANITIZE is '${BACKPLANE_SANITIZE}': use address, thread or nothing")
else()
  add_link_options(LINKER:-z,relro,-z,now)
  add_compile_definitions($<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
