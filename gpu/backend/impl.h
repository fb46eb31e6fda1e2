// SPDX-License-Identifier: MIT
// What the parts of the device backend share: memory on both sides, who lives on the device, the two steps under way.
//
// device_backend.cpp has the life of a step, residency.cpp who moves up, message.cpp what goes up and is launched, loss.cpp what the
// CPU takes over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gpu/backend/device_backend.h"
#include "gpu/device/program.h"

namespace tutti::gpu {

struct DeviceBackend::Impl {
    using BankStep = engine::BankStep;
    using Row = engine::Row;
    using Clock = std::chrono::steady_clock;
    static constexpr int k_table_size = 256;
    static constexpr int k_in_flight = 2;
    static constexpr int k_block_frames = voices::k_block_frames;
    static constexpr int k_row_slots = voices::k_row_slots;
    static constexpr int k_largest_start = voices::state_field(voices::k_max_envelopes);
    static_assert(voices::part_input_count + voices::k_max_parameters <= k_table_size);

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

    std::unique_ptr<Device> device;
    std::unique_ptr<engine::Backend> standby;
    BackendConfig config;
    std::string name, why;
    BackendStats stats;
    int field_limit = 0; // fields of the largest voice type
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

} // namespace tutti::gpu
