// SPDX-License-Identifier: MIT
#include "gpu/batch/voice_batch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "dsp/take_apart.h"
#include "engine/core/voice_types.h"
#include "engine/cpu/flush.h"
#include "engine/cpu/isa.h"
#include "engine/cpu/kernel.h"
#include "engine/stream/envelope.h"

namespace tutti::gpu {

using namespace voices;

namespace {

constexpr int k_run_frames = 512; // 32 KB of sound; a bundle copies its row's fields in and out, once a run

struct Free {
    void operator()(float* p) const noexcept { ::operator delete (p, std::align_val_t{64}); }
};
using Fields = std::unique_ptr<float[], Free>;
Fields make_fields(std::size_t count) {
    Fields fields(static_cast<float*>(::operator new (count * sizeof(float), std::align_val_t{64})));
    std::fill_n(fields.get(), count, 0.0f);
    return fields;
}

// The largest magnitude of each voice, [frame][16].
void raise(float* peak, const float* sound, int frames) {
    using Lanes = dsp::NativeLanes;
    for (int lane = 0; lane < k_row_slots; lane += dsp::width_of<Lanes>()) {
        auto most = dsp::load<Lanes>(peak + lane);
        for (int f = 0; f < frames; ++f)
            most = dsp::max(most, dsp::abs(dsp::load<Lanes>(sound + f * k_row_slots + lane)));
        dsp::store(peak + lane, most);
    }
}

Result<engine::Isa> isa_of(const char* name) {
    if (*name == '\0') return engine::select_isa();
    for (const engine::Isa isa :
         {engine::Isa::scalar, engine::Isa::sse2, engine::Isa::avx2, engine::Isa::avx512, engine::Isa::neon})
        if (std::strcmp(name, engine::isa_name(isa)) == 0 && engine::isa_supported(isa)) return isa;
    return Status(Code::unsupported, std::string("instruction set '") + name + "' cannot be used here",
                  "the batch was not made", "leave it empty");
}

} // namespace

struct VoiceBatch::Impl {
    const VoiceType* type = nullptr;
    engine::Kernel kernel{};
    int voices = 0, rows = 0, threads = 1;
    double rate = 48000.0;
    Fields fields; // [row][field][16]
    std::size_t row_size() const noexcept { return static_cast<std::size_t>(type->field_count) * k_row_slots; }

    // The voice's first frame, in a row of its own; then its lane moves to its place.
    void start(const BatchVoice& voice, int index, float* scratch, float& first_frame) const {
        std::vector<float> table(static_cast<std::size_t>(part_input_count + type->parameter_count), 0.0f);
        table[part_tempo] = 2.0f;
        for (int p = 0; p < type->parameter_count; ++p) {
            const bool exponential = type->parameters[p].curve == Curve::exponential;
            table[static_cast<std::size_t>(part_input_count + p)] =
                exponential ? std::log2(voice.values[p]) : voice.values[p];
        }
        float values[state_field(k_max_envelopes)] = {};
        values[input_pitch] = voice.key;
        values[input_gain] = values[input_unison_gain] = values[input_lowpass] = 1.0f;
        values[input_velocity] = voice.velocity;
        values[input_key] = (voice.key - 60.0f) / 12.0f;
        std::memcpy(values + input_seed, &voice.seed, sizeof voice.seed);
        EnvelopePlan plans[k_max_envelopes];
        type->plan(voice.values, {voice.key, voice.velocity}, plans);
        for (int e = 0; e < type->envelope_count; ++e) {
            engine::EnvelopeRun run;
            std::int64_t due = 0;
            run.start(plans[e], 0.0, static_cast<double>(plans[e].initial), 0, false, rate);
            const engine::EnvelopeEdit edit = run.tick_edit(plans[e], 0, rate, due);
            std::memcpy(values + envelope_field(e), &edit, sizeof edit);
        }
        engine::Edit edit;
        edit.kind = engine::Edit::start;
        edit.count = static_cast<std::uint8_t>(state_field(type->envelope_count));
        edit.values = values;
        engine::TableChange change{0, 1, table.data()};
        engine::Row row;
        row.fields = scratch;
        row.first_edit = 0;
        std::fill_n(scratch, row_size(), 0.0f);
        float bus[k_block_frames];
        engine::Bank bank;
        bank.type = type;
        bank.sample_rate = rate;
        bank.tables = &change;
        bank.table_count = 1;
        bank.rows = &row;
        bank.row_count = 1;
        bank.edits = &edit;
        bank.channels = 1;
        engine::ChunkWork work;
        work.bank = &bank;
        work.step = {0, 1};
        work.out[0] = bus;
        kernel.chunk(work);
        first_frame = bus[0];
        float* const to =
            fields.get() + row_size() * static_cast<std::size_t>(index / k_row_slots) + index % k_row_slots;
        for (int f = 0; f < type->field_count; ++f)
            to[f * k_row_slots] = scratch[f * k_row_slots];
    }

