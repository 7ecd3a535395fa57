// The library: everything that is exported, besides the handlers.
#include "check.h"
#include "generate.h"
#include "handlers.h"

#pragma GCC visibility push(default)
extern "C" {

// See INTERFACE in src/statewise/native/library.py.
int statewise_interface() { return 1; }

const char* statewise_instructions() { return STATEWISE_INSTRUCTIONS; }

const char* statewise_identity() { return STATEWISE_IDENTITY; }

// How many floats the tape of a cell holds, 0 for the LSTM and 1 for the GRU.
long statewise_tape_size(long cell, long B, long T, long F, long H) {
  const statewise::Sizes n{B, T, F, H};
  return cell ? statewise::tape_size<statewise::GruCell>(n) : statewise::tape_size<statewise::LstmCell>(n);
}

// How many floats the gradients of the slots take.
long statewise_panels_size(long B, long T, long F, long H) { return statewise::panels_size({B, T, F, H}); }

// Both passes of a cell on one thread, for the check when the library is loaded; see check.h.
void statewise_check(long cell, long B, long T, long F, long H, const float* given, float* results) {
  const statewise::Sizes n{B, T, F, H};
  if (cell)
    statewise::check<statewise::GruCell>(n, given, results);
  else
    statewise::check<statewise::LstmCell>(n, given, results);
}

// One step of streams; see stream.h. Returns 0, or why nothing was done.
long statewise_stream_step(long table) { return statewise::stream_step(*reinterpret_cast<statewise::Table*>(table)); }

// Continues one stream by `count` symbols, numbered from `first` on. Each is drawn from `scores`, which afterwards hold
// those of the next. Returns 0, or why nothing more was done.
long statewise_generate(long table, const statewise::Sampling* sampling, float* scores, int64_t* order, long first,
                        long count, int64_t* symbols) {
  return statewise::generate(*reinterpret_cast<statewise::Table*>(table), *sampling, scores, order, first, count,
                             symbols);
}
}
#pragma GCC visibility pop
