// Who looked at what after what: everybody's recent sessions, ready for the next click.
//
// A before_ack projection. A click is a view, a click, or something put into the cart or on the
// wish list. Sessions are told apart by their session id; without one, by the visitor (else the
// user) and a pause of k_session_gap_ms, or another user's login. Clicks are ordered by event time
// (ties by event id), so that the order of arrival does not matter for sessions with an id, as long
// as no limit is reached. Thread-safe for reading: a session is copied without a lock, a list of
// sessions under a lock held for that copy; apply() and the checkpoint as projection.h says. A
// checkpoint keeps sessions, not lists: after a restart a product that had reached its limit may
// lead to a session again that a later one had pushed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "model/log_entry.h"
#include "server/catalog/product_numbers.h"
#include "server/events/checkpoint.h"
#include "server/events/projection.h"

namespace vitrine::profiles {

// Names a session for as long as the book keeps it.
struct SessionRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(SessionRef, SessionRef) = default;
};

// A session that holds a product.
struct SessionOfProduct {
  SessionRef session;
  TimeMs time_ms = 0;  // of its latest click on the product
};

// The key of what a person does without session ids.
std::uint64_t unnamed_session_key(UserNumber person);

class SessionBook final : public events::Projection {
 public:
  static constexpr std::string_view k_name = "sessions";
  static constexpr std::size_t k_clicks_max = 58;  // of one session; the latest are kept
  static constexpr TimeMs k_session_gap_ms = 30 * k_minute_ms;

  struct Options {
    std::size_t sessions_max = 200'000;         // the one that was quiet for longest goes first
    std::size_t sessions_of_product_max = 500;  // a product leads to its latest ones only
    TimeMs age_ms_max = 90 * k_day_ms;          // before the newest click of all
  };

  // One session as it was at one moment.
  struct Session {
    std::array<ProductNumber, k_clicks_max> products;
    std::size_t size = 0;
    TimeMs last_ms = 0;
    // Oldest first. A product may come again, but not twice in a row.
    std::span<const ProductNumber> clicks() const { return {products.data(), size}; }
  };

  // `numbers` outlives the book. Without `last_checkpoint` (of k_name) it keeps none.
  SessionBook(catalog::ProductNumbers& numbers, const Options& options,
              std::unique_ptr<const events::CheckpointReader> last_checkpoint = nullptr);
  explicit SessionBook(catalog::ProductNumbers& numbers) : SessionBook(numbers, Options()) {}
  ~SessionBook() override;

  // The session of session_key_of(id) or unnamed_session_key(person); the latest one of a person.
  std::optional<SessionRef> find(std::uint64_t session_key) const;
  // False when the book has forgotten the session, or is busy writing it.
  bool read(SessionRef session, Session& out) const;
  // Tells the processor that read(session) follows soon.
  void prefetch(SessionRef session) const;
  // Up to `limit` of the sessions that hold `product` beside others, latest first.
  void sessions_of(ProductNumber product, std::size_t limit,
                   std::vector<SessionOfProduct>& out) const;
  // How many such sessions there are, forgotten ones not counted.
  std::size_t session_count_of(ProductNumber product) const;
  // Sessions of at least two products.
  std::size_t size() const;

  std::string_view name() const override { return k_name; }
  void apply(const LogEntry& entry) override;
  Position position() const override;
  std::string checkpoint() const override;
  // DataLoss when a session of the checkpoint cannot be read.
  absl::Status restore(std::string_view checkpoint, Position at) override;
  events::CheckpointPart begin_checkpoint() override;
  void end_checkpoint(bool is_durable) override;
  std::uint64_t fingerprint() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitrine::profiles
