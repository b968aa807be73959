#include "model/trained_model.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "model/model_manifest.h"
#include "model/table_files.h"

namespace vitrine {
namespace {

constexpr std::string_view k_products_file = "products.bin";
constexpr std::string_view k_factors_file = "factors.bin";
constexpr std::string_view k_similar_file = "similar.bin";
constexpr std::string_view k_together_file = "together.bin";
constexpr std::string_view k_popularity_file = "popularity.bin";
// Only there when there is something in it; older models have none of them.
constexpr std::string_view k_also_viewed_file = "also_viewed.bin";
constexpr std::string_view k_content_file = "content.pb";
constexpr std::string_view k_category_popularity_file = "popular_in_category.pb";
constexpr std::string_view k_market_popularity_file = "popular_in_market.pb";
constexpr std::string_view k_buy_again_file = "buy_again.pb";
constexpr std::string_view k_blend_file = "blend.pb";

std::vector<std::pair<std::string, std::string>> encode(const ModelTables& tables) {
  std::vector<std::pair<std::string, std::string>> files;
  files.emplace_back(k_products_file, encode_products(tables.products));
  files.emplace_back(k_factors_file, encode_factors(tables.factors));
  files.emplace_back(k_similar_file, encode_neighbors(tables.similar));
  files.emplace_back(k_together_file, encode_neighbors(tables.together));
  files.emplace_back(k_popularity_file, encode_popularity(tables.popularity));
  if (!tables.also_viewed.entries().empty())
    files.emplace_back(k_also_viewed_file, encode_neighbors(tables.also_viewed));
  if (!tables.content.empty()) files.emplace_back(k_content_file, encode_content(tables.content));
  if (!tables.popular_in_category.empty()) {
    files.emplace_back(k_category_popularity_file,
                       encode_popular_lists(tables.popular_in_category));
  }
  if (!tables.popular_in_market.empty())
    files.emplace_back(k_market_popularity_file, encode_popular_lists(tables.popular_in_market));
  if (tables.buy_again.row_count() > 0)
    files.emplace_back(k_buy_again_file, encode_buy_again(tables.buy_again));
  if (!tables.blends.empty()) files.emplace_back(k_blend_file, encode_blends(tables.blends));
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
    VITRINE_ASSIGN_OR_RETURN(const MappedFile file, open(name));
    return named(name, decode(file.text()));
  }

  // Stays in the file: the lists of a million products are larger than all else, and most are
  // rarely asked for.
  absl::StatusOr<NeighborTable> read_neighbors(std::string_view name) const {
    VITRINE_ASSIGN_OR_RETURN(MappedFile opened, open(name));
    const auto file = std::make_shared<const MappedFile>(std::move(opened));
    auto table = named(name, decode_neighbors(file->text(), manifest_.rows, file));
    file->release_memory();
    return table;
  }

  bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  absl::StatusOr<MappedFile> open(std::string_view name) const {
    const ModelManifest::File* const expected = find(name);
    if (expected == nullptr)
      return data_loss("{}: manifest.pb does not list {}", folder_.string(), name);
    const std::filesystem::path path = folder_ / name;
    absl::StatusOr<MappedFile> file = MappedFile::open(path);
    if (!file.ok()) return data_loss("{}", message_of(file.status()));
    if (file->bytes().size() != expected->bytes) {
      return data_loss("{}: {} bytes, the manifest says {}", path.string(), file->bytes().size(),
                       expected->bytes);
    }
    if (to_hex(sha256(file->text())) != expected->sha256) {
      return data_loss("{}: the content does not match its checksum", path.string());
    }
    return file;
  }

  template <class T>
  absl::StatusOr<T> named(std::string_view name, absl::StatusOr<T> decoded) const {
    if (decoded.ok()) return decoded;
    return data_loss("{}: {}", (folder_ / name).string(), message_of(decoded.status()));
  }

  const ModelManifest::File* find(std::string_view name) const {
    for (const ModelManifest::File& file : manifest_.files) {
      if (file.name == name) return &file;
    }
    return nullptr;
  }

