// The answers of writes that came with an Idempotency-Key, so that a repeated one does nothing
// twice.
//
// An answer belongs to the API key, the method, the path and query, and the Idempotency-Key; the
// folder keeps hashes of these and of the body, and the answer as it was. It is durable before it
// is sent. Refusals and failures are not kept: whoever repeats them asks anew. A twin that comes
// while the first is still at work waits for its answer. An answer may name a person, so it goes
// with them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/string_map.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/http/reply.h"
#include "server/http/request.h"
#include "server/store/database.h"

namespace vitrine::http {

class Idempotency final : public events::PersonalData {
 public:
  static constexpr std::size_t k_key_bytes_max = 200;  // of the header
  static constexpr std::size_t k_twins_max = 16;       // that wait for one answer; one more: 429

  struct Options {
    TimeMs kept_ms = k_day_ms;                             // an answer, from when it was given
    std::size_t answer_bytes_max = std::size_t{64} << 10;  // larger ones are not kept
    std::size_t answers_max = 10'000;                      // the oldest go first
  };

  // Reads how old what is kept is. All outlive it. DataLoss when the store cannot be read.
  static absl::StatusOr<std::unique_ptr<Idempotency>> open(const store::Database& database,
                                                           events::Committer& committer,
                                                           const Clock& clock, Metrics& metrics,
                                                           const Options& options);
  ~Idempotency() override;

  // The reply through which the handler of `request`, which has the header, is to answer; nothing
  // when `reply` has been answered, or will be: the handler must not run then.
  std::optional<Reply> begin(const Request& request, Reply reply);

  std::string_view name() const override { return "kept_answers"; }
  std::vector<store::Family> families() const override { return {}; }  // its keys in meta only
  // [{"given_at", "status", "answer"}] of those that name one of the person's ids.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  struct Flight;  // a write that is being carried out, and who waits for it
  static constexpr std::size_t k_swept_max = 16;  // answers that go with one that comes

  Idempotency(const store::Database& database, events::Committer& committer, const Clock& clock,
              Metrics& metrics, const Options& options);
  absl::Status load();
  bool take_off(const std::string& name, const std::string& body_hash, Reply& reply);
  bool answer_from_store(const std::string& name, const std::string& body_hash, Reply& reply);
  void replay(Reply& reply, const Response& response);
  void finish(const std::string& name, const std::string& body_hash, Reply reply,
              Response response);
  void stage(events::Batch& batch, const std::string& name, TimeMs given_ms,
             const std::string& record);
  void remember(const std::string& name, TimeMs given_ms);
  void forget(events::Batch& batch, const std::string& name);
  // Ends a flight; who waited for it.
  std::vector<Reply> land(const std::string& name);
  void tell(const std::string& name, Reply reply, Response response);

  const store::Database& database_;
  events::Committer& committer_;
  const Clock& clock_;
  const Options options_;
  Counter& replayed_;

  std::mutex mutex_;  // guards flights_
  StringMap<std::unique_ptr<Flight>> flights_;

  // What the store holds, and since when, oldest first: of the committer's thread, once opened.
  std::set<std::pair<TimeMs, std::string>> ages_;
  StringMap<TimeMs> given_;
};

}  // namespace vitrine::http
