// A layer over all steps. A task owns some rows of the batch for the whole sequence, since rows never meet: threads do
// not wait for each other between steps.
#pragma once

#include <utility>

#include "packing.h"
#include "sparse.h"
#include "tile.h"

namespace statewise {

struct Outputs {
  float* y;     // [B, T, H]
  float* h;     // [B, H] after the last step
  float* c;     // [B, H]
  float* tape;  // null if there will be no backward pass
};

template <class Cell>
class Forward {
 public:
  Forward(const Sizes& sizes, const Sequence& sequence, const Weights& weights, const Outputs& out)
      : n(sizes), s(sequence), w(weights), out_(out), nonzeros_(s.x, n.B * n.T, n.B > 1 ? n.F : 0) {}

  void run(const Tasks& tasks) {
    pack(tasks);
    const int shares = shares_of_rows(n, tasks);
    tasks.run(shares, [&](int share) { run_rows(Range(n.B, share, shares)); });
  }

 private:
  static constexpr int kInput = Cell::kInput, kRecurrent = Cell::kRecurrent;

  void pack(const Tasks& tasks) {
    const long input = n.blocks() * n.F * kInput * kWidth, recurrent = n.blocks() * n.H * kRecurrent * kWidth;
    thread_local Arena arena;
    Cutter memory(arena.reserve(input + recurrent + n.blocks() * kSlots * kWidth + 64));
    float* bias = memory.cut(n.blocks() * kSlots * kWidth);
    float* recurrent_panels = memory.cut(recurrent);
    float* input_panels = memory.cut(input);
    pack_bias<Cell>(n, w.bias, bias);
    pack_all(tasks, n.blocks(), input + recurrent, [&](long block) {
      pack_block<Cell, Cell::kRecurrentAt, kRecurrent>(n, w.recurrent_kernel, n.H, block, recurrent_panels);
      if (!nonzeros_.few()) pack_block<Cell, 0, kInput>(n, w.kernel, n.F, block, input_panels);
    });
    bias_ = bias, recurrent_panels_ = recurrent_panels, input_panels_ = input_panels;
  }

  // What a task works on: its rows, each [padded units] or [x, padded units].
  struct Rows {
    long first, count, units_stride, stride, h_at;
    float *a, *next_a;  // [x and, `h_at` floats further, what is multiplied by the recurrent kernel]
    float *h, *c, *sums;

    const float* state_at() const { return a + h_at; }
  };

  void run_rows(const Range& range) const {
    thread_local Arena arena;
    Rows rows;
    rows.first = range.first, rows.count = range.size();
    rows.units_stride = row_stride(n.padded());
    rows.h_at = rounded_up(n.F, 16), rows.stride = row_stride(rows.h_at + n.padded());
    Cutter memory(arena.reserve(rows.count * (2 * rows.stride + 2 * rows.units_stride + 4 * kSlots * kWidth) + 128));
    rows.a = memory.cut(rows.count * rows.stride), rows.next_a = memory.cut(rows.count * rows.stride);
    rows.h = memory.cut(rows.count * rows.units_stride), rows.c = memory.cut(rows.count * rows.units_stride);
    rows.sums = memory.cut(rows.count * 4 * kSlots * kWidth);
    for (long r = 0; r < rows.count; r++) {
      const long row = rows.first + r;
      set_state(rows, r, s.h + row * n.H, Cell::kHasCell ? s.c + row * n.H : nullptr);
    }
    for (long t = 0; t < n.T; t++) {
      if (s.reset) apply_resets(rows, t);
      if (!nonzeros_.few())
        for (long r = 0; r < rows.count; r++)
          std::memcpy(rows.a + r * rows.stride, s.x + ((rows.first + r) * n.T + t) * n.F, n.F * sizeof(float));
      step(rows, t);
      std::swap(rows.a, rows.next_a);
      for (long r = 0; r < rows.count; r++)
        std::memcpy(out_.y + ((rows.first + r) * n.T + t) * n.H, rows.h + r * rows.units_stride, n.H * sizeof(float));
    }
    for (long r = 0; r < rows.count; r++) {
      std::memcpy(out_.h + (rows.first + r) * n.H, rows.h + r * rows.units_stride, n.H * sizeof(float));
      if (Cell::kHasCell)
        std::memcpy(out_.c + (rows.first + r) * n.H, rows.c + r * rows.units_stride, n.H * sizeof(float));
    }
  }

  // Sets the state of row r; null is zeros.
  void set_state(Rows& rows, long r, const float* h, const float* c) const {
    for (long block = 0; block < n.blocks(); block++) {
      const long at = block * kWidth, units = n.units_in(block);
      const Vec new_h = h ? load_first(h + at, units) : Vec{};
      store(rows.h + r * rows.units_stride + at, new_h);
      store(rows.c + r * rows.units_stride + at, c ? load_first(c + at, units) : Vec{});
      store(rows.a + r * rows.stride + rows.h_at + at, noisy(new_h, rows.first + r, block));
    }
  }

