// Back through all steps: the gradients of the states, the input and the slots; `weight_gradient.h` does the rest.
#pragma once

#include "packing.h"
#include "tile.h"

namespace statewise {

struct Gradients {
  const float* y;  // [B, T, H] of the outputs
  const float* h;  // [B, H] of the state after the last step
  const float* c;  // [B, H]
  float* start_h;  // [B, H] of the state at the start
  float* start_c;  // [B, H]
  float* fresh_h;  // [B, H] of the state that resets start from, by row
  float* fresh_c;  // [B, H]
  float* x;        // [B, T, F]; null if nobody needs it
  float* panels;   // of the slots, see `panel_at`
};

template <class Cell>
class Backward {
 public:
  Backward(const Sizes& sizes, const Sequence& sequence, const Weights& weights, const float* tape,
           const Gradients& out)
      : n(sizes), s(sequence), w(weights), tape_(tape), g(out) {}

  void run(const Tasks& tasks) {
    pack(tasks);
    const int shares = shares_of_rows(n, tasks);
    tasks.run(shares, [&](int share) { run_rows(Range(n.B, share, shares)); });
  }

 private:
  static constexpr int kInput = Cell::kInput, kRecurrent = Cell::kRecurrent;
  static constexpr long kWide = kColumns * kWidth;

  void pack(const Tasks& tasks) {
    const long recurrent = transposed_size<kRecurrent>(n, n.H), input = g.x ? transposed_size<kInput>(n, n.F) : 0;
    thread_local Arena arena;
    Cutter memory(arena.reserve(recurrent + input + 32));
    float *recurrent_panels = memory.cut(recurrent), *input_panels = memory.cut(input);
    pack_all(tasks, transposed_panels(n.H), recurrent, [&](long panel) {
      pack_transposed<Cell, Cell::kRecurrentAt, kRecurrent>(n, w.recurrent_kernel, n.H, panel, recurrent_panels);
    });
    if (g.x)
      pack_all(tasks, transposed_panels(n.F), input,
               [&](long panel) { pack_transposed<Cell, 0, kInput>(n, w.kernel, n.F, panel, input_panels); });
    recurrent_panels_ = recurrent_panels, input_panels_ = input_panels;
  }

  // What a task works on. The gradient of h before a step has two parts: what passes through the product, and the rest.
  struct Rows {
    long first, count, stride, slots_stride, x_stride;
    float *product, *rest, *c;  // [rows][padded units]
    float* slots;               // [rows][slots][padded units]
    float* x;                   // [rows][F]
  };

  void run_rows(const Range& range) const {
    thread_local Arena arena;
    Rows rows;
    rows.first = range.first, rows.count = range.size();
    rows.stride = row_stride(transposed_panels(n.H) * kWide);
    rows.slots_stride = row_stride(kSlots * n.padded());
    rows.x_stride = g.x ? row_stride(transposed_panels(n.F) * kWide) : 0;
    Cutter memory(arena.reserve(rows.count * (3 * rows.stride + rows.slots_stride + rows.x_stride) + 128));
    rows.product = memory.cut(rows.count * rows.stride), rows.rest = memory.cut(rows.count * rows.stride);
    rows.c = memory.cut(rows.count * rows.stride);
    rows.slots = memory.cut(rows.count * rows.slots_stride), rows.x = memory.cut(rows.count * rows.x_stride);
    start(rows);
    for (long t = n.T - 1; t >= 0; t--) {
      for (long block = 0; block < n.blocks(); block++) retreat_block(rows, t, block);
      std::memset(rows.product, 0, rows.count * rows.stride * sizeof(float));
      multiply<kRecurrent>(rows, rows.slots + Cell::kRecurrentAt * n.padded(), recurrent_panels_,
                           transposed_panels(n.H), rows.product, rows.stride, t % 2);
      if (g.x) write_x(rows, t);
      if (s.reset) cross_resets(rows, t);
    }
    finish(rows);
  }

  void start(const Rows& rows) const {
    for (long r = 0; r < rows.count; r++) {
      const long row = (rows.first + r) * n.H;
      for (long block = 0; block < n.blocks(); block++) {
        const long at = r * rows.stride + block * kWidth, units = n.units_in(block);
        store(rows.product + at, Vec{});
        store(rows.rest + at, load_first(g.h + row + block * kWidth, units));
        store(rows.c + at, Cell::kHasCell ? load_first(g.c + row + block * kWidth, units) : Vec{});
      }
      if (s.reset) {
        std::memset(g.fresh_h + row, 0, n.H * sizeof(float));
        if (Cell::kHasCell) std::memset(g.fresh_c + row, 0, n.H * sizeof(float));
      }
    }
  }

