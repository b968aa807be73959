#include "server/profiles/session_record.h"

#include "server/store/key.h"

namespace vitrine::profiles {
namespace {

// Takes fields off the front.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::optional<std::string_view> take(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }
  std::optional<std::uint64_t> number() {
    const auto field = take(8);
    return field ? store::number_in(*field) : std::nullopt;
  }
  std::optional<std::string_view> text() {
    const auto size = take(4);
    return size ? take(*store::small_number_in(*size)) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string encode(const SessionRecord& record, const catalog::ProductNumbers& numbers) {
  std::string bytes = store::key_of(record.key);
  bytes += record.is_latest ? '\1' : '\0';
  bytes += store::key_of(record.visitor.value());
  for (const Click& click : *record.clicks) {
    const std::string_view id = numbers.id_of(click.product);
    bytes += store::key_of(static_cast<std::uint64_t>(click.time_ms));
    bytes += store::key_of(click.event_key);
    bytes += store::key_of(static_cast<std::uint32_t>(id.size()));
    bytes += id;
  }
  return bytes;
}

std::optional<SessionRecord> decode_session(std::string_view bytes,
                                            catalog::ProductNumbers& numbers) {
  Fields fields(bytes);
  const auto key = fields.number();
  const auto is_latest = fields.take(1);
  const auto visitor = fields.take(4);
  if (!key || !is_latest || !visitor || fields.at_end()) return std::nullopt;
  auto clicks = std::make_shared<std::vector<Click>>();
  while (!fields.at_end()) {
    const auto time_ms = fields.number();
    const auto event_key = fields.number();
    const auto id = fields.text();
    if (!time_ms || !event_key || !id) return std::nullopt;
    clicks->push_back({.time_ms = static_cast<TimeMs>(*time_ms),
                       .event_key = *event_key,
                       .product = numbers.number_of(*id)});
  }
  return SessionRecord{.key = *key,
                       .is_latest = *is_latest == "\1",
                       .visitor = UserNumber(store::small_number_in(*visitor).value_or(0)),
                       .clicks = std::move(clicks)};
}

}  // namespace vitrine::profiles
