// SPDX-License-Identifier: MIT
// What is said or sung becomes subtitles, by a job of the engine's worker, so that audio may go on meanwhile. See
// docs/examples/transcribe.md.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <tutti/engine.h>
#include <tutti/phrase.h>
#include <tutti/worker.h>

#include "io/audio_file.h"
#include <models/whisper/recording.h>
#include <models/whisper/writers.h>

namespace {

// One channel at the models' rate. Without a file: a phrase of ours, so that the program runs anywhere.
tutti::Result<std::vector<float>> sound_of(const char* file, tutti::Engine& engine) {
    if (file != nullptr) {
        auto sound = tutti::io::load_audio(file, 16000.0);
        if (!sound) return sound.status();
        std::vector<float> mean(sound->frames());
        for (const std::vector<float>& channel : sound->channels)
            for (std::size_t i = 0; i < mean.size(); ++i)
                mean[i] += channel[i] / static_cast<float>(sound->channels.size());
        return mean;
    }
    const auto phrase = tutti::Phrase::parse("Am9 | Fmaj7");
    auto stream = engine.open({.sample_rate = 16000.0, .channels = 1, .mode = tutti::Mode::offline});
    if (!phrase || !stream) return phrase ? stream.status() : phrase.status();
    auto sender = (*stream)->make_sender().value();
    for (const tutti::Event& event : phrase->events({}))
        sender.post(event);
    std::vector<float> samples(4 * 16000);
    float* out[] = {samples.data()};
    (*stream)->pull(out, static_cast<int>(samples.size()));
    return samples;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: transcribe MODEL-FOLDER [SONG]\n");
        return 2;
    }
    auto engine = tutti::Engine::create();
    if (!engine) return 1;
    const std::string folder = argv[1];
    auto sound = sound_of(argc > 2 ? argv[2] : nullptr, **engine);
    if (!sound) {
        std::fprintf(stderr, "%s\n", sound.status().message().c_str());
        return 1;
    }
    const double seconds = static_cast<double>(sound->size()) / 16000.0;
    auto job = (*engine)->worker().submit<std::string>(
        {.name = "transcribe"}, [&](tutti::JobContext& context) -> tutti::Result<std::string> {
            const auto cancelled = [&context] { return context.cancelled(); };
            auto transcriber = tutti::models::Transcriber::open(folder, context.threads(), cancelled);
            if (!transcriber) return transcriber.status();
            transcriber->model().set_token(context.token()); // a cancel stops it inside an operation
            tutti::models::MemorySource source(*sound);
            tutti::models::RecordingOptions options;
            options.segments = true;
            options.chunked.generate.temperatures = {0.0}; // greedy beams; higher ones draw, and want random numbers
            options.cancelled = cancelled;
            options.progress = [&](double done) {
                context.report("transcribing", seconds > 0.0 ? done / seconds : 1.0);
            };
            tutti::models::TranscriptDocument document;
            tutti::models::RecordingReport report;
            if (tutti::Status status = transcribe_recording(*transcriber, source, options, document, report); !status)
                return status;
            return tutti::models::write_transcript(document, "srt");
        });
    while (!job.wait(0.5)) {
        const tutti::JobProgress progress = job.progress();
        std::fprintf(stderr, "%s %.0f %%\n", progress.stage.c_str(), 100.0 * progress.fraction);
    }
    auto text = job.take();
    if (!text) {
        std::fprintf(stderr, "%s\n", text.status().message().c_str());
        return 1;
    }
    std::printf("%s", text->c_str());
    return 0;
}
