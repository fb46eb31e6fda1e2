// SPDX-License-Identifier: MIT
// Two threads count on one plain variable.
// fault 77: a data race: found by the thread sanitizer, which finds this one
#include <cstdio>
#include <thread>

int main() {
    int frames = 0;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i)
            ++frames;
    });
    for (int i = 0; i < 1000; ++i)
        ++frames;
    other.join();
    std::printf("%d\n", frames);
}
