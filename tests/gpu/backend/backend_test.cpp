// SPDX-License-Identifier: MIT
// The device backend on the simulated device: the reference's bits, graphs, memory, two steps under way, hand-over.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/gpu/backend/rig.h"

using namespace tutti;

TEST_CASE(
    "fault 69: a graph that is replayed with other parameters: every voice type gives the bits of launches and of the "
    "scalar reference, whatever the blocks") {
    for (const voices::VoiceType* type : voices::k_voice_types) {
        CAPTURE(type->id);
        const auto reference = rig::play(*rig::make_reference(), type->id, 3000, 64);
        CHECK(rig::rms(reference.left, 500, 1500) > 1e-4);
        for (const bool graphs : {true, false}) {
            auto config = rig::small_config();
            config.graphs = graphs;
            config.mirror_voices = graphs ? 2048 : 0;
            auto rig = rig::make({}, config);
            CHECK(rig::play(*rig.engine, type->id, 3000, graphs ? 61 : 512) == reference);
        }
    }
}

TEST_CASE(
    "fault 67: device memory that runs full over hours: nothing is allocated on the device after it was made, and "
    "graphs are captured once a layout") {
    gpu::SimulatedOptions options;
    auto rig = rig::make(options, rig::small_config());
    auto stream = rig.engine->open({.mode = Mode::offline, .parts = 1, .limiter = false}).value();
    const std::int64_t before = gpu::simulated_allocations(rig.backend().device());
    Patch patch;
    patch.voice = "subtractive";
    std::vector<float> left(64), right(64);
    float* out[] = {left.data(), right.data()};
    auto sender = stream->make_sender().value();
    for (int block = 0; block < 400; ++block) {
        if (block % 50 == 0) REQUIRE(stream->set_patch(0, patch, 64 * block).ok());
        sender.post(Event::note_on(64 * block + block % 64, 0, 40 + block % 40, 0.5));
        sender.post(Event::note_off(64 * block + 200, 0, 40 + block % 40));
        stream->pull(out, 64);
    }
    const gpu::BackendStats stats = rig.backend().stats();
    CHECK(gpu::simulated_allocations(rig.backend().device()) == before);
    CHECK(stats.steps > 300);
    CHECK(stats.graphs < 12);
    CHECK(stats.cpu_banks == 0);
    CHECK_FALSE(stats.lost);
}

TEST_CASE("banks that the device has no room for stay on the CPU, with the same bits") {
    auto config = rig::small_config();
    config.rows = 12; // one part's rows, not two
    auto rig = rig::make({}, config);
    CHECK(rig::play(*rig.engine, "subtractive", 2000, 64) ==
          rig::play(*rig::make_reference(), "subtractive", 2000, 64));
}

TEST_CASE("two steps may be under way; a third waits; collected in order they give one after the other's bits") {
    const voices::VoiceType& type = *voices::find_voice_type("subtractive");
    const auto run = [&](bool pipelined, double upload_us = 0.0) {
        gpu::SimulatedOptions slow;
        slow.latency_us = 200.0;
        slow.upload_us = upload_us;
        auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(slow),
                                             engine::make_cpu_backend(1, engine::Isa::scalar), rig::small_config());
        REQUIRE(made.ok());
        std::vector<float> table(voices::part_input_count + static_cast<std::size_t>(type.parameter_count));
        for (int p = 0; p < type.parameter_count; ++p)
            table[voices::part_input_count + static_cast<std::size_t>(p)] =
                kernel_value(type.parameters[p], type.parameters[p].fallback);
        alignas(64) static float fields[256 * voices::k_row_slots];
        std::fill_n(fields, 256 * voices::k_row_slots, 0.0f);
        float values[voices::state_field(voices::k_max_envelopes)] = {};
        values[voices::input_pitch] = 60.0f;
        values[voices::input_gain] = values[voices::input_velocity] = values[voices::input_unison_gain] = 1.0f;
        values[voices::input_lowpass] = 1.0f;
        for (int e = 0; e < type.envelope_count; ++e)
            values[voices::envelope_field(e)] = values[voices::envelope_field(e) + 1] = 1.0f;
        engine::Edit edit;
        edit.values = values;
        engine::Row row;
        row.fields = fields;
        engine::TableChange change{0, 1, table.data()};
        float bus[4][2][64];
        engine::Bank bank[4];
        engine::BankStep steps[4];
        for (int i = 0; i < 4; ++i) {
            bank[i].type = &type;
            bank[i].shape = type.shape(table.data() + voices::part_input_count, nullptr, 0);
            bank[i].tables = &change;
            bank[i].table_count = 1;
            bank[i].rows = &row;
            bank[i].row_count = 1;
            bank[i].edits = &edit;
            bank[i].bus[0] = bus[i][0];
            bank[i].bus[1] = bus[i][1];
            steps[i] = {&bank[i], {64 * i, 64}};
        }
        std::vector<float> sound;
        row.first_edit = 0;
        if (pipelined) {
            CHECK((*made)->submit(&steps[0], 1));
            row.first_edit = engine::k_no_edit;
            CHECK((*made)->submit(&steps[1], 1));
            CHECK_FALSE((*made)->submit(&steps[2], 1));
            (*made)->collect(1);
            CHECK((*made)->submit(&steps[2], 1));
            (*made)->collect(1);
            CHECK((*made)->submit(&steps[3], 1));
            (*made)->collect(1);
            (*made)->collect(1);
        } else {
            for (int i = 0; i < 4; ++i) {
                (*made)->render(&steps[i], 1, 1);
                row.first_edit = engine::k_no_edit;
            }
        }
        CHECK_FALSE((*made)->stats().lost);
        for (auto& each : bus)
            sound.insert(sound.end(), each[0], each[0] + 64);
        return sound;
    };
    const auto apart = run(false);
    CHECK(run(true) == apart);
    // Synthesis waits for uploads, which have a stream of their own, however slow they are.
    CHECK(run(true, 1000.0) == apart);
    CHECK(std::fabs(apart[200]) > 1e-6f);
}

