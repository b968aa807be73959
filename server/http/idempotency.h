// The answers of writes that came with an Idempotency-Key, so that a repeated one does nothing
// twice.
//
// An answer belongs to the API key, the method, the path and query, and the Idempotency-Key; the
// folder keeps hashes of these and of the body, and the answer as it was. What is answered by a
// command of the committer is kept in that command's own batch: there is no moment at which a write
// is durable and its answer is not. Any other answer is durable before it is sent. Refusals and
// failures are not kept: whoever repeats them asks anew. A twin that comes while the first is still
// at work waits for its answer. An answer may name a person, so it goes with them. Thread-safe.
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
#include "server/events/answer_keeper.h"
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

  // One that came with the header, while it is carried out. Stands as the keeper of answers while
  // its handler runs.
  class Write;
  // Null when `reply` has been answered, or will be: the handler must not run then. Else keep() is
  // called next.
  std::shared_ptr<Write> begin(const Request& request, Reply& reply);
  // The reply through which the handler is to answer, and behind which `reply` waits.
  static Reply keep(const std::shared_ptr<Write>& write, Reply reply);

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
  void finish(const std::shared_ptr<Write>& write, Response response);
  void keep_alone(const std::shared_ptr<Write>& write, Response response);
  void stage(events::Batch& batch, const std::string& name, TimeMs given_ms,
             const std::string& record);
  void remember(const std::string& name, TimeMs given_ms);
  void forget(events::Batch& batch, const std::string& name);
  // Ends a flight; who waited for it.
  std::vector<Reply> land(const std::string& name);
  void tell(Write& write, Response response);
  void fail(Write& write, const absl::Status& status);

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

class Idempotency::Write final : public events::AnswerKeeper {
 public:
  Write(Idempotency& owner, std::string name, std::string body_hash)
      : owner_(owner), name_(std::move(name)), body_hash_(std::move(body_hash)) {}

  void take(events::Batch& batch, absl::FunctionRef<void()> answer) override;
  void settle(const absl::Status& written) override;

 private:
  friend class Idempotency;
  void hold(Response response);
  std::string record_of(const Response& response, TimeMs given_ms) const;

  Idempotency& owner_;
  const std::string name_;
  const std::string body_hash_;
  std::optional<Reply> reply_;  // until it is answered
  // Of the committer thread: the batch in which an answer is taken right now, what was taken, and
  // what became of an earlier command of the same request.
  events::Batch* batch_ = nullptr;
  std::optional<Response> held_;
  absl::Status failed_;
};

}  // namespace vitrine::http
