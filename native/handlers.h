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
  return Tasks(static_cast<int>(pool.num_threads()), [&pool](std::function<void()> work) { pool.Schedule(std::move(work)); });
}

// What a buffer holds; null if it is empty, which is how an argument that a call does not have is passed.
template <class Buffer>
auto* given(Buffer& buffer) { return buffer.element_count() ? buffer.typed_data() : nullptr; }

inline Sizes sizes_of(Floats& x, Floats& h) {
  const auto of_x = x.dimensions(), of_h = h.dimensions();
  return {of_x[0], of_x[1], of_x[2], of_h[1]};
}

template <class Cell>
ffi::Error run_forward(ffi::ThreadPool pool, Floats x, Floats kernel, Floats recurrent_kernel, Floats bias, Floats h,
                       Floats c, Bools reset, Bools mask, Floats noise, Floats fresh_h, Floats fresh_c, Result y,
                       Result last_h, Result last_c, Result tape) {
  const Sizes n = sizes_of(x, h);
  const Sequence sequence{x.typed_data(), h.typed_data(), given(c), given(reset), given(mask), given(noise), given(fresh_h), given(fresh_c)};
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
  const Sizes n = sizes_of(x, h);
  const Sequence sequence{x.typed_data(), h.typed_data(), nullptr, given(reset), given(mask), given(noise), given(fresh_h), nullptr};
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
    adam(rule, static_cast<long>(gradient.element_count()), gradient.typed_data(), read(1 + weights + i).typed_data(),
         read(1 + 2 * weights + i).typed_data(), write(i), write(weights + i), write(2 * weights + i));
  }
  return ffi::Error::Success();
}

inline auto adam_binding() {
  return ffi::Ffi::Bind().Attr<float>("beta_1").Attr<float>("beta_2").Attr<float>("epsilon").RemainingArgs().RemainingRets();
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
