#include "server/collect/tracked_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/collect/json_fields.h"
#include "server/collect/order_totals.h"
#include "server/collect/tracked_names.h"

namespace vitrine::collect {
namespace {

namespace json = boost::json;

constexpr std::size_t k_currency_letters = 3;

// "usd" is meant as USD.
std::string currency_in(JsonFields& fields) {
  std::string currency = fields.text({"currency"});
  if (currency.size() == k_currency_letters) {
    for (char& c : currency) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return currency;
}

const json::array* lines_in(JsonFields& fields) { return fields.list({"products", "items"}); }

// The catalog's word decides; where it has none, the sender's product_id.
std::string product_in(JsonFields& fields, const TrackingArrival& arrival) {
  const std::optional<std::string> id = fields.peek({"product_id", "item_id", "productId", "id"});
  const std::optional<std::string> sku = fields.peek({"sku"});
  const bool sku_is_known = id && sku && arrival.knows_product && !arrival.knows_product(*id) &&
                            arrival.knows_product(*sku);
  if (sku && (!id || sku_is_known)) return fields.text({"sku"});
  return fields.text({"product_id", "item_id", "productId", "id"});
}

// A product's place in a list is a number, however it was written; a promotion's is a text.
void mend_position(json::object& properties) {
  json::value* const position = properties.if_contains("position");
  if (position == nullptr || !position->is_string()) return;
  const std::string_view text = view(position->get_string());
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size()) *position = number;
}

std::string searched(const json::value& query) {
  if (const std::optional<std::string> text = text_in(query)) return *text;
  if (!query.is_object()) return query.is_string() ? std::string() : json::serialize(query);
  const JsonFields parts(&query.get_object());
  return parts.peek({"query", "text", "term", "q", "keyword"}).value_or(json::serialize(query));
}

// Turns the properties of one event into as many of ours as they speak of.
class Mapping {
 public:
  Mapping(TrackedName meaning, const json::object* properties, TrackedMessage& message)
      : meaning_(meaning), fields_(properties), message_(message), base_(message.base) {
    base_.type = meaning.type;
    base_.order_id = fields_.text({"order_id", "transaction_id", "orderId"});
    base_.coupon_code = fields_.text({"coupon", "coupon_id", "coupon_code"});
    base_.recommendation_id = fields_.text({"recommendation_id"});
    base_.session_id = fields_.text({"session_id"});
    base_.market = fields_.text({"market"});
    if (std::string channel = fields_.text({"channel"}); !channel.empty()) {
      base_.channel = std::move(channel);
    }
    base_.currency = currency_in(fields_);
    currency_ = base_.currency.empty() ? message.options.currency : base_.currency;
  }

  void run() {
    switch (meaning_.shape) {
      case Shape::product:
        return product();
      case Shape::products:
        return products();
      case Shape::order:
        return order();
      case Shape::takeback:
        return takeback();
      case Shape::cancel:
        return cancel();
      case Shape::plain:
        return plain();
    }
  }

 private:
  void product();
  void products();
  void order();
  void takeback();
  void cancel();
  void plain();
  void read_totals();
  bool names_whole_order() const;

  // One event for each, its own fields over those of the message.
  void add_lines(const json::array& lines);
  void add_line(std::size_t index, const json::value& line, EventType type);
  void fill_product(JsonFields& product, Event& event) const;
  void add(JsonFields& fields, Event event, json::object properties, std::string raw);
  bool has_too_many(const json::array& lines);

