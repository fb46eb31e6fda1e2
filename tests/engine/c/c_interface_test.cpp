// SPDX-License-Identifier: MIT
// The C interface against the C++ one, and against what its header promises.
// Over 400 lines: one case a promise.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <tutti/engine.h>
#include <tutti/tutti.h>

#include "engine/patch/image.h"
#include "voices/registry.h"

namespace {

struct Free {
    void operator()(tutti_engine* engine) const { tutti_destroy(engine); }
};
using Handle = std::unique_ptr<tutti_engine, Free>;

Handle make(tutti_config config = tutti_config_default()) {
    tutti_engine* engine = nullptr;
    REQUIRE_MESSAGE(tutti_create(&config, &engine) == TUTTI_OK, tutti_last_error(nullptr));
    return Handle(engine);
}

tutti_sender* sender_of(const Handle& engine) {
    tutti_sender* sender = nullptr;
    REQUIRE(tutti_sender_create(engine.get(), &sender) == TUTTI_OK);
    return sender;
}

// Interleaved frames, pulled in pieces.
std::vector<float> pull(const Handle& engine, int frames, const std::vector<int>& sizes = {512}, int channels = 2) {
    std::vector<float> out(static_cast<std::size_t>(frames * channels));
    std::size_t piece = 0;
    for (int done = 0; done < frames;) {
        const int count = std::min(frames - done, sizes[piece++ % sizes.size()]);
        REQUIRE(tutti_pull_interleaved(engine.get(), out.data() + done * channels, static_cast<uint32_t>(count)) ==
                TUTTI_OK);
        done += count;
    }
    return out;
}

float peak(const std::vector<float>& samples) {
    float most = 0.0f;
    for (const float x : samples)
        most = std::max(most, std::fabs(x));
    return most;
}

void play_some(tutti_sender* sender) {
    for (int i = 0; i < 12; ++i) {
        CHECK(tutti_note_on(sender, 700 * i + 3, 0, 48 + 3 * i, 0.8, i));
        CHECK(tutti_note_express(sender, 700 * i + 400, 0, 48 + 3 * i, i, TUTTI_PITCH, 0.3));
        CHECK(tutti_note_off(sender, 700 * i + 2000, 0, 48 + 3 * i, i));
    }
    CHECK(tutti_midi(sender, 3000, 0, 0xb0, 1, 90));
    CHECK(tutti_midi(sender, 5000, 0, 0xe0, 0, 80));
}

} // namespace

TEST_CASE("a patch's text gives the same image through either reader") {
    for (const std::string_view name : tutti::Patch::factory_names()) {
        CAPTURE(name);
        const tutti::Patch patch = tutti::Patch::factory(name).value();
        const tutti::voices::VoiceType* const type = tutti::voices::find_voice_type(patch.voice);
        REQUIRE(type != nullptr);
        tutti::engine::PatchImage a, b;
        tutti::engine::ImageFault fault;
        REQUIRE(tutti::engine::make_image(patch, *type, a).ok());
        const std::string text = patch.to_json();
        REQUIRE_MESSAGE(tutti::engine::read_image(text, b, fault), fault.what);
        CHECK(a.type == b.type);
        CHECK(std::equal(std::begin(a.values), std::end(a.values), b.values));
        REQUIRE(a.route_count == b.route_count);
        for (int i = 0; i < a.route_count; ++i) {
            CHECK(a.routes[i].source == b.routes[i].source);
            CHECK(a.routes[i].target == b.routes[i].target);
            CHECK(a.routes[i].depth == b.routes[i].depth);
            CHECK(a.routes[i].via == b.routes[i].via);
        }
        for (int i = 0; i < 128; ++i) {
            CHECK(a.controllers[i].target == b.controllers[i].target);
            CHECK(a.controllers[i].from == b.controllers[i].from);
            CHECK(a.controllers[i].to == b.controllers[i].to);
        }
        REQUIRE(a.effect_count == b.effect_count);
        for (int i = 0; i < a.effect_count; ++i) {
            CHECK(a.effects[i].type == b.effects[i].type);
            CHECK(a.effects[i].enabled == b.effects[i].enabled);
            CHECK(std::equal(std::begin(a.effects[i].values), std::end(a.effects[i].values), b.effects[i].values));
        }
        CHECK(a.gain_db == b.gain_db);
        CHECK(a.glide_seconds == b.glide_seconds);
        CHECK(a.bend_range == b.bend_range);
        CHECK(a.velocity_curve == b.velocity_curve);
        CHECK(a.voices == b.voices);
        CHECK(a.quality == b.quality);
        CHECK(a.mode == b.mode);
        CHECK(a.priority == b.priority);
        CHECK(a.steal == b.steal);
    }
}

