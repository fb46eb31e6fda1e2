// SPDX-License-Identifier: MIT
#include "gpu/simulated/device.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "engine/cpu/flush.h"
#include "engine/cpu/isa.h"
#include "gpu/simulated/programs.h"

namespace tutti::gpu {
namespace {

struct Command {
    enum Kind { copy, launch, replay, order } kind = copy;
    void* to = nullptr;
    const void* from = nullptr;
    std::size_t bytes = 0;
    Launch work;
    const std::vector<Launch>* graph = nullptr;
    std::int64_t uploads = 0; // order: that must be done
};

class Simulated {
public:
    explicit Simulated(SimulatedOptions options) : m_options(std::move(options)), m_random(m_options.seed * 2 + 1) {
        m_thread = std::thread([this] { run(); });
        m_transfers = std::thread([this] { transfer(); });
    }
    ~Simulated() {
        {
            const std::lock_guard lock(m_mutex);
            m_stop = true;
        }
        m_changed.notify_all();
        m_thread.join();
        m_transfers.join();
        for (void* p : m_memory)
            ::operator delete (p, std::align_val_t{64});
    }
    int fault() { return m_options.fault ? m_options.fault(m_calls++) : 0; }
    int allocate(std::size_t bytes, void** out) {
        if (const int error = fault(); error != 0) return error;
        if (m_used + bytes > m_options.memory) return simulated_out_of_memory;
        m_used += bytes;
        *out = ::operator new (bytes, std::align_val_t{64});
        std::memset(*out, 0, bytes);
        m_memory.push_back(*out);
        m_allocations.fetch_add(1, std::memory_order_relaxed);
        return 0;
    }
    int push(const Command& command) {
        if (const int error = fault(); error != 0) return error;
        if (m_capturing) {
            if (command.kind == Command::launch) m_graph->push_back(command.work);
            return 0;
        }
        {
            const std::lock_guard lock(m_mutex);
            m_queue.push_back(command);
            ++m_posted;
        }
        m_changed.notify_all();
        return 0;
    }
    int push_upload(const Command& command) {
        if (const int error = fault(); error != 0) return error;
        {
            const std::lock_guard lock(m_mutex);
            m_uploads.push_back(command);
            ++m_uploads_posted;
        }
        m_changed.notify_all();
        return 0;
    }
    int order() {
        Command command;
        command.kind = Command::order;
        {
            const std::lock_guard lock(m_mutex);
            command.uploads = m_uploads_posted;
        }
        return push(command);
    }
    int begin_capture() {
        if (const int error = fault(); error != 0) return error;
        m_graphs.push_back(std::make_unique<std::vector<Launch>>());
        m_graph = m_graphs.back().get();
        m_capturing = true;
        return 0;
    }
    int end_capture(Graph* graph) {
        m_capturing = false;
        *graph = m_graph;
        return fault();
    }
    int synchronise() {
        if (const int error = fault(); error != 0) return error;
        std::unique_lock lock(m_mutex);
        m_idle.wait(lock, [&] { return m_finished == m_posted && m_uploads_done == m_uploads_posted; });
        return 0;
    }
    std::int64_t allocations() const { return m_allocations.load(std::memory_order_relaxed); }

private:
    void pause(double microseconds) {
        if (microseconds <= 0.0) return;
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, std::chrono::duration<double, std::micro>(microseconds), [&] { return m_stop; });
    }
    double drawn() {
        m_random = m_random * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(m_random >> 33) / 2147483648.0;
    }
    void execute(const Launch& work) {
        for (int block = 0; block < work.blocks; ++block)
            m_run(work.program, *static_cast<const Header*>(work.header), static_cast<unsigned>(block), m_shared);
    }
    void wait_as_a_device() {
        if (m_options.stall) pause(m_options.stall(m_launches));
        ++m_launches;
        pause(m_options.latency_us + m_options.jitter_us * drawn());
    }
    void run() {
        const engine::FlushScope flush;
        std::unique_lock lock(m_mutex);
        for (;;) {
            m_changed.wait(lock, [&] { return m_stop || !m_queue.empty(); });
            if (m_stop) return;
            const Command command = m_queue.front();
            m_queue.pop_front();
            if (command.kind == Command::order) {
                m_changed.wait(lock, [&] { return m_stop || m_uploads_done >= command.uploads; });
                if (m_stop) return;
                if (++m_finished == m_posted) m_idle.notify_all();
                continue;
            }
            lock.unlock();
            if (command.kind == Command::copy) {
                std::memcpy(command.to, command.from, command.bytes);
            } else {
                wait_as_a_device();
                if (command.kind == Command::launch) execute(command.work);
                if (command.kind == Command::replay)
                    for (const Launch& each : *command.graph)
                        execute(each);
            }
            lock.lock();
            if (++m_finished == m_posted) m_idle.notify_all();
        }
    }
    void transfer() {
        std::unique_lock lock(m_mutex);
        for (;;) {
            m_changed.wait(lock, [&] { return m_stop || !m_uploads.empty(); });
            if (m_stop) return;
            const Command command = m_uploads.front();
            m_uploads.pop_front();
            lock.unlock();
            pause(m_options.upload_us);
            std::memcpy(command.to, command.from, command.bytes);
            lock.lock();
            ++m_uploads_done;
            m_changed.notify_all();
            m_idle.notify_all();
        }
    }

