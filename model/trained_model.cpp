#include "model/trained_model.h"

#include <bit>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "model/model_manifest.h"

namespace vitrine {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::string_view k_products_file = "products.bin";
constexpr std::string_view k_factors_file = "factors.bin";
constexpr std::string_view k_similar_file = "similar.bin";
constexpr std::string_view k_together_file = "together.bin";
constexpr std::string_view k_popularity_file = "popularity.bin";

template <class T>
void append(std::string& bytes, std::span<const T> numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

// Takes numbers off the front of a file; what is missing is an error of the file.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  bool take(std::size_t count, std::vector<T>& numbers) {
    if (count > bytes_.size() / sizeof(T)) return false;
    numbers.resize(count);
    std::memcpy(numbers.data(), bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
    return true;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

// Bounds of the ids in the text (row count + 1, 64 bits), then the text.
std::string encode_products(const ProductTable& products) {
  std::vector<std::uint64_t> bounds{0};
  std::string text;
  for (std::uint32_t row = 0; row < products.size(); ++row) {
    text += products.id(row);
    bounds.push_back(text.size());
  }
  std::string bytes;
  append(bytes, std::span<const std::uint64_t>(bounds));
  return bytes + text;
}

absl::StatusOr<ProductTable> decode_products(std::string_view bytes, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<std::uint64_t> bounds;
  if (!cursor.take(rows + 1, bounds)) return invalid_argument("too short for {} products", rows);
  const std::string_view text = cursor.rest();
  if (bounds.front() != 0 || bounds.back() != text.size())
    return invalid_argument("bounds do not span the ids");
  std::vector<std::string> ids;
  ids.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    if (bounds[row] > bounds[row + 1] || bounds[row + 1] > text.size()) {
      return invalid_argument("the bounds of id {} do not rise", row);
    }
    ids.emplace_back(text.substr(bounds[row], bounds[row + 1] - bounds[row]));
  }
  return ProductTable::create(ids);
}

// The spectrum, then the rows without padding.
std::string encode_factors(const FactorModel& factors) {
  std::string bytes;
  bytes.reserve((factors.row_count() + 1) * factors.dimension() * sizeof(float));
  append(bytes, factors.spectrum());
  for (std::uint32_t row = 0; row < factors.row_count(); ++row) append(bytes, factors.row(row));
  return bytes;
}

absl::StatusOr<FactorModel> decode_factors(std::string_view bytes,
                                           const FactorParameters& parameters, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<float> spectrum;
  std::vector<float> factors;
  if (!cursor.take(parameters.dimension, spectrum) ||
      !cursor.take(rows * parameters.dimension, factors) || !cursor.rest().empty()) {
    return invalid_argument("{} bytes are not {} rows of {} factors", bytes.size(), rows,
                            parameters.dimension);
  }
  return FactorModel::restore(parameters, factors, spectrum);
}

// Bounds of the lists (row count + 1, 64 bits), then the entries of 16 bytes.
std::string encode_neighbors(const NeighborTable& table) {
  std::string bytes;
  append(bytes, table.bounds());
  append(bytes, table.entries());
  return bytes;
}

absl::StatusOr<NeighborTable> decode_neighbors(std::string_view bytes, std::size_t rows) {
  static_assert(sizeof(RelatedProduct) == 16);
  Cursor cursor(bytes);
  std::vector<std::uint64_t> bounds;
  std::vector<RelatedProduct> entries;
  if (!cursor.take(rows + 1, bounds) || !cursor.take(bounds.back(), entries) ||
      !cursor.rest().empty()) {
    return invalid_argument("{} bytes do not hold the lists of {} rows", bytes.size(), rows);
  }
  return NeighborTable::restore(std::move(bounds), std::move(entries));
}

absl::StatusOr<PopularityTable> decode_popularity(std::string_view bytes, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<float> weights;
  if (!cursor.take(rows, weights) || !cursor.rest().empty()) {
    return invalid_argument("{} bytes are not {} weights", bytes.size(), rows);
  }
  return PopularityTable::create(std::move(weights));
}

std::vector<std::pair<std::string, std::string>> encode(const ModelTables& tables) {
  std::string popularity;
  append(popularity, tables.popularity.weights());
  std::vector<std::pair<std::string, std::string>> files;
  files.emplace_back(k_products_file, encode_products(tables.products));
  files.emplace_back(k_factors_file, encode_factors(tables.factors));
  files.emplace_back(k_similar_file, encode_neighbors(tables.similar));
  files.emplace_back(k_together_file, encode_neighbors(tables.together));
  files.emplace_back(k_popularity_file, std::move(popularity));
  return files;
}

// "20261121T101500Z-3f2a9c01": sorts by time, and tells two runs within a second apart by what they
// learnt.
std::string version_of(TimeMs created_ms, const ModelTables& tables) {
  Sha256Stream stream;
  for (const auto& [name, bytes] : encode(tables)) stream.add(bytes);
  std::string time = format_time(created_ms / k_second_ms * k_second_ms);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return time + "-" + to_hex(stream.digest()).substr(0, 8);
}

// The files of one folder, each checked against the manifest before it is decoded.
class ModelFolder {
 public:
  ModelFolder(const std::filesystem::path& folder, const ModelManifest& manifest)
      : folder_(folder), manifest_(manifest) {}

  // decode(bytes) gives StatusOr<T>; whatever is wrong becomes DataLoss and names the file.
  template <class Decode>
  auto read(std::string_view name, Decode decode) const -> decltype(decode(std::string_view())) {
    const ModelManifest::File* expected = nullptr;
    for (const ModelManifest::File& file : manifest_.files) {
      if (file.name == name) expected = &file;
    }
    if (expected == nullptr)
      return data_loss("{}: manifest.pb does not list {}", folder_.string(), name);
    const std::filesystem::path path = folder_ / name;
    const absl::StatusOr<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) return data_loss("{}", message_of(file.status()));
    if (file->bytes().size() != expected->bytes) {
      return data_loss("{}: {} bytes, the manifest says {}", path.string(), file->bytes().size(),
                       expected->bytes);
    }
    if (to_hex(sha256(file->text())) != expected->sha256) {
      return data_loss("{}: the content does not match its checksum", path.string());
    }
    auto decoded = decode(file->text());
    if (!decoded.ok()) return data_loss("{}: {}", path.string(), message_of(decoded.status()));
    return decoded;
  }

 private:
  const std::filesystem::path& folder_;
  const ModelManifest& manifest_;
};

}  // namespace