TEST_CASE("what one reader refuses, the other refuses, too; neither is hurt by broken text") {
    const std::string good = tutti::Patch::factory("warm-pad").value().to_json();
    std::mt19937 random(7);
    int refused = 0;
    for (int i = 0; i < 4000; ++i) {
        std::string text = good;
        for (int change = 0; change < 1 + i % 3; ++change) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
            case 0:
                text.erase(at, 1 + random() % 9);
                break;
            case 1:
                text[at] = static_cast<char>(32 + random() % 95);
                break;
            default:
                text.insert(at, 1, "{}[]\",:\\0eu-.\n"[random() % 14]);
            }
        }
        tutti::engine::PatchImage image;
        tutti::engine::ImageFault fault;
        const bool ours = tutti::engine::read_image(text, image, fault);
        const auto theirs = tutti::Patch::from_json(text);
        if (!ours) {
            ++refused;
            CHECK(std::strlen(fault.what) > 0);
        }
        // The whole reader also refuses what an engine does not care for: UTF-8, tags, a key twice.
        if (theirs.ok()) CHECK_MESSAGE(ours, fault.what << "\n" << text);
    }
    CHECK(refused > 1000);
}

TEST_CASE("C and C++ give the same samples") {
    for (const char* name : {"soft-keys", "warm-pad"}) {
        const Handle engine = make();
        REQUIRE(tutti_set_patch(engine.get(), 0, name, 0) == TUTTI_OK);
        tutti_sender* const sender = sender_of(engine);
        play_some(sender);
        const std::vector<float> ours = pull(engine, 20000);

        auto whole = tutti::Engine::create().value();
        tutti::StreamConfig config;
        config.voices = 64;
        auto stream = whole->open(config).value();
        REQUIRE(stream->set_patch(0, tutti::Patch::factory(name).value(), 0).ok());
        auto poster = stream->make_sender().value();
        for (int i = 0; i < 12; ++i) {
            poster.post(tutti::Event::note_on(700 * i + 3, 0, 48 + 3 * i, 0.8, i));
            poster.post(tutti::Event::expression(700 * i + 400, 0, 48 + 3 * i, i, tutti::NoteExpression::pitch, 0.3));
            poster.post(tutti::Event::note_off(700 * i + 2000, 0, 48 + 3 * i, 0.5, i));
        }
        poster.post(tutti::Event::midi(3000, 0, 0xb0, 1, 90));
        poster.post(tutti::Event::midi(5000, 0, 0xe0, 0, 80));
        std::vector<float> left(20000), right(20000);
        float* out[] = {left.data(), right.data()};
        REQUIRE(stream->pull(out, 20000));
        bool same = true;
        for (std::size_t i = 0; i < left.size(); ++i)
            same = same && ours[2 * i] == left[i] && ours[2 * i + 1] == right[i];
        CHECK(same);
        CHECK(peak(ours) > 0.01f);
    }
}

