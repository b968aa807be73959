#include "server/events/answer_keeper.h"

namespace vitrine::events {

std::shared_ptr<AnswerKeeper>& KeepAnswers::of_this_thread() {
  thread_local std::shared_ptr<AnswerKeeper> keeper;
  return keeper;
}

}  // namespace vitrine::events
