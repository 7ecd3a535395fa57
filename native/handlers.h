// The functions that XLA calls: one forward and one backward pass for each cell, and Adam's update.
#pragma once

#include "adam.h"
#include "backward.h"
#include "forward.h"
#include "weight_gradient.h"
#include "xla/ffi/api/ffi.h"

namespace statewise {

namespace ffi = xla::ffi;

using Floats = ffi::Buffer<ffi::F32>;
using Bools = ffi::Buffer<ffi::PRED>;
using Result = ffi::ResultBuffer<ffi::F32>;

inline Tasks tasks_on(ffi::ThreadPool& pool) {
  return Tasks(static_cast<int>(pool.num_threads()),
               [&pool](std::function<void()> work) { pool.Schedule(std::move(work)); });
}

// What a buffer holds; null if it is empty, which is how an argument that a call does not have is passed.
template <class Buffer>
auto* given(Buffer& buffer) {
  return buffer.element_count() ? buffer.typed_data() : nullptr;
}

// The sizes of a call, and whether all its arrays have them: nothing is read or written beyond their ends.
class Checked {
 public:
  Checked(const Floats& x, const Floats& h) {
    const auto of_x = x.dimensions(), of_h = h.dimensions();
    ok_ = of_x.size() == 3 && of_h.size() == 2 && of_x[0] == of_h[0];
    if (ok_) sizes = {of_x[0], of_x[1], of_x[2], of_h[1]};
  }

  template <class Buffer>
  void exactly(const Buffer& buffer, long count) {
    ok_ = ok_ && static_cast<long>(buffer.element_count()) == count;
  }

  // An array that a call may not have.
  template <class Buffer>
  void optionally(const Buffer& buffer, long count) {
    if (buffer.element_count()) exactly(buffer, count);
  }

  // An array that cells without c do not have.
  template <class Cell, class Buffer>
  void cell_state(const Buffer& buffer, long count) {
    exactly(buffer, Cell::kHasCell ? count : 0);
  }

  ffi::Error error() const {
    return ok_ ? ffi::Error::Success() : ffi::Error::InvalidArgument("statewise: arrays of other sizes than expected");
  }

  Sizes sizes{};

