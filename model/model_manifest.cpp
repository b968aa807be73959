#include "model/model_manifest.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"
#include "model/proto/trained_model.pb.h"
#include "model/proto_bytes.h"

namespace vitrine {
namespace {

constexpr std::uint32_t k_format = 1;

proto::ModelConfidence confidence_to_proto(const ConfidenceRule& rule) {
  proto::ModelConfidence out;
  for (const EventType type : all_event_types()) {
    if (rule.weight(type) == 0) continue;
    proto::EventWeight& weight = *out.add_weights();
    weight.set_type(std::string(name_of(type)));
    weight.set_weight(rule.weight(type));
  }
  out.set_half_life_days(rule.half_life_days);
  out.set_cap(rule.cap);
  out.set_mean(rule.mean);
  return out;
}

absl::StatusOr<ConfidenceRule> confidence_from_proto(const proto::ModelConfidence& in) {
  ConfidenceRule rule;
  for (const proto::EventWeight& weight : in.weights()) {
    const std::optional<EventType> type = event_type_of(weight.type());
    if (!type) return data_loss("manifest.pb: '{}' is no event type", weight.type());
    rule.weights[static_cast<std::size_t>(*type)] = weight.weight();
  }
  rule.half_life_days = in.half_life_days();
  rule.cap = in.cap();
  rule.mean = in.mean();
  if (const absl::Status status = validate(rule); !status.ok()) {
    return data_loss("manifest.pb: {}", message_of(status));
  }
  return rule;
}

proto::ModelManifest to_proto(const ModelManifest& manifest) {
  proto::ModelManifest out;
  const TrainingRecord& record = manifest.record;
  out.set_format(k_format);
  out.set_version(manifest.version);
  out.set_created_ms(record.created_ms);
  out.set_seed(record.seed);
  out.set_epochs(record.epochs);
  *out.mutable_confidence() = confidence_to_proto(record.confidence);
  out.mutable_factors()->set_dimension(manifest.factors.dimension);
  out.mutable_factors()->set_alpha0(manifest.factors.alpha0);
  out.mutable_factors()->set_lambda(manifest.factors.lambda);
  out.mutable_factors()->set_nu(manifest.factors.nu);
  out.set_rows(manifest.rows);
  out.set_until_ms(record.until_ms);
  out.set_source(record.source);
  out.set_log_position_begin(record.log_position_begin);
  out.set_log_position_end(record.log_position_end);
  out.set_interactions(record.interactions);
  out.set_users(record.users);
  out.set_pairs(record.pairs);
  out.set_orders(record.orders);
  out.mutable_metrics()->insert(record.metrics.begin(), record.metrics.end());
  out.mutable_settings()->insert(record.settings.begin(), record.settings.end());
  out.mutable_libraries()->insert(record.libraries.begin(), record.libraries.end());
  for (const ModelManifest::File& file : manifest.files) {
    proto::ModelFile& entry = *out.add_files();
    entry.set_name(file.name);
    entry.set_bytes(file.bytes);
    entry.set_sha256(file.sha256);
  }
  return out;
}

absl::StatusOr<ModelManifest> from_proto(const proto::ModelManifest& in) {
  if (in.format() != k_format) {
    return data_loss("manifest.pb: format {} cannot be read, only {}", in.format(), k_format);
  }
  ModelManifest manifest;
  TrainingRecord& record = manifest.record;
  manifest.version = in.version();
  record.created_ms = in.created_ms();
  record.seed = in.seed();
  record.epochs = in.epochs();
  VITRINE_ASSIGN_OR_RETURN(record.confidence, confidence_from_proto(in.confidence()));
  manifest.factors = {in.factors().dimension(), in.factors().alpha0(), in.factors().lambda(),
                      in.factors().nu()};
  manifest.rows = in.rows();
  record.until_ms = in.until_ms();
  record.source = in.source();
  record.log_position_begin = in.log_position_begin();
  record.log_position_end = in.log_position_end();
  record.interactions = in.interactions();
  record.users = in.users();
  record.pairs = in.pairs();
  record.orders = in.orders();
  record.metrics = {in.metrics().begin(), in.metrics().end()};
  record.settings = {in.settings().begin(), in.settings().end()};
  record.libraries = {in.libraries().begin(), in.libraries().end()};
  for (const proto::ModelFile& file : in.files()) {
    manifest.files.push_back({file.name(), file.bytes(), file.sha256()});
  }
  return manifest;
}

// One line as sha256sum writes and checks it.
std::string checksum_line(std::string_view bytes) {
  return fmt::format("{}  manifest.pb\n", to_hex(sha256(bytes)));
}

}  // namespace

absl::Status write_manifest(const ModelManifest& manifest, const std::filesystem::path& folder) {
  const proto::ModelManifest message = to_proto(manifest);
  const std::string bytes = stable_bytes(message);
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return internal_error("the manifest of {} cannot be written as JSON", manifest.version);
  }
  VITRINE_RETURN_IF_ERROR(write_file_synced(folder / "manifest.json", json));
  VITRINE_RETURN_IF_ERROR(write_file_synced(folder / "manifest.sha256", checksum_line(bytes)));
  return write_file_synced(folder / "manifest.pb", bytes);
}

absl::StatusOr<ModelManifest> read_manifest(const std::filesystem::path& folder) {
  VITRINE_ASSIGN_OR_RETURN(const std::string bytes, read_file(folder / "manifest.pb"));
  const absl::StatusOr<std::string> checksum = read_file(folder / "manifest.sha256");
  if (!checksum.ok() || *checksum != checksum_line(bytes)) {
    return data_loss("{}: manifest.pb does not match manifest.sha256", folder.string());
  }
  proto::ModelManifest message;
  if (!message.ParseFromString(bytes))
    return data_loss("{}: manifest.pb cannot be parsed", folder.string());
  return from_proto(message);
}

}  // namespace vitrine