TEST_CASE("any frame count, planar or interleaved, gives the same samples") {
    std::vector<float> whole;
    std::mt19937 random(3);
    for (int round = 0; round < 3; ++round) {
        const Handle engine = make();
        REQUIRE(tutti_set_patch(engine.get(), 0, "soft-keys", 0) == TUTTI_OK);
        play_some(sender_of(engine));
        std::vector<int> sizes = {20000};
        if (round > 0) {
            sizes.clear();
            for (int i = 0; i < 200; ++i)
                sizes.push_back(1 + static_cast<int>(random() % (i % 2 != 0 ? 40 : 4096)));
        }
        if (round < 2) {
            const std::vector<float> out = pull(engine, 20000, sizes);
            if (round == 0)
                whole = out;
            else
                CHECK(out == whole);
            continue;
        }
        std::vector<float> left(20000), right(20000);
        std::size_t piece = 0;
        for (int done = 0; done < 20000;) {
            const int count = std::min(20000 - done, sizes[piece++ % sizes.size()]);
            float* const out[] = {left.data() + done, right.data() + done};
            REQUIRE(tutti_pull(engine.get(), out, static_cast<uint32_t>(count)) == TUTTI_OK);
            done += count;
        }
        bool same = true;
        for (std::size_t i = 0; i < left.size(); ++i)
            same = same && whole[2 * i] == left[i] && whole[2 * i + 1] == right[i];
        CHECK(same);
    }
}

TEST_CASE("several engines on several threads, each with its own samples") {
    const auto play = [](int n) {
        const Handle engine = make();
        REQUIRE(tutti_set_patch(engine.get(), 0, n % 2 != 0 ? "soft-keys" : "warm-pad", 0) == TUTTI_OK);
        play_some(sender_of(engine));
        return pull(engine, 20000, {64 + 13 * n});
    };
    const std::vector<float> alone[2] = {play(0), play(1)};
    std::vector<float> together[4];
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n)
        threads.emplace_back([&, n] { together[n] = play(n); });
    for (std::thread& thread : threads)
        thread.join();
    for (int n = 0; n < 4; ++n)
        CHECK(together[n] == alone[n % 2]);
}

TEST_CASE("results have names and texts of their own, and failures a detail") {
    std::set<std::string> names, texts;
    const int all[] = {0,   100, 101, 102, 103, 200, 201, 202, 203, 204,
                       205, 300, 301, 302, 303, 304, 400, 401, 402, 900};
    for (const int result : all) {
        names.insert(tutti_result_name(static_cast<tutti_result>(result)));
        texts.insert(tutti_result_text(static_cast<tutti_result>(result)));
    }
    CHECK(names.size() == std::size(all));
    CHECK(texts.size() == std::size(all));

    tutti_engine* engine = nullptr;
    CHECK(tutti_create(nullptr, &engine) == TUTTI_INVALID_ARGUMENT);
    tutti_config config = tutti_config_default();
    config.parts = 0;
    CHECK(tutti_create(&config, &engine) == TUTTI_OUT_OF_RANGE);
    CHECK(engine == nullptr);
    CHECK(std::string(tutti_last_error(nullptr)).find("parts") != std::string::npos);
    config = tutti_config_default();
    config.mode = TUTTI_MODE_AHEAD;
    std::vector<char> block(8 << 20);
    CHECK(tutti_create_in(block.data(), block.size(), &config, &engine) == TUTTI_UNSUPPORTED);
    config = tutti_config_default();
    CHECK(tutti_create_in(block.data(), 100000, &config, &engine) == TUTTI_OUT_OF_MEMORY);

    const Handle good = make();
    CHECK(std::string(tutti_last_error(good.get())).empty());
    CHECK(tutti_set_patch(good.get(), 0, "no-such-patch", 0) == TUTTI_NOT_FOUND);
    CHECK(std::string(tutti_last_error(good.get())).find("no-such-patch") != std::string::npos);
    CHECK(tutti_set_patch(good.get(), 16, "soft-keys", 0) == TUTTI_OUT_OF_RANGE);
    CHECK(tutti_set_patch_text(good.get(), 0, "{", 1, 0) == TUTTI_MALFORMED);
    CHECK(tutti_set_patch_text(good.get(), 0, "{\"tutti_patch\": 9}", 18, 0) == TUTTI_UNSUPPORTED);
    CHECK(tutti_set_effects(good.get(), "[{\"type\": \"none\"}]", 18, 0) == TUTTI_NOT_FOUND);
    CHECK(tutti_set_sample_rate(good.get(), 1.0) == TUTTI_OUT_OF_RANGE);
    CHECK(tutti_pull(good.get(), nullptr, 4) == TUTTI_INVALID_ARGUMENT);
    for (int i = 0; i < 8; ++i)
        sender_of(good);
    tutti_sender* sender = nullptr;
    CHECK(tutti_sender_create(good.get(), &sender) == TUTTI_FULL);
    CHECK_FALSE(tutti_note_on(nullptr, 0, 0, 60, 1.0, 0));
}

