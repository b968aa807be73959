// A command whose answer a keeper takes (answer_keeper.h). For this folder's files only.
#pragma once

#include <memory>
#include <utility>

#include "server/events/answer_keeper.h"
#include "server/events/committer.h"

namespace vitrine::events {

// Thread-safety: as Command.
class KeptCommand final : public Command {
 public:
  KeptCommand(std::unique_ptr<Command> kept, std::shared_ptr<AnswerKeeper> keeper)
      : kept_(std::move(kept)), keeper_(std::move(keeper)) {}

  absl::Status stage(Batch& batch) override {
    if (const absl::Status staged = kept_->stage(batch); !staged.ok()) return staged;
    has_answered_ = true;
    keeper_->take(batch, [&] { kept_->answer(absl::OkStatus(), batch.last_position()); });
    return absl::OkStatus();
  }
  bool is_awaited() const override { return kept_->is_awaited(); }
  void answer(const absl::Status& status, Position visible) override {
    has_answered_ ? keeper_->settle(status) : kept_->answer(status, visible);
  }

 private:
  const std::unique_ptr<Command> kept_;
  const std::shared_ptr<AnswerKeeper> keeper_;
  bool has_answered_ = false;
};

}  // namespace vitrine::events
