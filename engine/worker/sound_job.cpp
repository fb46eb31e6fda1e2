// SPDX-License-Identifier: MIT
// Jobs whose result sounds: a clip on a frame of a stream.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <thread>

#include <tutti/engine.h>
#include <tutti/worker.h>

namespace tutti {

namespace {

struct Start {
    std::int64_t frame = 0; // of the stream
    std::int64_t skip = 0;  // of the sound
};

// Where a sound that is ready now begins. A live stream takes new events with its next block: 10 ms is safely before it.
Start start_of(const Stream& stream, const SoundPlace& place, double rate, bool live) {
    if (place.frame < 0) return {k_asap, 0};
    const std::int64_t closed = stream.stats().frames;
    const bool ahead = live && closed > 0;
    const std::int64_t first = closed + (ahead ? static_cast<std::int64_t>(0.01 * stream.sample_rate()) : 0);
    if (place.frame >= first) return {place.frame, 0};
    if (place.late == LateSound::whole) return {first, 0};
    const double speed = rate / stream.sample_rate() * std::exp2(place.clip.pitch / 12.0);
    return {first, std::llround(static_cast<double>(first - place.frame) * speed)};
}

Result<Clip> play(Stream& stream, const SoundPlace& place, bool live, std::shared_ptr<const Sound> sound) {
    ClipConfig config = place.clip;
    Start start{place.frame, 0};
    if (sound && sound->sample_rate > 0.0 && !sound->channels.empty()) {
        start = start_of(stream, place, sound->sample_rate, live);
        config.begin += start.skip;
        const auto end = config.end < 0 ? static_cast<std::int64_t>(sound->channels[0].size()) : config.end;
        if (start.skip > 0 && config.begin >= end) {
            if (!config.loop || config.loop_begin >= end)
                return Status(Code::deadline, "a sound was ready after its end should have sounded", "it is not played",
                              "ask for it earlier, or with LateSound::whole");
            config.begin = config.loop_begin + (config.begin - config.loop_begin) % (end - config.loop_begin);
        }
    }
    return stream.play(place.part, std::move(sound), config, start.frame);
}

} // namespace

Status SoundWriter::write(const float* const* in, int frames) {
    if (!m_begun) {
        const Start start = start_of(*m_stream, m_place, m_rate, m_live);
        auto clip =
            m_stream->play_written(m_place.part, m_channels, m_rate, m_place.buffer_seconds, m_place.clip, start.frame);
        if (!clip) return clip.status();
        m_clip = std::move(clip).value();
        m_skip = start.skip;
        m_begun = true;
    }
    const auto skipped = static_cast<int>(std::min<std::int64_t>(m_skip, frames));
    m_skip -= skipped;
    std::array<const float*, 16> at{};
    for (int c = 0; c < m_channels; ++c)
        at[static_cast<std::size_t>(c)] = in[c] + skipped;
    for (int left = frames - skipped; left > 0;) {
        if (m_context.cancelled()) return m_context.stopped();
        const int taken = m_clip.write(at.data(), left);
        left -= taken;
        for (int c = 0; c < m_channels; ++c)
            at[static_cast<std::size_t>(c)] += taken;
        if (left > 0) {
            if (m_clip.ended()) return {}; // stopped, or its stream was closed: nobody listens
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    return {};
}

JobOf<Clip> Worker::submit_sound(JobConfig config, std::shared_ptr<Stream> stream, const SoundPlace& place,
                                 std::function<Result<std::shared_ptr<const Sound>>(JobContext&)> work) {
    const bool live = stream->config().mode != Mode::offline;
    return submit<Clip>(
        std::move(config),
        [stream = std::move(stream), place, live, work = std::move(work)](JobContext& context) -> Result<Clip> {
            auto sound = work(context);
            if (!sound) return sound.status();
            if (context.cancelled()) return context.stopped();
            return play(*stream, place, live, std::move(sound).value());
        });
}

JobOf<Clip> Worker::submit_written(JobConfig config, std::shared_ptr<Stream> stream, const SoundPlace& place,
                                   int channels, double sample_rate,
                                   std::function<Status(JobContext&, SoundWriter&)> work) {
    const bool live = stream->config().mode != Mode::offline;
    return submit<Clip>(std::move(config),
                        [stream = std::move(stream), place, live, channels, sample_rate,
                         work = std::move(work)](JobContext& context) -> Result<Clip> {
                            SoundWriter writer(context, stream, place, live, channels, sample_rate);
                            const auto finish = [&] { writer.m_clip.finish(); };
                            Status status;
                            try {
                                status = work(context, writer);
                            } catch (...) { // what was written plays out
                                finish();
                                throw;
                            }
                            finish();
                            if (!status) return status;
                            return writer.clip();
                        });
}

} // namespace tutti