TrainedModel::TrainedModel(std::string version, TrainingRecord record, ModelTables tables)
    : version_(std::move(version)), record_(std::move(record)), tables_(std::move(tables)) {}

absl::StatusOr<std::shared_ptr<const TrainedModel>> TrainedModel::create(TrainingRecord record,
                                                                         ModelTables tables) {
  const std::size_t rows = tables.products.size();
  if (tables.factors.row_count() != rows || tables.similar.row_count() != rows ||
      tables.together.row_count() != rows || tables.popularity.row_count() != rows) {
    return invalid_argument(
        "all tables must have the {} rows of the product table, got {}, {}, {} and {}", rows,
        tables.factors.row_count(), tables.similar.row_count(), tables.together.row_count(),
        tables.popularity.row_count());
  }
  VITRINE_RETURN_IF_ERROR(validate(record.confidence));
  std::string version = version_of(record.created_ms, tables);
  return std::shared_ptr<const TrainedModel>(
      new TrainedModel(std::move(version), std::move(record), std::move(tables)));
}

absl::StatusOr<std::shared_ptr<const TrainedModel>> TrainedModel::load(
    const std::filesystem::path& folder) {
  VITRINE_ASSIGN_OR_RETURN(ModelManifest manifest, read_manifest(folder));
  const ModelFolder files(folder, manifest);
  const std::size_t rows = manifest.rows;
  const auto neighbors = [rows](std::string_view bytes) { return decode_neighbors(bytes, rows); };

  ModelTables tables;
  VITRINE_ASSIGN_OR_RETURN(tables.products,
                           files.read(k_products_file, [rows](std::string_view bytes) {
                             return decode_products(bytes, rows);
                           }));
  VITRINE_ASSIGN_OR_RETURN(tables.factors, files.read(k_factors_file, [&](std::string_view bytes) {
    return decode_factors(bytes, manifest.factors, rows);
  }));
  VITRINE_ASSIGN_OR_RETURN(tables.similar, files.read(k_similar_file, neighbors));
  VITRINE_ASSIGN_OR_RETURN(tables.together, files.read(k_together_file, neighbors));
  VITRINE_ASSIGN_OR_RETURN(tables.popularity,
                           files.read(k_popularity_file, [rows](std::string_view bytes) {
                             return decode_popularity(bytes, rows);
                           }));
  return std::shared_ptr<const TrainedModel>(
      new TrainedModel(std::move(manifest.version), std::move(manifest.record), std::move(tables)));
}

absl::Status TrainedModel::save(const std::filesystem::path& folder) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return internal_error("cannot create {}: {}", folder.string(), error.message());
  if (std::filesystem::exists(folder / "manifest.pb", error)) {
    return make_status(absl::StatusCode::kAlreadyExists, "{} holds a model already",
                       folder.string());
  }
  ModelManifest manifest{version_, record_, tables_.factors.parameters(), row_count(), {}};
  for (const auto& [name, bytes] : encode(tables_)) {
    VITRINE_RETURN_IF_ERROR(write_file_synced(folder / name, bytes));
    manifest.files.push_back({name, bytes.size(), to_hex(sha256(bytes))});
  }
  VITRINE_RETURN_IF_ERROR(write_manifest(manifest, folder));
  return sync_folder(folder);
}

}  // namespace vitrine
