// SPDX-License-Identifier: MIT
// Chords by name become a phrase: voiced, strummed, humanised, rendered. See docs/examples/chord_phrase.md.
#include <cstdio>
#include <vector>

#include <tutti/engine.h>
#include <tutti/phrase.h>

int main(int argc, char** argv) {
    const auto phrase = tutti::Phrase::parse(argc > 1 ? argv[1] : "Am9 | Fmaj7 | C/G | G6sus4");
    if (!phrase) {
        std::fprintf(stderr, "%s\n", phrase.status().message().c_str());
        return 1;
    }
    auto engine = tutti::Engine::create().value();
    auto stream = engine->open({.mode = tutti::Mode::offline}).value();
    if (!stream->set_patch(0, tutti::Patch::factory("warm-pad").value()).ok()) return 1;
    auto sender = stream->make_sender().value();
    tutti::PhraseStyle style;
    style.tempo = 120.0;
    std::int64_t end = 0;
    for (const tutti::Event& event : phrase->events(style)) {
        sender.post(event);
        end = event.frame;
    }
    std::vector<float> left(static_cast<std::size_t>(end) + 48000), right(left.size());
    float* out[] = {left.data(), right.data()};
    stream->pull(out, static_cast<int>(left.size()));
    for (const tutti::Phrase::Notes& notes : phrase->voiced(style)) {
        std::printf("%3d |", notes.bass);
        for (const int key : notes.keys)
            std::printf(" %3d", key);
        std::printf("\n");
    }
    std::printf("%.1f s, peak %.2f\n", static_cast<double>(left.size()) / 48000.0,
                static_cast<double>(stream->stats().peak));
    for (const float sample : left)
        if (sample > 0.01f) return 0;
    return 1;
}
