// SPDX-License-Identifier: MIT
// Everything at once: the audio thread plays while a host sets parameters and saves, and an editor edits and looks.
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "plugin/core/instance.h"

using namespace tutti;
using plugin::BlockEvent;
using plugin::Instance;
using plugin::ParameterList;

TEST_CASE("audio, host and editor at once") {
    Instance instance;
    REQUIRE(instance.prepare(48000.0, 64));
    instance.monitor().watch(true);
    const std::vector<std::uint8_t> tuning = Tuning().bulk_dump();
    std::atomic<bool> stop{false};
    std::atomic<int> odd{0};
    std::thread audio([&] {
        std::vector<float> left(64), right(64);
        float* out[2] = {left.data(), right.data()};
        for (int block = 0; !stop; ++block) {
            std::vector<BlockEvent> events;
            if (block % 20 == 0) events.push_back(BlockEvent::midi(3, 0x90, 40 + block / 20 % 40, 100));
            if (block % 20 == 10) events.push_back(BlockEvent::midi(3, 0x80, 40 + block / 20 % 40, 0));
            if (block % 7 == 0) events.push_back(BlockEvent::midi(9, 0xb0, 21, block % 128));
            if (block % 11 == 0) instance.take_sysex(tuning, 5);
            instance.process(out, 2, 64, events, nullptr);
            for (const float x : left)
                if (!std::isfinite(x)) ++odd;
        }
    });
    std::thread host([&] {
        for (int round = 0; !stop; ++round) {
            instance.set_value(round % ParameterList::get().size(), static_cast<float>(round % 11) * 0.1f);
            if (round % 500 == 0) (void)instance.save();
            std::this_thread::yield();
        }
    });
    std::vector<float> picture(2048);
    for (int round = 0; round < 60; ++round) {
        if (round % 10 == 0)
            REQUIRE(instance.load_preset(*Patch::factory(round % 20 == 0 ? "warm-pad" : "analog-bass"), ""));
        instance.learn(round % 8);
        instance.play_key(60 + round % 12, round % 2 == 0 ? 0.5 : 0.0);
        instance.tick();
        instance.monitor().copy(0, picture.data(), 2048);
        (void)instance.monitor().take_peak(1);
        (void)instance.stats();
        if (round % 15 == 0) instance.undo();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    stop = true;
    audio.join();
    host.join();
    CHECK(odd == 0);
}
