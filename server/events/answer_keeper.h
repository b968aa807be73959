// Takes what a command answers before it is durable, so that the answer can be written with it.
//
// While a KeepAnswers stands on a thread, each command that the thread submits answers right after
// it was staged, to whoever it answers, and the keeper sees to it that nobody hears of that before
// the sync. A command that is refused answers as ever.
#pragma once

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

#include <memory>
#include <utility>

namespace vitrine::events {

class Batch;

// Both calls come on the committer thread; several commands may share a keeper.
class AnswerKeeper {
 public:
  virtual ~AnswerKeeper() = default;
  // Runs `answer`, in which a command that was staged says so. What it says may be staged in the
  // same batch, and goes no further for now.
  virtual void take(Batch& batch, absl::FunctionRef<void()> answer) = 0;
  // The batch is durable, or was not written: what was taken may go on, or must not.
  virtual void settle(const absl::Status& written) = 0;
};

// Stands for as long as it lives, in place of the one before it. On one thread's stack.
class KeepAnswers {
 public:
  explicit KeepAnswers(std::shared_ptr<AnswerKeeper> keeper)
      : former_(std::exchange(of_this_thread(), std::move(keeper))) {}
  ~KeepAnswers() { of_this_thread() = std::move(former_); }
  KeepAnswers(const KeepAnswers&) = delete;
  KeepAnswers& operator=(const KeepAnswers&) = delete;

  // Null: commands answer after the sync. The parts that submit them need not know either way, so
  // it does not travel through their calls.
  static std::shared_ptr<AnswerKeeper>& of_this_thread();

 private:
  std::shared_ptr<AnswerKeeper> former_;
};

}  // namespace vitrine::events
