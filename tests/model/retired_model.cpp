// SPDX-License-Identifier: MIT
// fault 18: an object is freed while the renderer still has it: its flag is model-checked, each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/memory/retired.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    engine::RetiredFlag<model::Atomic> retired;
    model::Watched<int> object;
    void before() { object = 1; }
    void thread(unsigned index) {
        if (index == 0) {
            object = object + 1;
            retired.set();
        } else if (retired.is_set()) {
            RL_ASSERT(object == 2);
            object = -1; // freed
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("retired flag", 10000, 3);
}
