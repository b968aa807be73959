// Runs numbered pieces of work on several threads.
//
// Pieces are handed out one by one, so that long ones do not hold up the rest. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>

namespace vitrine::training {

// 0 becomes the number of cores.
unsigned thread_count_of(unsigned wanted);

// Calls work(piece) for each piece in [0, count), from `threads` threads, the caller's among them;
// returns when all are done.
void for_each_piece(std::size_t count, unsigned threads,
                    const std::function<void(std::size_t piece)>& work);

}  // namespace vitrine::training
