// SPDX-License-Identifier: MIT
// Monophonic playing: priority, legato, glide in cents over time; and how a theft sounds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/stream/fake.h"

using tutti::Event;
using tutti::NotePriority;
using tutti::PlayMode;

namespace {

struct Mono {
    explicit Mono(const tutti::Patch& patch) : rig({.limiter = false}, false, &probe) {
        REQUIRE(rig.stream->set_patch(0, patch).ok());
        sender = rig.stream->make_sender().value();
    }
    void on(int key) { post(Event::note_on(tutti::k_asap, 0, key, 1.0)); }
    void off(int key) { post(Event::note_off(tutti::k_asap, 0, key)); }
    void post(const Event& event) {
        REQUIRE(sender.post(event));
        pass(960);
    }
    void pass(int frames) { last = rig.render(frames, 16); }
    float pitch() const { return probe.banks.at(0).lanes.at(0).pitch(); }
    std::size_t count() const { return probe.banks.empty() ? 0 : probe.banks[0].lanes.size(); }
    fake::Probe probe;
    fake::Rig rig;
    tutti::Sender sender;
    std::vector<std::vector<float>> last;
};

tutti::Patch mono(PlayMode mode, NotePriority priority = NotePriority::last, double glide = 0.0) {
    tutti::Patch patch = fake::patch();
    patch.mode = mode;
    patch.priority = priority;
    patch.glide_seconds = glide;
    return patch;
}

} // namespace

TEST_CASE("one voice; note priority decides which key it plays, and where it goes back to") {
    struct Row {
        NotePriority priority;
        float third, second; // with 60, 72, 66 held; and after 66 came up
        float first;         // after 72 came up, too
    };
    for (const Row& row : {Row{NotePriority::last, 66, 72, 60}, Row{NotePriority::high, 72, 72, 60},
                           Row{NotePriority::low, 60, 60, 60}}) {
        CAPTURE(static_cast<int>(row.priority));
        Mono m(mono(PlayMode::mono, row.priority));
        m.on(60);
        m.on(72);
        m.on(66);
        CHECK(m.count() == 1);
        CHECK(m.pitch() == row.third);
        m.off(66);
        CHECK(m.pitch() == row.second);
        m.off(72);
        CHECK(m.pitch() == row.first);
        m.off(60);
        m.pass(9600);
        CHECK(m.rig.stream->stats().voices == 0);
    }
}

TEST_CASE("mono strikes again, legato moves on; neither steps") {
    for (const PlayMode mode : {PlayMode::mono, PlayMode::legato}) {
        tutti::Patch patch = mono(mode);
        patch.parameters["sustain"] = 0.5;
        Mono m(patch);
        m.on(60);
        m.pass(9600);
        CHECK(m.probe.banks[0].lanes[0].level() == doctest::Approx(0.5));
        REQUIRE(m.sender.post(Event::note_on(tutti::k_asap, 0, 67, 1.0)));
        m.pass(480 + 16); // the attack's 10 ms
        const float level = m.probe.banks[0].lanes[0].level();
        CHECK(level == doctest::Approx(mode == PlayMode::mono ? 1.0 : 0.5).epsilon(0.04));
        CHECK(m.pitch() == 67.0f);
        // From the level it had: no step larger than the oscillator's own.
        float step = 0.0f;
        for (std::size_t i = 1; i < m.last[0].size(); ++i)
            step = std::max(step, std::fabs(m.last[0][i] - m.last[0][i - 1]));
        CHECK(step < 0.1f * 0.6f * (6.2832f * 392.0f / 48000.0f + 0.01f));
        // A detached note begins anew in legato, too.
        m.off(60);
        m.off(67);
        m.pass(1200);
        m.on(60);
        CHECK(m.count() == 1);
        CHECK(m.probe.banks[0].lanes[0].level() > 0.6f); // 10 ms of attack, 10 of decay towards 0.5
    }
}