TEST_CASE("names, tables and version") {
    CHECK(tutti_version() == TUTTI_VERSION_NUMBER);
    std::ifstream file(TUTTI_SOURCE_DIR "/VERSION");
    std::string version;
    std::getline(file, version);
    CHECK(version == tutti_version_string());
    CHECK(std::string(tutti_voice_type(0)) == "subtractive");
    CHECK(tutti_voice_type(1000) == nullptr);
    int patches = 0;
    while (tutti_factory_patch(patches) != nullptr)
        ++patches;
    CHECK(patches == static_cast<int>(tutti::Patch::factory_names().size()));
    tutti_parameter row{};
    row.struct_size = sizeof row;
    const int32_t cutoff = tutti_parameter_index("subtractive", "cutoff");
    REQUIRE(tutti_parameter_info("subtractive", cutoff, &row) == TUTTI_OK);
    CHECK(std::string(row.id) == "cutoff");
    CHECK(row.maximum == 20000.0f);
    CHECK(tutti_parameter_info("subtractive", 100000, &row) == TUTTI_OUT_OF_RANGE);
    CHECK(tutti_parameter_index("reverb", "no_such") == -1);
}

TEST_CASE("patches come in pieces through a reader, and through the text") {
    struct Pack {
        std::string text;
        std::size_t at = 0;
        bool broken = false;
    } pack;
    pack.text = tutti::Patch::factory("warm-pad").value().to_json();
    tutti_reader reader;
    reader.user = &pack;
    reader.read = [](void* user, void* to, size_t size) -> int64_t {
        auto& from = *static_cast<Pack*>(user);
        if (from.broken) return -1;
        const std::size_t count = std::min({size, std::size_t{100}, from.text.size() - from.at});
        std::memcpy(to, from.text.data() + from.at, count);
        from.at += count;
        return static_cast<int64_t>(count);
    };
    std::vector<float> heard[2];
    for (int way = 0; way < 2; ++way) {
        const Handle engine = make();
        if (way == 0)
            REQUIRE(tutti_set_patch_from(engine.get(), 0, &reader, 0) == TUTTI_OK);
        else
            REQUIRE(tutti_set_patch(engine.get(), 0, "warm-pad", 0) == TUTTI_OK);
        play_some(sender_of(engine));
        heard[way] = pull(engine, 9000);
    }
    CHECK(heard[0] == heard[1]);
    pack.broken = true;
    const Handle engine = make();
    CHECK(tutti_set_patch_from(engine.get(), 0, &reader, 0) == TUTTI_FILE_UNREADABLE);
}