  STATEWISE_INLINE Vec noisy(Vec h, long row, long block) const {
    return s.noise ? h * load_first(s.noise + row * n.H + block * kWidth, n.units_in(block)) : h;
  }

  void apply_resets(Rows& rows, long t) const {
    for (long r = 0; r < rows.count; r++)
      if (s.reset[(rows.first + r) * n.T + t]) set_state(rows, r, s.fresh_h, s.fresh_c);
  }

  // Advances all rows by one step: a few blocks of units at a time, first their sums, then their gates. Every other
  // step begins with the last block, whose weights are still in the cache.
  void step(const Rows& rows, long t) const {
    const long group = rows.count < 4 ? side_by_side(static_cast<int>(rows.count), kInput) : 1;
    const long groups = (n.blocks() + group - 1) / group;
    for (long i = 0; i < groups; i++) {
      const long block = (t % 2 ? groups - 1 - i : i) * group, count = std::min(group, n.blocks() - block);
      sum_blocks(rows, t, block, count);
      for (long b = 0; b < count; b++) {
        if (out_.tape)
          apply_cell<true>(rows, t, block + b, rows.sums + b * rows.count * kSlots * kWidth);
        else
          apply_cell<false>(rows, t, block + b, rows.sums + b * rows.count * kSlots * kWidth);
      }
    }
  }

  // Fills `sums` [count][rows][slots] for blocks from `block` on.
  void sum_blocks(const Rows& rows, long t, long block, long count) const {
    constexpr long kLine = kSlots * kWidth;
    const long next = rows.count * kLine;
    for (long b = 0; b < count; b++)
      for (long r = 0; r < rows.count; r++)
        std::memcpy(rows.sums + b * next + r * kLine, bias_ + (block + b) * kLine, kLine * sizeof(float));
    if (nonzeros_.few()) {
      for (long b = 0; b < count; b++) add_nonzeros(rows, t, block + b, rows.sums + b * next);
    } else {
      rows_times_panels<kInput>(rows.count, count, n.F, rows.a, rows.stride,
                                input_panels_ + block * n.F * kInput * kWidth, rows.sums, kLine, next);
    }
    rows_times_panels<kRecurrent>(rows.count, count, n.H, rows.state_at(), rows.stride,
                                  recurrent_panels_ + block * n.H * kRecurrent * kWidth,
                                  rows.sums + Cell::kRecurrentAt * kWidth, kLine, next);
  }

  void add_nonzeros(const Rows& rows, long t, long block, float* sums) const {
    const long units = n.units_in(block);
    for (long r = 0; r < rows.count; r++, sums += kSlots * kWidth) {
      const long row = (rows.first + r) * n.T + t;
      for (const auto* entry = nonzeros_.begin(row); entry != nonzeros_.end(row); entry++)
        for (int slot = 0; slot < kInput; slot++) {
          const float* weights = w.kernel + (entry->column * Cell::kGates + Cell::kGateOf[slot]) * n.H + block * kWidth;
          store(sums + slot * kWidth, load(sums + slot * kWidth) + entry->value * load_first(weights, units));
        }
    }
  }

  template <bool kSave>
  void apply_cell(const Rows& rows, long t, long block, const float* sums) const {
    float* tape = kSave ? out_.tape + tape_at<Cell>(n, t, block, rows.first) : nullptr;
    for (long r = 0; r < rows.count; r++, sums += kSlots * kWidth, tape += kSave ? Cell::kSaved * kWidth : 0) {
      float* at_h = rows.h + r * rows.units_stride + block * kWidth;
      float* at_c = rows.c + r * rows.units_stride + block * kWidth;
      Vec h = load(at_h);
      if (!s.mask || s.mask[(rows.first + r) * n.T + t]) {
        Vec c = load(at_c), z[kSlots], saved[Cell::kSaved];
#pragma GCC unroll 4
        for (int slot = 0; slot < kSlots; slot++) z[slot] = load(sums + slot * kWidth);
        h = Cell::template step<kSave>(z, h, c, saved);
        store(at_h, h);
        if (Cell::kHasCell) store(at_c, c);
        if (kSave)
#pragma GCC unroll 6
          for (int i = 0; i < Cell::kSaved; i++) store(tape + i * kWidth, saved[i]);
      }
      store(rows.next_a + r * rows.stride + rows.h_at + block * kWidth, noisy(h, rows.first + r, block));
    }
  }

  const Sizes n;
  const Sequence s;
  const Weights w;
  const Outputs out_;
  const Nonzeros nonzeros_;
  const float *bias_ = nullptr, *recurrent_panels_ = nullptr, *input_panels_ = nullptr;
};

}  // namespace statewise
