// SPDX-License-Identifier: MIT
// The voice allocator against a naive one that knows only lists and times: a million events, equal counts, no leak.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "engine/stream/voices.h"
#include "tests/engine/stream/fake.h"

using namespace tutti::engine;
using tutti::StealPolicy;

namespace {

constexpr double k_rate = 48000.0;

struct Model {
    struct Voice {
        int key, id;
        std::int64_t start;
        bool down, sostenuto, released, fading;
        std::int64_t end; // where known
        int let_go;       // how many were let go before it
    };
    std::vector<Voice> voices; // by age
    int limit = 0, spare = 0;
    std::int64_t stolen = 0;
    int releases = 0;

    static std::int64_t next_tick(std::int64_t f) { return (f + 15) / 16 * 16; }
    void pass(std::int64_t frame) {
        // Ends fall on ticks, and a tick's ends come before its events.
        std::erase_if(voices, [&](const Voice& v) { return (v.released || v.fading) && v.end <= frame; });
    }
    int sounding() const {
        return static_cast<int>(std::count_if(voices.begin(), voices.end(), [](const Voice& v) { return !v.fading; }));
    }
    void release(Voice& v, std::int64_t frame) {
        if (v.released || v.fading) return;
        v.released = true;
        v.down = false;
        v.end = next_tick(
            static_cast<std::int64_t>(std::ceil(static_cast<double>(frame) + static_cast<double>(0.05f) * k_rate)));
        v.let_go = releases++;
    }
    void fade(Voice& v, std::int64_t frame) {
        v.fading = true;
        v.down = false;
        v.end = (frame + 96) / 16 * 16;
        v.let_go = releases++;
    }
    void on(std::int64_t frame, int key, int id) {
        const int group = fake::choke_group(key);
        if (group > 0)
            for (Voice& v : voices)
                if (!v.fading && fake::choke_group(v.key) == group) fade(v, frame);
        if (id < 0)
            for (Voice& v : voices)
                if (v.key == key && v.id < 0 && !v.released && !v.fading) release(v, frame);
        while (sounding() >= limit) {
            // Oldest by release, else oldest by start.
            Voice* victim = nullptr;
            for (Voice& v : voices)
                if (v.released && !v.fading && (victim == nullptr || !victim->released || before(v, *victim)))
                    victim = &v;
            if (victim == nullptr)
                for (Voice& v : voices)
                    if (!v.fading) {
                        victim = &v;
                        break;
                    }
            fade(*victim, frame);
            ++stolen;
        }
        if (static_cast<int>(voices.size()) >= limit + spare) {
            // The oldest fade is cut.
            auto oldest = voices.end();
            for (auto v = voices.begin(); v != voices.end(); ++v)
                if (v->fading && (oldest == voices.end() || v->let_go < oldest->let_go)) oldest = v;
            REQUIRE(oldest != voices.end());
            voices.erase(oldest);
        }
        voices.push_back({key, id, frame, true, false, false, false, 0, 0});
    }
    static bool before(const Voice& a, const Voice& b) { return a.let_go < b.let_go; }
};

struct Rig {
    explicit Rig(const tutti::Patch& patch, int copies = 1) {
        std::vector<float> values;
        for (const auto& p : fake::k_parameters)
            values.push_back(p.fallback);
        values[fake::p_unison] = static_cast<float>(copies);
        table.prepare(fake::type(), values.data(), k_rate);
        counts.limit = 100000;
        PatchImage image;
        REQUIRE(make_image(patch, fake::type(), image).ok());
        voices.prepare(fake::type(), image, k_rate, 1, 0, copies);
        voices.attach(wheel, counts, table);
    }
    // Runs the ticks up to and including `frame`.
    void pass(std::int64_t frame) {
        while (tick <= frame) {
            voices.begin_step(tick);
            wheel.run(tick / 16, [&](Timer& timer) noexcept { Voices::fire(timer, tick); });
            tick += 16;
        }
        voices.begin_step(frame);
    }
    ParameterTable table;
    VoiceCounts counts;
    TimerWheel wheel;
    Voices voices;
    std::int64_t tick = 0;
};

NoteStart note(int key, int id = -1, double velocity = 1.0) {
    NoteStart n;
    n.key = key;
    n.pitch = key;
    n.note_id = id;
    n.velocity = velocity;
    return n;
}

// Plays random events to both; returns the event on which they differ, or -1. `planted`: the model's fault.
int compare(std::uint32_t seed, int events, int planted) {
    std::mt19937 random(seed);
    const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    tutti::Patch patch = fake::patch();
    patch.voices = 24;
    patch.steal = StealPolicy::oldest;
    Rig rig(patch);
    Model model;
    model.limit = 24 + planted;
    model.spare = rig.voices.slots() - 24;
    bool sustain = false, sostenuto = false;
    std::int64_t frame = 0;
    int wrong = 0, next_id = 0;
    for (int i = 0; i < events; ++i) {
        frame += draw(3) == 0 ? draw(400) : draw(40);
        rig.pass(frame);
        model.pass(frame);
        const int key = 36 + draw(20);
        switch (draw(12)) {
        case 0:
        case 1:
        case 2:
        case 3: {
            const int id = draw(4) == 0 ? next_id++ : -1;
            rig.voices.note_on(frame, note(key, id));
            model.on(frame, key, id);
            break;
        }
        case 4:
        case 5:
        case 6:
        case 7:
            rig.voices.note_off(frame, key, 0, tutti::k_any_note, sustain, sostenuto);
            for (auto& v : model.voices)
                if (v.key == key && v.down && !v.fading) {
                    v.down = false;
                    if (!sustain && !(sostenuto && v.sostenuto)) model.release(v, frame);
                }
            break;
        case 8:
            rig.voices.choke(frame, key, tutti::k_any_note);
            for (auto& v : model.voices)
                if (v.key == key && !v.fading) model.fade(v, frame);
            break;
        case 9:
            sustain = !sustain;
            if (!sustain) {
                rig.voices.sustain_up(frame, -1, sostenuto);
                for (auto& v : model.voices)
                    if (!v.down && !v.fading && !(sostenuto && v.sostenuto)) model.release(v, frame);
            }
            break;
        case 10:
            sostenuto = !sostenuto;
            if (sostenuto) {
                rig.voices.sostenuto_down(-1);
                for (auto& v : model.voices)
                    v.sostenuto = v.sostenuto || (v.down && !v.fading);
            } else {
                rig.voices.sostenuto_up(frame, -1, sustain);
                for (auto& v : model.voices)
                    if (v.sostenuto) {
                        v.sostenuto = false;
                        if (!v.down && !sustain && !v.fading) model.release(v, frame);
                    }
            }
            break;
        default:
            if (draw(20) != 0) break;
            rig.voices.release_all(frame, -1);
            for (auto& v : model.voices)
                model.release(v, frame);
            break;
        }
        wrong += rig.voices.notes() != static_cast<int>(model.voices.size());
        wrong += rig.voices.sounding() != model.sounding();
        wrong += rig.counts.stolen != model.stolen;
        wrong += rig.counts.notes != rig.voices.notes() || rig.counts.slots != rig.voices.sounding();
        if (i % 1000 == 0) {
            std::size_t at = 0;
            std::vector<const Model::Voice*> alive;
            for (const auto& v : model.voices)
                if (!v.fading) alive.push_back(&v);
            rig.voices.each([&](const Note& n) {
                wrong += at >= alive.size() || alive[at]->key != n.key || alive[at]->start != n.start;
                ++at;
            });
        }
        if (wrong != 0) return i;
    }
    rig.voices.sustain_up(frame, -1, false);
    rig.voices.release_all(frame, -1);
    rig.pass(frame + 4800);
    CHECK(rig.voices.notes() == 0);
    CHECK(rig.counts.notes == 0);
    CHECK(rig.counts.slots == 0);
    // Every slot is free again: as many notes as there are voices start without a theft.
    const std::int64_t stolen = rig.counts.stolen;
    for (int i = 0; i < 24; ++i)
        rig.voices.note_on(frame + 4800, note(60 + i, i));
    CHECK(rig.voices.sounding() == 24);
    CHECK(rig.counts.stolen == stolen);
    return -1;
}

} // namespace