TEST_CASE("pause fades, stands still and goes on without a click") {
    const Handle engine = make();
    const std::string sine = R"({"tutti_patch": 1, "parameters": {"osc1_wave": "sine", "filter_type": "off"}})";
    REQUIRE(tutti_set_patch_text(engine.get(), 0, sine.data(), sine.size(), 0) == TUTTI_OK);
    tutti_sender* const sender = sender_of(engine);
    tutti_note_on(sender, 0, 0, 57, 0.8, 1);
    pull(engine, 4800);
    tutti_pause(engine.get(), true);
    const int64_t before = tutti_frame(engine.get());
    std::vector<float> out = pull(engine, 2400);
    CHECK(tutti_frame(engine.get()) == before + 240); // the fade's 5 ms
    CHECK(peak({out.begin() + 2 * 240, out.end()}) == 0.0f);
    tutti_pause(engine.get(), false);
    const std::vector<float> back = pull(engine, 4800);
    out.insert(out.end(), back.begin(), back.end());
    CHECK(peak(back) > 0.05f);
    // A sine of 220 Hz at level a moves by at most 0.029 a between samples, the fade by a / 240: together below a twentieth.
    const float level = peak(out);
    for (std::size_t i = 2; i < out.size(); ++i)
        REQUIRE(std::fabs(out[i] - out[i - 2]) < 0.05f * level);
}

TEST_CASE("a new sample rate keeps patches and senders") {
    const Handle engine = make();
    REQUIRE(tutti_set_patch(engine.get(), 2, "soft-keys", 0) == TUTTI_OK);
    tutti_sender* const sender = sender_of(engine);
    pull(engine, 1000);
    REQUIRE(tutti_set_sample_rate(engine.get(), 44100.0) == TUTTI_OK);
    CHECK(tutti_frame(engine.get()) == 0);
    tutti_note_on(sender, TUTTI_NOW, 2, 60, 0.8, TUTTI_ANY_NOTE);
    CHECK(peak(pull(engine, 9000)) > 0.01f);
}

TEST_CASE("clips: borrowed, copied and written sound") {
    const Handle engine = make();
    std::vector<float> tone(4800);
    for (std::size_t i = 0; i < tone.size(); ++i)
        tone[i] = 0.5f * std::sin(0.05f * static_cast<float>(i));
    const float* channels[] = {tone.data()};
    tutti_sound sound{};
    sound.struct_size = sizeof sound;
    sound.channels = 1;
    sound.samples = channels;
    sound.frames = 4800;
    sound.sample_rate = 48000.0;
    sound.borrow = true;
    tutti_clip* clip = nullptr;
    REQUIRE(tutti_play(engine.get(), 0, &sound, 0, &clip) == TUTTI_OK);
    CHECK(tutti_clip_release(clip) == TUTTI_WRONG_STATE);
    const std::vector<float> out = pull(engine, 4000);
    CHECK(out[2 * 2000] == tone[2000]);
    pull(engine, 2000);
    CHECK(tutti_clip_ended(clip));
    CHECK(tutti_clip_release(clip) == TUTTI_OK);

    tutti_clip* written = nullptr;
    REQUIRE(tutti_play_written(engine.get(), 1, &sound, 0.5, TUTTI_NOW, &written) == TUTTI_OK);
    CHECK(tutti_clip_write(written, channels, 4800) == 4800);
    CHECK(peak(pull(engine, 2000)) > 0.3f);
    CHECK(tutti_clip_stop(written, TUTTI_NOW) == TUTTI_OK);
    pull(engine, 2000);
    CHECK(tutti_clip_ended(written));
    CHECK(tutti_clip_release(written) == TUTTI_OK);
    sound.frames = -1;
    CHECK(tutti_play(engine.get(), 0, &sound, 0, &clip) == TUTTI_INVALID_ARGUMENT);
}

