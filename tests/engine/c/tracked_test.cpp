// SPDX-License-Identifier: MIT
// Tracked voices: who sounds, who stays, and that nobody hears the change.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <tutti/tutti.h>

namespace {

struct Rig {
    explicit Rig(int tracked, int audible, const std::string& parameters, int frames_an_update = 64)
        : m_frames(frames_an_update) {
        tutti_config config = tutti_config_default();
        config.tracked_voices = tracked;
        config.audible_voices = audible;
        config.voices = 512;
        config.limiter = false;
        REQUIRE_MESSAGE(tutti_create(&config, &engine) == TUTTI_OK, tutti_last_error(nullptr));
        const std::string patch = R"({"tutti_patch": 1, "voices": 512, "parameters": {)" + parameters + "}}";
        REQUIRE_MESSAGE(tutti_set_patch_text(engine, 0, patch.data(), patch.size(), 0) == TUTTI_OK,
                        tutti_last_error(engine));
    }
    ~Rig() { tutti_destroy(engine); }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    tutti_voice start(float gain, int key = 60) {
        tutti_voice_start_info info = tutti_voice_default();
        info.gain = gain;
        info.key = key;
        return tutti_voice_start(engine, &info);
    }
    // Left channel.
    std::vector<float> run(int updates) {
        std::vector<float> left;
        std::vector<float> out(static_cast<std::size_t>(2 * m_frames));
        for (int i = 0; i < updates; ++i) {
            tutti_voices_update(engine);
            tutti_pull_interleaved(engine, out.data(), static_cast<uint32_t>(m_frames));
            for (std::size_t k = 0; k < out.size(); k += 2)
                left.push_back(out[k]);
        }
        return left;
    }
    tutti_stats stats() const {
        tutti_stats all{};
        all.struct_size = sizeof all;
        tutti_get_stats(engine, &all);
        return all;
    }
    tutti_engine* engine = nullptr;

private:
    int m_frames;
};

const std::string k_sine = R"("osc1_wave": "sine", "filter_type": "off", "velocity": 0)";

double level(const std::vector<float>& samples, std::size_t from) {
    double sum = 0.0;
    for (std::size_t i = from; i < samples.size(); ++i)
        sum += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
    return std::sqrt(sum / static_cast<double>(samples.size() - from));
}

} // namespace

TEST_CASE("the loudest sound, the others wait, and a stronger one takes a weaker one's place") {
    Rig rig(100, 8, k_sine);
    std::vector<tutti_voice> voices;
    for (int i = 0; i < 40; ++i)
        voices.push_back(rig.start(0.01f * static_cast<float>(1 + (i * 17) % 40)));
    rig.run(40);
    CHECK(rig.stats().tracked_voices == 40);
    CHECK(rig.stats().audible_voices == 8);
    // Within the hysteresis of 3 dB the loudest eight: none above 0.40 / 1.4125 is left out for one below it.
    float loudest_out = 0.0f, softest_in = 1.0f;
    for (int i = 0; i < 40; ++i) {
        const float gain = 0.01f * static_cast<float>(1 + (i * 17) % 40);
        if (tutti_voice_is_audible(rig.engine, voices[static_cast<std::size_t>(i)]))
            softest_in = std::min(softest_in, gain);
        else
            loudest_out = std::max(loudest_out, gain);
    }
    CHECK(loudest_out <= softest_in * 1.4126f);
    tutti_voice quiet = voices[0]; // 0.01
    CHECK_FALSE(tutti_voice_is_audible(rig.engine, quiet));
    CHECK(tutti_voice_set(rig.engine, quiet, TUTTI_GAIN, 0.9f));
    rig.run(20);
    CHECK(tutti_voice_is_audible(rig.engine, quiet));
    CHECK(rig.stats().audible_voices == 8);
    CHECK(rig.stats().voices <= 8);
}

TEST_CASE("two of nearly the same loudness do not take turns") {
    Rig rig(2, 1, k_sine);
    const tutti_voice a = rig.start(0.5f), b = rig.start(0.1f, 64);
    rig.run(20);
    CHECK(tutti_voice_is_audible(rig.engine, a));
    int changes = 0;
    bool was = true;
    for (int i = 0; i < 100; ++i) {
        tutti_voice_set(rig.engine, b, TUTTI_GAIN, i % 2 != 0 ? 0.6f : 0.4f); // 1.6 dB above, 1.9 dB below
        rig.run(2);
        const bool now = tutti_voice_is_audible(rig.engine, a);
        changes += now != was ? 1 : 0;
        was = now;
    }
    CHECK(changes == 0);
    tutti_voice_set(rig.engine, b, TUTTI_GAIN, 0.8f); // 4.1 dB
    rig.run(20);
    CHECK(tutti_voice_is_audible(rig.engine, b));
}