TEST_CASE("fault 44: a million random events: the same notes as a naive allocator, and none left over") {
#ifdef NDEBUG
    constexpr int k_events = 1000000;
#else
    constexpr int k_events = 100000;
#endif
    const std::uint32_t seed = 20261;
    std::printf("seed %u\n", seed);
    CHECK(compare(seed, k_events, 0) == -1);
}

TEST_CASE("red control: an allocator that allows one note more is found") {
    CHECK(compare(1, 100000, 1) >= 0);
}

TEST_CASE("who is stolen: the released before the held, the quietest or the oldest of them") {
    tutti::Patch patch = fake::patch();
    patch.voices = 4;
    const auto keys = [](const Rig& rig) {
        std::vector<int> found;
        rig.voices.each([&](const Note& n) { found.push_back(n.key); });
        return found;
    };
    SUBCASE("quietest") {
        Rig rig(patch);
        const double velocities[] = {0.9, 0.3, 0.7, 0.8};
        for (int i = 0; i < 4; ++i)
            rig.voices.note_on(0, note(60 + i, -1, velocities[i]));
        rig.pass(9600);
        rig.voices.note_on(9600, note(70));
        CHECK(keys(rig) == std::vector<int>{60, 62, 63, 70});
        rig.voices.note_off(9600, 63, 0, -1, false, false);
        rig.pass(9700);
        rig.voices.note_on(9700, note(71)); // 63 was let go: it goes before the quieter 62
        CHECK(keys(rig) == std::vector<int>{60, 62, 70, 71});
    }
    SUBCASE("oldest") {
        patch.steal = StealPolicy::oldest;
        Rig rig(patch);
        for (int i = 0; i < 4; ++i)
            rig.voices.note_on(i, note(60 + i));
        rig.voices.note_off(10, 62, 0, -1, false, false);
        rig.voices.note_on(20, note(70));
        CHECK(keys(rig) == std::vector<int>{60, 61, 63, 70});
        rig.voices.note_on(30, note(71));
        CHECK(keys(rig) == std::vector<int>{61, 63, 70, 71});
    }
    SUBCASE("same note") {
        patch.steal = StealPolicy::same_note;
        Rig rig(patch);
        for (int i = 0; i < 4; ++i)
            rig.voices.note_on(i, note(60 + i, i));
        rig.voices.note_on(20, note(62, 9));
        CHECK(keys(rig) == std::vector<int>{60, 61, 63, 62});
    }
}

