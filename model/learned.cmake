# The learned artefacts: sources and schemas that model/CMakeLists.txt adds to its library.
set(VITRINE_LEARNED_SOURCES blend_table.cpp buy_again_table.cpp confidence.cpp content_features.cpp content_map.cpp factor_model.cpp model_manifest.cpp model_registry.cpp neighbor_table.cpp npy.cpp
    popular_lists.cpp popularity_table.cpp product_table.cpp table_files.cpp trained_model.cpp vector_kernels.cpp)
set(VITRINE_LEARNED_PROTOS proto/trained_model.proto)
