// Work on several threads without waiting for one that has not begun.
//
// Tasks are claimed from a counter; the caller claims them too, and waits at the end only for those under way. So a
// pool that is busy with something else costs time, but cannot cause a deadlock.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace statewise {

class Tasks {
 public:
  using Schedule = std::function<void(std::function<void()>)>;

  // Tasks on the thread that calls `run`.
  Tasks() = default;

  // Tasks on a pool of so many threads as well.
  Tasks(int threads, Schedule schedule) : threads_(std::max(1, threads)), schedule_(std::move(schedule)) {}

  int threads() const { return threads_; }

  // Runs work(0) to work(count - 1), in any order, and returns when all are done.
  template <class Work>
  void run(int count, const Work& work) const {
    if (count <= 1 || threads_ <= 1) {
      for (int task = 0; task < count; task++) work(task);
      return;
    }
    // Shared, since the pool may come to a task after everything is done and this call has returned. It then touches
    // only the counter; `work` itself lives as long as any claimed task.
    auto shared = std::make_shared<Counters>();
    const auto claim = [shared, count, work = &work] {
      for (int task; (task = shared->claimed.fetch_add(1)) < count;) {
        (*work)(task);
        shared->done.fetch_add(1, std::memory_order_release);
      }
    };
    for (int i = 1; i < std::min(count, threads_); i++) schedule_(claim);
    claim();
    for (int spins = 0; shared->done.load(std::memory_order_acquire) < count; spins++)
      if (spins > 10000) std::this_thread::yield();
  }

 private:
  struct Counters {
    std::atomic<int> claimed{0}, done{0};
  };

  int threads_ = 1;
  Schedule schedule_;
};

// The part of 0 to `count` - 1 that belongs to one of `tasks` tasks.
struct Range {
  long first, stop;
  Range(long count, int task, int tasks) : first(count * task / tasks), stop(count * (task + 1) / tasks) {}
  long size() const { return stop - first; }
};

}  // namespace statewise