TEST_CASE("unison copies take the lowest free slots, one each") {
    tutti::Patch patch = fake::patch();
    patch.voices = 4;
    Rig rig(patch, 3);
    CHECK(rig.voices.slots() >= 12);
    rig.voices.begin_step(0);
    rig.voices.note_on(0, note(60));
    rig.voices.note_on(0, note(61));
    CHECK(rig.counts.slots == 6);
    const EditList& edits = rig.voices.edits();
    REQUIRE(edits.edit_count() == 6);
    float gains = 0.0f;
    for (int i = 0; i < 6; ++i) {
        CHECK(edits.edits()[i].kind == Edit::start);
        CHECK(edits.edits()[i].lane == i);
        gains += i < 3 ? edits.edits()[i].values[tutti::voices::input_unison_gain] *
                             edits.edits()[i].values[tutti::voices::input_unison_gain]
                       : 0.0f;
    }
    CHECK(gains == doctest::Approx(1.0)); // equal power
    CHECK(edits.edits()[0].values[tutti::voices::input_unison] == -1.0f);
    CHECK(edits.edits()[1].values[tutti::voices::input_unison] == 0.0f);
    CHECK(edits.edits()[2].values[tutti::voices::input_unison] == 1.0f);
}

TEST_CASE("an envelope's closed form and its recurrence on the tick grid agree, and last as long as they say") {
    for (const double curve : {0.0, 2.0, 6.0, -3.0}) {
        CAPTURE(curve);
        tutti::voices::EnvelopePlan plan;
        plan.stages[0] = {0.0137f, 1.0f, static_cast<float>(curve)};
        plan.stages[1] = {0.25f, 0.4f, static_cast<float>(curve)};
        plan.count = 2;
        plan.sustain = 1;
        EnvelopeRun run;
        const std::int64_t start = 1003;
        run.start(plan, static_cast<double>(start), 0.0, 0, false, k_rate);
        EnvelopeEdit edit = run.frame_edit(plan, start, 0.0, k_rate);
        std::int64_t due = tick_floor(start) + 16;
        float value = edit.value;
        double worst = 0.0;
        std::int64_t edits = 1;
        for (std::int64_t tick = due; tick < 48000; tick += 16) {
            value = value * edit.mul + edit.add;
            if (tick == due) {
                edit = run.tick_edit(plan, tick, k_rate, due);
                value = edit.value;
                ++edits;
            }
            // Against the definition in voice_type.h.
            const double t = static_cast<double>(tick - start);
            const double a = static_cast<double>(0.0137f) * k_rate, d = 0.25 * k_rate;
            const auto form = [&](double x) {
                return curve == 0.0 ? x : (1.0 - std::exp(-curve * x)) / (1.0 - std::exp(-curve));
            };
            const double expected = t < a       ? form(t / a)
                                    : t < a + d ? 1.0 + (static_cast<double>(0.4f) - 1.0) * form((t - a) / d)
                                                : static_cast<double>(0.4f);
            worst = std::max(worst, std::fabs(static_cast<double>(value) - expected));
        }
        CHECK(worst < (curve < 0.0 ? 3e-4 : 2e-5)); // FP32 over 750 ticks; what grows by e^3 takes its rounding along
        CHECK(edits <= 6);                          // start, steady, and two a stage's end
    }
}
