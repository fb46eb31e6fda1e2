// SPDX-License-Identifier: MIT
// The chain: building, sums, sleep and waking.
#include <doctest/doctest.h>

#include "tests/engine/effects/support.h"

using namespace test;

namespace {

std::unique_ptr<EffectChain> chain_of(const std::vector<PatchEffect>& effects, double rate = 48000.0,
                                      int channels = 2) {
    auto chain = EffectChain::create(effects, rate, channels);
    REQUIRE_MESSAGE(chain.ok(), chain.status().message());
    return std::move(chain).value();
}

const std::vector<PatchEffect> k_pad = {
    {"equalizer", {{"low-cut", 40.0}}, true},
    {"saturation", {}, true},
    {"chorus", {}, true},
    {"delay", {{"feedback", 0.2}, {"left", 3.0}, {"right", 3.0}}, true},
    {"reverb", {{"decay", 0.3}}, true},
    {"compressor", {}, true},
};

// Bursts with long gaps, at odd frames.
Stereo bursts(std::size_t frames) {
    Stereo s(frames);
    const Stereo n = noise(frames, 0.5f, 11);
    for (const std::size_t start : {std::size_t{1003}, std::size_t{150029}, std::size_t{290001}})
        for (std::size_t i = start; i < std::min(start + 3000, frames); ++i) {
            s.left[i] = n.left[i];
            s.right[i] = n.right[i];
        }
    return s;
}

} // namespace

TEST_CASE("building a chain: what is unknown or out of range is named") {
    const auto code = [](const std::vector<PatchEffect>& effects, double rate = 48000.0, int channels = 2) {
        return EffectChain::create(effects, rate, channels).status();
    };
    CHECK(code({{"flanger", {}, true}}).code() == Code::not_found);
    CHECK(code({{"flanger", {}, true}}).remedy().find("chorus, delay, reverb") != std::string::npos);
    CHECK(code({{"reverb", {{"decoy", 1.0}}, true}}).code() == Code::not_found);
    CHECK(code({{"reverb", {{"decoy", 1.0}}, true}}).message().find("reverb has no parameter \"decoy\"") == 0);
    CHECK(code({{"reverb", {{"decoy", 1.0}}, false}}).code() == Code::not_found); // disabled ones are checked, too
    CHECK(code({{"reverb", {{"decay", 1000.0}}, true}}).code() == Code::out_of_range);
    CHECK(code({{"reverb", {{"decay", std::nan("")}}, true}}).code() == Code::out_of_range);
    CHECK(code({{"reverb", {}, true}}, 1000.0).code() == Code::out_of_range);
    CHECK(code({}, 48000.0, 17).code() == Code::out_of_range);
    CHECK(code(std::vector<PatchEffect>(17, PatchEffect{"chorus", {}, true})).code() == Code::out_of_range);
    CHECK(chain_of({{"reverb", {}, false}, {"chorus", {}, true}})->size() == 1);
}

TEST_CASE("latency and tail are the sums of the effects'") {
    const auto chain = chain_of(k_pad);
    int latency = 0;
    std::int64_t tail = 0;
    for (const PatchEffect& row : k_pad) {
        Values values;
        for (const auto& [id, value] : row.parameters)
            values[id] = static_cast<float>(value);
        const auto effect = make(row.type.c_str(), 48000.0, values);
        latency += effect->latency_frames();
        tail += effect->tail_frames();
    }
    CHECK(latency == 15);
    CHECK(chain->latency_frames() == latency);
    CHECK(chain->tail_frames() == tail);
}

TEST_CASE("a chain sleeps and wakes by the samples alone: any split gives the same bits") {
    const Stereo input = bursts(300000);
    const auto whole = chain_of(k_pad);
    Stereo expected = input;
    render(*whole, expected);
    for (const int block : {1, 5, 16, 64, 1000, 0, 0}) {
        CAPTURE(block);
        const auto chain = chain_of(k_pad);
        Stereo s = input;
        Random random(3);
        int slept = 0;
        for (std::size_t at = 0; at < s.size();) {
            const std::size_t count =
                std::min(s.size() - at, static_cast<std::size_t>(block > 0 ? block : 1 + random.below(700)));
            render(*chain, s, at, count, static_cast<std::int64_t>(at));
            at += count;
            slept += chain->asleep();
        }
        CHECK(slept > 0);
        CHECK(s == expected);
    }
}

