// Generation as one loop: a symbol is drawn from the scores, and a step of a stream makes the next scores of it.
#pragma once

#include "sampling.h"
#include "stream.h"

namespace statewise {

// `t` is the table of one stream that reads symbols, and whose answers are scores; only its x and its count of
// steps change.
inline Outcome generate(Table& t, const Sampling& sampling, float* scores, int64_t* order, long first, long count,
                        int64_t* symbols) {
  if (t.features != 1) return kBadInput;
  Table own = t;
  own.n = 1, own.y = scores;
  for (long i = 0; i < count; i++) {
    symbols[i] = draw(sampling, scores, order, t.answer_size, first + i);
    own.x[0] = static_cast<double>(symbols[i]);
    if (const Outcome outcome = stream_step(own, own.x)) return outcome;
    t.done = own.done;
  }
  return kDone;
}

}  // namespace statewise
