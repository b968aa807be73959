# The learned artefacts: sources and schemas that model/CMakeLists.txt adds to its library.
set(VITRINE_LEARNED_SOURCES confidence.cpp factor_model.cpp model_manifest.cpp model_registry.cpp neighbor_table.cpp
    popularity_table.cpp product_table.cpp trained_model.cpp vector_kernels.cpp)
set(VITRINE_LEARNED_PROTOS proto/trained_model.proto)
