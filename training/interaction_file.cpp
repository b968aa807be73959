#include "training/interaction_file.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "training/table_file.h"

namespace vitrine::training {
namespace {

absl::StatusOr<float> parse_weight(std::string_view text) {
  float weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(weight) ||
      weight <= 0) {
    return invalid_argument("weight must be a number above 0, got '{}'", text);
  }
  return weight;
}

absl::StatusOr<std::int64_t> parse_quantity(std::string_view text) {
  std::int64_t quantity = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity);
  const std::int64_t most = EventLimits{}.quantity_max;
  if (error != std::errc() || end != text.data() + text.size() || quantity < 0 || quantity > most)
    return invalid_argument("quantity must be a whole number from 0 to {}, got '{}'", most, text);
  return quantity;
}

// One form of file: turns a line into interactions.
class LineForm {
 public:
  using Take = std::function<void(const Interaction&)>;
  virtual ~LineForm() = default;
  virtual absl::Status read(std::string_view line, const Take& take) = 0;
};

class PairLines final : public LineForm {
 public:
  absl::Status read(std::string_view line, const Take& take) override {
    VITRINE_RETURN_IF_ERROR(split_fields(line, '\t', fields_, unquoted_));
    if (fields_.size() < 2 || fields_.size() > 4) {
      return invalid_argument("expected user, product and perhaps weight and time, got {} fields",
                              fields_.size());
    }
    if (fields_[0].empty() || fields_[1].empty())
      return invalid_argument("user and product must not be empty");
    Interaction interaction{.user = fields_[0], .product = fields_[1], .order = {}, .weight = {}};
    if (fields_.size() > 2) {
      VITRINE_ASSIGN_OR_RETURN(interaction.weight, parse_weight(fields_[2]));
    }
    if (fields_.size() > 3) {
      VITRINE_ASSIGN_OR_RETURN(interaction.time_ms, parse_time(fields_[3]));
    }
    take(interaction);
    return absl::OkStatus();
  }

 private:
  std::vector<std::string_view> fields_;
  std::vector<std::unique_ptr<std::string>> unquoted_;
};

class UserLines final : public LineForm {
 public:
  absl::Status read(std::string_view line, const Take& take) override {
    const std::string_view user = next_word(line);
    if (user.empty()) return invalid_argument("expected a user and their products");
    // A user without products is allowed: the published files have some.
    for (std::string_view product = next_word(line); !product.empty(); product = next_word(line)) {
      take({.user = user, .product = product, .order = {}, .weight = {}});
    }
    return absl::OkStatus();
  }

 private:
  static std::string_view next_word(std::string_view& line) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
  }
};

class HeaderLines final : public LineForm {
 public:
  // Nothing when no column is known to hold products.
  static std::unique_ptr<LineForm> from_header(std::string_view header, char separator) {
    auto form = std::make_unique<HeaderLines>();
    form->separator_ = separator;
    if (!split_fields(header, separator, form->fields_, form->unquoted_).ok()) return nullptr;
    for (std::size_t i = 0; i < form->fields_.size(); ++i) {
      for (const auto& [name, column] : k_columns) {
        if (form->fields_[i] == name) form->places_[column] = i;
      }
    }
    form->width_ = form->fields_.size();
    if (!form->places_[k_product]) return nullptr;
    return form;
  }

