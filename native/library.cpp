// The library: everything that is exported.
#include "handlers.h"

extern "C" {
__attribute__((visibility("default"))) int statewise_width() { return statewise::kWidth; }
}