  // Returns the gradient of h of row r, without the noise that its product is multiplied by.
  STATEWISE_INLINE Vec gradient_of_h(const Rows& rows, long r, long block) const {
    const long at = r * rows.stride + block * kWidth;
    Vec product = load(rows.product + at);
    if (s.noise) product *= load_first(s.noise + (rows.first + r) * n.H + block * kWidth, n.units_in(block));
    return load(rows.rest + at) + product;
  }

  void retreat_block(const Rows& rows, long t, long block) const {
    const long units = n.units_in(block);
    for (long r = 0; r < rows.count; r++) {
      const long row = rows.first + r, at = r * rows.stride + block * kWidth;
      Vec dh = gradient_of_h(rows, r, block) + load_first(g.y + (row * n.T + t) * n.H + block * kWidth, units);
      Vec dz[kSlots] = {};
      if (!s.mask || s.mask[row * n.T + t]) {
        const float* tape = tape_ + tape_at<Cell>(n, t, block, row);
        Vec saved[Cell::kSaved], dc = load(rows.c + at);
#pragma GCC unroll 6
        for (int i = 0; i < Cell::kSaved; i++) saved[i] = load(tape + i * kWidth);
        dh = Cell::back(saved, dh, dc, dz);
        store(rows.c + at, dc);
      }
      store(rows.rest + at, dh);
      float* slots = rows.slots + r * rows.slots_stride + block * kWidth;
      float* panel = g.panels + panel_at(n, block, t, row);
#pragma GCC unroll 4
      for (int slot = 0; slot < kSlots; slot++) {
        store(slots + slot * n.padded(), dz[slot]);
        store(panel + slot * kWidth, dz[slot]);
      }
    }
  }

  template <int kCount>
  void multiply(const Rows& rows, const float* slots, const float* panels, long count, float* to, long stride,
                bool from_last) const {
    rows_times_panels<kColumns>(rows.count, count, kCount * n.padded(), slots, rows.slots_stride, panels, to, stride,
                                kWide, from_last);
  }

  void write_x(const Rows& rows, long t) const {
    std::memset(rows.x, 0, rows.count * rows.x_stride * sizeof(float));
    multiply<kInput>(rows, rows.slots, input_panels_, transposed_panels(n.F), rows.x, rows.x_stride, t % 2);
    for (long r = 0; r < rows.count; r++)
      std::memcpy(g.x + ((rows.first + r) * n.T + t) * n.F, rows.x + r * rows.x_stride, n.F * sizeof(float));
  }

  // A reset before step t cuts the row off from what came before, and passes its gradient to the fresh state.
  void cross_resets(const Rows& rows, long t) const {
    for (long r = 0; r < rows.count; r++) {
      const long row = rows.first + r;
      if (!s.reset[row * n.T + t]) continue;
      for (long block = 0; block < n.blocks(); block++) {
        const long at = r * rows.stride + block * kWidth, units = n.units_in(block);
        add(g.fresh_h + row * n.H + block * kWidth, gradient_of_h(rows, r, block), units);
        if (Cell::kHasCell) add(g.fresh_c + row * n.H + block * kWidth, load(rows.c + at), units);
        for (float* gradient : {rows.product, rows.rest, rows.c}) store(gradient + at, Vec{});
      }
    }
  }

  static void add(float* to, Vec v, long units) { store_first(to, load_first(to, units) + v, units); }

  void finish(const Rows& rows) const {
    for (long r = 0; r < rows.count; r++)
      for (long block = 0; block < n.blocks(); block++) {
        const long row = (rows.first + r) * n.H + block * kWidth, units = n.units_in(block);
        store_first(g.start_h + row, gradient_of_h(rows, r, block), units);
        if (Cell::kHasCell) store_first(g.start_c + row, load(rows.c + r * rows.stride + block * kWidth), units);
      }
  }

  const Sizes n;
  const Sequence s;
  const Weights w;
  const float* const tape_;
  const Gradients g;
  const float *recurrent_panels_ = nullptr, *input_panels_ = nullptr;
};

}  // namespace statewise
