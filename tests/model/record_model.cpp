// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the ring of a recording: model-checked, and each order weakened in turn is found
#include "tests/model/model.h"

#include "cli/record_ring.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    cli::RecordRing<model::Atomic, model::Watched<float>> ring{2};
    void thread(unsigned index) {
        if (index == 0) {
            for (int frame = 1; frame <= 4; ++frame) { // what does not fit is dropped
                float left = static_cast<float>(frame), right = -left;
                float* in[] = {&left, &right};
                ring.write(in, 1);
            }
        } else {
            float last = 0.0f;
            for (int look = 0; look < 3; ++look) {
                std::vector<float> out(4);
                const std::size_t frames = ring.read(out);
                for (std::size_t i = 0; i < frames; ++i) {
                    RL_ASSERT(out[2 * i] > last && out[2 * i + 1] == -out[2 * i]);
                    last = out[2 * i];
                }
            }
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("record ring", 100000, 3);
}
