// Lets a Reply travel in a std::function, which wants to be copied.
#pragma once

#include <absl/status/status.h>

#include <memory>
#include <utility>

#include "server/http/reply.h"

namespace vitrine::http {

// Shared by the copies of one callback, answered by whichever runs first.
class LaterReply {
 public:
  explicit LaterReply(Reply reply) : reply_(std::make_shared<Reply>(std::move(reply))) {}
  Reply* operator->() const { return reply_.get(); }

  // For calls that fail at once, and whose callback is then never run.
  void fail_unless_ok(const absl::Status& status) const {
    if (!status.ok()) reply_->fail(status);
  }

 private:
  std::shared_ptr<Reply> reply_;
};

}  // namespace vitrine::http
