// Working memory that a thread keeps for the next call.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace statewise {

inline long rounded_up(long number, long multiple) { return (number + multiple - 1) / multiple * multiple; }

// The distance between rows of so many floats: whole vectors, and never near a multiple of 4 KB, since rows that far
// apart would compete for the same few places in the first-level cache.
inline long row_stride(long floats) {
  const long whole = rounded_up(floats, 16);
  return whole % 256 < 32 && whole >= 256 ? whole + 32 : whole;
}

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { std::free(memory_); }

  // Returns room for so many floats, with any content. Valid until the next call.
  float* reserve(long floats) {
    if (floats > size_) {
      std::free(memory_);
      const size_t bytes = rounded_up(floats * sizeof(float), 4096);
      memory_ = static_cast<float*>(std::aligned_alloc(4096, bytes));
      if (!memory_) {  // as XLA does
        std::fprintf(stderr, "statewise: no memory for %zu bytes\n", bytes);
        std::abort();
      }
      size_ = static_cast<long>(bytes / sizeof(float));
    }
    return memory_;
  }

 private:
  float* memory_ = nullptr;
  long size_ = 0;
};

// Cuts working memory into arrays, each at the beginning of a cache line.
class Cutter {
 public:
  explicit Cutter(float* memory) : next_(memory) {}

  float* cut(long floats) {
    float* here = next_;
    next_ += rounded_up(floats, 16);
    return here;
  }

 private:
  float* next_;
};

}  // namespace statewise
