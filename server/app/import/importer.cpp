#include "server/app/import/importer.h"

#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/commands/json_text.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

// A busy server is asked again after a pause; an hour of refusals is no longer a rush.
constexpr std::chrono::milliseconds k_retry_pause{200};
constexpr int k_retries_max = 18'000;

std::uint64_t number_at(const boost::json::value& answer, std::string_view name) {
  const boost::json::value* found = answer.as_object().if_contains({name.data(), name.size()});
  return found == nullptr ? 0 : found->to_number<std::uint64_t>();
}

}  // namespace

absl::StatusOr<FileReport> Importer::import(const std::filesystem::path& file,
                                            std::filesystem::path rejected_lines,
                                            Progress& progress) {
  const std::int64_t started_us = steady_us();
  RejectedLines rejected(std::move(rejected_lines));
  rejected_ = &rejected;
  report_ = {};
  report_.name = file.filename().string();
  VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file));
  Row row;
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
    if (!found) break;
    ++report_.lines;
    VITRINE_RETURN_IF_ERROR(add(row));
    if (report_.lines % 1024 == 0) {
      progress.update(reader.share_read(), grouped(report_.lines) + " lines");
    }
  }
  VITRINE_RETURN_IF_ERROR(send());
  while (!sent_.empty()) VITRINE_RETURN_IF_ERROR(settle_oldest());

  report_.rejected = rejected.count();
  if (report_.rejected > 0) report_.rejected_lines = rejected.path();
  report_.seconds = static_cast<double>(steady_us() - started_us) / 1e6;
  progress.finish(fmt::format("{} lines", grouped(report_.lines)));
  return report_;
}

absl::Status Importer::add(Row& row) {
  if (!row.refusal.empty()) return rejected_->add(row.line, row.refusal, row.raw);
  std::string& body = batch_.body;
  const std::size_t begin = body.size();
  body += batch_.rows.empty() ? fmt::format("{{\"{}\":[", target_.list) : ",";
  if (absl::Status status = target_.append(row, body); !status.ok()) {
    body.resize(begin);
    return rejected_->add(row.line, message_of(status), row.raw);
  }
  batch_.rows.push_back({row.line, std::move(row.raw)});
  if (batch_.rows.size() < target_.batch_rows && body.size() < target_.batch_bytes) {
    return absl::OkStatus();
  }
  return send();
}

absl::Status Importer::send() {
  if (batch_.rows.empty()) return absl::OkStatus();
  batch_.body += "]}";
  Sent sent{std::exchange(batch_, {}), {}};
  sent.answer = api_.send("POST", std::string(target_.path), sent.batch.body);
  sent_.push_back(std::move(sent));
  return sent_.size() < target_.in_flight ? absl::OkStatus() : settle_oldest();
}

// Sending again is harmless: what the server took already counts as a duplicate, or replaces
// itself.
absl::Status Importer::settle_oldest() {
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  ApiClient::Answer answer = sent.answer.get();
  for (int retry = 0; retry < k_retries_max && !answer.ok() &&
                      answer.status().code() == absl::StatusCode::kResourceExhausted;
       ++retry) {
    std::this_thread::sleep_for(k_retry_pause);
    answer = api_.call("POST", std::string(target_.path), sent.batch.body);
  }
  if (!answer.ok()) {
    return make_status(answer.status().code(), "{}, lines {} to {}: {}", report_.name,
                       sent.batch.rows.front().line, sent.batch.rows.back().line,
                       message_of(answer.status()));
  }
  return count(sent.batch, *answer);
}

absl::Status Importer::count(const Batch& batch, std::string_view answer) {
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value outcome, parsed_answer(answer));
  if (!outcome.is_object()) return internal_error("the answer is not an object: {}", answer);
  report_.accepted += number_at(outcome, target_.counted);
  report_.duplicates += number_at(outcome, "duplicates");
  for (const boost::json::value& rejection : array_at(outcome, "/rejected")) {
    const std::uint64_t index = number_at(rejection, "index");
    if (index >= batch.rows.size()) {
      return internal_error("the answer rejects row {} of {}", index, batch.rows.size());
    }
    VITRINE_RETURN_IF_ERROR(rejected_->add(
        batch.rows[index].line,
        fmt::format("{}: {}", text_at(rejection, "/code"), text_at(rejection, "/message")),
        batch.rows[index].raw));
  }
  return absl::OkStatus();
}

}  // namespace vitrine::app
