// SPDX-License-Identifier: MIT
// Generation on the engine's worker, heard while it goes on.
#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include <tutti/worker.h>

#include "cli/command.h"
#include "cli/generate.h"

namespace tutti::cli {

void SoundQueue::push(std::span<const float> left, std::span<const float> right) {
    {
        const std::lock_guard lock(m_mutex);
        m_left.insert(m_left.end(), left.begin(), left.end());
        m_right.insert(m_right.end(), right.begin(), right.end());
    }
    m_more.notify_all();
}
void SoundQueue::finish() {
    {
        const std::lock_guard lock(m_mutex);
        m_finished = true;
    }
    m_more.notify_all();
}
double SoundQueue::seconds(double rate) const {
    const std::lock_guard lock(m_mutex);
    return static_cast<double>(m_left.size()) / rate;
}
bool SoundQueue::finished() const {
    const std::lock_guard lock(m_mutex);
    return m_finished;
}
std::size_t SoundQueue::read(std::size_t from, std::vector<float> (&out)[2]) const {
    std::unique_lock lock(m_mutex);
    if (from >= m_left.size() && !m_finished) m_more.wait_for(lock, std::chrono::milliseconds(50));
    if (from >= m_left.size()) return 0;
    const std::size_t frames = std::min(out[0].size(), m_left.size() - from);
    std::copy_n(m_left.begin() + static_cast<std::ptrdiff_t>(from), frames, out[0].begin());
    std::copy_n(m_right.begin() + static_cast<std::ptrdiff_t>(from), frames, out[1].begin());
    return frames;
}

double StreamPlan::wait_seconds(double elapsed, double fraction, double ready, double all, double hop) noexcept {
    if (ready <= 0.0) return 1e9;
    if (ready >= all || fraction >= 1.0) return 0.0;
    // Sound comes in pieces of `hop` seconds. The piece that begins at second s of the song must be there when s is played:
    // the last of them decides where the work is slower than the music, the next one where it is faster.
    const double work_left = fraction > 0.0 ? elapsed * (1.0 - fraction) / fraction : 1e9;
    const double pace = work_left / (all - ready); // seconds of work for a second of music
    double wait = 0.0;
    for (double at = ready; at < all; at += std::max(0.01, hop)) {
        const double there = std::min(at + hop, all);
        wait = std::max(wait, (there - ready) * pace - at);
    }
    return std::min(wait, 1e9);
}

struct GeneratedClip::Shared {
    std::shared_ptr<Stream> stream;
    int part = 0;
    double rate = 48000.0;
    SoundQueue queue;
    CancelToken token;
    std::atomic<bool> leave{false}; // the feeder's
    std::atomic<bool> done{false}, heard{false};
    mutable std::mutex mutex;
    models::MusicProgress progress; // guarded by the mutex, as what follows
    double began = 0.0, loaded = 0.0;
    double wait = -1.0;
    bool playing = false;
    Status status;
    std::thread feeder;

