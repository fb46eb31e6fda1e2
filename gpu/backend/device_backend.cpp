// SPDX-License-Identifier: MIT
// Over 400 lines: one thing, the life of a step between host and device, whose parts share nearly all of their state.
#include "gpu/backend/device_backend.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "gpu/backend/shadow.h"
#include "gpu/device/program.h"
#include "voices/registry.h"

namespace tutti::gpu {

using engine::BankStep;
using engine::Row;
using voices::k_block_frames;
using voices::k_row_slots;

namespace {

using Clock = std::chrono::steady_clock;
constexpr int k_table_size = 256;
constexpr int k_in_flight = 2;
constexpr double k_spin_us = 20.0;
constexpr auto k_nap = std::chrono::microseconds(50);
constexpr int k_largest_start = voices::state_field(voices::k_max_envelopes);
static_assert(voices::part_input_count + voices::k_max_parameters <= k_table_size);

double microseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}
int fields_of_largest_type() {
    int most = 0;
    for (const voices::VoiceType* type : voices::k_voice_types)
        most = std::max(most, type->field_count);
    return most;
}

// A bank that lives on the device. Its key is where the stream keeps its rows.
struct Resident {
    const Row* rows = nullptr; // null: free
    const voices::VoiceType* type = nullptr;
    int first_row = 0, row_count = 0;
    std::int64_t seen = 0; // step
    std::uint32_t version = 0;
    bool known = false;    // `version` and the table's copy hold
    bool mirrored = false; // the stream's rows hold the state as it was after the last block
};

struct Flight {
    BankStep* steps = nullptr;
    int count = 0;
    unsigned sequence = 0;
    bool on_device = false, mirrored = false;
    Clock::time_point begin;
    std::vector<int> place; // [bank]: of its Resident, -1: rendered by the CPU
    std::vector<int> entry; // [bank]: its place in the message
};

// Memory that the message is laid out in, from both sides.
struct Region {
    char* host = nullptr;
    char* device = nullptr;
    std::size_t size = 0, used = 0;
    template <class T>
    T* take(std::size_t count, T** device_address) {
        used = (used + 63) / 64 * 64;
        if (used + count * sizeof(T) > size) return nullptr;
        T* const at = reinterpret_cast<T*>(host + used);
        *device_address = reinterpret_cast<T*>(device + used);
        used += count * sizeof(T);
        return at;
    }
};

struct CapturedGraph {
    int slot = 0, banks = 0;
    int chunks[engine::k_kernel_count] = {};
    bool publishes = false;
    Graph graph = nullptr;
};

int rounded(int count) {
    return count == 0 ? 0 : static_cast<int>(std::bit_ceil(static_cast<unsigned>(count)));
}

} // namespace

struct DeviceBackend::Impl {
    std::unique_ptr<Device> device;
    std::unique_ptr<engine::Backend> standby;
    BackendConfig config;
    std::string name, why;
    BackendStats stats;
    int field_limit = fields_of_largest_type();
    // Device memory.
    float* fields = nullptr; // [row][field_limit][16]
    DeviceRow* rows = nullptr;
    float* tables = nullptr; // [resident][k_device_changes + 1][k_table_size]
    float* partials = nullptr;
    unsigned* muted = nullptr; // [resident], shared
    unsigned* muted_host = nullptr;
    unsigned* done[k_in_flight] = {};
    unsigned* done_host[k_in_flight] = {};
    float* out[k_in_flight] = {};
    float* out_host[k_in_flight] = {};
    char* message[k_in_flight] = {}; // the device's own copy
    Region staging[k_in_flight];     // the host's
    struct Piece {
        std::size_t begin, size;
    };
    Piece pieces[k_in_flight][3]; // of the message: what this step has of the lists, of edits, of their values
    float* mirror_host[k_in_flight] = {};
    DeviceRow* mirror_rows[k_in_flight] = {};
    std::size_t mirror_floats = 0;
    float* move_host = nullptr; // state on its way up
    DeviceRow* move_rows = nullptr;
    std::size_t move_used = 0;
    int move_row_used = 0;
    // Host memory.
    std::vector<Resident> residents;
    std::vector<std::uint8_t> row_taken;
    std::vector<std::int64_t> known;   // [row][16]
    std::vector<float> table_copy;     // [resident][k_table_size]
    std::vector<float> last_bus;       // [resident][2][64]
    std::vector<unsigned> muted_seen;  // [resident]
    std::vector<CapturedGraph> graphs; // reserved once
    Flight flight[k_in_flight];
    int first_flight = 0, flights = 0;
    unsigned sequence = 0;
    std::int64_t step = 0;
    bool few = false;         // fewer voices than the crossover, in this step
    bool handed_over = false; // the CPU has everything
    // Rebuilding.
    struct Candidate {
        float loudness;
        int bank, row, lane;
    };
    std::vector<Candidate> candidates;
    std::vector<engine::Edit> rebuilt;
    std::vector<float> rebuilt_values;
    struct Borrowed {
        Row* row;
        std::uint32_t first_edit;
    };
    std::vector<Borrowed> borrowed; // rows whose edits are ours for this step: the stream keeps its own list
    std::vector<BankStep> cpu_steps;
    struct Fade {
        const Row* rows;
        int frames_left, length, place;
    };
    std::vector<Fade> fades;
    // Keep-warm.
    std::mutex mutex;
    std::condition_variable stop_changed;
    bool stopping = false;
    std::thread warmer;
    Clock::time_point last_step = Clock::now();

