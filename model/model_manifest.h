// The manifest of a trained model's folder: its record, and which files belong to it.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/trained_model.h"

namespace vitrine {

struct ModelManifest {
  struct File {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;  // in hex
  };

  std::string version;
  TrainingRecord record;
  FactorParameters factors;
  std::uint64_t rows = 0;
  std::vector<File> files;
};

// Writes manifest.pb, manifest.sha256 and manifest.json, synced.
absl::Status write_manifest(const ModelManifest& manifest, const std::filesystem::path& folder);

// NotFound: there is none. DataLoss: it does not match its checksum or cannot be understood.
absl::StatusOr<ModelManifest> read_manifest(const std::filesystem::path& folder);

}  // namespace vitrine