  const std::filesystem::path& folder_;
  const ModelManifest& manifest_;
};

// Rows of a neighbour table that has none yet: each with no neighbours.
absl::Status fill_rows(NeighborTable& table, std::size_t rows) {
  if (table.row_count() != 0) return absl::OkStatus();
  VITRINE_ASSIGN_OR_RETURN(table,
                           NeighborTable::create(std::vector<std::vector<RelatedProduct>>(rows)));
  return absl::OkStatus();
}

absl::Status check_rows(const ModelTables& tables) {
  const std::size_t rows = tables.products.size();
  if (tables.factors.row_count() != rows || tables.similar.row_count() != rows ||
      tables.together.row_count() != rows || tables.also_viewed.row_count() != rows ||
      tables.popularity.row_count() != rows) {
    return invalid_argument(
        "all tables must have the {} rows of the product table, got {}, {}, {}, {} and {}", rows,
        tables.factors.row_count(), tables.similar.row_count(), tables.together.row_count(),
        tables.also_viewed.row_count(), tables.popularity.row_count());
  }
  if (!tables.content.empty() && tables.content.dimension() != tables.factors.dimension()) {
    return invalid_argument("the content map must have the {} dimensions of the factors, got {}",
                            tables.factors.dimension(), tables.content.dimension());
  }
  if (tables.buy_again.row_count() != 0 && tables.buy_again.row_count() != rows) {
    return invalid_argument("the buy-again table must have {} rows or none, got {}", rows,
                            tables.buy_again.row_count());
  }
  for (const PopularLists* table : {&tables.popular_in_category, &tables.popular_in_market}) {
    VITRINE_RETURN_IF_ERROR(PopularLists::create(table->lists(), rows).status());
  }
  return absl::OkStatus();
}

// The tables that came later.
absl::Status read_optional(const ModelFolder& files, const ModelManifest& manifest,
                           ModelTables& tables) {
  const std::size_t rows = manifest.rows;
  const auto lists = [rows](std::string_view bytes) { return decode_popular_lists(bytes, rows); };
  if (files.has(k_also_viewed_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.also_viewed, files.read_neighbors(k_also_viewed_file));
  }
  if (files.has(k_content_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.content,
                             files.read(k_content_file, [&](std::string_view bytes) {
                               return decode_content(bytes, manifest.factors.dimension);
                             }));
  }
  if (files.has(k_category_popularity_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.popular_in_category,
                             files.read(k_category_popularity_file, lists));
  }
  if (files.has(k_market_popularity_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.popular_in_market, files.read(k_market_popularity_file, lists));
  }
  if (files.has(k_buy_again_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.buy_again,
                             files.read(k_buy_again_file, [rows](std::string_view bytes) {
                               return decode_buy_again(bytes, rows);
                             }));
  }
  if (files.has(k_blend_file)) {
    VITRINE_ASSIGN_OR_RETURN(tables.blends, files.read(k_blend_file, decode_blends));
  }
  return fill_rows(tables.also_viewed, rows);
}

}  // namespace

TrainedModel::TrainedModel(std::string version, TrainingRecord record, ModelTables tables)
    : version_(std::move(version)), record_(std::move(record)), tables_(std::move(tables)) {}

absl::StatusOr<std::shared_ptr<const TrainedModel>> TrainedModel::create(TrainingRecord record,
                                                                         ModelTables tables) {
  VITRINE_RETURN_IF_ERROR(fill_rows(tables.also_viewed, tables.products.size()));
  VITRINE_RETURN_IF_ERROR(check_rows(tables));
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

  ModelTables tables;
  VITRINE_ASSIGN_OR_RETURN(tables.products,
                           files.read(k_products_file, [rows](std::string_view bytes) {
                             return decode_products(bytes, rows);
                           }));
  VITRINE_ASSIGN_OR_RETURN(tables.factors, files.read(k_factors_file, [&](std::string_view bytes) {
    return decode_factors(bytes, manifest.factors, rows);
  }));
  VITRINE_ASSIGN_OR_RETURN(tables.similar, files.read_neighbors(k_similar_file));
  VITRINE_ASSIGN_OR_RETURN(tables.together, files.read_neighbors(k_together_file));
  VITRINE_ASSIGN_OR_RETURN(tables.popularity,
                           files.read(k_popularity_file, [rows](std::string_view bytes) {
                             return decode_popularity(bytes, rows);
                           }));
  VITRINE_RETURN_IF_ERROR(read_optional(files, manifest, tables));
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