TEST_CASE("priority counts like decibels") {
    Rig rig(2, 1, k_sine);
    rig.start(1.0f);
    tutti_voice_start_info info = tutti_voice_default();
    info.gain = 0.1f;
    info.priority = 30.0f; // 20 dB softer, 30 dB more important
    const tutti_voice speech = tutti_voice_start(rig.engine, &info);
    rig.run(20);
    CHECK(tutti_voice_is_audible(rig.engine, speech));
}

TEST_CASE("no click when voices are exchanged") {
    Rig rig(2, 1, k_sine);
    const tutti_voice a = rig.start(0.5f, 57), b = rig.start(0.1f, 57);
    std::vector<float> out = rig.run(60);
    for (int i = 0; i < 20; ++i) {
        tutti_voice_set(rig.engine, a, TUTTI_GAIN, i % 2 != 0 ? 0.5f : 0.1f);
        tutti_voice_set(rig.engine, b, TUTTI_GAIN, i % 2 != 0 ? 0.1f : 0.5f);
        const std::vector<float> more = rig.run(40);
        out.insert(out.end(), more.begin(), more.end());
    }
    // Second differences: a sine of 220 Hz has (2 pi 220 / 48000)^2 = 0.00083 of its level; the fastest fade is linear over 2 ms
    // = 96 frames, its corner 1 / 96 of the level, gain steps of 5 ms less. A cut would be the whole level.
    const double loudest = static_cast<double>(*std::max_element(out.begin(), out.end()));
    double worst = 0.0;
    for (std::size_t i = 2; i < out.size(); ++i)
        worst = std::max(worst, std::fabs(static_cast<double>(out[i]) - 2.0 * static_cast<double>(out[i - 1]) +
                                          static_cast<double>(out[i - 2])));
    CHECK(worst < loudest * 0.03);
    CHECK(loudest > 0.05);
}

TEST_CASE("a voice comes back at its age") {
    const std::string decays =
        k_sine + R"(, "env1_attack": 0.001, "env1_decay": 2.0, "env1_sustain": 0, "env1_curve": 5)";
    std::vector<float> always, returned;
    {
        Rig rig(2, 1, decays);
        rig.start(0.5f);
        always = rig.run(750); // one second
    }
    {
        Rig rig(2, 1, decays);
        const tutti_voice voice = rig.start(0.5f);
        rig.run(5);
        tutti_voice_set(rig.engine, voice, TUTTI_GAIN, 0.0f);
        rig.run(370);
        CHECK_FALSE(tutti_voice_is_audible(rig.engine, voice));
        tutti_voice_set(rig.engine, voice, TUTTI_GAIN, 0.5f);
        returned = rig.run(375);
        CHECK(tutti_voice_is_audible(rig.engine, voice));
    }
    // The last tenth of a second: the same level, though half of the time nobody rendered it. Phases differ, hence 3 %.
    const double a = level(always, always.size() - 4800), b = level(returned, returned.size() - 4800);
    CHECK(std::fabs(a - b) < 0.03 * a);
}

TEST_CASE("distance, side and the end of time") {
    Rig rig(4, 4, k_sine);
    tutti_voice_start_info info = tutti_voice_default();
    info.x = 50.0f;
    info.near_distance = 1.0f;
    info.far_distance = 20.0f;
    info.seconds = 0.1;
    const tutti_voice far = tutti_voice_start(rig.engine, &info);
    rig.run(4);
    CHECK_FALSE(tutti_voice_is_audible(rig.engine, far));
    CHECK(tutti_voice_move(rig.engine, far, 2.0f, 0.0f, 0.0f));
    rig.run(20);
    CHECK(tutti_voice_is_audible(rig.engine, far));
    std::vector<float> out(2 * 512);
    tutti_pull_interleaved(rig.engine, out.data(), 512);
    float left = 0.0f, right = 0.0f;
    for (std::size_t i = 0; i < out.size(); i += 2) {
        left = std::max(left, std::fabs(out[i]));
        right = std::max(right, std::fabs(out[i + 1]));
    }
    CHECK(right > 10.0f * left);
    rig.run(100); // past its end
    CHECK_FALSE(tutti_voice_move(rig.engine, far, 0.0f, 0.0f, 0.0f));
    CHECK(rig.stats().tracked_voices == 0);
}

