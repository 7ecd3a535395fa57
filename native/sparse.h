// One-hot input and the like: only what is not 0 is multiplied. Found at run time, so that nobody has to say it.
#pragma once

#include <vector>

#include "vectors.h"

namespace statewise {

// The nonzero numbers of x [rows, F], row by row.
class Nonzeros {
 public:
  struct Entry {
    int column;
    float value;
  };

  // Reads x; afterwards `few` says whether at most a sixteenth of it is not 0.
  Nonzeros(const float* x, long rows, long F) {
    if (F < 16) return;
    const size_t most = static_cast<size_t>(rows * F / 16);
    ends_.reserve(rows);
    entries_.reserve(rows);
    for (long row = 0; row < rows; row++) {
      const float* from = x + row * F;
      for (long k = 0; k < F; k += kWidth) {
        const long count = F - k < kWidth ? F - k : kWidth;
        if (!any_nonzero(from + k, count)) continue;
        for (long i = k; i < k + count; i++)
          if (from[i] != 0.0f) entries_.push_back({static_cast<int>(i), from[i]});
      }
      if (entries_.size() > most) return;
      ends_.push_back(static_cast<int>(entries_.size()));
    }
    few_ = true;
  }

  bool few() const { return few_; }
  const Entry* begin(long row) const { return entries_.data() + (row ? ends_[row - 1] : 0); }
  const Entry* end(long row) const { return entries_.data() + ends_[row]; }
  long count() const { return static_cast<long>(entries_.size()); }

 private:
  bool few_ = false;
  std::vector<Entry> entries_;
  std::vector<int> ends_;
};

}  // namespace statewise