TEST_CASE("glide: a straight line in semitones that takes its time, within 0.01 cent at ticks") {
    Mono m(mono(PlayMode::legato, NotePriority::last, 0.1));
    m.on(48);
    CHECK(m.pitch() == 48.0f); // the first note does not glide
    const std::int64_t start = m.rig.stream->stats().frames + 5;
    REQUIRE(m.sender.post(Event::note_on(start, 0, 60, 1.0)));
    double worst = 0.0;
    for (int i = 0; i < 400; ++i) {
        m.pass(16);
        // What stands in the fields belongs to the tick that the step began with.
        const double frame = static_cast<double>(m.rig.stream->stats().frames - 16);
        if (frame <= static_cast<double>(start)) continue;
        const double expected = 48.0 + 12.0 * std::clamp((frame - static_cast<double>(start)) / 4800.0, 0.0, 1.0);
        worst = std::max(worst, std::fabs(static_cast<double>(m.pitch()) - expected) * 100.0);
    }
    CHECK(worst < 0.01);
    CHECK(m.pitch() == 60.0f);
}

TEST_CASE("portamento by controller: CC 65 and 5, CC 84, and the legato pedal") {
    Mono m(fake::patch());
    m.on(48);
    m.off(48);
    m.pass(9600);
    m.on(60);
    CHECK(m.pitch() == 60.0f);
    m.post(Event::midi(tutti::k_asap, 0, 0xb0, 65, 127));
    m.post(Event::midi(tutti::k_asap, 0, 0xb0, 5, 127)); // 5 s
    m.post(Event::all_sound_off(tutti::k_asap));
    m.on(72); // 20 ms later: hardly on its way from 60
    CHECK(m.pitch() > 60.0f);
    CHECK(m.pitch() < 60.2f);
    m.post(Event::midi(tutti::k_asap, 0, 0xb0, 65, 0));
    m.post(Event::all_sound_off(tutti::k_asap));
    m.post(Event::midi(tutti::k_asap, 0, 0xb0, 84, 36));
    m.on(48);
    CHECK(m.pitch() < 48.0f); // from 36, in the time of CC 5
    m.pass(48000 * 6);
    CHECK(m.pitch() == 48.0f);
    m.post(Event::midi(tutti::k_asap, 0, 0xb0, 68, 127));
    m.post(Event::all_sound_off(tutti::k_asap));
    m.on(60);
    m.on(64);
    CHECK(m.count() == 1);
}

namespace {

// The largest step where a held sine is stolen by a silent note, in dB above the sine's own steps.
double theft(double fade_frames) {
    tutti::Patch patch = fake::patch();
    patch.voices = 1;
    patch.parameters["sustain"] = 1.0;
    Mono m(patch);
    m.on(69);
    m.pass(9600);
    float own = 0.0f;
    for (std::size_t i = 1; i < m.last[0].size(); ++i)
        own = std::max(own, std::fabs(m.last[0][i] - m.last[0][i - 1]));
    REQUIRE(m.sender.post(Event::note_on(m.rig.stream->stats().frames + 517, 0, 69, 0.0)));
    m.pass(2400);
    CHECK(m.rig.stream->stats().stolen_voices == 1);
    if (fade_frames == 0.0) std::fill(m.last[0].begin() + 530, m.last[0].end(), 0.0f); // planted: cut, not faded
    float step = 0.0f;
    for (std::size_t i = 1; i < m.last[0].size(); ++i)
        step = std::max(step, std::fabs(m.last[0][i] - m.last[0][i - 1]));
    for (std::size_t i = 517 + 96; i < 2400; ++i)
        CHECK(m.last[0][i] == 0.0f); // within 2 ms
    return 20.0 * std::log10(static_cast<double>(step / own));
}

} // namespace

TEST_CASE("a stolen note fades within 2 ms and its steps stay those of a sine and a 1.7 ms line") {
    // The line's slope is 1/80 of the height a frame, the sine's own 1/17: together at most 1.22 times, 1.7 dB.
    CHECK(theft(96.0) < 1.8);
    CHECK(theft(0.0) > 6.0); // red control
}
