# The learned artefacts: sources and schemas that model/CMakeLists.txt adds to its library.
set(VITRINE_LEARNED_SOURCES)
set(VITRINE_LEARNED_PROTOS proto/trained_model.proto)