  absl::Status read(std::string_view line, const Take& take) override {
    VITRINE_RETURN_IF_ERROR(split_fields(line, separator_, fields_, unquoted_));
    if (fields_.size() != width_)
      return invalid_argument("{} fields, the header has {}", fields_.size(), width_);
    Interaction interaction{
        .user = field(k_user), .product = field(k_product), .order = field(k_order), .weight = {}};
    interaction.session = field(k_session);
    interaction.market = field(k_market);
    if (interaction.user.empty() && !field(k_visitor).empty()) {
      visitor_ = "visitor:";  // so that it cannot be taken for a user of the same name
      visitor_ += field(k_visitor);
      interaction.user = visitor_;
    }
    if (const std::string_view type = field(k_type); !type.empty()) {
      const std::optional<EventType> known = event_type_of(type);
      if (!known) return invalid_argument("type '{}' is no event type", type);
      interaction.type = *known;
    }
    if (interaction.product.empty()) {
      if (!needs_product(interaction.type)) return absl::OkStatus();
      return invalid_argument("an event of type {} needs a product id", name_of(interaction.type));
    }
    if (const std::string_view time = field(k_time); !time.empty()) {
      VITRINE_ASSIGN_OR_RETURN(interaction.time_ms, parse_time(time));
    }
    if (const std::string_view weight = field(k_weight); !weight.empty()) {
      VITRINE_ASSIGN_OR_RETURN(interaction.weight, parse_weight(weight));
    }
    if (const std::string_view quantity = field(k_quantity); !quantity.empty()) {
      VITRINE_ASSIGN_OR_RETURN(interaction.quantity, parse_quantity(quantity));
    }
    take(interaction);
    return absl::OkStatus();
  }

 private:
  enum Column {
    k_user,
    k_visitor,
    k_product,
    k_time,
    k_type,
    k_order,
    k_weight,
    k_session,
    k_market,
    k_quantity,
    k_column_count
  };
  static constexpr std::pair<std::string_view, Column> k_columns[] = {
      {"user_id", k_user},       {"user", k_user},       {"visitor_id", k_visitor},
      {"product_id", k_product}, {"item_id", k_product}, {"product", k_product},
      {"time", k_time},          {"timestamp", k_time},  {"type", k_type},
      {"event_type", k_type},    {"order_id", k_order},  {"weight", k_weight},
      {"session_id", k_session}, {"market", k_market},   {"quantity", k_quantity}};

  std::string_view field(Column column) const {
    return places_[column] ? fields_[*places_[column]] : "";
  }

  char separator_ = ',';
  std::size_t width_ = 0;
  std::optional<std::size_t> places_[k_column_count];
  std::vector<std::string_view> fields_;
  std::vector<std::unique_ptr<std::string>> unquoted_;
  std::string visitor_;
};

struct Detected {
  std::unique_ptr<LineForm> form;
  bool is_header = false;  // the first line was a header
};

absl::StatusOr<Detected> detect(std::string_view first_line) {
  if (first_line.starts_with("\xEF\xBB\xBF")) first_line.remove_prefix(3);  // a byte order mark
  const bool has_tabs = first_line.find('\t') != std::string_view::npos;
  if (auto form = HeaderLines::from_header(first_line, has_tabs ? '\t' : ','))
    return Detected{std::move(form), true};
  if (has_tabs) return Detected{std::make_unique<PairLines>()};
  if (first_line.find(',') == std::string_view::npos)
    return Detected{std::make_unique<UserLines>()};
  return invalid_argument("a CSV file needs a header with product_id or item_id, got '{}'",
                          first_line.substr(0, 80));
}

}  // namespace

absl::StatusOr<InteractionFileFacts> read_interactions(
    const std::filesystem::path& path, const std::function<void(const Interaction&)>& take) {
  VITRINE_ASSIGN_OR_RETURN(LineReader lines, LineReader::open(path));
  InteractionFileFacts facts;
  std::uint64_t number = 0;
  const auto at_line = [&](const absl::Status& status) {
    return absl::Status(status.code(),
                        fmt::format("{}: line {}: {}", path.string(), number, message_of(status)));
  };
  const auto counted = [&](const Interaction& interaction) {
    ++facts.interactions;
    take(interaction);
  };
  std::unique_ptr<LineForm> form;
  for (;;) {
    ++number;
    const absl::StatusOr<std::optional<std::string_view>> line = lines.next();
    if (!line.ok()) return at_line(line.status());
    if (!line->has_value()) break;
    if ((*line)->empty()) continue;
    if (form == nullptr) {
      absl::StatusOr<Detected> detected = detect(**line);
      if (!detected.ok()) return at_line(detected.status());
      form = std::move(detected->form);
      if (detected->is_header) continue;
    }
    ++facts.lines;
    if (const absl::Status status = form->read(**line, counted); !status.ok())
      return at_line(status);
  }
  if (facts.lines == 0) return invalid_argument("{}: holds no interactions", path.string());
  return facts;
}

}  // namespace vitrine::training