  const TrackedName meaning_;
  JsonFields fields_;
  TrackedMessage& message_;
  Event base_;
  std::string currency_;  // of amounts that name none; empty: unknown
  json::object order_;    // what is said of all lines together: kept with the first of them
};

void Mapping::fill_product(JsonFields& product, Event& event) const {
  event.product_id = product_in(product, message_.arrival);
  std::string currency = currency_in(product);
  if (currency.empty()) currency = currency_;
  event.quantity = product.whole({"quantity"}, 1);
  event.price = product.money({"price"}, currency);
  if (event.price) event.currency = std::move(currency);
  if (std::string coupon = product.text({"coupon"}); !coupon.empty()) {
    event.coupon_code = std::move(coupon);
  }
  if (std::string id = product.text({"recommendation_id"}); !id.empty()) {
    event.recommendation_id = std::move(id);
  }
}

void Mapping::add(JsonFields& fields, Event event, json::object properties, std::string raw) {
  IncomingEvent made{.raw = std::move(raw), .event = std::move(event), .refusal = fields.refusal()};
  if (!made.refusal && !order_.empty()) properties["order"] = std::exchange(order_, {});
  if (!made.refusal) {
    for (auto& [name, value] : std::exchange(message_.around, {})) {
      properties.emplace(name, std::move(value));
    }
  }
  if (!properties.empty()) made.event.properties_json = json::serialize(properties);
  message_.out.push_back(std::move(made));
}

void Mapping::add_line(std::size_t index, const json::value& line, EventType type) {
  Event event = base_;
  event.type = type;
  if (!event.event_id.empty()) event.event_id += fmt::format("#{}", index);
  JsonFields fields(line.if_object());
  if (!line.is_object()) {
    fields.refuse(wrong_type(fmt::format("products[{}]", index), "an object", line));
  }
  fill_product(fields, event);
  json::object properties = fields.rest();
  mend_position(properties);
  // The whole message beside each of its lines would be their number times its size.
  add(fields, std::move(event), std::move(properties), json::serialize(line));
}

bool Mapping::has_too_many(const json::array& lines) {
  const std::size_t allowed = message_.options.products_max;
  if (lines.size() <= allowed) return false;
  append_refused(
      {"too_many_products", "products",
       fmt::format("products must have at most {} entries, got {}", allowed, lines.size())},
      message_);
  return true;
}

void Mapping::add_lines(const json::array& lines) {
  if (has_too_many(lines)) return;
  for (std::size_t i = 0; i < lines.size(); ++i) add_line(i, lines[i], meaning_.type);
}

void Mapping::product() {
  const json::array* const lines = lines_in(fields_);
  if (lines != nullptr && !lines->empty()) {
    order_ = fields_.rest();
    return add_lines(*lines);
  }
  fill_product(fields_, base_);
  json::object properties = fields_.rest();
  mend_position(properties);
  add(fields_, base_, std::move(properties), std::string(message_.raw));
}

void Mapping::products() {
  JsonFields looked_at(fields_);  // the list is kept as a property too
  const json::array* const lines = lines_in(looked_at);
  if (lines != nullptr && has_too_many(*lines)) return;
  if (meaning_.type == EventType::list_view) base_.category = fields_.text({"category"});
  add(fields_, base_, fields_.rest(), std::string(message_.raw));
  if (lines == nullptr || meaning_.type != EventType::list_view) return;
  for (std::size_t i = 0; i < lines->size(); ++i) {
    const JsonFields line((*lines)[i].if_object());
    if (!base_.recommendation_id.empty() || line.peek({"recommendation_id"})) {
      add_line(i, (*lines)[i], EventType::impression);
    }
  }
}

void Mapping::read_totals() {
  order_ = order_totals(fields_, currency_);
  if (!order_.empty() && !currency_.empty()) order_["currency"] = currency_;
}

void Mapping::order() {
  read_totals();
  const json::array* const lines = lines_in(fields_);
  if (lines == nullptr || lines->empty()) {
    fill_product(fields_, base_);
    if (base_.product_id.empty()) {
      return append_refused(
          {"missing_product", "products", "products must name what was bought, one entry a line"},
          message_);
    }
    return add(fields_, base_, fields_.rest(), std::string(message_.raw));
  }
  for (auto& [name, value] : fields_.rest()) order_.emplace(name, std::move(value));
  add_lines(*lines);
}

void Mapping::takeback() {
  read_totals();
  const json::array* const lines = lines_in(fields_);
  if (lines != nullptr && !lines->empty()) {
    for (auto& [name, value] : fields_.rest()) order_.emplace(name, std::move(value));
    return add_lines(*lines);
  }
  fill_product(fields_, base_);
  json::object properties;
  if (base_.product_id.empty() && names_whole_order()) {
    base_.type = EventType::cancel;
    properties["refunded"] = true;
  }
  for (auto& [name, value] : fields_.rest()) properties.emplace(name, std::move(value));
  add(fields_, base_, std::move(properties), std::string(message_.raw));
}

// Without an amount, or with the one that GA4 names beside the order. Any other amount may be a
// part of it: which products came back is then not known.
bool Mapping::names_whole_order() const {
  const json::value* const rule = order_.if_contains("net_rule");
  return rule == nullptr || *rule == "value";
}

// The order as a whole, and each of its lines: a line says it to those who do not know orders.
void Mapping::cancel() {
  read_totals();
  const json::array* const lines = lines_in(fields_);
  add(fields_, base_, fields_.rest(), std::string(message_.raw));
  if (lines != nullptr) add_lines(*lines);
}

void Mapping::plain() {
  if (meaning_.type == EventType::search) {
    const json::value* const query = fields_.any({"query", "search_term", "search_string"});
    if (query != nullptr) base_.query = searched(*query);
  }
  if (meaning_.type == EventType::not_interested) base_.category = fields_.text({"category"});
  base_.product_id = product_in(fields_, message_.arrival);
  add(fields_, base_, fields_.rest(), std::string(message_.raw));
}

}  // namespace

void append_named_event(std::string_view name, const json::object* properties,
                        TrackedMessage& message) {
  const std::optional<TrackedName> meaning = tracked_name(name);
  if (!meaning) {
    constexpr std::size_t k_shown_bytes = 64;
    return append_refused({"unknown_type", "event",
                           fmt::format("event must be a name of Segment's e-commerce events, of "
                                       "GA4's, or a type of ours, got \"{}\"",
                                       name.substr(0, k_shown_bytes))},
                          message);
  }
  if (meaning->keeps_name) message.around["event"] = json::string_view(name.data(), name.size());
  Mapping(*meaning, properties, message).run();
}

void append_plain_event(EventType type, json::object properties, TrackedMessage& message) {
  Event event = message.base;
  event.type = type;
  for (auto& [name, value] : std::exchange(message.around, {})) {
    properties.emplace(name, std::move(value));
  }
  if (!properties.empty()) event.properties_json = json::serialize(properties);
  message.out.push_back({std::string(message.raw), std::move(event), std::nullopt});
}

absl::Status check_size(const TrackedBatch& batch, const TrackingOptions& options) {
  if (batch.events.size() <= options.events_max) return absl::OkStatus();
  return invalid_argument("the messages of a call must make at most {} events", options.events_max);
}

void append_refused(EventRefusal refusal, TrackedMessage& message) {
  message.out.push_back({std::string(message.raw), message.base, std::move(refusal)});
}

}  // namespace vitrine::collect
