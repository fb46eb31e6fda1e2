// SPDX-License-Identifier: MIT
// fault 13: a torn read of the pull clock: its fields are of one pull, model-checked, each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/stream/clock.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    engine::SequenceClock<model::Atomic> clock;
    void thread(unsigned index) {
        if (index == 0) {
            clock.set({1, 1, 1});
            clock.set({2, 2, 2});
        } else {
            engine::PullMark mark;
            if (clock.look(mark)) RL_ASSERT(mark.closed == mark.time_ns && mark.time_ns == mark.frames);
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("pull clock", 100000, 3);
}