TEST_CASE("handles end with their voices, and the number of voices is kept") {
    Rig rig(3, 2, k_sine);
    const tutti_voice a = rig.start(1.0f), b = rig.start(1.0f), c = rig.start(1.0f);
    CHECK(a != 0);
    CHECK(c != 0);
    CHECK(rig.start(1.0f) == 0);
    rig.run(4);
    CHECK(tutti_voice_stop(rig.engine, b));
    CHECK_FALSE(tutti_voice_stop(rig.engine, b));
    const tutti_voice d = rig.start(1.0f);
    CHECK(d != b);
    CHECK_FALSE(tutti_voice_set(rig.engine, b, TUTTI_GAIN, 1.0f));
    CHECK(tutti_voice_set(rig.engine, d, TUTTI_GAIN, 1.0f));
    CHECK_FALSE(tutti_voice_stop(rig.engine, 0));
    CHECK_FALSE(tutti_voice_stop(rig.engine, 12345));
}

TEST_CASE("a crowd: bounded voices, the same samples each time, nothing left behind") {
    std::vector<float> heard[2];
    for (std::vector<float>& out : heard) {
        Rig rig(20000, 64, k_sine + R"(, "env1_release": 0.02)");
        std::vector<tutti_voice> voices;
        for (int i = 0; i < 20000; ++i) {
            tutti_voice_start_info info = tutti_voice_default();
            info.key = 40 + i % 40;
            info.x = static_cast<float>(i % 200) - 100.0f;
            info.z = static_cast<float>(i / 200) - 50.0f;
            info.gain = 0.2f;
            info.far_distance = 50.0f;
            voices.push_back(tutti_voice_start(rig.engine, &info));
        }
        for (int i = 0; i < 300; ++i) {
            const float place[3] = {static_cast<float>(i) * 0.3f - 45.0f, 0.0f, 0.0f};
            const float right[3] = {1.0f, 0.0f, 0.0f};
            tutti_listener_move(rig.engine, place, right);
            const std::vector<float> more = rig.run(1);
            out.insert(out.end(), more.begin(), more.end());
            CHECK(rig.stats().voices < 64 + 32);
        }
        CHECK(rig.stats().audible_voices == 64);
        CHECK(rig.stats().dropped_events == 0);
        CHECK(rig.stats().stolen_voices == 0);
        for (const tutti_voice voice : voices)
            tutti_voice_stop(rig.engine, voice);
        rig.run(100);
        CHECK(rig.stats().voices == 0);
        CHECK(rig.stats().tracked_voices == 0);
    }
    CHECK(heard[0] == heard[1]);
}

