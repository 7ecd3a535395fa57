// The activation functions of streams, on padded blocks of numbers. The numbers of the functions are those of
// src/statewise/streaming/instructions.py.
#pragma once

#include <algorithm>
#include <cmath>

#include "vectors.h"

namespace statewise {

enum Function : long {
  kTanh,
  kSigmoidOfTwice,
  kSigmoid,
  kRelu,
  kSoftmax,
  kElu,
  kExponential,
  kGelu,
  kHardSigmoid,
  kHardSigmoidKeras2,
  kLeakyRelu,
  kSelu,
  kSilu,
  kSoftplus,
  kSoftsign,
  kFunctions  // their number
};

// Applies `f` to `count` numbers, whole vectors.
template <class Apply>
STATEWISE_INLINE void each_vector(float* a, long count, const Apply& f) {
  for (long k = 0; k < count; k += kWidth) store(a + k, f(load(a + k)));
}

template <class Apply>
STATEWISE_INLINE void each_number(float* a, long count, const Apply& f) {
  for (long k = 0; k < count; k++) a[k] = f(a[k]);
}

// tanh of whole vectors, two at a time where there are two.
template <class Finish>
STATEWISE_INLINE void each_tanh(float* a, long count, const Finish& finish) {
  long k = 0;
  for (; k + 2 * kWidth <= count; k += 2 * kWidth) {
    Vec both[2];
    tanh({load(a + k), load(a + k + kWidth)}, both);
    store(a + k, finish(both[0]));
    store(a + k + kWidth, finish(both[1]));
  }
  for (; k < count; k += kWidth) store(a + k, finish(tanh(load(a + k))));
}

// Of `units` numbers; what fills the last vector is left as it is.
inline void softmax(float* a, long units) {
  float top = a[0], total = 0.0f;
  for (long k = 1; k < units; k++) top = std::max(top, a[k]);
  for (long k = 0; k < units; k += kWidth) store_first(a + k, exp(load_first(a + k, units - k) - top), units - k);
  for (long k = 0; k < units; k++) total += a[k];
  for (long k = 0; k < units; k++) a[k] /= total;
}

// Applies a function to `blocks` blocks of `padded` numbers, of which softmax takes `units` each. Returns false for a
// function that is not known here.
inline bool activate(long function, float* a, long blocks, long units, long padded) {
  const long count = blocks * padded;
  switch (function) {
    case kTanh:
      each_tanh(a, count, [](Vec t) { return t; });
      break;
    case kSigmoidOfTwice:
      each_tanh(a, count, [](Vec t) { return t * 0.5f + 0.5f; });
      break;
    case kSigmoid:
      each_vector(a, count, [](Vec x) { return sigmoid(x); });
      break;
    case kRelu:
      each_vector(a, count, [](Vec x) { return x < 0.0f ? Vec{} : x; });
      break;
    case kSoftmax:
      for (long block = 0; block < blocks; block++) softmax(a + block * padded, units);
      break;
    case kElu:
      each_number(a, count, [](float x) { return x > 0 ? x : std::expm1(x); });
      break;
    case kExponential:
      each_vector(a, count, [](Vec x) { return exp(x); });
      break;
    case kGelu:
      each_number(a, count, [](float x) { return 0.5f * x * static_cast<float>(std::erfc(-x / std::sqrt(2.0))); });
      break;
    case kHardSigmoid:
      each_number(a, count, [](float x) { return std::min(std::max(x + 3.0f, 0.0f), 6.0f) / 6.0f; });
      break;
    case kHardSigmoidKeras2:
      each_number(a, count, [](float x) { return std::min(std::max(0.2f * x + 0.5f, 0.0f), 1.0f); });
      break;
    case kLeakyRelu:
      each_vector(a, count, [](Vec x) { return x >= 0.0f ? x : x * 0.2f; });
      break;
    case kSelu:
      each_number(a, count,
                  [](float x) { return 1.0507009873554805f * (x > 0 ? x : 1.6732632423543772f * std::expm1(x)); });
      break;
    case kSilu:
      each_vector(a, count, [](Vec x) { return x * sigmoid(x); });
      break;
    case kSoftplus:
      each_number(a, count, [](float x) { return std::max(x, 0.0f) + std::log1p(std::exp(-std::fabs(x))); });
      break;
    case kSoftsign:
      each_number(a, count, [](float x) { return x / (1.0f + std::fabs(x)); });
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace statewise
