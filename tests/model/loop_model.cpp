// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the crew's loop: every number once, seen whole, nobody sleeps through a loop; each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/cpu/loop_word.h"

using namespace tutti;

namespace {

// Two loops of two numbers, one caller, one helper that may come late, and the end.
template <class Derived, bool k_alone>
struct Crew : rl::test_suite<Derived, 2> {
    engine::LoopWord<model::Atomic> loop;
    model::Watched<int> input, output[2];
    model::Atomic<int> stop{0};
    rl::mutex mutex;
    rl::condition_variable wake;

    void work(bool from_back) {
        for (int number = loop.take(from_back); number >= 0; number = loop.take(from_back)) {
            output[number] = input + number;
            loop.finish();
        }
    }
    void call() {
        for (int round = 1; round <= 2; ++round) {
            input = 10 * round;
            loop.begin(2);
            if (loop.someone_sleeps()) {
                mutex.lock($);
                mutex.unlock($);
                wake.notify_all($);
            }
            if (!k_alone) work(false);
            while (!loop.finished(2))
                rl::yield(1, $);
            for (int number = 0; number < 2; ++number)
                RL_ASSERT(output[number] == 10 * round + number);
        }
        mutex.lock($);
        stop.store(1, std::memory_order_relaxed);
        loop.stir();
        mutex.unlock($);
        wake.notify_all($);
    }
    void help() {
        std::uint64_t seen = 0;
        for (;;) {
            std::uint64_t serial = loop.serial();
            if (serial == seen) {
                mutex.lock($);
                loop.will_sleep();
                while (loop.may_sleep(seen))
                    wake.wait(mutex, $);
                loop.awake();
                mutex.unlock($);
                serial = loop.serial();
            }
            seen = serial;
            if (stop.load(std::memory_order_relaxed) != 0) return;
            work(true);
        }
    }
    void thread(unsigned index) {
        if (index == 0)
            call();
        else
            help();
    }
};
struct Together : Crew<Together, false> {};
// The caller leaves all to the helper: one that slept through a loop would never be waited for to the end.
struct Awake : Crew<Awake, true> {};

} // namespace

int main() {
    return model::check<Together, Awake>("crew's loop", 100000, 2);
}