// Six parts around the listener in 7.1 and ambisonic: what the loudspeakers give points to where the voice stands, all the way
// round, at one loudness, and without a jump where it goes from one part to the next.
TEST_CASE("voices around the listener: each in its own direction") {
    for (const bool ambisonic : {false, true}) {
        CAPTURE(ambisonic);
        tutti_config config = tutti_config_default();
        config.channels = ambisonic ? 4 : 8;
        config.layout = ambisonic ? TUTTI_AMBISONIC : TUTTI_SURROUND_7_1;
        config.parts = 6;
        config.tracked_voices = 4;
        config.audible_voices = 4;
        config.limiter = false;
        tutti_engine* engine = nullptr;
        REQUIRE_MESSAGE(tutti_create(&config, &engine) == TUTTI_OK, tutti_last_error(nullptr));
        const std::string patch = R"({"tutti_patch": 1, "parameters": {)" + k_sine + "}}";
        for (int part = 0; part < 6; ++part) {
            REQUIRE(tutti_set_patch_text(engine, part, patch.data(), patch.size(), 0) == TUTTI_OK);
            REQUIRE(tutti_place_part(engine, part, 60.0f * static_cast<float>(part), 0.0f) == TUTTI_OK);
        }
        tutti_voice_start_info info = tutti_voice_default();
        info.part = 0;
        info.around = 1;
        info.key = 72;
        info.far_distance = 100.0f;
        info.z = -5.0f; // ahead
        const tutti_voice voice = tutti_voice_start(engine, &info);
        REQUIRE(voice != 0);
        const std::size_t width = config.channels;
        std::vector<float> out(width * 64);
        const float place[3] = {0.0f, 0.0f, 0.0f}, right[3] = {1.0f, 0.0f, 0.0f}, front[3] = {0.0f, 0.0f, -1.0f};
        tutti_listener_face(engine, place, right, front);
        double loudest = 0.0, softest = 1e9, before = 0.0, step = 0.0, last = 0.0, slope = 0.0;
        constexpr int k_round = 3000; // blocks: 4 s
        for (int i = 0; i < k_round + 200; ++i) {
            const double angle = 6.283185307 * std::max(0, i - 200) / k_round;
            REQUIRE(tutti_voice_move(engine, voice, static_cast<float>(5.0 * std::sin(angle)), 0.0f,
                                     static_cast<float>(-5.0 * std::cos(angle))));
            tutti_voices_update(engine);
            tutti_pull_interleaved(engine, out.data(), 64);
            for (std::size_t k = 0; k < 64; ++k) { // what a jump would show in: the second difference of all channels
                double sum = 0.0;
                for (std::size_t c = 0; c < width; ++c)
                    sum += ambisonic && c > 0 ? 0.0 : static_cast<double>(out[k * width + c]);
                if (i > 100) step = std::max(step, std::fabs(sum - before - (before - last)));
                last = before;
                before = sum;
            }
            if (i < 100 || i % 50 != 0) continue;
            // Power of each channel over some blocks, while it stands still enough.
            std::vector<double> power(width), cross(width);
            for (int more = 0; more < 20; ++more) {
                tutti_voices_update(engine);
                tutti_pull_interleaved(engine, out.data(), 64);
                for (std::size_t k = 0; k < 64; ++k)
                    for (std::size_t c = 0; c < width; ++c) {
                        power[c] += static_cast<double>(out[k * width + c]) * static_cast<double>(out[k * width + c]);
                        cross[c] += static_cast<double>(out[k * width + c]) * static_cast<double>(out[k * width]);
                    }
            }
            for (std::size_t k = 0; k < 64; ++k) { // the run goes on from here
                last = before;
                before = 0.0;
                for (std::size_t c = 0; c < width; ++c)
                    before += ambisonic && c > 0 ? 0.0 : static_cast<double>(out[k * width + c]);
            }
            double x = 0.0, y = 0.0, all = 0.0; // y ahead, x to the right
            if (ambisonic) {                    // ACN: W, Y (left), Z, X (front)
                x = -cross[1];
                y = cross[3];
                all = power[0];
            } else { // L R C LFE, sides behind them: WAVE's order is L R C LFE BL BR SL SR
                const double degrees[] = {-30, 30, 0, 0, -150, 150, -90, 90};
                for (std::size_t c = 0; c < 8; ++c) {
                    if (c == 3) continue;
                    x += power[c] * std::sin(degrees[c] * 0.017453293);
                    y += power[c] * std::cos(degrees[c] * 0.017453293);
                    all += power[c];
                }
            }
            const double off = std::remainder(std::atan2(x, y) - angle, 6.283185307) * 57.29578;
            CHECK_MESSAGE(std::fabs(off) < 25.0, angle * 57.29578, " degrees: ", off);
            loudest = std::max(loudest, all);
            softest = std::min(softest, all);
            slope = std::max(slope, std::fabs(off));
        }
        MESSAGE("largest error ", slope, " degrees, loudness within ", 10.0 * std::log10(loudest / softest), " dB");
        CHECK(10.0 * std::log10(loudest / softest) < 1.5);
        CHECK(step < 0.01); // a sine of this loudness has 0.001
        CHECK(tutti_voice_is_audible(engine, voice));
        tutti_stats stats{};
        stats.struct_size = sizeof stats;
        tutti_get_stats(engine, &stats);
        CHECK(stats.stolen_voices == 0);
        info.part = 1; // six parts from 1 on are not there
        CHECK(tutti_voice_start(engine, &info) == 0);
        tutti_destroy(engine);
    }
}

TEST_CASE("jobs: progress, result, cancellation; none in a block") {
    Rig rig(0, 1, k_sine);
    tutti_job* job = nullptr;
    int answer = 0;
    const tutti_job_work work = [](void* user, tutti_job_context* context) {
        tutti_job_report(context, "thinking", 0.5);
        *static_cast<int*>(user) = 42;
        return TUTTI_OK;
    };
    REQUIRE(tutti_job_start(rig.engine, "think", 0, work, &answer, &job) == TUTTI_OK);
    CHECK(tutti_job_wait(job, 20.0));
    tutti_result result = TUTTI_INTERNAL;
    CHECK(tutti_job_poll(job, &result, nullptr));
    CHECK(result == TUTTI_OK);
    CHECK(answer == 42);
    tutti_job_release(job);
    const tutti_job_work waits = [](void*, tutti_job_context* context) {
        while (!tutti_job_is_cancelled(context)) {
        }
        return TUTTI_CANCELLED;
    };
    REQUIRE(tutti_job_start(rig.engine, "wait", 0, waits, nullptr, &job) == TUTTI_OK);
    tutti_job_cancel(job);
    CHECK(tutti_job_wait(job, 20.0));
    CHECK(tutti_job_poll(job, &result, nullptr));
    CHECK(result == TUTTI_CANCELLED);
    tutti_job_release(job);

    tutti_config config = tutti_config_default();
    std::vector<char> block(tutti_memory_size(&config));
    tutti_engine* fixed = nullptr;
    REQUIRE(tutti_create_in(block.data(), block.size(), &config, &fixed) == TUTTI_OK);
    CHECK(tutti_job_start(fixed, "none", 0, work, nullptr, &job) == TUTTI_UNSUPPORTED);
    CHECK(job == nullptr);
    tutti_destroy(fixed);
}
