// SPDX-License-Identifier: MIT
// A fixed amount of plain arithmetic, the measure that profiling/check holds every figure against: filters over noise, no library, no
// intrinsics, one thread. Not to be changed: a baseline is only as good as this stays the same.
#include <cstdint>
#include <cstdio>

namespace {

struct Filter {
    float b0 = 0.2f, b1 = 0.4f, b2 = 0.2f, a1 = -0.6f, a2 = 0.3f;
    float z1 = 0.0f, z2 = 0.0f;
    float next(float x) {
        const float y = b0 * x + z1;
        z1 = b1 * x - a1 * y + z2;
        z2 = b2 * x - a2 * y;
        return y;
    }
};

} // namespace

int main() {
    constexpr int k_filters = 16;
    constexpr int k_frames = 12'000'000;
    Filter filters[k_filters];
    for (int i = 0; i < k_filters; ++i)
        filters[i].a1 = -0.6f + 0.01f * static_cast<float>(i);
    std::uint32_t noise = 1;
    float sum = 0.0f;
    for (int frame = 0; frame < k_frames; ++frame) {
        noise = noise * 1664525u + 1013904223u;
        const float x = static_cast<float>(noise >> 8) * (1.0f / 8388608.0f) - 1.0f;
        float y = 0.0f;
        for (Filter& filter : filters)
            y += filter.next(x);
        sum = sum * 0.999f + y;
    }
    std::printf("%g\n", static_cast<double>(sum)); // so that nothing may be left out
    return 0;
}
