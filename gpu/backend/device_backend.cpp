// SPDX-License-Identifier: MIT
#include "gpu/backend/device_backend.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "gpu/backend/impl.h"
#include "gpu/backend/shadow.h"
#include "voices/registry.h"

namespace tutti::gpu {

namespace {

constexpr double k_spin_us = 20.0;
constexpr auto k_nap = std::chrono::microseconds(50);

double microseconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace

Status DeviceBackend::Impl::prepare() {
    for (const voices::VoiceType* type : voices::k_voice_types)
        field_limit = std::max(field_limit, type->field_count);
    const auto row_total = static_cast<std::size_t>(config.rows);
    const auto bank_total = static_cast<std::size_t>(config.banks);
    const std::size_t row_floats = static_cast<std::size_t>(field_limit) * k_row_slots;
    const std::size_t message_size =
        bank_total * (sizeof(BankEntry) + sizeof(voices::Route) * (voices::k_max_routes + 4) + 64) +
        row_total * (sizeof(RowHead) + sizeof(ChunkEntry)) + bank_total * sizeof(ChunkEntry) +
        static_cast<std::size_t>(config.deltas) * sizeof(TableDelta) +
        static_cast<std::size_t>(config.edits) * (sizeof(engine::Edit) + sizeof(float) * k_largest_start) +
        sizeof(Header) + 4096;
    const auto mirror_rows_most = std::min<std::size_t>(row_total, 1024);
    mirror_floats = config.mirror_voices > 0 ? mirror_rows_most * row_floats : 0;
    bool good = own(row_total * row_floats, &fields) && own(row_total, &rows) &&
                own(bank_total * (k_device_changes + 1) * k_table_size, &tables) &&
                own((row_total + bank_total) * 2 * k_block_frames, &partials) &&
                shared(bank_total, &muted_host, &muted);
    float* unused = nullptr;
    DeviceRow* unused_rows = nullptr;
    for (int i = 0; i < k_in_flight && good; ++i) {
        Region& region = staging[i];
        region.size = message_size;
        char* device_side = nullptr;
        good = shared(1, &done_host[i], &done[i]) && shared(bank_total * 2 * k_block_frames, &out_host[i], &out[i]) &&
               shared(message_size, &region.host, &device_side) && own(message_size, &message[i]);
        region.device = message[i];
        if (good && mirror_floats > 0)
            good = shared(mirror_floats, &mirror_host[i], &unused) && shared(row_total, &mirror_rows[i], &unused_rows);
    }
    const std::size_t move_size = std::max<std::size_t>(mirror_floats, 64 * row_floats);
    good = good && shared(move_size, &move_host, &unused) && shared(row_total, &move_rows, &unused_rows);
    if (!good)
        return Status(Code::out_of_memory, "the device refused memory: " + why, "voices stay on the CPU",
                      "ask for fewer rows, or free the device");
    residents.resize(bank_total);
    row_taken.assign(row_total, 0);
    known.assign(row_total * k_row_slots, 0);
    table_copy.assign(bank_total * k_table_size, 0.0f);
    last_bus.assign(bank_total * 2 * k_block_frames, 0.0f);
    muted_seen.assign(bank_total, 0);
    graphs.reserve(64);
    for (Flight& f : flight) {
        f.place.resize(bank_total * 4);
        f.entry.resize(bank_total * 4);
    }
    candidates.reserve(row_total * k_row_slots);
    rebuilt.resize(static_cast<std::size_t>(config.edits + config.standby_voices));
    borrowed.reserve(row_total);
    rebuilt_values.resize(static_cast<std::size_t>(config.standby_voices) * k_largest_start);
    cpu_steps.resize(bank_total * 4);
    fades.reserve(bank_total * 4);
    name = device->info().kind + " (" + device->info().name + "), " + standby->name() + " standing by";
    if (config.keep_warm_ms > 0.0) warmer = std::thread([this] { beat(); });
    return {};
}

bool DeviceBackend::Impl::wait(const Flight& f, int slot) {
    // Acquire: what the device wrote before the number.
    const auto arrived = [&] {
        return std::atomic_ref<unsigned>(*done_host[slot]).load(std::memory_order_acquire) == f.sequence;
    };
    const Clock::time_point begin = Clock::now();
    while (microseconds_since(begin) < k_spin_us)
        if (arrived()) return true;
    while (!arrived()) {
        if (microseconds_since(f.begin) >= config.budget_us) {
            lose("a block was not back in " + std::to_string(static_cast<int>(config.budget_us)) + " microseconds");
            return false;
        }
        std::this_thread::sleep_for(k_nap);
    }
    return true;
}

void DeviceBackend::Impl::take_mirror(const Flight& f, int slot) {
    std::size_t at = 0;
    for (int i = 0; i < f.count; ++i) {
        const int place = f.place[static_cast<std::size_t>(i)];
        if (place < 0) continue;
        const Resident& r = residents[static_cast<std::size_t>(place)];
        engine::Bank& bank = *f.steps[i].bank;
        const std::size_t size = static_cast<std::size_t>(r.type->field_count) * k_row_slots;
        for (int n = 0; n < r.row_count; ++n, at += size) {
            const DeviceRow& from = mirror_rows[slot][r.first_row + n];
            Row& row = bank.rows[n];
            if (from.active != 0 || row.active != 0)
                std::memcpy(row.fields, mirror_host[slot] + at, size * sizeof(float));
            row.active = from.active;
            row.muted = from.muted;
            row.unsettled = from.unsettled;
            row.gliding = from.gliding;
            row.muffled = from.muffled;
            row.version = from.version;
            const std::int64_t end = f.steps[i].step.frame + f.steps[i].step.frames - 1;
            std::fill_n(known.begin() + (r.first_row + n) * k_row_slots, k_row_slots, end);
        }
    }
}

void DeviceBackend::Impl::finish(Flight& f, int slot) {
    if (f.mirrored) take_mirror(f, slot);
    for (int i = 0; i < f.count; ++i) {
        const int place = f.place[static_cast<std::size_t>(i)];
        if (place < 0) continue;
        const auto p = static_cast<std::size_t>(place);
        engine::Bank& bank = *f.steps[i].bank;
        const engine::Step& s = f.steps[i].step;
        const auto offset = static_cast<std::size_t>(s.frame % k_block_frames);
        const auto count = static_cast<std::size_t>(s.frames);
        const float* const from =
            out_host[slot] + static_cast<std::size_t>(f.entry[static_cast<std::size_t>(i)]) * 2 * k_block_frames;
        for (int c = 0; c < bank.channels; ++c) {
            const float* const side = from + c * k_block_frames;
            std::copy_n(side, count, bank.bus[c] + offset);
            float* const last = last_bus.data() + (p * 2 + static_cast<std::size_t>(c)) * k_block_frames;
            // The newest k_block_frames, the last one at the end.
            std::copy(last + count, last + k_block_frames, last);
            std::copy_n(side, count, last + k_block_frames - count);
        }
        residents[p].mirrored = f.mirrored;
        const unsigned counted = std::atomic_ref<unsigned>(muted_host[place]).load(std::memory_order_relaxed);
        bank.muted_voices += counted - muted_seen[p];
        muted_seen[p] = counted;
        if (f.mirrored) continue;
        const Resident& r = residents[p];
        for (int n = 0; n < bank.row_count; ++n)
            follow_edits(bank, bank.rows[n], s.frame, known.data() + (r.first_row + n) * k_row_slots);
    }
    ++stats.steps;
    stats.longest_us = std::max(stats.longest_us, microseconds_since(f.begin));
}

// An idle device lowers its clocks, and the next block pays for it.
void DeviceBackend::Impl::beat() {
    const auto period = std::chrono::duration<double, std::milli>(config.keep_warm_ms);
    std::unique_lock lock(mutex);
    while (!stop_changed.wait_for(lock, period, [&] { return stopping; })) {
        if (stats.lost || flights > 0 || Clock::now() - last_step < period) continue;
        Flight& f = flight[first_flight];
        f.steps = nullptr;
        f.count = 0;
        f.sequence = ++sequence;
        f.begin = Clock::now();
        if (start(f, first_flight) && wait(f, first_flight)) ++stats.heartbeats;
        last_step = Clock::now();
    }
}

DeviceBackend::DeviceBackend(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
DeviceBackend::~DeviceBackend() {
    {
        const std::lock_guard lock(m_impl->mutex);
        m_impl->stopping = true;
    }
    m_impl->stop_changed.notify_all();
    if (m_impl->warmer.joinable()) m_impl->warmer.join();
}

Result<std::unique_ptr<DeviceBackend>> DeviceBackend::make(std::unique_ptr<Device> device,
                                                           std::unique_ptr<engine::Backend> standby,
                                                           const BackendConfig& config) {
    if (config.rows < 1 || config.rows > 1 << 20 || config.banks < 1 || config.banks > 4096 || config.edits < 16 ||
        config.deltas < Impl::k_table_size || config.standby_voices < 1)
        return Status(Code::out_of_range, "a size of the device backend is outside its range", "it was not made",
                      "choose rows 1..1048576, banks 1..4096, edits from 16, deltas from 256");
    auto impl = std::make_unique<Impl>();
    impl->device = std::move(device);
    impl->standby = std::move(standby);
    impl->config = config;
    if (Status status = impl->prepare(); !status) return status;
    return std::unique_ptr<DeviceBackend>(new DeviceBackend(std::move(impl)));
}

const char* DeviceBackend::name() const noexcept {
    return m_impl->name.c_str();
}
BackendStats DeviceBackend::stats() const noexcept {
    return m_impl->stats;
}
std::string DeviceBackend::loss() const {
    return m_impl->why;
}
Device& DeviceBackend::device() noexcept {
    return *m_impl->device;
}

bool DeviceBackend::submit(engine::BankStep* steps, int count) noexcept {
    Impl& m = *m_impl;
    const std::lock_guard lock(m.mutex);
    if (m.flights == Impl::k_in_flight) return false;
    const int slot = (m.first_flight + m.flights) % Impl::k_in_flight;
    Impl::Flight& f = m.flight[slot];
    f.steps = steps;
    f.count = std::min(count, static_cast<int>(f.place.size()));
    f.sequence = ++m.sequence;
    f.begin = Impl::Clock::now();
    f.on_device = false;
    f.mirrored = false;
    ++m.step;
    if (m.flights == 0) m.move_used = 0, m.move_row_used = 0;
    int sounding = 0;
    for (int i = 0; i < f.count && m.config.crossover_voices > 0; ++i)
        for (int r = 0; r < steps[i].bank->row_count; ++r) {
            const engine::Row& row = steps[i].bank->rows[r];
            sounding += std::popcount(row.active);
            for (auto e = row.first_edit; e != engine::k_no_edit; e = steps[i].bank->edits[e].next)
                sounding += steps[i].bank->edits[e].kind == engine::Edit::start ? 1 : 0;
        }
    m.few = sounding < m.config.crossover_voices;
    for (int i = 0; i < f.count; ++i) {
        f.place[static_cast<std::size_t>(i)] = m.stats.lost ? m.place_of(*steps[i].bank) : m.find(*steps[i].bank);
        if (f.place[static_cast<std::size_t>(i)] < 0 && !m.stats.lost) ++m.stats.cpu_banks;
    }
    ++m.flights;
    if (!m.stats.lost) f.on_device = m.start(f, slot);
    return true;
}

void DeviceBackend::collect(int threads) noexcept {
    Impl& m = *m_impl;
    const std::lock_guard lock(m.mutex);
    if (m.flights == 0) return;
    const int slot = m.first_flight;
    Impl::Flight& f = m.flight[slot];
    const bool was_lost = m.handed_over;
    if (!was_lost && f.on_device && m.wait(f, slot)) {
        m.finish(f, slot);
        int rest = 0;
        for (int i = 0; i < f.count; ++i)
            if (f.place[static_cast<std::size_t>(i)] < 0) m.cpu_steps[static_cast<std::size_t>(rest++)] = f.steps[i];
        if (rest > 0) m.standby->render(m.cpu_steps.data(), rest, threads);
    } else {
        if (!was_lost) {
            m.hand_over();
            m.handed_over = true;
        }
        m.on_cpu(f.steps, f.count, threads);
    }
    m.last_step = Impl::Clock::now();
    m.first_flight = (m.first_flight + 1) % Impl::k_in_flight;
    --m.flights;
}

void DeviceBackend::render(engine::BankStep* steps, int count, int threads) noexcept {
    submit(steps, count);
    collect(threads);
}

} // namespace tutti::gpu
