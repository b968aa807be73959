// Interactions as the trainer uses them: who wants what and how surely, by user and by product.
//
// Thread-safety: a Dataset is a value that nobody changes; a DatasetBuilder belongs to one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/string_map.h"
#include "model/confidence.h"
#include "training/interaction.h"

namespace vitrine::training {

// Compressed sparse rows; the columns of a row rise.
struct SparseRows {
  std::vector<std::uint64_t> bounds{0};  // row count + 1
  std::vector<std::uint32_t> columns;
  std::vector<float> values;  // beside columns, or empty where only membership counts

  std::size_t row_count() const { return bounds.size() - 1; }
  std::span<const std::uint32_t> columns_of(std::size_t row) const {
    return {columns.data() + bounds[row], columns.data() + bounds[row + 1]};
  }
  std::span<const float> values_of(std::size_t row) const {
    return {values.data() + bounds[row], values.data() + bounds[row + 1]};
  }
};

// Rows become columns and columns rows, in one counting pass.
SparseRows transposed(const SparseRows& rows, std::size_t column_count);

// What was looked at in each session, oldest first; a product looked at twice stands there twice.
struct SessionViews {
  std::vector<std::uint64_t> bounds{0};  // session count + 1
  std::vector<std::uint32_t> products;
  std::vector<TimeMs> last_ms;  // of each session

  std::size_t session_count() const { return last_ms.size(); }
  std::span<const std::uint32_t> products_of(std::size_t session) const {
    return {products.data() + bounds[session], products.data() + bounds[session + 1]};
  }
};

// Somebody bought a product again.
struct Repeat {
  std::uint32_t product;
  float days;  // since they bought it before, at least 1
};

struct ProductWeight {
  std::uint32_t product;
  float weight;
};

struct DatasetOptions {
  ConfidenceRule confidence = ConfidenceRule::defaults();  // its mean is an outcome, not a setting
  std::optional<TimeMs>
      until;  // later events are left out, ages count back from here; default: the newest event
  // People nothing is learnt from, by Interaction::user: bots, the erased, those who opted out. May
  // be empty. Nobody's interactions always count.
  std::function<bool(std::string_view user)> is_left_out = {};
};

// Within 32 bits; what is below 0 is 0.
std::uint32_t pieces_of(const Interaction& interaction);

struct Dataset {
  // Numbered in the order of their first interaction that counts. Products may have none but
  // anonymous interactions.
  std::vector<std::string> users;
  std::vector<std::string> products;
  SparseRows by_user;         // confidence of each (user, product), mean 1
  SparseRows by_product;      // the same, transposed
  SparseRows seen_by_user;    // by_user and the pairs that a refund took back: nothing new to the
                              // user; no values
  SparseRows orders_by_user;  // in how many orders a user bought a product; a purchase without one
                              // counts as one
  SparseRows orders;          // distinct products of each order, anonymous ones too; no values
  std::vector<float> popularity;  // by product: decayed weights of all events, anonymous ones too
  // The same by market, products rising; what is known of no market is left out.
  std::map<std::string, std::vector<ProductWeight>> popularity_by_market;
  SessionViews views;           // views and clicks; of two products and more
  std::vector<Repeat> repeats;  // by user, product and time; two orders of a day are one
  ConfidenceRule confidence;    // as asked, with the mean that was divided by
  TimeMs until_ms = 0;
  std::uint64_t interactions = 0;     // that counted, refunds aside
  std::uint64_t refunds_matched = 0;  // that took back a purchase, or some pieces of one
  std::uint64_t left_out = 0;         // of people who are left out

  std::uint64_t pair_count() const { return by_user.columns.size(); }
};

// Gives texts dense numbers, in the order of their first appearance.
class TextNumbers {
 public:
  std::uint32_t number(std::string_view text);  // a new one when there is none
  std::optional<std::uint32_t> find(std::string_view text) const;
  const std::vector<std::string>& texts() const { return texts_; }
  std::size_t size() const { return texts_.size(); }

 private:
  StringMap<std::uint32_t> numbers_;
  std::vector<std::string> texts_;
};

// A refund takes back as many pieces as it says, of what the same user bought of the product before
// it: of the lines of its order if they are known, else of all, newest first. A line counts until
// its last piece came back; quantities never multiply: one wholesaler would outweigh a thousand
// customers. A cancellation takes back the whole of one line.
class DatasetBuilder {
 public:
  explicit DatasetBuilder(const DatasetOptions& options) : options_(options) {}

  void add(const Interaction& interaction);

  // InvalidArgument: options out of range. FailedPrecondition: no pair of a user and a product was
  // observed. The builder is empty afterwards.
  absl::StatusOr<Dataset> build();

 private:
  struct Fact {
    TimeMs time_ms;
    float weight;  // before decay
    std::uint32_t user;
    std::uint32_t product;
    std::uint32_t order;
    std::uint32_t pieces;  // of a purchase those that are left, of a refund those that come back
    std::uint16_t market;
    EventType type;
    bool taken_back = false;
  };
  static_assert(sizeof(Fact) == 32, "memory of a run goes with it");
  struct View {
    TimeMs time_ms;
    std::uint32_t session;
    std::uint32_t product;
  };
  // Resolved when everything has been read: a refund may stand before its purchase in the stream.
  struct Refund {
    TimeMs time_ms;
    std::uint32_t pieces;  // k_whole_line: all of the line, however many
    std::string user;
    std::string product;
    std::string order;
  };

  static constexpr std::uint32_t k_none = UINT32_MAX;
  static constexpr std::uint32_t k_whole_line = UINT32_MAX;
  static constexpr std::uint16_t k_no_market = UINT16_MAX;

  void add_refunds(std::vector<Fact>& facts) const;
  static std::uint64_t take_back_refunded(std::vector<Fact>& facts);
  static bool take_back(const Fact& refund, std::vector<Fact*>& open);
  void fill_pairs(const std::vector<Fact>& facts, Dataset& data) const;
  void fill_orders(const std::vector<Fact>& facts, Dataset& data) const;
  void fill_popularity(const std::vector<Fact>& facts, Dataset& data) const;
  void fill_views(Dataset& data);
  static void add_repeats(std::span<const Fact> group, std::vector<Repeat>& repeats);
  std::uint16_t market_number(std::string_view market);

  DatasetOptions options_;
  TextNumbers users_;
  TextNumbers products_;
  TextNumbers orders_;
  TextNumbers sessions_;
  TextNumbers markets_;
  std::vector<Fact> facts_;
  std::vector<View> views_;
  std::vector<Refund> refunds_;
  std::uint64_t left_out_ = 0;
};

}  // namespace vitrine::training
