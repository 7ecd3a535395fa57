// What one step of a recurrent layer computes from its sums, and its derivatives: all that LSTM and GRU differ in.
//
// A cell has four slots, vectors of sums for the same units. The input's product fills slots 0 to kInput - 1, the
// state's product adds to slots kRecurrentAt to kRecurrentAt + kRecurrent - 1; each slot says which gate of the layer's
// weights it belongs to. `step` returns the new h and saves the derivatives themselves, so that `back` is a few
// multiplications: it turns the gradient of the new state into that of the slots, and returns what h passes on
// directly.
#pragma once

#include "vectors.h"

namespace statewise {

constexpr int kSlots = 4;

struct LstmCell {
  static constexpr int kGates = 4;  // i, f, g, o
  static constexpr int kInput = 4, kRecurrent = 4, kRecurrentAt = 0;
  static constexpr int kGateOf[kSlots] = {0, 1, 2, 3};
  static constexpr int kSaved = 6;
  static constexpr bool kHasCell = true;

  template <bool kSave>
  static STATEWISE_INLINE Vec step(const Vec (&z)[kSlots], Vec, Vec& c, Vec (&saved)[kSaved]) {
    Vec gate[4];
    tanh({z[0] * 0.5f, z[1] * 0.5f, z[2], z[3] * 0.5f}, gate);  // sigmoid(z) = tanh(z / 2) / 2 + 1 / 2
    const Vec i = gate[0] * 0.5f + 0.5f, f = gate[1] * 0.5f + 0.5f, g = gate[2], o = gate[3] * 0.5f + 0.5f;
    const Vec before = c;
    c = f * before + i * g;
    const Vec tanh_c = tanh(c);
    if (kSave) {
      saved[0] = g * i * (1.0f - i);            // of c by the sum of i
      saved[1] = before * f * (1.0f - f);       // of c by the sum of f
      saved[2] = i * (1.0f - g * g);            // of c by the sum of g
      saved[3] = tanh_c * o * (1.0f - o);       // of h by the sum of o
      saved[4] = o * (1.0f - tanh_c * tanh_c);  // of h by c
      saved[5] = f;                             // of c by the c before
    }
    return o * tanh_c;
  }

  static STATEWISE_INLINE Vec back(const Vec (&saved)[kSaved], Vec dh, Vec& dc, Vec (&dz)[kSlots]) {
    const Vec cell = dc + dh * saved[4];
    dz[0] = cell * saved[0];
    dz[1] = cell * saved[1];
    dz[2] = cell * saved[2];
    dz[3] = dh * saved[3];
    dc = cell * saved[5];
    return Vec{};
  }
};

// With r scaling the state's part of the candidate after the product (Keras's reset_after, PyTorch, cuDNN), which
// therefore has a slot of its own.
struct GruCell {
  static constexpr int kGates = 3;  // z, r, h
  static constexpr int kInput = 3, kRecurrent = 3, kRecurrentAt = 1;
  static constexpr int kGateOf[kSlots] = {2, 0, 1, 2};
  static constexpr int kSaved = 5;
  static constexpr bool kHasCell = false;

  template <bool kSave>
  static STATEWISE_INLINE Vec step(const Vec (&sums)[kSlots], Vec h, Vec&, Vec (&saved)[kSaved]) {
    Vec gate[2];
    tanh({sums[1] * 0.5f, sums[2] * 0.5f}, gate);  // sigmoid(z) = tanh(z / 2) / 2 + 1 / 2
    const Vec z = gate[0] * 0.5f + 0.5f, r = gate[1] * 0.5f + 0.5f;
    const Vec g = tanh(sums[0] + r * sums[3]);
    if (kSave) {
      const Vec by_candidate = (1.0f - z) * (1.0f - g * g);
      saved[0] = by_candidate;                             // of h by the input's part of the candidate
      saved[1] = (h - g) * z * (1.0f - z);                 // of h by the sum of z
      saved[2] = by_candidate * sums[3] * r * (1.0f - r);  // of h by the sum of r
      saved[3] = by_candidate * r;                         // of h by the state's part of the candidate
      saved[4] = z;                                        // of h by the h before
    }
    return g + z * (h - g);
  }

  static STATEWISE_INLINE Vec back(const Vec (&saved)[kSaved], Vec dh, Vec&, Vec (&dz)[kSlots]) {
    for (int slot = 0; slot < kSlots; slot++) dz[slot] = dh * saved[slot];
    return dh * saved[4];
  }
};

}  // namespace statewise
