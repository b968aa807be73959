// The rows of a long walk, read by a thread of their own a few chunks ahead of who uses them: what
// the store does to unpack them, and what is made of them, take about as long as each other.
//
// Not thread-safe: one thread makes it, takes the chunks and destroys it. The cursor, which
// outlives it, is the reader's until next() has returned nullptr or it is destroyed.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/store/database.h"

namespace vitrine::events {

class RowsAhead {
 public:
  static constexpr std::size_t k_chunk_bytes = std::size_t{256} << 10;  // one more row than that
  static constexpr std::size_t k_chunks = 4;                            // with the one that is used

  class Chunk {
   public:
    std::size_t size() const { return rows_.size(); }
    std::string_view key(std::size_t row) const { return part(begin(row), rows_[row].key_end); }
    std::string_view value(std::size_t row) const {
      return part(rows_[row].key_end, rows_[row].value_end);
    }

   private:
    friend class RowsAhead;
    struct Row {
      std::size_t key_end;
      std::size_t value_end;
    };
    std::size_t begin(std::size_t row) const { return row == 0 ? 0 : rows_[row - 1].value_end; }
    std::string_view part(std::size_t from, std::size_t to) const {
      return std::string_view(bytes_).substr(from, to - from);
    }
    void clear();
    void append(std::string_view key, std::string_view value);

    std::string bytes_;
    std::vector<Row> rows_;
  };

  explicit RowsAhead(store::Cursor& cursor);
  ~RowsAhead();
  RowsAhead(const RowsAhead&) = delete;
  RowsAhead& operator=(const RowsAhead&) = delete;

  // The next rows, valid until the next call; nullptr at the end, when the cursor says why it is
  // one.
  const Chunk* next();

 private:
  void read_all();

  store::Cursor& cursor_;
  std::array<Chunk, k_chunks> chunks_;  // a ring: the i-th is the (i % k_chunks)-th
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t read_ = 0;   // chunks filled so far
  std::size_t given_ = 0;  // chunks handed out so far; the last of them is in use
  bool is_at_end_ = false;
  bool is_unwanted_ = false;
  std::thread reader_;
};

}  // namespace vitrine::events
