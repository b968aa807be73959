// Terms over texts: what holds is found out once a text, not once a product.
#include <algorithm>
#include <utility>

#include "server/recommend/scan_term.h"

namespace vitrine::recommend {
namespace {

constexpr int k_text_cost = 20;
constexpr int k_list_cost = 40;
constexpr int k_hash_cost = 30;
constexpr std::size_t k_attributes = 2;
static_assert(k_list_columns[k_attributes] == ProductSlot::attributes);

enum class Verdict : std::uint8_t { other_key, out, in, ask };

Verdict verdict_of(bool is_in) { return is_in ? Verdict::in : Verdict::out; }

class Text final : public ScanTerm {
 public:
  Text(std::size_t column, TextHolds holds, AskProduct ask)
      : column_(column), holds_(std::move(holds)), ask_(std::move(ask)) {
    verdicts_ = {verdict_of(holds_(std::nullopt)), Verdict::ask};
  }

  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    const std::vector<TextCodes::Code>& codes = rows.columns.codes.at(column_);
    if (codes.empty()) return verdicts_[TextCodes::k_none] == Verdict::in ? open : ColumnBits();
    ColumnBits held;
    ColumnBits asked;
    for (std::size_t row = 0; row < k_column_rows; ++row) {
      const Verdict verdict = verdicts_[codes[row]];
      held.words[row / 64] |= std::uint64_t{verdict == Verdict::in} << (row % 64);
      asked.words[row / 64] |= std::uint64_t{verdict == Verdict::ask} << (row % 64);
    }
    (asked &= open).for_each([&](std::size_t row) { held.put(row, ask_(rows.product(row))); });
    return held &= open;
  }
  void learn(const ColumnTexts& texts) override {
    texts.texts.at(column_).for_each(verdicts_.size(), [&](const TextCodes::Text& text) {
      verdicts_.push_back(text.is_other ? Verdict::ask : verdict_of(holds_(text.text)));
    });
  }
  int cost() const override { return k_text_cost; }

 private:
  std::size_t column_;
  TextHolds holds_;
  AskProduct ask_;
  std::vector<Verdict> verdicts_;  // by code
};

// Any text of a list, or the one under a key.
class Listed final : public ScanTerm {
 public:
  using Judge = std::function<Verdict(const TextCodes::Text&)>;

  // `without`: what holds where no text of the list is of the key.
  Listed(std::size_t column, bool without, Judge judge, AskProduct ask)
      : column_(column), without_(without), judge_(std::move(judge)), ask_(std::move(ask)) {
    verdicts_ = {Verdict::other_key, Verdict::ask};
  }

  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    const ColumnChunk::Lists& lists = rows.columns.lists.at(column_);
    if (lists.ends.empty()) return without_ ? open : ColumnBits();
    ColumnBits held;
    open.for_each([&](std::size_t row) {
      Verdict all = Verdict::other_key;
      bool is_asked = false;
      for (const TextCodes::Code code : lists.of(row)) {
        const Verdict one = verdicts_[code];
        is_asked = is_asked || one == Verdict::ask;
        if (one != Verdict::ask) all = std::max(all, one);
      }
      bool is_in = all == Verdict::in;
      if (!is_in && is_asked) {
        is_in = ask_(rows.product(row));
      } else if (all == Verdict::other_key) {
        is_in = without_;
      }
      if (is_in) held.put(row, true);
    });
    return held;
  }
  void learn(const ColumnTexts& texts) override {
    texts.lists.at(column_).for_each(
        verdicts_.size(), [&](const TextCodes::Text& text) { verdicts_.push_back(judge_(text)); });
  }
  int cost() const override { return k_list_cost; }

 private:
  std::size_t column_;
  bool without_;
  Judge judge_;
  AskProduct ask_;
  std::vector<Verdict> verdicts_;  // by code
};

class Hashes final : public ScanTerm {
 public:
  Hashes(std::size_t column, std::vector<std::uint32_t> hashes, AskProduct ask)
      : column_(column), hashes_(std::move(hashes)), ask_(std::move(ask)) {
    std::ranges::sort(hashes_);
  }

  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    const std::vector<std::uint32_t>& column = rows.columns.hashes.at(column_);
    ColumnBits held;
    if (column.empty()) return held;
    open.for_each([&](std::size_t row) {
      const bool is_like = std::ranges::binary_search(hashes_, column[row]);
      if (is_like && ask_(rows.product(row))) held.put(row, true);
    });
    return held;
  }
  int cost() const override { return k_hash_cost; }

 private:
  std::size_t column_;
  std::vector<std::uint32_t> hashes_;  // sorted
  AskProduct ask_;
};

class HasHash final : public ScanTerm {
 public:
  explicit HasHash(std::size_t column) : column_(column) {}
  ColumnBits holds(const ScanRows& rows, const ColumnBits& open) const override {
    const std::vector<std::uint32_t>& column = rows.columns.hashes.at(column_);
    ColumnBits held;
    if (column.empty()) return held;
    open.for_each([&](std::size_t row) { held.put(row, column[row] != 0); });
    return held;
  }
  int cost() const override { return k_hash_cost; }

 private:
  std::size_t column_;
};

}  // namespace

ScanTermPtr scan_text(std::size_t column, TextHolds holds, AskProduct ask) {
  return std::make_unique<Text>(column, std::move(holds), std::move(ask));
}

ScanTermPtr scan_any_text(std::size_t column, TextHolds holds, AskProduct ask) {
  const auto judge = [holds = std::move(holds)](const TextCodes::Text& text) {
    return text.is_other ? Verdict::ask : verdict_of(holds(text.text));
  };
  return std::make_unique<Listed>(column, false, judge, std::move(ask));
}

ScanTermPtr scan_attribute(std::string key, TextHolds holds, AskProduct ask) {
  const bool without = holds(std::nullopt);
  const auto judge = [key = std::move(key), holds = std::move(holds)](const TextCodes::Text& text) {
    if (text.key != key) return Verdict::other_key;
    return text.is_other ? Verdict::ask : verdict_of(holds(text.text));
  };
  return std::make_unique<Listed>(k_attributes, without, judge, std::move(ask));
}

ScanTermPtr scan_has_attribute(std::string key, AskProduct ask) {
  const auto judge = [key = std::move(key)](const TextCodes::Text& text) {
    return text.key == key ? Verdict::in : Verdict::other_key;
  };
  return std::make_unique<Listed>(k_attributes, false, judge, std::move(ask));
}

ScanTermPtr scan_hashes(std::size_t column, std::vector<std::uint32_t> hashes, AskProduct ask) {
  return std::make_unique<Hashes>(column, std::move(hashes), std::move(ask));
}

ScanTermPtr scan_has_hash(std::size_t column) { return std::make_unique<HasHash>(column); }

}  // namespace vitrine::recommend
