# Every outside library, all from Debian 12 packages. Which folder may include which is checked by tests/check_layers.py.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(RocksDB REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Protobuf REQUIRED)
find_package(absl REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(ZLIB REQUIRED)

# Debian ships FAISS as a static library whose BLAS is left to the one who links; OpenBLAS is named outright, so that
# the reference BLAS that may stand beside it is never taken by accident.
find_library(VITRINE_FAISS_LIBRARY NAMES libfaiss.a REQUIRED)
find_library(VITRINE_OPENBLAS_LIBRARY NAMES openblas PATH_SUFFIXES openblas-pthread REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
add_library(vitrine_faiss INTERFACE)
target_link_libraries(vitrine_faiss INTERFACE ${VITRINE_FAISS_LIBRARY} ${VITRINE_OPENBLAS_LIBRARY} OpenMP::OpenMP_CXX)

# The allocator of the program and the benchmarks, linked statically; docs/benchmarks.md says what it brings. Sanitizers
# have their own.
add_library(vitrine_allocator INTERFACE)
if(NOT VITRINE_SANITIZE)
  find_library(VITRINE_TCMALLOC_LIBRARY NAMES libtcmalloc_minimal.a REQUIRED)
  target_link_libraries(vitrine_allocator INTERFACE ${VITRINE_TCMALLOC_LIBRARY} Threads::Threads)
endif()

if(VITRINE_TESTS)
  find_package(GTest REQUIRED)
  find_package(SQLite3 REQUIRED)  # a second opinion for tests
  include(GoogleTest)
endif()
if(VITRINE_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