    // Waits until the rest will come in time, then hands the sound to a clip.
    void feed(double hop) {
        std::vector<float> piece[2] = {std::vector<float>(4096), std::vector<float>(4096)};
        double all = 0.0, begin = 0.0;
        bool fresh = true; // the plan is made anew whenever sound has come
        double ready = 0.0, start_at = 1e300;
        while (!leave) {
            const double there = queue.seconds(rate);
            if (queue.finished()) break;
            if (there > ready || fresh) {
                const std::lock_guard lock(mutex);
                fresh = false;
                ready = there;
                all = progress.most_frames * 0.08;
                begin = loaded > 0.0 ? loaded : seconds_now();
                wait = StreamPlan::wait_seconds(seconds_now() - begin, progress.fraction, ready, all, hop);
                start_at = seconds_now() + wait;
            }
            if (ready > 0.0 && seconds_now() >= start_at) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        if (leave || queue.seconds(rate) <= 0.0) {
            heard = true;
            return;
        }
        auto clip = stream->play_written(part, 2, rate, 2.0);
        if (!clip) {
            const std::lock_guard lock(mutex);
            if (status) status = clip.status();
            heard = true;
            return;
        }
        {
            const std::lock_guard lock(mutex);
            playing = true;
        }
        for (std::size_t from = 0; !leave;) {
            const std::size_t frames = queue.read(from, piece);
            if (frames == 0 && queue.finished()) break;
            const float* at[2] = {piece[0].data(), piece[1].data()};
            for (auto left = static_cast<int>(frames); left > 0 && !leave;) {
                const int taken = clip->write(at, left);
                left -= taken;
                for (const float*& channel : at)
                    channel += taken;
                if (left > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            from += frames;
        }
        clip->finish();
        while (!leave && !clip->ended())
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        heard = true;
    }
};

GeneratedClip::GeneratedClip(Engine& engine, std::shared_ptr<Stream> stream, int part, GeneratePlan plan,
                             models::SongSink each)
    : m_shared(std::make_shared<Shared>()) {
    m_shared->stream = std::move(stream);
    m_shared->part = part;
    m_shared->began = seconds_now();
    if (const auto codec = models::HeartCodecConfig::open(plan.load.folder.codec); codec)
        m_shared->rate = codec->sample_rate;
    const double hop = 25.6;
    m_shared->feeder = std::thread([shared = m_shared, hop] { shared->feed(hop); });
    JobConfig config;
    config.name = "generate";
    m_work = engine.worker().submit(
        std::move(config), std::function<Status(JobContext&)>([shared = m_shared, this, plan = std::move(plan),
                                                               each = std::move(each)](JobContext& context) -> Status {
            GeneratePlan own = plan;
            Shared& s = *shared;
            // The job's own token ends it, and so does cancel().
            s.token = context.token();
            own.load.token = context.token();
            const auto ended = [&](const Status& status) {
                {
                    const std::lock_guard lock(s.mutex);
                    s.status = status;
                }
                s.queue.finish();
                s.done = true;
                return status;
            };
            auto models = models::MusicModels::open(own.load);
            if (!models) return ended(models.status());
            {
                const std::lock_guard lock(s.mutex);
                s.loaded = seconds_now();
            }
            models->set_threads(context.threads());
            own.request.progress = [&](const models::MusicProgress& progress) {
                models->set_threads(context.threads()); // it changes while audio is live
                context.report(progress.stage, progress.fraction);
                const std::lock_guard lock(s.mutex);
                s.progress = progress;
            };
            return ended(models->generate(
                own.request,
                [&](int song, std::span<const float> left, std::span<const float> right) -> Status {
                    if (each)
                        if (Status status = each(song, left, right); !status) return status;
                    if (song == 0) s.queue.push(left, right);
                    return {};
                },
                m_result));
        }));
}

GeneratedClip::~GeneratedClip() {
    cancel();
    m_shared->leave = true;
    m_work.wait();
    if (m_shared->feeder.joinable()) m_shared->feeder.join();
}

void GeneratedClip::cancel() {
    m_work.cancel();
}
bool GeneratedClip::generated() const {
    return m_work.ended();
}
bool GeneratedClip::heard() const {
    return m_work.ended() && m_shared->heard;
}
Status GeneratedClip::status() const {
    if (!m_work.ended()) return {};
    {
        const std::lock_guard lock(m_shared->mutex);
        if (!m_shared->status) return m_shared->status;
    }
    return m_work.status();
}

std::string GeneratedClip::line() const {
    const std::lock_guard lock(m_shared->mutex);
    const models::MusicProgress& p = m_shared->progress;
    std::string text =
        fmt::format("{}: frame {} of {}, {:.1f} s of sound", p.stage, p.frames, p.most_frames, p.seconds);
    if (m_shared->playing)
        text += ", playing";
    else if (m_shared->wait > 0.0 && m_shared->wait < 1e8)
        text += fmt::format(", buffering: plays in {:.0f} s", m_shared->wait);
    return text;
}

} // namespace tutti::cli