    // Rows first, first + threads, ...
    void run(int first, const BatchVoice* all, int frames, float* out, std::int64_t stride, bool normalised) {
        const engine::FlushScope flush;
        const Fields scratch = make_fields(row_size());
        alignas(64) float sound[k_run_frames * k_row_slots];
        engine::Bank bank;
        bank.type = type;
        bank.sample_rate = rate;
        bank.channels = 1;
        for (int r = first; r < rows; r += threads) {
            const int begin = r * k_row_slots, count = std::min(k_row_slots, voices - begin);
            for (int i = 0; i < count; ++i)
                start(all[begin + i], begin + i, scratch.get(), out[(begin + i) * stride]);
            alignas(64) float peak[k_row_slots];
            for (int i = 0; i < k_row_slots; ++i)
                peak[i] = i < count ? std::fabs(out[(begin + i) * stride]) : 0.0f;
            engine::BundleWork work;
            work.bank = &bank;
            work.count = 4;
            for (int q = 0; q < 4; ++q)
                work.quad[q] = fields.get() + row_size() * static_cast<std::size_t>(r) + 4 * q;
            work.out[0] = sound;
            for (int at = 1; at < frames;) {
                const int stop = std::min(frames, (at / k_run_frames + 1) * k_run_frames);
                work.step = {at, stop - at};
                kernel.bundle(work);
                if (normalised) raise(peak, sound, stop - at);
                dsp::take_apart(sound, stop - at, count, out + begin * stride + at, stride);
                at = stop;
            }
            // At once: of sixteen voices' four seconds (11 MB) much is still in the third-level cache.
            for (int i = 0; normalised && i < count; ++i) {
                if (peak[i] <= 1.0f) continue;
                float* const own = out + (begin + i) * stride;
                const float gain = 1.0f / peak[i];
                for (int f = 0; f < frames; ++f)
                    own[f] *= gain;
            }
        }
    }
};

VoiceBatch::VoiceBatch(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
VoiceBatch::~VoiceBatch() = default;

int VoiceBatch::voices() const noexcept {
    return m_impl->voices;
}

Result<std::unique_ptr<VoiceBatch>> VoiceBatch::make(const char* type, int voices, double sample_rate, int threads,
                                                     const char* instruction_set) {
    const VoiceType* const found = engine::find_voice_type(type);
    if (found == nullptr)
        return Status(Code::not_found, std::string("there is no voice type '") + type + "'", "the batch was not made",
                      "`tutti patches describe` lists them");
    return make(*found, voices, sample_rate, threads, instruction_set);
}
Result<std::unique_ptr<VoiceBatch>> VoiceBatch::make(const VoiceType& type, int voices, double sample_rate, int threads,
                                                     const char* instruction_set) {
    const auto isa = isa_of(instruction_set);
    if (!isa) return isa.status();
    auto impl = std::make_unique<Impl>();
    impl->kernel = engine::kernels_of(*isa)->type[type.kernel];
    // Whose every parameter stands in the row's fields: only then may lanes of one row differ.
    if (impl->kernel.bundle == nullptr || std::strcmp(type.id, "torchsynth_voice") != 0)
        return Status(Code::unsupported, std::string("voice type '") + type.id + "' has parameters that a row shares",
                      "the batch was not made", "render its patches with a stream in offline mode");
    impl->type = &type;
    impl->voices = voices;
    impl->rows = (voices + k_row_slots - 1) / k_row_slots;
    impl->threads = std::max(1, std::min(threads, impl->rows));
    impl->rate = sample_rate;
    try {
        impl->fields = make_fields(impl->row_size() * static_cast<std::size_t>(impl->rows));
    } catch (const std::bad_alloc&) {
        return Status(Code::out_of_memory, "there is not enough memory for " + std::to_string(voices) + " voices",
                      "the batch was not made", "ask for fewer");
    }
    return std::unique_ptr<VoiceBatch>(new VoiceBatch(std::move(impl)));
}

void VoiceBatch::render(const BatchVoice* voices, int frames, float* out, std::int64_t stride, bool normalised) {
    std::vector<std::thread> helpers;
    for (int t = 1; t < m_impl->threads; ++t)
        helpers.emplace_back([=, this] { m_impl->run(t, voices, frames, out, stride, normalised); });
    m_impl->run(0, voices, frames, out, stride, normalised);
    for (std::thread& helper : helpers)
        helper.join();
}

} // namespace tutti::gpu
