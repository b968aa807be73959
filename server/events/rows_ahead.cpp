#include "server/events/rows_ahead.h"

namespace vitrine::events {

void RowsAhead::Chunk::clear() {
  bytes_.clear();
  rows_.clear();
}

void RowsAhead::Chunk::append(std::string_view key, std::string_view value) {
  bytes_.append(key);
  const std::size_t key_end = bytes_.size();
  bytes_.append(value);
  rows_.push_back({key_end, bytes_.size()});
}

RowsAhead::RowsAhead(store::Cursor& cursor) : cursor_(cursor), reader_([this] { read_all(); }) {}

RowsAhead::~RowsAhead() {
  {
    const std::lock_guard lock(mutex_);
    is_unwanted_ = true;
  }
  changed_.notify_all();
  reader_.join();
}

const RowsAhead::Chunk* RowsAhead::next() {
  std::unique_lock lock(mutex_);
  // The chunk that was in use is the reader's again from here.
  const std::size_t wanted = given_++;
  changed_.notify_all();
  changed_.wait(lock, [&] { return read_ > wanted || is_at_end_; });
  return read_ > wanted ? &chunks_[wanted % k_chunks] : nullptr;
}

void RowsAhead::read_all() {
  for (std::size_t filling = 0;; ++filling) {
    {
      // The one in use, `given_` - 1, is not to be touched.
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return is_unwanted_ || filling + 1 < given_ + k_chunks; });
      if (is_unwanted_) return;
    }
    Chunk& chunk = chunks_[filling % k_chunks];
    chunk.clear();
    for (; cursor_.valid() && chunk.bytes_.size() < k_chunk_bytes; cursor_.next()) {
      chunk.append(cursor_.key(), cursor_.value());
    }
    const std::lock_guard lock(mutex_);
    if (chunk.size() > 0) ++read_;
    is_at_end_ = !cursor_.valid();
    changed_.notify_all();
    if (is_at_end_) return;
  }
}

}  // namespace vitrine::events
