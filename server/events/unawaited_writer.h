// Records that nobody waits for: kept in memory until the writer takes all that gathered, in one
// command; too many are dropped and counted. Who is erased meanwhile is not named in what waits.
//
// Thread-safe; outlives the committer it submits to.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "model/ids.h"
#include "server/events/committer.h"

namespace vitrine::events {

template <class Record>
class UnawaitedWriter {
 public:
  using Erased = absl::flat_hash_set<UserNumber>;
  struct Parts {
    std::size_t waiting_max = 0;  // records
    Counter& written;
    Counter& dropped;
    std::function<void(Batch&, std::vector<Record>)> stage;        // on the committer's thread
    std::function<void(Record&, const Erased&)> unname_if_erased;  // must not call back
  };
  explicit UnawaitedWriter(Parts parts) : parts_(std::move(parts)) {}

  void record(Committer& committer, Record record) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= parts_.waiting_max) return parts_.dropped.add();
      waiting_.push_back(std::move(record));
      if (std::exchange(is_submitted_, true)) return;
    }
    if (committer.is_half_full() || !committer.submit(std::make_unique<Write>(*this)).ok()) {
      parts_.dropped.add(static_cast<double>(take().size()));
    }
  }

  void erase(std::span<const UserNumber> people) {
    const std::lock_guard lock(mutex_);
    erased_.insert(people.begin(), people.end());
  }

 private:
  class Write final : public Command {
   public:
    explicit Write(UnawaitedWriter& writer) : writer_(writer) {}
    absl::Status stage(Batch& batch) override {
      std::vector<Record> records = writer_.take();
      count_ = records.size();
      writer_.parts_.stage(batch, std::move(records));
      return absl::OkStatus();
    }
    bool is_awaited() const override { return false; }
    void answer(const absl::Status& status, Position) override {
      Counter& counter = status.ok() ? writer_.parts_.written : writer_.parts_.dropped;
      counter.add(static_cast<double>(count_));
    }

   private:
    UnawaitedWriter& writer_;
    std::size_t count_ = 0;
  };

  std::vector<Record> take() {
    const std::lock_guard lock(mutex_);
    is_submitted_ = false;
    if (!erased_.empty()) {
      for (Record& record : waiting_) parts_.unname_if_erased(record, erased_);
    }
    return std::exchange(waiting_, {});
  }

  const Parts parts_;
  std::mutex mutex_;  // of the three below
  std::vector<Record> waiting_;
  bool is_submitted_ = false;  // a command that will take what waits is on its way
  Erased erased_;              // since the start
};

}  // namespace vitrine::events