    bool fine(int error, const char* what) {
        if (error == 0) return true;
        lose(std::string(what) + ": " + device->error_text(error));
        return false;
    }
    void lose(std::string reason) {
        if (stats.lost) return;
        stats.lost = true;
        why = std::move(reason);
    }

    Status prepare();
    template <class T>
    bool shared(std::size_t count, T** host, T** device_address) {
        void *h = nullptr, *d = nullptr;
        const int error = device->allocate_shared(count * sizeof(T), &h, &d);
        *host = static_cast<T*>(h);
        *device_address = static_cast<T*>(d);
        return fine(error, "shared memory");
    }
    template <class T>
    bool own(std::size_t count, T** address) {
        void* d = nullptr;
        const int error = device->allocate(count * sizeof(T), &d);
        *address = static_cast<T*>(d);
        return fine(error, "device memory");
    }

    int place_of(const engine::Bank& bank) const;
    int find(const engine::Bank& bank);
    int adopt(const engine::Bank& bank);
    bool move_up(const engine::Bank& bank, Resident& resident);
    bool write_message(Flight& f, int slot);
    bool write_bank(const engine::Bank& bank, BankEntry& entry, BankEntry* at, int place, Region& region,
                    Header& header, TableDelta* deltas, unsigned& delta_count, engine::Edit* edits,
                    engine::Edit* edits_device, unsigned& edit_count, float* values, float* values_device,
                    std::size_t& value_count, RowHead* heads);
    bool start(Flight& f, int slot);
    bool launch_all(const Flight& f, int slot, const int* chunks, int banks, bool publish);
    bool wait(const Flight& f, int slot);
    void finish(Flight& f, int slot);
    void take_mirror(const Flight& f, int slot);
    void hand_over();
    void on_cpu(BankStep* steps, int count, int threads);
    void fade_in(BankStep* steps, int count);
    void beat();
};

Status DeviceBackend::Impl::prepare() {
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

// --- residency

int DeviceBackend::Impl::place_of(const engine::Bank& bank) const {
    for (std::size_t i = 0; i < residents.size(); ++i)
        if (residents[i].rows == bank.rows && residents[i].type == bank.type) return static_cast<int>(i);
    return -1;
}

int DeviceBackend::Impl::find(const engine::Bank& bank) {
    for (std::size_t i = 0; i < residents.size(); ++i) {
        Resident& r = residents[i];
        if (r.rows != bank.rows) continue;
        if (r.type == bank.type && r.row_count == bank.row_count) {
            r.seen = step;
            return static_cast<int>(i);
        }
        // Another instance at the same address.
        std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{0});
        r.rows = nullptr;
    }
    return adopt(bank);
}