    using Run = void (*)(int, const Header&, unsigned, Shared&) noexcept;
    static Run fastest() {
#ifdef TUTTI_GPU_X86
        if (engine::isa_supported(engine::Isa::avx2)) return run_block_fma;
#endif
        return run_block;
    }

    SimulatedOptions m_options;
    const Run m_run = fastest();
    std::uint64_t m_random;
    std::vector<void*> m_memory;
    std::vector<std::unique_ptr<std::vector<Launch>>> m_graphs;
    std::vector<Launch>* m_graph = nullptr;
    std::size_t m_used = 0;
    std::int64_t m_calls = 0, m_launches = 0;
    std::atomic<std::int64_t> m_allocations{0};
    bool m_capturing = false;
    Shared m_shared; // of the block that runs
    std::mutex m_mutex;
    std::condition_variable m_changed, m_idle;
    std::deque<Command> m_queue;
    std::int64_t m_posted = 0, m_finished = 0;
    std::deque<Command> m_uploads;
    std::int64_t m_uploads_posted = 0, m_uploads_done = 0;
    bool m_stop = false;
    std::thread m_thread, m_transfers;
};

Simulated& of(void* self) {
    return *static_cast<Simulated*>(self);
}
Command copy_of(void* to, const void* from, std::size_t bytes) {
    Command command;
    command.kind = Command::copy;
    command.to = to;
    command.from = from;
    command.bytes = bytes;
    return command;
}

constexpr DeviceTable k_table = {
    [](void* s, std::size_t bytes, void** out) { return of(s).allocate(bytes, out); },
    [](void* s, std::size_t bytes, void** host, void** device) {
        const int error = of(s).allocate(bytes, host);
        *device = *host;
        return error;
    },
    [](void* s, void* to, const void* from, std::size_t bytes) { return of(s).push_upload(copy_of(to, from, bytes)); },
    [](void* s, void* to, const void* from, std::size_t bytes) { return of(s).push(copy_of(to, from, bytes)); },
    [](void* s) { return of(s).order(); },
    [](void* s, const Launch& launch) {
        Command command;
        command.kind = Command::launch;
        command.work = launch;
        return of(s).push(command);
    },
    [](void* s) { return of(s).begin_capture(); },
    [](void* s, Graph* graph) { return of(s).end_capture(graph); },
    [](void* s, Graph graph) {
        Command command;
        command.kind = Command::replay;
        command.graph = static_cast<const std::vector<Launch>*>(graph);
        return of(s).push(command);
    },
    [](void* s) { return of(s).synchronise(); },
    [](void*, int error) { return error == simulated_out_of_memory ? "out of memory" : "simulated fault"; },
    [](void* s) { delete static_cast<Simulated*>(s); },
};

} // namespace

std::unique_ptr<Device> make_simulated_device(const SimulatedOptions& options) {
    DeviceInfo info;
    info.kind = "simulated";
    info.name = "two CPU threads";
    info.memory = options.memory;
    info.unified = true;
    return std::make_unique<Device>(info, &k_table, new Simulated(options));
}
std::int64_t simulated_allocations(Device& device) {
    return of(device.self()).allocations();
}

} // namespace tutti::gpu
