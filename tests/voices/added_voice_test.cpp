// SPDX-License-Identifier: MIT
// A voice type that a program brings along (tutti_add_voice, the example's header) is a type like any other.
#include <cmath>
#include <complex>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tutti/engine.h>
#include <tutti/tables.h>
#include <tutti/tutti.h>

#include "engine/core/voice_types.h"
#include "engine/cpu/isa.h"
#include "engine/patch/catalog.h"
#include "engine/patch/patch_file.h"

using namespace tutti;

namespace {

void choose_isa(const char* name) {
#if defined(_WIN32)
    _putenv_s("TUTTI_ISA", name);
#else
    setenv("TUTTI_ISA", name, 1);
#endif
}

Patch folded(double fold, double fold_env) {
    Patch patch;
    patch.voice = "folded";
    patch.parameters = {{"fold", fold}, {"fold_env", fold_env}, {"env1_attack", 0.0}, {"env1_release", 0.05}};
    return patch;
}

// A chord, bent and released half-way.
std::vector<float> play(const Patch& patch, const char* isa, int block) {
    choose_isa(isa);
    auto engine = Engine::create({.threads = 1});
    choose_isa("");
    REQUIRE(engine.ok());
    auto stream = (*engine)->open({.mode = Mode::offline, .parts = 1, .limiter = false}).value();
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    for (int i = 0; i < 5; ++i) {
        sender.post(Event::note_on(100 * i + 7, 0, 40 + 11 * i, 0.3 + 0.1 * i));
        sender.post(Event::note_off(16000 + 13 * i, 0, 40 + 11 * i));
    }
    sender.post(Event::midi(3000, 0, 0xe0, 0, 96));
    std::vector<float> left(32000), right(32000);
    for (int at = 0; at < 32000; at += block) {
        float* out[] = {left.data() + at, right.data() + at};
        stream->pull(out, std::min(block, 32000 - at));
    }
    CHECK(stream->stats().voices == 0);
    CHECK(left[31999] == 0.0f);
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

double bessel(int n, double a) {
    double sum = 0.0;
    constexpr int k_steps = 1000;
    for (int i = 0; i < k_steps; ++i) {
        const double t = 3.14159265358979 * (i + 0.5) / k_steps;
        sum += std::cos(n * t - a * std::sin(t));
    }
    return sum / k_steps;
}

} // namespace

TEST_CASE("tables, schema and the C interface know it") {
    const TypeTable* const table = voice_table("folded");
    REQUIRE(table != nullptr);
    CHECK(table->name == "Folded Sine");
    CHECK(parameter_index(*table, "fold_env") == 3);
    CHECK(voice_tables().size() == engine::voice_types().size());
    CHECK(std::string(tutti_voice_type(static_cast<int32_t>(voice_tables().size()) - 1)) == "folded");
    CHECK(tutti_voice_type(static_cast<int32_t>(voice_tables().size())) == nullptr);
    tutti_parameter info = {};
    info.struct_size = sizeof info;
    CHECK(tutti_parameter_info("folded", 2, &info) == TUTTI_OK);
    CHECK(std::string(info.id) == "fold");
    CHECK(engine::patch_schema(engine::catalog()).find("\"fold_env\"") != std::string::npos);
    const auto wrong = Patch::from_json(R"({"tutti_patch": 1, "voice": "folded", "parameters": {"fold": 99}})");
    CHECK(wrong.status().code() == Code::out_of_range);
}

TEST_CASE("the same bits in every instruction set, whatever the blocks") {
    Patch patch = folded(1.0, 6.0);
    patch.routes = {{"velocity", "fold", 3.0}, {"env1", "level", -6.0, "key"}};
    const std::vector<float> whole = play(patch, "scalar", 32000);
    double power = 0.0;
    for (const float x : whole)
        power += static_cast<double>(x) * x;
    CHECK(power / static_cast<double>(whole.size()) > 1e-5);
    CHECK(play(patch, "scalar", 61) == whole);
    for (const engine::Isa isa : {engine::Isa::avx2, engine::Isa::avx512, engine::Isa::neon})
        if (engine::isa_supported(isa))
            CHECK_MESSAGE(play(patch, engine::isa_name(isa), 333) == whole, engine::isa_name(isa));
    if (engine::isa_supported(engine::Isa::sse2)) { // no fused multiply-add: the bar is -100 dBFS
        const std::vector<float> near = play(patch, "sse2", 333);
        float gap = 0.0f;
        for (std::size_t i = 0; i < near.size(); ++i)
            gap = std::fmax(gap, std::fabs(near[i] - whole[i]));
        CHECK(gap < 1e-5f);
    }
}

// sin(a sin x) = 2 (J1(a) sin x + J3(a) sin 3x + ...)
TEST_CASE("its partials are Bessel functions") {
    auto engine = Engine::create({.threads = 1}).value();
    auto stream = engine->open({.channels = 1, .mode = Mode::offline, .parts = 1, .limiter = false}).value();
    Patch patch = folded(2.0, 0.0);
    patch.parameters["env1_sustain"] = 1.0;
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    sender.post(Event::note_on(0, 0, 69, 1.0));
    std::vector<float> sound(9600);
    float* out[] = {sound.data()};
    stream->pull(out, 9600);
    const auto partial = [&](int n) { // over 44 cycles of 440 Hz
        std::complex<double> sum = 0.0;
        for (int i = 0; i < 4800; ++i)
            sum += std::polar(static_cast<double>(sound[static_cast<std::size_t>(4800 + i)]),
                              -2.0 * 3.14159265358979 * 44 * n * i / 4800.0);
        return std::abs(sum);
    };
    const double first = partial(1);
    REQUIRE(first > 1.0);
    for (const int n : {3, 5, 7}) // the increment is a whole number of 2^-32 cycles, the sine 24 bits
        CHECK(partial(n) / first == doctest::Approx(bessel(n, 2.0) / bessel(1, 2.0)).epsilon(0.001));
    CHECK(partial(2) / first < 1e-4);
}

// Last: from here on no engine is made.
TEST_CASE("one that comes too late is refused by name") {
    static const voices::VoiceType late = [] {
        voices::VoiceType type = *engine::find_voice_type("folded");
        type.id = "late";
        return type;
    }();
    const engine::Kernel* none[engine::k_isa_count] = {};
    engine::add_voice_type(late, none);
    CHECK(voice_table("late") == nullptr);
    const auto engine = Engine::create();
    CHECK(engine.status().code() == Code::invalid_argument);
    CHECK(engine.status().message().find("'late'") != std::string::npos);
}