// A place for the bank, whose voices move up with their state; -1: it stays on the CPU.
int DeviceBackend::Impl::adopt(const engine::Bank& bank) {
    int place = -1;
    for (std::size_t i = 0; i < residents.size(); ++i) {
        Resident& r = residents[i];
        // An instance that has not been asked for in so long has no voices: what stands there is nobody's.
        if (r.rows != nullptr && r.seen + 64 < step && flights == 0) {
            std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{0});
            r.rows = nullptr;
        }
        if (r.rows == nullptr && place < 0) place = static_cast<int>(i);
    }
    // Types that the program added have no device program.
    if (place < 0 || bank.channels > 2 || bank.type->field_count > field_limit ||
        bank.type->kernel >= engine::k_kernel_count || few)
        return -1;
    int run = 0, at = 0;
    for (; at < config.rows && run < bank.row_count; ++at)
        run = row_taken[static_cast<std::size_t>(at)] != 0 ? 0 : run + 1;
    if (run < bank.row_count) return -1;
    Resident& r = residents[static_cast<std::size_t>(place)];
    r = {bank.rows, bank.type, at - bank.row_count, bank.row_count, step, 0, false, true};
    if (!move_up(bank, r)) {
        r.rows = nullptr;
        return -1;
    }
    std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{1});
    return place;
}

bool DeviceBackend::Impl::move_up(const engine::Bank& bank, Resident& r) {
    const std::size_t row_floats = static_cast<std::size_t>(bank.type->field_count) * k_row_slots;
    int voices_up = 0;
    std::size_t floats = 0;
    for (int i = 0; i < bank.row_count; ++i) {
        voices_up += std::popcount(bank.rows[i].active);
        floats += bank.rows[i].active != 0 ? row_floats : 0;
    }
    const std::size_t room =
        std::max<std::size_t>(mirror_floats, 64 * static_cast<std::size_t>(field_limit) * k_row_slots);
    if (move_used + floats > room || move_row_used + bank.row_count > config.rows) return false;
    float* const to =
        fields + static_cast<std::size_t>(r.first_row) * static_cast<std::size_t>(field_limit) * k_row_slots;
    for (int i = 0; i < bank.row_count; ++i) {
        const Row& row = bank.rows[i];
        DeviceRow& up = move_rows[move_row_used + i];
        up = {engine::k_no_edit, row.version, row.active, row.muted, row.unsettled, row.gliding, row.muffled, 0};
        if (row.active == 0) continue;
        float* const from = move_host + move_used;
        std::memcpy(from, row.fields, row_floats * sizeof(float));
        move_used += row_floats;
        if (!fine(device->upload(to + static_cast<std::size_t>(i) * row_floats, from, row_floats * sizeof(float)),
                  "upload"))
            return false;
    }
    const auto count = static_cast<std::size_t>(bank.row_count);
    if (!fine(device->upload(rows + r.first_row, move_rows + move_row_used, count * sizeof(DeviceRow)), "upload"))
        return false;
    move_row_used += bank.row_count;
    stats.voices_moved += voices_up;
    return true;
}

// --- the message

