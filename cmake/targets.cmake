# The one place for compile options. Every library, test and benchmark of the project is made by these functions.

find_program(VITRINE_CCACHE ccache)
if(VITRINE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VITRINE_CCACHE})
endif()

add_library(vitrine_options INTERFACE)
target_compile_features(vitrine_options INTERFACE cxx_std_20)
target_include_directories(vitrine_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_link_libraries(vitrine_options INTERFACE Threads::Threads)
if(VITRINE_SANITIZE)
  target_compile_options(vitrine_options INTERFACE -fsanitize=${VITRINE_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(vitrine_options INTERFACE -fsanitize=${VITRINE_SANITIZE})
  if(VITRINE_SANITIZE MATCHES "thread")
    # ThreadSanitizer does not understand the fence; Asio has a lock-based twin for it.
    target_compile_definitions(vitrine_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    target_compile_options(vitrine_options INTERFACE -Wno-error=tsan)
  endif()
endif()

if(VITRINE_FUZZ)
  # Every finding ends the process; what libFuzzer needs to see of branches is compiled into all of our code. The
  # deprecated function is libstdc++'s own, inside std::stable_sort.
  target_compile_options(vitrine_options INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize-recover=all
                         -Wno-deprecated-declarations)
endif()

# Warnings are errors in our code; generated code links vitrine_options only.
add_library(vitrine_warnings INTERFACE)
target_compile_options(vitrine_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
                       -Werror)

# vitrine_library(name SOURCES ... [DEPENDS ...] [PRIVATE_DEPENDS ...]): one folder, one library.
function(vitrine_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(vitrine_${name} STATIC ${ARG_SOURCES})
  add_library(vitrine::${name} ALIAS vitrine_${name})
  target_link_libraries(vitrine_${name} PUBLIC ${ARG_DEPENDS} vitrine_options PRIVATE ${ARG_PRIVATE_DEPENDS}
                        vitrine_warnings)
endfunction()

# vitrine_test(name SOURCES ... DEPENDS ... [LABELS ...] [TIMEOUT seconds]): one GoogleTest program, each case known to ctest.
function(vitrine_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} vitrine_options vitrine_warnings GTest::gmock GTest::gtest_main)
  if(ARG_LABELS STREQUAL "unit")
    set_property(GLOBAL APPEND PROPERTY VITRINE_UNIT_TESTS ${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# vitrine_benchmark(name SOURCES ... DEPENDS ...): one program under benchmarks/.
function(vitrine_benchmark name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} vitrine_allocator vitrine_options vitrine_warnings)
endfunction()
