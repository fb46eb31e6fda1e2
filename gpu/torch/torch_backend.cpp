// SPDX-License-Identifier: MIT
#include "gpu/torch/torch_backend.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "engine/cpu/flush.h"
#include "engine/cpu/isa.h"
#include "gpu/torch/library.h"
#include "gpu/torch/record.h"
#include "voices/ambient_pad_parameters.h"
#include "voices/fm_parameters.h"
#include "voices/subtractive_parameters.h"
#include "voices/torchsynth_voice_parameters.h"

namespace tutti::gpu {

using engine::BankStep;
using engine::Row;
using voices::k_block_frames;
using voices::k_row_slots;

namespace {

constexpr int k_open_batches = 8;
constexpr std::size_t k_record_floats = std::size_t{torch_records::k_most} * k_torch_record_stride;
constexpr std::size_t k_state_floats = std::size_t{torch_records::k_most_states} * k_torch_tick_stride;

int kind_of(const voices::VoiceType& type) noexcept {
    constexpr const char* names[k_torch_kinds] = {"subtractive", "fm", "ambient_pad", "torchsynth_voice"};
    for (int k = 0; k < k_torch_kinds; ++k)
        if (std::strcmp(type.id, names[k]) == 0) return k;
    return -1;
}

struct Free {
    void operator()(float* p) const noexcept { ::operator delete (p, std::align_val_t{64}); }
};
// Lines of memory, as wide stores want them.
using Floats = std::unique_ptr<float[], Free>;
Floats make_floats(std::size_t count) {
    Floats floats(static_cast<float*>(::operator new (count * sizeof(float), std::align_val_t{64})));
    std::fill_n(floats.get(), count, 0.0f);
    return floats;
}

// One batch on its way: what the library reads, and whose it is.
struct Batch {
    TorchBatch work;
    Floats records = make_floats(k_record_floats), states = make_floats(k_state_floats);
    std::vector<float> sound = std::vector<float>(std::size_t{k_torch_banks} * 2 * k_block_frames);
    std::vector<Row*> rows;
    std::vector<int> steps; // [bank]: place in the call
    Batch() {
        rows.reserve(k_torch_voices / k_row_slots);
        steps.reserve(k_torch_banks);
    }
};

} // namespace

StateFields state_fields(int kind) noexcept {
    using namespace voices;
    switch (kind) {
    case torch_subtractive:
        return {6,
                {subtractive::f_i1, subtractive::f_i2, subtractive::f_pink, subtractive::f_pink + 1,
                 subtractive::f_pink + 2, subtractive::f_muffle}};
    case torch_fm:
        return {1, {fm::f_output + k_output_memory}};
    case torch_ambient_pad:
        return {8,
                {ambient_pad::f_noise_left, ambient_pad::f_noise_right, ambient_pad::f_left1, ambient_pad::f_left2,
                 ambient_pad::f_right1, ambient_pad::f_right2, ambient_pad::f_output + k_output_memory,
                 ambient_pad::f_output + k_output_memory_right}};
    case torch_torchsynth:
        return {3,
                {torchsynth_voice::f_vco_1 + int{torchsynth_voice::o_phase},
                 torchsynth_voice::f_vco_2 + int{torchsynth_voice::o_phase},
                 torchsynth_voice::f_output + k_output_memory}};
    default:
        return {};
    }
}

struct TorchBackend::Impl {
    const TorchTable* library = nullptr;
    void* self = nullptr;
    std::unique_ptr<engine::Backend> cpu;
    const RecordTable* table = nullptr;
    std::string name, why;
    TorchStats stats;
    std::vector<Batch> batches = std::vector<Batch>(k_open_batches);
    int oldest = 0;
    // The CPU's share of a call.
    std::vector<BankStep> cpu_steps;
    std::vector<engine::Bank> cpu_banks; // halves of banks
    std::vector<Row> cpu_rows;
    std::vector<Row*> cpu_from;
    std::vector<int> cpu_of; // [half]: the step it belongs to
    std::vector<float> cpu_bus;