bool DeviceBackend::Impl::write_bank(const engine::Bank& bank, BankEntry& entry, BankEntry* at, int place,
                                     Region& region, Header& header, TableDelta* deltas, unsigned& delta_count,
                                     engine::Edit* edits, engine::Edit* edits_device, unsigned& edit_count,
                                     float* values, float* values_device, std::size_t& value_count, RowHead* heads) {
    Resident& r = residents[static_cast<std::size_t>(place)];
    const auto p = static_cast<std::size_t>(place);
    entry.bank = bank;
    entry.table_size = static_cast<unsigned>(voices::part_input_count + bank.type->parameter_count);
    entry.tables = tables + p * (k_device_changes + 1) * k_table_size;
    entry.fields = fields + static_cast<std::size_t>(r.first_row) * static_cast<std::size_t>(field_limit) * k_row_slots;
    entry.rows = rows + r.first_row;
    entry.muted = muted + place;
    entry.field_count = static_cast<unsigned>(bank.type->field_count);
    entry.chunks = static_cast<unsigned>((bank.row_count + voices::k_chunk_rows - 1) / voices::k_chunk_rows);
    entry.first_delta = delta_count;
    float* const copy = table_copy.data() + p * k_table_size;
    if (bank.table_count > k_device_changes) return false;
    for (int c = 0; c < bank.table_count; ++c) {
        const engine::TableChange& change = bank.tables[c];
        entry.changes[c] = {change.offset, change.version, entry.tables + c * static_cast<int>(entry.table_size)};
        if (r.known && r.version == change.version) continue;
        for (unsigned e = 0; e < entry.table_size; ++e) {
            if (r.known && copy[e] == change.table[e]) continue;
            if (delta_count == static_cast<unsigned>(config.deltas)) return false;
            copy[e] = change.table[e];
            deltas[delta_count++] = {static_cast<unsigned short>(c), static_cast<unsigned short>(e), copy[e]};
        }
        r.known = true;
        r.version = change.version;
    }
    entry.delta_count = delta_count - entry.first_delta;
    entry.bank.tables = at->changes; // `at` is the entry's device address
    if (bank.route_count > 0) {
        voices::Route* routes_device = nullptr;
        voices::Route* const routes =
            region.take<voices::Route>(static_cast<std::size_t>(bank.route_count), &routes_device);
        if (routes == nullptr) return false;
        std::copy_n(bank.routes, bank.route_count, routes);
        entry.bank.routes = routes_device;
    }
    for (int i = 0; i < bank.row_count; ++i) {
        std::uint32_t next = bank.rows[i].first_edit;
        if (next == engine::k_no_edit) continue;
        heads[header.head_count++] = {static_cast<unsigned>(r.first_row + i), edit_count};
        for (; next != engine::k_no_edit; next = bank.edits[next].next) {
            if (edit_count == static_cast<unsigned>(config.edits)) return false;
            const engine::Edit& from = bank.edits[next];
            engine::Edit& to = edits[edit_count++];
            to = from;
            to.next = from.next == engine::k_no_edit ? engine::k_no_edit : edit_count;
            const int count = from.kind == engine::Edit::start   ? voices::state_field(bank.type->envelope_count)
                              : from.kind == engine::Edit::write ? from.count
                                                                 : 0;
            std::copy_n(from.values, count, values + value_count);
            to.values = values_device + value_count;
            value_count += static_cast<std::size_t>(count);
        }
    }
    entry.bank.edits = edits_device;
    entry.bank.rows = nullptr;
    return true;
}

bool DeviceBackend::Impl::write_message(Flight& f, int slot) {
    Region& region = staging[slot];
    region.used = 0;
    const auto banks_most = static_cast<std::size_t>(config.banks), rows_most = static_cast<std::size_t>(config.rows);
    Header* header_device = nullptr;
    Header* const header = region.take<Header>(1, &header_device);
    *header = {};
    header->sequence = f.sequence;
    header->rows = rows;
    header->partials = partials;
    header->out = out[slot];
    header->done = done[slot];
    int on_device = 0;
    unsigned chunk_total = 0, partial = 0;
    for (int i = 0; i < f.count; ++i)
        on_device += f.place[static_cast<std::size_t>(i)] >= 0 ? 1 : 0;
    BankEntry* const entries =
        region.take<BankEntry>(static_cast<std::size_t>(on_device > 0 ? on_device : 1), &header->banks);
    ChunkEntry* const chunks = region.take<ChunkEntry>(rows_most + banks_most, &header->chunks);
    RowHead* const heads = region.take<RowHead>(rows_most, &header->heads);
    voices::Route* routes_device = nullptr;
    Region routes = region;
    routes.used = region.used;
    voices::Route* const route_room =
        region.take<voices::Route>(banks_most * (voices::k_max_routes + 4), &routes_device);
    routes.size = region.used;
    TableDelta* const deltas = region.take<TableDelta>(static_cast<std::size_t>(config.deltas), &header->deltas);
    engine::Edit* edits_device = nullptr;
    engine::Edit* const edits = region.take<engine::Edit>(static_cast<std::size_t>(config.edits), &edits_device);
    float* values_device = nullptr;
    float* const values = region.take<float>(k_largest_start, &values_device);
    if (entries == nullptr || chunks == nullptr || route_room == nullptr || edits == nullptr || values == nullptr)
        return false;
    const std::size_t values_at = static_cast<std::size_t>(reinterpret_cast<char*>(values) - region.host);
    const std::size_t value_limit = (region.size - values_at) / sizeof(float); // they run to the end
    unsigned delta_count = 0, edit_count = 0;
    std::size_t value_count = 0;
    for (int i = 0, n = 0; i < f.count; ++i) {
        const int place = f.place[static_cast<std::size_t>(i)];
        if (place < 0) continue;
        BankEntry& entry = entries[n];
        entry.step = f.steps[i].step;
        if (!write_bank(*f.steps[i].bank, entry, header->banks + n, place, routes, *header, deltas, delta_count, edits,
                        edits_device, edit_count, values, values_device, value_count, heads) ||
            value_count + k_largest_start > value_limit)
            return false;
        entry.first_partial = partial;
        partial += entry.chunks;
        f.entry[static_cast<std::size_t>(i)] = n++;
    }
    const auto offset_of = [&](const void* p) {
        return static_cast<std::size_t>(static_cast<const char*>(p) - region.host);
    };
    pieces[slot][0] = {0, offset_of(deltas + delta_count)};
    pieces[slot][1] = {offset_of(edits), edit_count * sizeof(engine::Edit)};
    pieces[slot][2] = {values_at, value_count * sizeof(float)};
    header->bank_count = static_cast<unsigned>(on_device);
    for (int kernel = 0; kernel < engine::k_kernel_count; ++kernel) {
        header->chunk_first[kernel] = chunk_total;
        for (int n = 0; n < on_device; ++n)
            if (entries[n].bank.type->kernel == kernel)
                for (unsigned c = 0; c < entries[n].chunks; ++c)
                    chunks[chunk_total++] = {static_cast<unsigned>(n), c};
        header->chunk_count[kernel] = chunk_total - header->chunk_first[kernel];
    }
    for (int n = 0; n < on_device; ++n)
        entries[n].bank.type = nullptr; // the host's
    return true;
}

