// SPDX-License-Identifier: MIT
// What a plugin's library does: an engine, a stream, blocks.
#include <memory>
#include <vector>

#include <tutti/engine.h>

namespace {
std::unique_ptr<tutti::Engine> g_engine;
std::shared_ptr<tutti::Stream> g_stream;
tutti::Sender g_sender;
std::vector<float> g_left(256), g_right(256);
} // namespace

extern "C" {

// 0: inline, 1: ahead. False where it could not begin.
bool tutti_loaded_begin(int mode) {
    using namespace tutti;
    auto engine = Engine::create({.threads = 1});
    if (!engine.ok()) return false;
    g_engine = std::move(engine).value();
    auto stream = g_engine->open({.mode = mode == 0 ? Mode::inline_ : Mode::ahead, .max_frames = 256});
    if (!stream.ok()) return false;
    g_stream = std::move(stream).value();
    g_stream->set_bounce(true);
    auto patch = Patch::factory("warm-pad");
    if (!patch.ok() || !g_stream->set_patch(0, *patch, 0).ok()) return false;
    auto sender = g_stream->make_sender();
    if (!sender.ok()) return false;
    g_sender = std::move(sender).value();
    return g_sender.post(Event::note_on(0, 0, 57, 0.9));
}

// One block; how many of its samples sound.
int tutti_loaded_pull() {
    float* out[] = {g_left.data(), g_right.data()};
    g_stream->pull(out, 256);
    int sounding = 0;
    for (const float x : g_left)
        sounding += x != 0.0f;
    return sounding;
}

void tutti_loaded_end() {
    g_sender = {};
    g_stream.reset();
    g_engine.reset();
}
}
