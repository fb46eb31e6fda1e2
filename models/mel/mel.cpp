// SPDX-License-Identifier: MIT
#include <models/mel/mel.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include <models/mel/mel_kernels.h>

namespace tutti::models {
namespace {

constexpr int k_lanes = dsp::k_mel_lanes;
using Kernel = void (*)(const dsp::MelPlan&, const float*, int, float*, float*);

Kernel kernel() noexcept {
    static const Kernel chosen = dsp::mel_kernel_for(best_isa());
    return chosen;
}

// 64-byte aligned scratch: a vector of whole cache lines.
struct alignas(64) CacheLine {
    float values[16];
};
class Scratch {
public:
    explicit Scratch(std::size_t floats) : m_lines((floats + 15) / 16) {}
    float* data() noexcept { return m_lines.front().values; }

private:
    std::vector<CacheLine> m_lines;
};

std::int64_t half_window(const MelConfig& config) noexcept {
    return config.padding == MelPadding::none ? 0 : config.n_fft / 2;
}

// Sample i of the padded signal; samples[0] is number `base` and the signal has `length` samples in all.
float padded(const MelConfig& config, std::span<const float> samples, std::int64_t base, std::int64_t length,
             std::int64_t i) {
    if (i < 0 || i >= length) {
        if (config.padding != MelPadding::reflect || length == 0) return 0.0f;
        if (length == 1) {
            i = 0;
        } else { // reflection without repeating the edge, as often as needed
            const std::int64_t period = 2 * (length - 1);
            i = ((i % period) + period) % period;
            if (i >= length) i = period - i;
        }
    }
    return samples[static_cast<std::size_t>(i - base)];
}

// Rows of frames [first, last); frames that touch an edge are gathered, the others read in place.
void compute(const MelConfig& config, const dsp::MelPlan& plan, std::span<const float> samples, std::int64_t base,
             std::int64_t length, std::int64_t first, std::int64_t last, float* rows, Scratch& scratch,
             std::vector<float>& gathered) {
    while (first < last) {
        const int count = static_cast<int>(std::min<std::int64_t>(k_lanes, last - first));
        const std::int64_t begin = first * config.hop - half_window(config);
        const std::int64_t span = static_cast<std::int64_t>(count - 1) * config.hop + config.n_fft;
        const float* from = nullptr;
        if (begin >= 0 && begin + span <= length) {
            from = samples.data() + (begin - base);
        } else {
            gathered.resize(static_cast<std::size_t>(span));
            for (std::int64_t i = 0; i < span; ++i)
                gathered[static_cast<std::size_t>(i)] = padded(config, samples, base, length, begin + i);
            from = gathered.data();
        }
        kernel()(plan, from, count, rows, scratch.data());
        rows += static_cast<std::ptrdiff_t>(count) * config.mels;
        first += count;
    }
}

Status check(const MelConfig& c) {
    const auto refuse = [](const char* what) {
        return Status(Code::invalid_argument, what, "no spectrogram is made",
                      "give sizes as librosa or Whisper use them");
    };
    if (c.n_fft < 4 || c.n_fft > 1 << 16 || c.n_fft % 2 != 0) return refuse("n_fft must be even, 4 to 65536");
    if (c.hop < 1 || c.hop > 1 << 16) return refuse("hop must be 1 to 65536");
    if (c.mels < 1 || c.mels > 1024) return refuse("the number of mel bands must be 1 to 1024");
    if (!(c.sample_rate >= 1.0 && c.sample_rate <= 1e7)) return refuse("the sample rate must be 1 to 10 million");
    if (!(c.fmin >= 0.0) || !(c.fmax > c.fmin)) return refuse("fmin must be at least 0 and below fmax");
    return {};
}

MelConfig complete(MelConfig config) {
    if (config.fmax == 0.0) config.fmax = config.sample_rate / 2;
    return config;
}

dsp::MelPlan plan_of(const MelConfig& c) {
    return dsp::make_mel_plan(c.sample_rate, c.n_fft, c.hop, c.mels, c.fmin, c.fmax, c.output);
}

} // namespace

MelConfig MelConfig::whisper(int mels) {
    MelConfig config;
    config.mels = mels;
    return config;
}

MelConfig MelConfig::librosa(double sample_rate, int n_fft, int hop, int mels) {
    MelConfig config;
    config.sample_rate = sample_rate;
    config.n_fft = n_fft;
    config.hop = hop;
    config.mels = mels;
    config.padding = MelPadding::zeros;
    config.output = dsp::MelOutput::power;
    return config;
}

struct MelStream::State {
    MelConfig config;
    dsp::MelPlan plan;
    Scratch scratch;
    std::vector<float> gathered;
    std::vector<float> buffer; // samples from number `base` on
    std::int64_t base = 0;
    std::int64_t length = 0; // samples pushed
    std::int64_t next = 0;   // first frame not given out
    std::int64_t given = 0;

    explicit State(const MelConfig& c) : config(c), plan(plan_of(c)), scratch(plan.scratch_floats()) {}