bool DeviceBackend::Impl::launch_all(const Flight&, int slot, const int* chunks, int banks, bool publish) {
    const void* const header = message[slot];
    if (!fine(device->launch({program_apply, banks + 1, header}), "launch")) return false;
    for (int kernel = 0; kernel < engine::k_kernel_count; ++kernel)
        if (chunks[kernel] > 0 && !fine(device->launch({program_render + kernel, chunks[kernel], header}), "launch"))
            return false;
    if (banks > 0 && !fine(device->launch({program_sum, banks, header}), "launch")) return false;
    return !publish || fine(device->launch({program_publish, 1, header}), "launch");
}

bool DeviceBackend::Impl::start(Flight& f, int slot) {
    if (!write_message(f, slot)) {
        lose("a step has more changes than its message holds");
        return false;
    }
    const Header& header = *reinterpret_cast<const Header*>(staging[slot].host);
    for (const Piece& piece : pieces[slot])
        if (piece.size > 0 &&
            !fine(device->upload(message[slot] + piece.begin, staging[slot].host + piece.begin, piece.size), "upload"))
            return false;
    if (!fine(device->order(), "order")) return false;
    int active = 0;
    std::size_t floats = 0;
    for (int i = 0; i < f.count; ++i) {
        if (f.place[static_cast<std::size_t>(i)] < 0) continue;
        const engine::Bank& bank = *f.steps[i].bank;
        for (int r = 0; r < bank.row_count; ++r)
            active += std::popcount(bank.rows[r].active);
        floats += static_cast<std::size_t>(bank.row_count * bank.type->field_count) * k_row_slots;
    }
    f.mirrored = floats <= mirror_floats && active <= config.mirror_voices && mirror_floats > 0;
    CapturedGraph key;
    key.slot = slot;
    key.banks = rounded(static_cast<int>(header.bank_count));
    key.publishes = !f.mirrored;
    for (int k = 0; k < engine::k_kernel_count; ++k)
        key.chunks[k] = rounded(static_cast<int>(header.chunk_count[k]));
    const CapturedGraph* found = nullptr;
    for (const CapturedGraph& g : graphs)
        if (g.slot == slot && g.banks == key.banks && g.publishes == key.publishes &&
            std::equal(g.chunks, g.chunks + engine::k_kernel_count, key.chunks))
            found = &g;
    if (found == nullptr && config.graphs && graphs.size() < graphs.capacity()) {
        if (!fine(device->begin_capture(), "capture")) return false;
        const bool good = launch_all(f, slot, key.chunks, key.banks, key.publishes);
        const int error = device->end_capture(&key.graph);
        if (!good || !fine(error, "capture")) return false;
        graphs.push_back(key);
        ++stats.graphs;
        found = &graphs.back();
    }
    if (found != nullptr ? !fine(device->replay(found->graph), "replay")
                         : !launch_all(f, slot, key.chunks, key.banks, key.publishes))
        return false;
    if (!f.mirrored) return true;
    std::size_t at = 0;
    for (int i = 0; i < f.count; ++i) {
        const int place = f.place[static_cast<std::size_t>(i)];
        if (place < 0) continue;
        const Resident& r = residents[static_cast<std::size_t>(place)];
        const std::size_t size = static_cast<std::size_t>(r.row_count * r.type->field_count) * k_row_slots;
        const float* const from =
            fields + static_cast<std::size_t>(r.first_row) * static_cast<std::size_t>(field_limit) * k_row_slots;
        if (!fine(device->download(mirror_host[slot] + at, from, size * sizeof(float)), "download") ||
            !fine(device->download(mirror_rows[slot] + r.first_row, rows + r.first_row,
                                   static_cast<std::size_t>(r.row_count) * sizeof(DeviceRow)),
                  "download"))
            return false;
        at += size;
    }
    return fine(device->launch({program_publish, 1, message[slot]}), "launch");
}