    ~Impl() {
        if (self != nullptr) library->close(self);
    }
    void flush(Batch& batch, BankStep* steps);
    Batch& batch_for(int kind, const engine::Bank& bank, BankStep* steps);
    void take(int step, BankStep* steps);
};

const char* TorchBackend::refusal(const engine::Bank& bank) noexcept {
    const int kind = kind_of(*bank.type);
    if (kind < 0) return "its voice type is not written for tensors";
    if (bank.quality > 1) return "quality 'ultra' rings from frame to frame";
    if (bank.channels > 2) return "more than two channels";
    for (int t = 0; t < bank.table_count; ++t)
        if (bank.tables[t].offset % voices::k_tick_frames != 0) return "a parameter changes inside a tick";
    const auto bit = [&](int at) { return (bank.shape >> at & 1u) != 0; };
    if (kind == torch_subtractive) {
        using namespace voices::subtractive;
        if (bit(shape_sync)) return "hard sync";
        if (bit(shape_fm)) return "audio-rate cutoff";
        if ((bank.shape >> shape_filter & 7u) == filter_ladder) return "the ladder filter is not linear";
    }
    if (kind == torch_fm) {
        for (int t = 0; t < bank.table_count; ++t)
            if (bank.tables[t].table[voices::part_input_count + int{voices::fm::p_feedback}] > 0.0f) return "feedback";
        for (int r = 0; r < bank.route_count; ++r)
            if (bank.routes[r].target == voices::fm::p_feedback) return "feedback";
    }
    return nullptr;
}

Batch& TorchBackend::Impl::batch_for(int kind, const engine::Bank& bank, BankStep* steps) {
    const int stereo = bank.channels > 1 ? 1 : 0;
    Batch* empty = nullptr;
    for (Batch& batch : batches) {
        const TorchBatch& w = batch.work;
        if (w.voices == 0)
            empty = empty == nullptr ? &batch : empty;
        else if (w.kind == kind && w.shape == bank.shape && w.tier == bank.quality && w.stereo == stereo) {
            if (w.banks < k_torch_banks && w.voices + k_row_slots <= k_torch_voices) return batch;
            flush(batch, steps);
            empty = &batch;
            break;
        }
    }
    if (empty == nullptr) {
        empty = &batches[static_cast<std::size_t>(oldest)];
        oldest = (oldest + 1) % k_open_batches;
        flush(*empty, steps);
    }
    empty->work.kind = kind;
    empty->work.shape = bank.shape;
    empty->work.tier = bank.quality;
    empty->work.stereo = stereo;
    return *empty;
}

void TorchBackend::Impl::flush(Batch& batch, BankStep* steps) {
    TorchBatch& w = batch.work;
    if (w.voices == 0) return;
    const StateFields fields = state_fields(w.kind);
    w.records = batch.records.get();
    w.states = batch.states.get();
    w.sound = batch.sound.data();
    w.first[w.banks] = w.voices;
    char reason[256] = "";
    if (!stats.lost && library->render(self, &w, reason, sizeof reason) != 0) {
        stats.lost = true;
        why = reason;
    }
    if (stats.lost) { // what these voices would have sounded like in this block is not known any more: silence, once
        std::fill(batch.sound.begin(), batch.sound.end(), 0.0f);
    } else {
        for (std::size_t r = 0; r < batch.rows.size(); ++r)
            for (int s = 0; s < fields.count; ++s)
                std::memcpy(batch.rows[r]->fields + fields.field[s] * k_row_slots,
                            batch.states.get() + static_cast<std::size_t>(s) * k_torch_tick_stride + r * k_row_slots,
                            k_row_slots * sizeof(float));
        ++stats.batches;
    }
    for (int b = 0; b < w.banks; ++b) {
        engine::Bank& bank = *steps[batch.steps[static_cast<std::size_t>(b)]].bank;
        for (int side = 0; side < (w.stereo != 0 ? 2 : 1); ++side) {
            const float* const from = batch.sound.data() + (2 * b + side) * k_block_frames;
            for (int i = 0; i < k_block_frames; ++i)
                bank.bus[side][i] += from[i];
        }
    }
    w.voices = w.banks = 0;
    w.moving = 0;
    w.muffled = 0;
    batch.rows.clear();
    batch.steps.clear();
}

// A step's rows go to batches or, those with edits, to a half of the bank for the CPU.
void TorchBackend::Impl::take(int index, BankStep* steps) {
    engine::Bank& bank = *steps[index].bank;
    const int kind = kind_of(*bank.type);
    const StateFields fields = state_fields(kind);
    for (int side = 0; side < (bank.channels > 1 ? 2 : 1); ++side)
        std::fill_n(bank.bus[side], k_block_frames, 0.0f);
    const std::size_t first_row = cpu_rows.size();
    Batch* batch = nullptr;
    for (int r = 0; r < bank.row_count; ++r) {
        Row& row = bank.rows[r];
        if (row.active == 0 && row.first_edit == engine::k_no_edit) continue;
        if (row.first_edit != engine::k_no_edit) {
            cpu_rows.push_back(row);
            cpu_from.push_back(&row);
            stats.cpu_voice_blocks += std::popcount(row.active);
            continue;
        }
        if (batch == nullptr || batch->work.voices + k_row_slots > k_torch_voices) {
            batch = &batch_for(kind, bank, steps);
            batch->work.first[batch->work.banks++] = batch->work.voices;
            batch->steps.push_back(index);
        }
        TorchBatch& w = batch->work;
        RowRecord record;
        record.to = batch->records.get() + w.voices;
        for (int s = 0; s < fields.count; ++s)
            std::memcpy(batch->states.get() + s * k_torch_tick_stride + w.voices,
                        row.fields + fields.field[s] * k_row_slots, k_row_slots * sizeof(float));
        table->row[kind](bank, steps[index].step, row, record);
        w.moving |= record.moving;
        if (row.muffled != 0) w.muffled = 1;
        bank.muted_voices += record.muted;
        batch->rows.push_back(&row);
        w.voices += k_row_slots;
        stats.voice_blocks += std::popcount(row.active);
    }
    if (cpu_rows.size() == first_row) return;
    const std::size_t half = cpu_banks.size();
    cpu_banks.push_back(bank);
    engine::Bank& own = cpu_banks.back();
    own.rows = cpu_rows.data() + first_row;
    own.row_count = static_cast<int>(cpu_rows.size() - first_row);
    own.muted_voices = 0;
    for (int side = 0; side < 2; ++side)
        own.bus[side] = cpu_bus.data() + (2 * half + static_cast<std::size_t>(side)) * k_block_frames;
    cpu_of.push_back(index);
    cpu_steps.push_back({&own, steps[index].step});
}

TorchBackend::TorchBackend(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
TorchBackend::~TorchBackend() = default;

Result<std::unique_ptr<TorchBackend>> TorchBackend::make(const TorchConfig& config,
                                                         std::unique_ptr<engine::Backend> cpu) {
    const auto library = torch_library();
    if (!library) return library.status();
    auto impl = std::make_unique<Impl>();
    impl->library = *library;
    char why[256] = "";
    impl->self =
        (*library)->open(config.device.c_str(), std::max(1, config.threads), config.pure ? 1 : 0, why, sizeof why);
    if (impl->self == nullptr)
        return Status(Code::unsupported, std::string("libtorch gives no device '") + config.device + "': " + why,
                      "voices stay on the CPU backend", "name another device");
    const auto isa = engine::select_isa();
    if (!isa) return isa.status();
    impl->table = record_table_base();
#ifdef TUTTI_GPU_X86
    if (*isa == engine::Isa::avx512) impl->table = record_table_avx512();
    if (*isa == engine::Isa::avx2) impl->table = record_table_avx2();
#endif
    impl->cpu = std::move(cpu);
    constexpr std::size_t rows = 8192;
    impl->cpu_steps.reserve(1024);
    impl->cpu_banks.reserve(1024);
    impl->cpu_of.reserve(1024);
    impl->cpu_rows.reserve(rows);
    impl->cpu_from.reserve(rows);
    impl->cpu_bus.resize(std::size_t{1024} * 2 * k_block_frames);
    impl->name = "torch (" + config.device + "), " + impl->cpu->name() + " standing by";
    return std::unique_ptr<TorchBackend>(new TorchBackend(std::move(impl)));
}

const char* TorchBackend::name() const noexcept {
    return m_impl->name.c_str();
}

void TorchBackend::render(BankStep* steps, int count, int threads) noexcept {
    Impl& m = *m_impl;
    if (m.stats.lost) return m.cpu->render(steps, count, threads);
    const engine::FlushScope flush;
    m.cpu_steps.clear();
    m.cpu_banks.clear();
    m.cpu_rows.clear();
    m.cpu_from.clear();
    m.cpu_of.clear();
    for (int i = 0; i < count; ++i) {
        const engine::Step& step = steps[i].step;
        const bool whole = step.frames == k_block_frames && step.frame % k_block_frames == 0;
        const engine::Bank& bank = *steps[i].bank;
        const bool room = m.cpu_banks.size() < m.cpu_banks.capacity() && m.cpu_steps.size() < m.cpu_steps.capacity() &&
                          m.cpu_rows.size() + static_cast<std::size_t>(bank.row_count) <= m.cpu_rows.capacity();
        if (!whole || !room || refusal(bank) != nullptr) {
            if (m.cpu_steps.size() == m.cpu_steps.capacity()) {
                m.cpu->render(steps + i, 1, threads);
                continue;
            }
            m.cpu_steps.push_back(steps[i]);
            for (int r = 0; r < bank.row_count; ++r)
                m.stats.cpu_voice_blocks += std::popcount(bank.rows[r].active);
            continue;
        }
        m.take(i, steps);
    }
    for (Batch& batch : m.batches)
        m.flush(batch, steps);
    if (m.cpu_steps.empty()) return;
    m.cpu->render(m.cpu_steps.data(), static_cast<int>(m.cpu_steps.size()), threads);
    for (std::size_t i = 0; i < m.cpu_rows.size(); ++i)
        *m.cpu_from[i] = m.cpu_rows[i];
    for (std::size_t h = 0; h < m.cpu_banks.size(); ++h) {
        engine::Bank& bank = *steps[m.cpu_of[h]].bank;
        bank.muted_voices += m.cpu_banks[h].muted_voices;
        for (int side = 0; side < (bank.channels > 1 ? 2 : 1); ++side)
            for (int i = 0; i < k_block_frames; ++i)
                bank.bus[side][i] += m.cpu_banks[h].bus[side][i];
    }
}

TorchStats TorchBackend::stats() const noexcept {
    return m_impl->stats;
}
std::string TorchBackend::loss() const {
    return m_impl->why;
}

} // namespace tutti::gpu