TEST_CASE("ahead and offline give what inline gives, and the log says only what was asked for") {
    std::vector<float> heard[2];
    for (const tutti_mode mode : {TUTTI_MODE_INLINE, TUTTI_MODE_OFFLINE}) {
        tutti_config config = tutti_config_default();
        config.mode = mode;
        config.threads = 2;
        const Handle engine = make(config);
        REQUIRE(tutti_set_patch(engine.get(), 0, "warm-pad", 0) == TUTTI_OK);
        play_some(sender_of(engine));
        heard[mode == TUTTI_MODE_OFFLINE ? 1 : 0] = pull(engine, 9000);
    }
    CHECK(heard[0] == heard[1]);

    struct Heard {
        int errors = 0, infos = 0;
    } log;
    for (const tutti_log_level level : {TUTTI_LOG_NONE, TUTTI_LOG_ERROR, TUTTI_LOG_INFO}) {
        log = {};
        tutti_config config = tutti_config_default();
        config.log_level = level;
        config.log_user = &log;
        config.log = [](void* user, tutti_log_level kind, const char*) {
            auto& to = *static_cast<Heard*>(user);
            (kind == TUTTI_LOG_ERROR ? to.errors : to.infos)++;
        };
        const Handle engine = make(config);
        CHECK(tutti_set_patch(engine.get(), 0, "none", 0) == TUTTI_NOT_FOUND);
        CHECK(log.errors == (level >= TUTTI_LOG_ERROR ? 1 : 0));
        CHECK(log.infos == (level >= TUTTI_LOG_INFO ? 1 : 0));
    }
}

TEST_CASE("a part's place: loudspeakers and spherical harmonics") {
    const auto levels = [](tutti_layout layout, int channels, float azimuth, float elevation) {
        tutti_config config = tutti_config_default();
        config.layout = layout;
        config.channels = channels;
        config.limiter = false;
        const Handle engine = make(config);
        REQUIRE(tutti_place_part(engine.get(), 0, azimuth, elevation) == TUTTI_OK);
        std::vector<float> one(30000, 0.25f);
        const float* both[] = {one.data(), one.data()};
        tutti_sound sound{};
        sound.struct_size = sizeof sound;
        sound.channels = 2;
        sound.samples = both;
        sound.frames = 30000;
        sound.sample_rate = 48000.0;
        tutti_clip* clip = nullptr;
        REQUIRE(tutti_play(engine.get(), 0, &sound, 0, &clip) == TUTTI_OK);
        const std::vector<float> out = pull(engine, 24000, {512}, channels);
        std::vector<float> last;
        for (int c = 0; c < channels; ++c)
            last.push_back(out[static_cast<std::size_t>(23999 * channels + c)] * 4.0f);
        return last;
    };
    // At the front: as in stereo, each side on its own channel. Tolerance: the gains' ramp ends within 1e-5.
    const auto near = [](float a, double b) { return std::fabs(static_cast<double>(a) - b) < 1e-4; };
    const auto front = levels(TUTTI_SURROUND_5_1, 6, 0.0f, 0.0f);
    CHECK(near(front[0], 1.0));
    CHECK(near(front[1], 1.0));
    CHECK(near(front[2] + front[3] + front[4] + front[5], 0.0));
    // Its left side, at -90 + -30: behind the left one of 5.1 at -110.
    const auto left = levels(TUTTI_SURROUND_5_1, 6, -80.0f, 0.0f);
    CHECK(near(left[4] * left[4] >= 1.0f ? 1.0f : 0.0f, 1.0)); // -110 is the loudspeaker itself
    CHECK(near(left[1], 0.0));
    const auto behind = levels(TUTTI_SURROUND_7_1, 8, 180.0f, 0.0f);
    CHECK(near(behind[4], 1.0)); // 210 = -150
    CHECK(near(behind[5], 1.0));
    CHECK(near(behind[0] + behind[1] + behind[2] + behind[6] + behind[7], 0.0));
    const auto above = levels(TUTTI_AMBISONIC, 4, 0.0f, 90.0f);
    CHECK(near(above[0], 2.0)); // W of both sides
    CHECK(near(above[1], 0.0));
    CHECK(near(above[2], 2.0));
    CHECK(near(above[3], 0.0));
    const auto right = levels(TUTTI_AMBISONIC, 16, 90.0f, 0.0f);
    CHECK(near(right[1], -2.0 * std::cos(0.5235987755982988))); // Y points to the left
    CHECK(near(right[6], -1.0));                                // (3 z^2 - 1) / 2, twice
}
