// Adam's update of all weights of a small network in one call: what it costs otherwise is mostly starting many loops.
#pragma once

#include "vectors.h"

namespace statewise {

struct AdamRule {
  float beta_1, beta_2, epsilon;  // `epsilon` is added to the uncorrected root
  float correction;               // of mean / root for the number of updates so far
};

// The running mean and mean square of a weight's gradient, and the weight's update without the learning rate. The new
// means may be written over the old ones.
inline void adam(const AdamRule& rule, long count, const float* gradient, const float* mean, const float* square,
                 float* update, float* new_mean, float* new_square) {
  for (long i = 0; i < count; i += kWidth) {
    const long left = count - i;
    const Vec g = load_first(gradient + i, left), m = load_first(mean + i, left), v = load_first(square + i, left);
    const Vec next_m = m + (1.0f - rule.beta_1) * (g - m), next_v = v + (1.0f - rule.beta_2) * (g * g - v);
    store_first(update + i, rule.correction * next_m * reciprocal(root(next_v) + rule.epsilon), left);
    store_first(new_mean + i, next_m, left);
    store_first(new_square + i, next_v, left);
  }
}

}  // namespace statewise