    void emit(std::int64_t last, std::vector<float>& rows) {
        if (last <= next) return;
        const std::size_t old = rows.size();
        rows.resize(old + static_cast<std::size_t>(last - next) * static_cast<std::size_t>(config.mels));
        compute(config, plan, buffer, base, length, next, last, rows.data() + old, scratch, gathered);
        given += last - next;
        next = last;
    }
};

MelStream::MelStream(std::unique_ptr<State> state) : m_state(std::move(state)) {}
MelStream::MelStream(MelStream&&) noexcept = default;
MelStream& MelStream::operator=(MelStream&&) noexcept = default;
MelStream::~MelStream() = default;
const MelConfig& MelStream::config() const noexcept {
    return m_state->config;
}
std::int64_t MelStream::frames() const noexcept {
    return m_state->given;
}

Result<MelStream> MelStream::create(const MelConfig& given) {
    const MelConfig config = complete(given);
    if (Status status = check(config); !status) return status;
    return MelStream(std::make_unique<State>(config));
}

void MelStream::push(std::span<const float> samples, std::vector<float>& rows) {
    State& s = *m_state;
    s.buffer.insert(s.buffer.end(), samples.begin(), samples.end());
    s.length += static_cast<std::int64_t>(samples.size());
    const std::int64_t pad = half_window(s.config);
    // A frame at the front waits until all it mirrors is there; then it cannot change any more.
    if (s.length <= pad) return;
    const std::int64_t last =
        s.length + pad < s.config.n_fft ? 0 : (s.length + pad - s.config.n_fft) / s.config.hop + 1;
    s.emit(last, rows);
    // What the frames to come still need: their own samples, and half a window to be mirrored at the end.
    const std::int64_t keep = std::max<std::int64_t>(0, std::min(s.next * s.config.hop - pad, s.length - pad - 2));
    if (keep - s.base > static_cast<std::int64_t>(s.buffer.size()) / 2) {
        s.buffer.erase(s.buffer.begin(), s.buffer.begin() + static_cast<std::ptrdiff_t>(keep - s.base));
        s.base = keep;
    }
}

void MelStream::finish(std::vector<float>& rows) {
    State& s = *m_state;
    s.emit(mel_frame_count(s.config, s.length), rows);
    s.buffer.clear();
    s.base = s.length = s.next = 0;
}

std::int64_t mel_frame_count(const MelConfig& config, std::int64_t samples) noexcept {
    const std::int64_t padded_samples = samples + 2 * half_window(config);
    if (samples <= 0 || padded_samples < config.n_fft) return 0;
    return (padded_samples - config.n_fft) / config.hop + 1;
}

Result<std::vector<float>> mel_rows(const MelConfig& given, std::span<const float> samples, int threads) {
    const MelConfig config = complete(given);
    if (Status status = check(config); !status) return status;
    std::vector<float> rows(
        static_cast<std::size_t>(mel_frame_count(config, static_cast<std::int64_t>(samples.size()))) *
        static_cast<std::size_t>(config.mels));
    if (Status status = mel_rows_into(config, samples, rows, threads); !status) return status;
    return rows;
}

Status mel_rows_into(const MelConfig& given, std::span<const float> samples, std::span<float> rows, int threads) {
    const MelConfig config = complete(given);
    if (Status status = check(config); !status) return status;
    const dsp::MelPlan plan = plan_of(config);
    const std::int64_t length = static_cast<std::int64_t>(samples.size());
    const std::int64_t frames = mel_frame_count(config, length);
    if (rows.size() != static_cast<std::size_t>(frames) * static_cast<std::size_t>(config.mels))
        return Status(Code::out_of_range, "room for another number of values than the samples give",
                      "no spectrogram is made", "ask mel_frame_count()");
    const auto part = [&](std::int64_t first, std::int64_t last) {
        Scratch scratch(plan.scratch_floats());
        std::vector<float> gathered;
        compute(config, plan, samples, 0, length, first, last, rows.data() + first * config.mels, scratch, gathered);
    };
    const std::int64_t parts = std::clamp<std::int64_t>(threads, 1, 1 + frames / (4 * k_lanes));
    std::vector<std::thread> others;
    for (std::int64_t i = 1; i < parts; ++i)
        others.emplace_back(part, frames * i / parts, frames * (i + 1) / parts);
    part(0, frames / parts);
    for (std::thread& other : others)
        other.join();
    return {};
}

void whisper_normalise(std::span<float> rows) noexcept {
    float highest = -1e30f;
    for (float x : rows)
        highest = x > highest ? x : highest;
    const float floor = highest - 8.0f;
    for (float& x : rows)
        x = ((x > floor ? x : floor) + 4.0f) / 4.0f;
}

Result<std::vector<float>> whisper_features(int mels, std::span<const float> samples, MelExtent extent,
                                            std::int64_t window_samples, int threads) {
    const MelConfig config = MelConfig::whisper(mels);
    std::vector<float> copy;
    if (extent != MelExtent::item) {
        const auto window = static_cast<std::size_t>(window_samples);
        if (extent == MelExtent::window && samples.size() >= window) {
            samples = samples.first(window);
        } else {
            copy.reserve(extent == MelExtent::window ? window : samples.size() + window);
            copy.assign(samples.begin(), samples.end());
            copy.resize(copy.capacity());
            samples = copy;
        }
    }
    auto rows = mel_rows(config, samples, threads);
    if (!rows) return rows.status();
    if (!rows->empty()) rows->resize(rows->size() - static_cast<std::size_t>(mels));
    whisper_normalise(rows.value());
    return rows;
}

void power_to_db(std::span<float> power, float amin, float top_db) noexcept {
    float highest = -1e30f;
    for (float& x : power) {
        x = 10.0f * std::log10(std::max(x, amin));
        highest = std::max(highest, x);
    }
    for (float& x : power)
        x = std::max(x, highest - top_db);
}

const char* mel_kernel_name() noexcept {
    return isa_name(best_isa());
}

} // namespace tutti::models
