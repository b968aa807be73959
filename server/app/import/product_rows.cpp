#include "server/app/import/product_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/status.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

enum class Kind {
  text,
  number,
  truth,       // true, false, 1 or 0
  untruth,     // the same, turned round
  list,        // several texts divided by '|'
  attributes,  // a JSON object that goes in with the unknown columns
};

struct KnownField {
  std::string_view name;    // in the file
  std::string_view target;  // in the API
  Kind kind = Kind::text;
};

constexpr std::array k_fields = {
    KnownField{"product_id", "product_id"},
    KnownField{"item_id", "product_id"},
    KnownField{"title", "title"},
    KnownField{"categories", "categories", Kind::list},
    KnownField{"category_path", "categories", Kind::list},
    KnownField{"brand", "brand"},
    KnownField{"price", "price"},
    KnownField{"list_price", "list_price"},
    KnownField{"currency", "currency"},
    KnownField{"in_stock", "in_stock", Kind::truth},
    KnownField{"stock", "stock", Kind::number},
    KnownField{"markets", "markets", Kind::list},
    KnownField{"available_from", "available_from"},
    KnownField{"available_until", "available_until"},
    KnownField{"hidden", "hidden", Kind::truth},
    KnownField{"is_product", "hidden", Kind::untruth},
    KnownField{"group_id", "group_id"},
    KnownField{"image_url", "image_url"},
    KnownField{"url", "url"},
    KnownField{"created_at", "created_at"},
    KnownField{"first_seen", "created_at"},
    KnownField{"attributes", "attributes", Kind::attributes},
};

const KnownField* known_field(std::string_view name) {
  const auto found = std::ranges::find(k_fields, name, &KnownField::name);
  return found == k_fields.end() ? nullptr : &*found;
}

std::optional<bool> truth_in(std::string_view text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return std::nullopt;
}

void write_list(http::JsonWriter& writer, std::string_view text) {
  writer.begin_array();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('|'), text.size());
    if (end > 0) writer.value(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  writer.end_array();
}

absl::Status write_field(http::JsonWriter& writer, const RowField& field, Kind kind) {
  if (kind == Kind::truth || kind == Kind::untruth) {
    const std::optional<bool> truth = truth_in(field.text);
    if (!truth) {
      return invalid_argument("{} must be 0, 1, true or false, got '{}'", field.name,
                              field.text.substr(0, 32));
    }
    writer.value(kind == Kind::truth ? *truth : !*truth);
    return absl::OkStatus();
  }
  std::int64_t number = 0;
  const char* end = field.text.data() + field.text.size();
  const bool is_number = std::from_chars(field.text.data(), end, number).ptr == end;
  if (field.is_json) {
    writer.raw(field.text);
  } else if (kind == Kind::list) {
    write_list(writer, field.text);
  } else if (kind == Kind::number && is_number) {
    writer.value(number);
  } else {
    writer.value(field.text);
  }
  return absl::OkStatus();
}

// Attributes are texts; a JSON value of another kind is kept as it was written.
void write_attributes(http::JsonWriter& writer, const Row& row) {
  writer.key("attributes").begin_object();
  for (const RowField& field : row.fields) {
    if (known_field(field.name) == nullptr) writer.field(field.name, field.text);
  }
  for (const RowField& field : row.fields) {
    const KnownField* known = known_field(field.name);
    if (known == nullptr || known->kind != Kind::attributes || !field.is_json) continue;
    if (field.text.size() > 2) writer.raw(field.text.substr(1, field.text.size() - 2));
  }
  writer.end_object();
}

}  // namespace

absl::Status append_product(const Row& row, std::string_view currency, std::string& json) {
  http::JsonWriter writer(json);
  writer.begin_object();
  bool has_attributes = false;
  for (const RowField& field : row.fields) {
    const KnownField* known = known_field(field.name);
    if (known == nullptr || known->kind == Kind::attributes) {
      has_attributes = true;
      continue;
    }
    writer.key(known->target);
    VITRINE_RETURN_IF_ERROR(write_field(writer, field, known->kind));
  }
  const bool has_price = !row.text("price").empty() || !row.text("list_price").empty();
  if (has_price && row.text("currency").empty() && !currency.empty()) {
    writer.field("currency", currency);
  }
  if (has_attributes) write_attributes(writer, row);
  writer.end_object();
  return absl::OkStatus();
}

}  // namespace vitrine::app
