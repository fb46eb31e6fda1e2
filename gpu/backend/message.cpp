// SPDX-License-Identifier: MIT
// What a step sends up and launches: edits, parameters that changed, graphs by layout, the mirror's way back.
#include <algorithm>
#include <bit>

#include "gpu/backend/impl.h"

namespace tutti::gpu {

namespace {

int rounded(int count) {
    return count == 0 ? 0 : static_cast<int>(std::bit_ceil(static_cast<unsigned>(count)));
}

} // namespace

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
    entry.rate = static_cast<float>(bank.sample_rate); // as engine/cpu/chunk.h does it
    entry.increment_at_a = static_cast<float>(440.0 / bank.sample_rate * 4294967296.0);
    entry.tick_seconds = static_cast<float>(voices::k_tick_frames / bank.sample_rate);
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

} // namespace tutti::gpu
