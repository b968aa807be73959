#include "server/catalog/product_json.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "base/status.h"

namespace vitrine::catalog {
namespace {

namespace json = boost::json;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

// What was sent, short enough for a message.
std::string shown(const json::value& value) { return json::serialize(value).substr(0, 64); }

absl::Status wrong_type(std::string_view field, std::string_view expected,
                        const json::value& value) {
  return invalid_argument("{} must be {}, got {}", field, expected, shown(value));
}

absl::Status read(std::string_view field, const json::value& value, std::string& out) {
  if (!value.is_string()) return wrong_type(field, "a string", value);
  out = view(value.get_string());
  return absl::OkStatus();
}

absl::Status read(std::string_view field, const json::value& value, bool& out) {
  if (!value.is_bool()) return wrong_type(field, "true or false", value);
  out = value.get_bool();
  return absl::OkStatus();
}

absl::Status read(std::string_view field, const json::value& value, std::int64_t& out) {
  json::error_code inexact;
  out = value.to_number<std::int64_t>(inexact);
  return inexact ? wrong_type(field, "an integer", value) : absl::OkStatus();
}

absl::Status read(std::string_view field, const json::value& value, std::optional<TimeMs>& out) {
  if (value.is_number()) {
    TimeMs time_ms = 0;
    VITRINE_RETURN_IF_ERROR(read(field, value, time_ms));
    out = time_ms;
    return absl::OkStatus();
  }
  if (!value.is_string()) return wrong_type(field, "a time", value);
  const auto time_ms = parse_time(view(value.get_string()));
  if (!time_ms.ok()) return invalid_argument("{}: {}", field, message_of(time_ms.status()));
  out = *time_ms;
  return absl::OkStatus();
}

absl::Status read(std::string_view field, const json::value& value, std::vector<std::string>& out) {
  if (!value.is_array()) return wrong_type(field, "a list of strings", value);
  std::vector<std::string> texts(value.get_array().size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    VITRINE_RETURN_IF_ERROR(read(field, value.get_array()[i], texts[i]));
  }
  out = std::move(texts);
  return absl::OkStatus();
}

// Attributes are texts; a number or truth becomes its JSON text.
absl::Status read(std::string_view field, const json::value& value,
                  std::map<std::string, std::string>& out) {
  if (!value.is_object()) return wrong_type(field, "an object of strings", value);
  std::map<std::string, std::string> attributes;
  for (const auto& [name, content] : value.get_object()) {
    if (content.is_null()) continue;
    if (content.is_structured()) return wrong_type(field, "an object of strings", value);
    attributes[std::string(view(name))] =
        content.is_string() ? std::string(view(content.get_string())) : json::serialize(content);
  }
  out = std::move(attributes);
  return absl::OkStatus();
}

absl::Status read_price(std::string_view field, const json::value& value, std::string_view currency,
                        std::optional<Money>& out) {
  if (!value.is_string() && !value.is_number()) {
    return wrong_type(field, "a decimal like \"19.90\"", value);
  }
  // The shortest text of a number is the decimal that was written.
  const std::string text = value.is_string()   ? std::string(view(value.get_string()))
                           : value.is_double() ? fmt::format("{}", value.get_double())
                                               : json::serialize(value);
  const auto price = parse_money(text, currency);
  if (!price.ok()) return invalid_argument("{}: {}", field, message_of(price.status()));
  out = *price;
  return absl::OkStatus();
}

// One field of a product: how it is read and how it is emptied.
struct Field {
  std::string_view name;
  absl::Status (*read)(std::string_view field, const json::value& value, Product& product);
  void (*empty)(Product& product);
};

template <auto member>
constexpr Field field_of(std::string_view name) {
  return {name,
          [](std::string_view field, const json::value& value, Product& product) {
            return read(field, value, product.*member);
          },
          [](Product& product) { product.*member = Product().*member; }};
}

absl::Status read_version(std::string_view field, const json::value& value, Product& product) {
  std::int64_t version = 0;
  VITRINE_RETURN_IF_ERROR(read(field, value, version));
  product.version = static_cast<std::uint64_t>(std::max<std::int64_t>(version, 0));
  return absl::OkStatus();
}

absl::Status read_stock(std::string_view field, const json::value& value, Product& product) {
  std::int64_t stock = 0;
  VITRINE_RETURN_IF_ERROR(read(field, value, stock));
  product.stock = stock;
  product.in_stock = stock > 0;  // an in_stock beside it is read later and wins
  return absl::OkStatus();
}

absl::Status read_created_at(std::string_view field, const json::value& value, Product& product) {
  std::optional<TimeMs> time_ms;
  VITRINE_RETURN_IF_ERROR(read(field, value, time_ms));
  product.created_at_ms = *time_ms;
  return absl::OkStatus();
}

// In the order they are read: a price needs its currency.
constexpr std::array k_fields = {
    field_of<&Product::product_id>("product_id"),
    field_of<&Product::title>("title"),
    field_of<&Product::categories>("categories"),
    field_of<&Product::brand>("brand"),
    field_of<&Product::currency>("currency"),
    Field{"price",
          [](std::string_view field, const json::value& value, Product& product) {
            return read_price(field, value, product.currency, product.price);
          },
          [](Product& product) { product.price.reset(); }},
    Field{"list_price",
          [](std::string_view field, const json::value& value, Product& product) {
            return read_price(field, value, product.currency, product.list_price);
          },
          [](Product& product) { product.list_price.reset(); }},
    Field{"stock", read_stock, [](Product& product) { product.stock.reset(); }},
    field_of<&Product::in_stock>("in_stock"),
    field_of<&Product::markets>("markets"),
    field_of<&Product::available_from_ms>("available_from"),
    field_of<&Product::available_until_ms>("available_until"),
    field_of<&Product::hidden>("hidden"),
    field_of<&Product::group_id>("group_id"),
    field_of<&Product::image_url>("image_url"),
    field_of<&Product::url>("url"),
    field_of<&Product::attributes>("attributes"),
    Field{"created_at", read_created_at, [](Product&) {}},
    Field{"version", read_version, [](Product&) {}},
};

std::string allowed_fields() {
  std::string names;
  for (const Field& field : k_fields) names.append(names.empty() ? "" : ", ").append(field.name);
  return names;
}

absl::Status check_known(const json::object& object) {
  for (const auto& [name, value] : object) {
    const bool known =
        std::ranges::any_of(k_fields, [&](const Field& field) { return field.name == view(name); });
    // A field of a later version that is not used may already be sent.
    if (!known && !value.is_null()) {
      return invalid_argument("unknown field '{}': a product has {}", view(name).substr(0, 64),
                              allowed_fields());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status patch_from_json(const json::object& object, Product& product) {
  VITRINE_RETURN_IF_ERROR(check_known(object));
  Product changed = product;
  for (const Field& field : k_fields) {
    const json::value* value = object.if_contains({field.name.data(), field.name.size()});
    if (value == nullptr) continue;
    if (value->is_null()) {
      field.empty(changed);
    } else {
      VITRINE_RETURN_IF_ERROR(field.read(field.name, *value, changed));
    }
  }
  if ((changed.price || changed.list_price) && changed.currency.empty()) {
    return invalid_argument("currency is required with a price");
  }
  // 12.75 GBP must not become 1275 JPY.
  const bool keeps_price = (changed.price && !object.contains("price")) ||
                           (changed.list_price && !object.contains("list_price"));
  if (keeps_price && changed.currency != product.currency) {
    return invalid_argument("currency cannot change from '{}' to '{}' without price and list_price",
                            product.currency, changed.currency);
  }
  product = std::move(changed);
  return absl::OkStatus();
}

absl::StatusOr<Product> product_from_json(const json::object& object) {
  Product product;
  VITRINE_RETURN_IF_ERROR(patch_from_json(object, product));
  if (product.product_id.empty()) return invalid_argument("product_id is required");
  return product;
}

void append_json(const Product& product, std::string& out) {
  const auto text = [](const std::string& content) -> json::value {
    return content.empty() ? json::value(nullptr) : json::value(content);
  };
  const auto price = [&](const std::optional<Money>& amount) -> json::value {
    return amount ? json::value(format_money(*amount, product.currency)) : json::value(nullptr);
  };
  const auto time = [](const std::optional<TimeMs>& time_ms) -> json::value {
    return time_ms ? json::value(format_time(*time_ms)) : json::value(nullptr);
  };
  json::object attributes;
  for (const auto& [name, value] : product.attributes) attributes[name] = value;
  const json::object object = {
      {"product_id", product.product_id},
      {"title", product.title},
      {"categories", json::array(product.categories.begin(), product.categories.end())},
      {"brand", text(product.brand)},
      {"price", price(product.price)},
      {"list_price", price(product.list_price)},
      {"currency", text(product.currency)},
      {"in_stock", product.in_stock},
      {"stock", product.stock ? json::value(*product.stock) : json::value(nullptr)},
      {"markets", json::array(product.markets.begin(), product.markets.end())},
      {"available_from", time(product.available_from_ms)},
      {"available_until", time(product.available_until_ms)},
      {"hidden", product.hidden},
      {"group_id", text(product.group_id)},
      {"image_url", text(product.image_url)},
      {"url", text(product.url)},
      {"attributes", std::move(attributes)},
      {"created_at", format_time(product.created_at_ms)},
      {"version", product.version},
  };
  out += json::serialize(object);
}

}  // namespace vitrine::catalog
