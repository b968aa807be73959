// A command made of two functions, for those that keep no state of their own.
//
// Thread-safety: as Command.
#pragma once

#include <functional>
#include <utility>

#include "server/events/committer.h"

namespace vitrine::events {

class FunctionCommand final : public Command {
 public:
  using Stage = std::function<absl::Status(Batch&)>;
  using Answer = std::function<void(const absl::Status&)>;

  FunctionCommand(Stage stage, Answer answer)
      : stage_(std::move(stage)), answer_(std::move(answer)) {}
  absl::Status stage(Batch& batch) override { return stage_(batch); }
  void answer(const absl::Status& status, Position) override { answer_(status); }

 private:
  Stage stage_;
  Answer answer_;
};

}  // namespace vitrine::events