TEST_CASE("sleeping changes nothing that can be heard") {
    const Stereo input = bursts(300000);
    const auto chain = chain_of(k_pad);
    Stereo asleep = input;
    bool slept = false;
    for (std::size_t at = 0; at < asleep.size(); at += 100) {
        render(*chain, asleep, at, 100, static_cast<std::int64_t>(at));
        slept = slept || chain->asleep();
    }
    CHECK(slept);
    // The same effects without sleep, from the tick of the first burst on. Moving delays stand still during sleep: compare
    // the first burst frame by frame, and the later ones by their level.
    Stereo awake = input;
    for (const PatchEffect& row : k_pad) {
        Values values;
        for (const auto& [id, value] : row.parameters)
            values[id] = static_cast<float>(value);
        const auto effect = make(row.type.c_str(), 48000.0, values);
        render(*effect, awake, 992, awake.size() - 992, 992);
    }
    float most = 0.0f;
    for (std::size_t i = 1003; i < 150000; ++i)
        most = std::max(most, std::fabs(asleep.left[i] - awake.left[i]));
    // Four stages may each leave out -120 dBFS, and the compressor's make-up adds 4 dB.
    CHECK(most < 4e-6f);
    CHECK(std::fabs(decibels(rms(asleep.left, 150029, 160000) / rms(awake.left, 150029, 160000))) < 0.5);
    CHECK(peak(asleep.left, 149000, 150029) == 0.0f);
}

TEST_CASE("an echo that is still in the line keeps the chain awake") {
    // One repeat after two seconds, nothing in between.
    const auto chain =
        chain_of({{"delay", {{"left", 0.0}, {"right", 0.0}, {"time", 2.0}, {"feedback", 0.5}, {"mix", 0.5}}, true}});
    Stereo s = impulse(48000 * 5);
    for (std::size_t at = 0; at < s.size(); at += 480)
        render(*chain, s, at, 480, static_cast<std::int64_t>(at));
    CHECK(peak(s.left, 95000, 97000) > 0.01f);
    CHECK(peak(s.left, 191000, 193000) > 0.005f);
    CHECK_FALSE(chain->asleep());
}

TEST_CASE("mix at zero does not lose the tail inside: turned up again, it is there") {
    const auto chain = chain_of({{"reverb", {{"decay", 8.0}, {"mix", 0.0}}, true}});
    const int mix = chain->type(0).find("mix");
    Stereo s(96000);
    const Stereo n = noise(4800, 0.5f);
    std::copy(n.left.begin(), n.left.end(), s.left.begin());
    for (std::size_t at = 0; at < s.size(); at += 480) {
        if (at == 48000) chain->set_parameter(0, mix, 1.0f);
        render(*chain, s, at, 480, static_cast<std::int64_t>(at));
    }
    CHECK_FALSE(chain->asleep());
    CHECK(rms(s.left, 60000, 70000) > 1e-3);
}

TEST_CASE("asleep, a chain gives zeros and wakes on NaN as on silence") {
    const auto chain = chain_of(k_pad);
    Stereo s(640);
    for (std::size_t i = 0; i < s.size(); ++i) {
        s.left[i] = 5e-7f;
        s.right[i] = std::nanf("");
    }
    render(*chain, s);
    CHECK(chain->asleep());
    CHECK(peak(s.left) == 0.0f);
    CHECK(peak(s.right) == 0.0f);
    s.left[100] = 2e-6f;
    render(*chain, s, 0, 640, 640);
    CHECK_FALSE(chain->asleep());
}

TEST_CASE("more than two channels go by pairs; no channel leaks into another pair") {
    const auto chain = chain_of({{"reverb", {{"mix", 1.0}}, true}}, 48000.0, 5);
    std::vector<std::vector<float>> channels(5, std::vector<float>(9600, 0.0f));
    channels[2][0] = 1.0f;
    float* io[5];
    for (std::size_t c = 0; c < 5; ++c)
        io[c] = channels[c].data();
    chain->render(io, 9600, 0);
    CHECK(peak(channels[0]) == 0.0f);
    CHECK(peak(channels[1]) == 0.0f);
    CHECK(peak(channels[2]) > 0.0f);
    CHECK(peak(channels[3]) > 0.0f);
    CHECK(peak(channels[4]) == 0.0f);
    std::vector<float> alone(9600, 0.0f);
    alone[0] = 1.0f;
    const auto mono = chain_of({{"reverb", {{"mix", 1.0}}, true}}, 48000.0, 1);
    float* const one[1] = {alone.data()};
    mono->render(one, 9600, 0);
    CHECK(peak(alone) > 0.0f);
}

TEST_CASE("an empty chain leaves the samples alone") {
    const auto chain = chain_of({});
    const Stereo input = noise(1000, 2.0f);
    Stereo s = input;
    render(*chain, s);
    CHECK(s == input);
    CHECK(chain->latency_frames() == 0);
    CHECK(chain->tail_frames() == 0);
}
