// Sends files of products and events to the API in batches, and reports what became of every line.
//
// Several batches are on their way at once, so that reading, checking and writing overlap. A bad
// line goes into a side file with its reason and the import goes on. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/app/api_client.h"
#include "server/app/import/rejected_lines.h"
#include "server/app/import/row_reader.h"
#include "server/app/terminal/progress.h"

namespace vitrine::app {

struct FileReport {
  std::string name;
  std::uint64_t lines = 0;     // without header and empty ones
  std::uint64_t accepted = 0;  // now durable
  std::uint64_t duplicates = 0;
  std::uint64_t rejected = 0;
  double seconds = 0;
  std::filesystem::path rejected_lines;  // when there are any
};

// One kind of file: where its batches go and how its rows are written.
struct ImportTarget {
  std::string_view path;     // "/v1/import/events"
  std::string_view list;     // the body's one field: "events"
  std::string_view counted;  // the answer's count of what was taken: "accepted"
  std::size_t batch_rows;
  std::size_t batch_bytes;  // a batch is sent once it is this large
  std::size_t in_flight;    // batches that may be on their way
  // Appends the row as a JSON object, or says why it cannot be.
  std::function<absl::Status(const Row&, std::string& json)> append;
};

class Importer {
 public:
  // `api` must outlive the importer.
  Importer(ApiClient& api, ImportTarget target) : api_(api), target_(std::move(target)) {}

  // An error is one of the file as a whole or of the server: then what was acknowledged before
  // stays, and importing again goes on where it ended.
  absl::StatusOr<FileReport> import(const std::filesystem::path& file,
                                    std::filesystem::path rejected_lines, Progress& progress);

 private:
  // A row of a batch, kept until its fate is known.
  struct SentRow {
    std::uint64_t line;
    std::string raw;
  };
  struct Batch {
    std::string body;
    std::vector<SentRow> rows;
  };
  struct Sent {
    Batch batch;
    std::future<ApiClient::Answer> answer;
  };

  absl::Status add(Row& row);
  absl::Status send();
  absl::Status settle_oldest();
  absl::Status count(const Batch& batch, std::string_view answer);

  ApiClient& api_;
  const ImportTarget target_;
  Batch batch_;
  std::deque<Sent> sent_;
  FileReport report_;
  RejectedLines* rejected_ = nullptr;  // of the file being imported
};

}  // namespace vitrine::app