 private:
  bool ok_;
};

template <class Cell>
ffi::Error run_forward(ffi::ThreadPool pool, Floats x, Floats kernel, Floats recurrent_kernel, Floats bias, Floats h,
                       Floats c, Bools reset, Bools mask, Floats noise, Floats fresh_h, Floats fresh_c, Result y,
                       Result last_h, Result last_c, Result tape) {
  Checked checked(x, h);
  const Sizes n = checked.sizes;
  const long rows = n.B * n.H, gates = Cell::kGates * n.H;
  checked.exactly(kernel, n.F * gates);
  checked.exactly(recurrent_kernel, n.H * gates);
  checked.exactly(bias, Cell::kHasCell ? gates : 2 * gates);
  checked.cell_state<Cell>(c, rows);
  checked.optionally(reset, n.B * n.T);
  checked.optionally(mask, n.B * n.T);
  checked.optionally(noise, rows);
  checked.optionally(fresh_h, n.H);
  checked.cell_state<Cell>(fresh_c, fresh_h.element_count());
  checked.exactly(*y, n.T * rows);
  checked.exactly(*last_h, rows);
  checked.cell_state<Cell>(*last_c, rows);
  checked.optionally(*tape, tape_size<Cell>(n));
  if (ffi::Error error = checked.error(); error.failure()) return error;

  const Sequence sequence{x.typed_data(), h.typed_data(), given(c),       given(reset),
                          given(mask),    given(noise),   given(fresh_h), given(fresh_c)};
  const Weights weights{kernel.typed_data(), recurrent_kernel.typed_data(), bias.typed_data()};
  Forward<Cell>(n, sequence, weights, {y->typed_data(), last_h->typed_data(), given(*last_c), given(*tape)})
      .run(tasks_on(pool));
  return ffi::Error::Success();
}

template <class Cell>
ffi::Error run_backward(ffi::ThreadPool pool, Floats x, Floats kernel, Floats recurrent_kernel, Floats h, Bools reset,
                        Bools mask, Floats noise, Floats fresh_h, Floats y, Floats tape, Floats d_y, Floats d_h,
                        Floats d_c, Result d_kernel, Result d_recurrent_kernel, Result d_bias, Result d_start_h,
                        Result d_start_c, Result d_fresh_h, Result d_fresh_c, Result d_x, Result panels) {
  Checked checked(x, h);
  const Sizes n = checked.sizes;
  const long rows = n.B * n.H, gates = Cell::kGates * n.H, fresh = reset.element_count() ? rows : 0;
  checked.exactly(kernel, n.F * gates);
  checked.exactly(recurrent_kernel, n.H * gates);
  checked.optionally(reset, n.B * n.T);
  checked.optionally(mask, n.B * n.T);
  checked.optionally(noise, rows);
  checked.optionally(fresh_h, n.H);
  checked.exactly(y, n.T * rows);
  checked.exactly(tape, tape_size<Cell>(n));
  checked.exactly(d_y, n.T * rows);
  checked.exactly(d_h, rows);
  checked.cell_state<Cell>(d_c, rows);
  checked.exactly(*d_kernel, n.F * gates);
  checked.exactly(*d_recurrent_kernel, n.H * gates);
  checked.exactly(*d_bias, Cell::kHasCell ? gates : 2 * gates);
  checked.exactly(*d_start_h, rows);
  checked.cell_state<Cell>(*d_start_c, rows);
  checked.exactly(*d_fresh_h, fresh);
  checked.cell_state<Cell>(*d_fresh_c, fresh);
  checked.optionally(*d_x, n.B * n.T * n.F);
  checked.exactly(*panels, panels_size(n));
  if (ffi::Error error = checked.error(); error.failure()) return error;

  const Sequence sequence{x.typed_data(), h.typed_data(), nullptr,        given(reset),
                          given(mask),    given(noise),   given(fresh_h), nullptr};
  const Weights weights{kernel.typed_data(), recurrent_kernel.typed_data(), nullptr};
  const Tasks tasks = tasks_on(pool);
  Backward<Cell>(n, sequence, weights, tape.typed_data(),
                 {d_y.typed_data(), d_h.typed_data(), given(d_c), d_start_h->typed_data(), given(*d_start_c),
                  given(*d_fresh_h), given(*d_fresh_c), given(*d_x), panels->typed_data()})
      .run(tasks);
  WeightGradient<Cell>(n, sequence, y.typed_data(), panels->typed_data(),
                       {d_kernel->typed_data(), d_recurrent_kernel->typed_data(), d_bias->typed_data()})
      .run(tasks);
  return ffi::Error::Success();
}

// `correction` [], then the gradients, means and mean squares of all weights; the updates, means and mean squares.
inline ffi::Error run_adam(float beta_1, float beta_2, float epsilon, ffi::RemainingArgs given,
                           ffi::RemainingRets results) {
  const size_t weights = results.size() / 3;
  if (results.size() % 3 || given.size() != 3 * weights + 1) return ffi::Error::InvalidArgument("adam: arrays missing");
  const auto read = [&](size_t i) { return given.get<Floats>(i).value(); };
  const auto write = [&](size_t i) { return results.get<Floats>(i).value()->typed_data(); };
  const AdamRule rule{beta_1, beta_2, epsilon, read(0).typed_data()[0]};
  for (size_t i = 0; i < weights; i++) {
    Floats gradient = read(1 + i);
    for (size_t part : {1 + weights + i, 1 + 2 * weights + i})
      if (read(part).element_count() != gradient.element_count())
        return ffi::Error::InvalidArgument("statewise: arrays of other sizes than expected");
    adam(rule, static_cast<long>(gradient.element_count()), gradient.typed_data(), read(1 + weights + i).typed_data(),
         read(1 + 2 * weights + i).typed_data(), write(i), write(weights + i), write(2 * weights + i));
  }
  return ffi::Error::Success();
}

inline auto adam_binding() {
  return ffi::Ffi::Bind()
      .Attr<float>("beta_1")
      .Attr<float>("beta_2")
      .Attr<float>("epsilon")
      .RemainingArgs()
      .RemainingRets();
}

inline auto forward_binding() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<Floats>()   // x [B, T, F]
      .Arg<Floats>()   // kernel
      .Arg<Floats>()   // recurrent_kernel
      .Arg<Floats>()   // bias
      .Arg<Floats>()   // h [B, H]
      .Arg<Floats>()   // c [B, H]
      .Arg<Bools>()    // reset [B, T]
      .Arg<Bools>()    // mask [B, T]
      .Arg<Floats>()   // noise [B, H]
      .Arg<Floats>()   // fresh h [H]
      .Arg<Floats>()   // fresh c [H]
      .Ret<Floats>()   // y [B, T, H]
      .Ret<Floats>()   // h [B, H]
      .Ret<Floats>()   // c [B, H]
      .Ret<Floats>();  // tape
}

inline auto backward_binding() {
  return ffi::Ffi::Bind()
      .Ctx<ffi::ThreadPool>()
      .Arg<Floats>()   // x [B, T, F]
      .Arg<Floats>()   // kernel
      .Arg<Floats>()   // recurrent_kernel
      .Arg<Floats>()   // h [B, H]
      .Arg<Bools>()    // reset [B, T]
      .Arg<Bools>()    // mask [B, T]
      .Arg<Floats>()   // noise [B, H]
      .Arg<Floats>()   // fresh h [H]
      .Arg<Floats>()   // y [B, T, H]
      .Arg<Floats>()   // tape
      .Arg<Floats>()   // gradient of y
      .Arg<Floats>()   // of h
      .Arg<Floats>()   // of c
      .Ret<Floats>()   // of kernel
      .Ret<Floats>()   // of recurrent_kernel
      .Ret<Floats>()   // of bias
      .Ret<Floats>()   // of h at the start [B, H]
      .Ret<Floats>()   // of c at the start [B, H]
      .Ret<Floats>()   // of fresh h, by row [B, H]
      .Ret<Floats>()   // of fresh c, by row [B, H]
      .Ret<Floats>()   // of x
      .Ret<Floats>();  // panels
}

}  // namespace statewise

#pragma GCC visibility push(default)
extern "C" {
XLA_FFI_DEFINE_HANDLER_SYMBOL(statewise_lstm_forward, statewise::run_forward<statewise::LstmCell>,
                              statewise::forward_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(statewise_lstm_backward, statewise::run_backward<statewise::LstmCell>,
                              statewise::backward_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(statewise_gru_forward, statewise::run_forward<statewise::GruCell>,
                              statewise::forward_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(statewise_gru_backward, statewise::run_backward<statewise::GruCell>,
                              statewise::backward_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(statewise_adam, statewise::run_adam, statewise::adam_binding());
}
#pragma GCC visibility pop
