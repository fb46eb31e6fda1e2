// SPDX-License-Identifier: MIT
// fault 17: memory is freed while a callback of a lost device still runs: the gate is model-checked, each order weakened in turn is found
#include "tests/model/model.h"

#include "io/mute_gate.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    io::MuteGate<model::Atomic> gate;
    model::Watched<int> users;
    void thread(unsigned index) {
        if (index == 0) {
            for (int call = 0; call < 2; ++call) {
                if (!gate.enter()) continue;
                users = users + 1;
                gate.leave();
            }
        } else {
            gate.shut();
            for (int tries = 0; !gate.empty(); ++tries) {
                if (tries == 20) return;
                rl::yield(1, $);
            }
            users = -1; // freed
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("mute gate", 100000, 3);
}