// --- a step

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

// --- after a loss

// What lives on the device comes back to its streams' rows. Mirrored state is there already; else voices begin anew in their
// course, the loudest that the CPU can hold.
void DeviceBackend::Impl::hand_over() {
    std::size_t edit_count = 0;
    candidates.clear();
    for (int n = 0; n < flights; ++n) {
        Flight& f = flight[(first_flight + n) % k_in_flight];
        for (int i = 0; i < f.count && n == 0; ++i) {
            const int place = f.place[static_cast<std::size_t>(i)];
            if (place < 0 || residents[static_cast<std::size_t>(place)].rows == nullptr) continue;
            const Resident& r = residents[static_cast<std::size_t>(place)];
            engine::Bank& bank = *f.steps[i].bank;
            if (r.mirrored) continue;
            const int envelopes = bank.type->envelope_count;
            for (int k = 0; k < bank.row_count; ++k) {
                Row& row = bank.rows[k];
                for (int lane = 0; lane < k_row_slots; ++lane) {
                    if ((row.active >> lane & 1) == 0) continue;
                    float* const at = row.fields + lane;
                    advance_lane(at, envelopes,
                                 ticks_between(known[static_cast<std::size_t>((r.first_row + k) * k_row_slots + lane)],
                                               f.steps[i].step.frame));
                    const float loud = at[voices::envelope_field(0) * k_row_slots] *
                                       at[voices::input_gain * k_row_slots] * at[voices::input_velocity * k_row_slots];
                    candidates.push_back({loud, i, k, lane});
                }
            }
            fades.push_back({bank.rows, static_cast<int>(0.005 * bank.sample_rate),
                             static_cast<int>(0.005 * bank.sample_rate), place});
        }
    }
    Flight& f = flight[first_flight];
    const auto keep = std::min(candidates.size(), static_cast<std::size_t>(config.standby_voices));
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(keep), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.loudness > b.loudness; });
    for (std::size_t i = keep; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        Row& row = f.steps[c.bank].bank->rows[c.row];
        const auto bit = static_cast<std::uint16_t>(1u << c.lane);
        for (int k = 0; k < f.steps[c.bank].bank->type->field_count; ++k)
            row.fields[k * k_row_slots + c.lane] = 0.0f;
        row.active &= static_cast<std::uint16_t>(~bit);
        row.muted |= bit; // deaf until its next start
    }
    stats.voices_shed += static_cast<std::int64_t>(candidates.size() - keep);
    // A start at the step's first frame for each that is kept, before the edits that it has anyway.
    for (int i = 0; i < f.count; ++i) {
        engine::Bank& bank = *f.steps[i].bank;
        const std::size_t first = edit_count;
        bool any = false;
        for (std::size_t k = 0; k < keep; ++k)
            any = any || candidates[k].bank == i;
        if (!any) continue;
        for (int k = 0; k < bank.row_count; ++k) {
            Row& row = bank.rows[k];
            std::uint32_t next = row.first_edit, last = engine::k_no_edit, head = engine::k_no_edit;
            const auto append = [&](const engine::Edit& edit) {
                const auto at = static_cast<std::uint32_t>(edit_count - first);
                if (edit_count == rebuilt.size()) return;
                rebuilt[edit_count] = edit;
                rebuilt[edit_count++].next = engine::k_no_edit;
                if (last == engine::k_no_edit)
                    head = at;
                else
                    rebuilt[first + last].next = at;
                last = at;
            };
            for (std::size_t m = 0; m < keep; ++m) {
                const Candidate& c = candidates[m];
                if (c.bank != i || c.row != k) continue;
                float* const values = rebuilt_values.data() + m * k_largest_start;
                for (int v = 0; v < voices::state_field(bank.type->envelope_count); ++v)
                    values[v] = row.fields[v * k_row_slots + c.lane];
                engine::Edit start;
                start.lane = static_cast<std::uint8_t>(c.lane);
                start.values = values;
                append(start);
            }
            for (; next != engine::k_no_edit; next = bank.edits[next].next)
                append(bank.edits[next]);
            borrowed.push_back({&row, row.first_edit});
            row.first_edit = head;
        }
        bank.edits = rebuilt.data() + first;
    }
}

