// SPDX-License-Identifier: MIT
// A song that plays while it is generated, beside a chord: generated_song FOLDER [LYRICS [TAGS [SECONDS]]].
// The worker computes; the clip takes what is final; the stream mixes it with voices. A loop that sleeps stands for the device.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <tutti/engine.h>
#include <tutti/worker.h>

#include <models/generate/music.h>

int main(int argc, char** argv) {
    using namespace tutti;
    if (argc < 2) {
        std::puts("usage: generated_song FOLDER [LYRICS [TAGS [SECONDS]]]");
        return 2;
    }
    auto folder = models::MusicFolder::find(argv[1], "");
    if (!folder.ok()) return std::puts(folder.status().message().c_str()), 1;
    models::MusicLoad load;
    load.folder = folder.value();
    models::MusicRequest request;
    request.lyrics = argc > 2 ? argv[2] : "[verse]\nla la la";
    request.tags = argc > 3 ? argv[3] : "pop";
    request.seed = 7;
    request.max_frames = static_cast<int>((argc > 4 ? std::atof(argv[4]) : 4.0) * 12.5);
    request.never_end = true;
    request.codec.steps = 2; // quick rather than good

    auto engine = Engine::create();
    if (!engine.ok()) return std::puts(engine.status().message().c_str()), 1;
    StreamConfig config;
    config.parts = 2;
    auto stream = (*engine)->open(config);
    if (!stream.ok()) return std::puts(stream.status().message().c_str()), 1;
    if (Status status = (*stream)->set_patch(0, Patch::factory("soft-keys").value()); !status.ok())
        return std::puts(status.message().c_str()), 1;
    if (auto sender = (*stream)->make_sender(); sender.ok())
        for (const int key : {57, 60, 64})
            sender->post(Event::note_on(0, 0, key, 0.5));

    JobConfig job;
    job.name = "song";
    SoundPlace place;
    place.part = 1;
    place.frame = k_asap;
    const auto codec = models::HeartCodecConfig::open(load.folder.codec);
    const double rate = codec.ok() ? codec->sample_rate : 48000.0;
    auto clip =
        (*engine)->worker().submit_written(std::move(job), *stream, place, 2, rate,
                                           [load, request](JobContext& context, SoundWriter& writer) mutable -> Status {
                                               load.token = context.token();
                                               load.threads = context.threads();
                                               auto models = models::MusicModels::open(load);
                                               if (!models.ok()) return models.status();
                                               models::MusicResult result;
                                               return models->generate(
                                                   request,
                                                   [&](int, std::span<const float> left, std::span<const float> right) {
                                                       const float* channels[] = {left.data(), right.data()};
                                                       return writer.write(channels, static_cast<int>(left.size()));
                                                   },
                                                   result);
                                           });
    float left[480], right[480], *out[] = {left, right};
    double peak = 0.0;
    for (Clip heard; !clip.ended() || (clip.status().ok() && !heard.ended());) {
        if ((*stream)->pull(out, 480))
            for (const float x : left)
                peak = std::fmax(peak, std::fabs(static_cast<double>(x)));
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (clip.ended() && clip.status().ok())
            if (auto done = clip.take(); done.ok()) heard = *done;
    }
    if (!clip.status().ok()) return std::puts(clip.status().message().c_str()), 1;
    std::printf("%.1f s rendered, peak %.2f\n", static_cast<double>((*stream)->stats().frames) / config.sample_rate,
                peak);
    return peak > 0.001 ? 0 : 1;
}