TEST_CASE("a loss with mirrored state is not heard: the CPU goes on with the same bits") {
    const auto reference = rig::play(*rig::make_reference(), "subtractive", 6000, 64);
    for (const int when : {60, 200, 333}) {
        gpu::SimulatedOptions options;
        options.fault = [when](std::int64_t call) { return call == when ? int(gpu::simulated_fault) : 0; };
        auto rig = rig::make(options, rig::small_config());
        auto take = rig::play(*rig.engine, "subtractive", 6000, 64);
        CHECK(take == reference);
    }
}

TEST_CASE("a device that stands still is given up when its budget is spent, once and for all") {
    gpu::SimulatedOptions options;
    options.stall = [](std::int64_t launch) { return launch == 40 ? 300e3 : 0.0; };
    auto config = rig::small_config();
    config.budget_us = 100e3; // far above what a busy machine needs, far below the stall
    auto rig = rig::make(options, config);
    const auto take = rig::play(*rig.engine, "subtractive", 6000, 64);
    CHECK(take == rig::play(*rig::make_reference(), "subtractive", 6000, 64));
}

TEST_CASE(
    "a loss without mirrored state: no step in the sound, the voices go on, what the CPU cannot hold is counted") {
    const auto reference = rig::play(*rig::make_reference(), "subtractive", 9600, 64, 8);
    for (const int held : {2048, 6}) {
        gpu::SimulatedOptions options;
        options.fault = [](std::int64_t call) { return call == 330 ? int(gpu::simulated_fault) : 0; };
        auto config = rig::small_config();
        config.mirror_voices = 0;
        config.standby_voices = held;
        config.graphs = false;
        auto rig = rig::make(options, config);
        gpu::BackendStats stats;
        auto stream_take = rig::play(*rig.engine, "subtractive", 9600, 64, 8);
        const double after = rig::rms(stream_take.left, 6000, 9600), meant = rig::rms(reference.left, 6000, 9600);
        CAPTURE(held);
        if (held > 100) CHECK(std::fabs(20.0 * std::log10(after / meant)) < 3.0); // phases begin anew: sums differ
        if (held < 100) CHECK(after < meant);
        CHECK(after > 0.05 * meant);
        // The largest step between two frames is that of the sound itself.
        double largest = 0.0, own = 0.0;
        for (std::size_t i = 1; i < 9600; ++i) {
            largest = std::max(largest, std::fabs(static_cast<double>(stream_take.left[i]) - stream_take.left[i - 1]));
            own = std::max(own, std::fabs(static_cast<double>(reference.left[i]) - reference.left[i - 1]));
        }
        CHECK(largest < 1.5 * own);
    }
}

TEST_CASE("an idle device is kept awake") {
    std::atomic<int> launches{0};
    gpu::SimulatedOptions options;
    options.stall = [&](std::int64_t) { return ++launches, 0.0; };
    auto config = rig::small_config();
    config.keep_warm_ms = 1.0;
    auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options),
                                         engine::make_cpu_backend(1, engine::Isa::scalar), config);
    REQUIRE(made.ok());
    for (int i = 0; i < 3000 && launches < 6; ++i) // half a minute at most
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    CHECK(launches >= 6);
}

TEST_CASE("a device without the memory is refused, in a sentence") {
    gpu::SimulatedOptions options;
    options.memory = 1 << 20;
    auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options),
                                         engine::make_cpu_backend(1, engine::Isa::scalar), rig::small_config());
    REQUIRE_FALSE(made.ok());
    CHECK(made.status().code() == Code::out_of_memory);
}