void DeviceBackend::Impl::fade_in(BankStep* steps, int count) {
    for (Fade& fade : fades)
        for (int i = 0; i < count; ++i) {
            engine::Bank& bank = *steps[i].bank;
            if (bank.rows != fade.rows || fade.frames_left == 0) continue;
            const auto offset = static_cast<int>(steps[i].step.frame % k_block_frames);
            for (int n = 0; n < steps[i].step.frames && fade.frames_left > 0; ++n, --fade.frames_left) {
                const int past = fade.length - fade.frames_left;
                const float in = static_cast<float>(past) / static_cast<float>(fade.length);
                for (int c = 0; c < std::min(bank.channels, 2); ++c) {
                    // The old sound goes on as its own last frames run backwards: no step in value.
                    const float* const last =
                        last_bus.data() +
                        (static_cast<std::size_t>(fade.place) * 2 + static_cast<std::size_t>(c)) * k_block_frames;
                    const float old = past < k_block_frames ? last[k_block_frames - 1 - past] : 0.0f;
                    const float reach = static_cast<float>(std::max(0, k_block_frames - past)) / k_block_frames;
                    float& x = bank.bus[c][offset + n];
                    x = x * in + old * (1.0f - in) * reach;
                }
            }
        }
}

void DeviceBackend::Impl::on_cpu(BankStep* steps, int count, int threads) {
    standby->render(steps, count, threads);
    for (const Borrowed& each : borrowed)
        each.row->first_edit = each.first_edit;
    borrowed.clear();
    fade_in(steps, count);
    ++stats.cpu_steps;
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

// --- public

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
        config.deltas < k_table_size || config.standby_voices < 1)
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

bool DeviceBackend::submit(BankStep* steps, int count) noexcept {
    Impl& m = *m_impl;
    const std::lock_guard lock(m.mutex);
    if (m.flights == k_in_flight) return false;
    const int slot = (m.first_flight + m.flights) % k_in_flight;
    Flight& f = m.flight[slot];
    f.steps = steps;
    f.count = std::min(count, static_cast<int>(f.place.size()));
    f.sequence = ++m.sequence;
    f.begin = Clock::now();
    f.on_device = false;
    f.mirrored = false;
    ++m.step;
    if (m.flights == 0) m.move_used = 0, m.move_row_used = 0;
    int sounding = 0;
    for (int i = 0; i < f.count && m.config.crossover_voices > 0; ++i)
        for (int r = 0; r < steps[i].bank->row_count; ++r) {
            const Row& row = steps[i].bank->rows[r];
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
    Flight& f = m.flight[slot];
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
    m.last_step = Clock::now();
    m.first_flight = (m.first_flight + 1) % k_in_flight;
    --m.flights;
}

void DeviceBackend::render(BankStep* steps, int count, int threads) noexcept {
    submit(steps, count);
    collect(threads);
}

} // namespace tutti::gpu
