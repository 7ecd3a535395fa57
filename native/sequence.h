// What a call of a layer over whole sequences is given, and the layout of what its passes share.
#pragma once

#include <algorithm>

#include "cells.h"
#include "memory.h"
#include "tasks.h"

namespace statewise {

struct Sizes {
  long B, T, F, H;

  long blocks() const { return (H + kWidth - 1) / kWidth; }  // of units, one vector each
  long padded() const { return blocks() * kWidth; }          // units with those that fill the last block
  long units_in(long block) const { return H - block * kWidth < kWidth ? H - block * kWidth : kWidth; }

  // How many multiplications a pass over the sequences makes, roughly.
  double work() const { return 4.0 * B * T * H * (F + H); }
};

// Batch-major arrays; null where there is none.
struct Sequence {
  const float* x;        // [B, T, F]
  const float* h;        // [B, H] at the start
  const float* c;        // [B, H]
  const bool* reset;     // [B, T]
  const bool* mask;      // [B, T]
  const float* noise;    // [B, H], which multiplies every h before its product
  const float* fresh_h;  // [H] of a reset row; null is zeros
  const float* fresh_c;  // [H]
};

struct Weights {
  const float* kernel;            // [F, G, H] for G gates
  const float* recurrent_kernel;  // [H, G, H]
  const float* bias;              // [G, H]; [2, G, H] for cells whose input and state have one each
};

// The tape: for each step, block of units and row, the vectors that the cell saved.
template <class Cell>
long tape_size(const Sizes& n) {
  return n.T * n.blocks() * n.B * Cell::kSaved * kWidth;
}

template <class Cell>
STATEWISE_INLINE long tape_at(const Sizes& n, long t, long block, long row) {
  return ((t * n.blocks() + block) * n.B + row) * Cell::kSaved * kWidth;
}

// The gradients of the slots, in panels as the weights' gradient reads them: [blocks][T, B][slots].
inline long panels_size(const Sizes& n) { return n.blocks() * n.T * n.B * kSlots * kWidth; }

STATEWISE_INLINE long panel_at(const Sizes& n, long block, long t, long row) {
  return ((block * n.T + t) * n.B + row) * kSlots * kWidth;
}

// Among how many tasks a pass may be shared: from so much work on, several threads repay their start.
inline int shares_of(const Sizes& n, const Tasks& tasks) {
  constexpr double kWorthThreads = 1e6;
  return n.work() > kWorthThreads ? tasks.threads() : 1;
}

// The same where a task takes rows: from so many on, one of its own repays reading all weights once more.
inline int shares_of_rows(const Sizes& n, const Tasks& tasks) {
  constexpr long kRowsOfTask = 4;
  return static_cast<int>(std::min<long>(shares_of(n, tasks), std::max(1L, n.B / kRowsOfTask)));
}

}  // namespace statewise
