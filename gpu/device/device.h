// SPDX-License-Identifier: MIT
// A device as a table of functions: memory, copies, launches, graphs. `simulated`, `cuda` and `metal` fill it in.
//
// Calls return 0 or the device's own error number; after an error of any call the owner takes the device for lost and asks it
// for nothing more but close(). There are two streams: uploads run on the one for transfers, all else on the one for synthesis; each
// runs in order, and synthesis waits for uploads where order() says so. Nothing but synchronise() and close() waits for either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tutti::gpu {

// What a step is made of (gpu/device/program.h). `render` + place in the registry of voice types.
enum Program : int { program_apply = 0, program_sum, program_publish, program_render };

struct Launch {
    int program = program_apply;
    int blocks = 1;
    const void* header = nullptr; // device address of the step's Header
};

struct DeviceInfo {
    std::string kind; // "cuda", "simulated", "metal"
    std::string name;
    std::string driver;
    int index = 0;
    int major = 0, minor = 0; // compute capability
    int multiprocessors = 0;
    std::size_t memory = 0; // bytes
    bool unified = false;   // host and device share memory
    bool tensor_cores = false;
};

using Graph = void*;

struct DeviceTable {
    int (*allocate)(void* self, std::size_t bytes, void** device) = nullptr;
    // Host memory that the device reads and writes by `device`.
    int (*allocate_shared)(void* self, std::size_t bytes, void** host, void** device) = nullptr;
    int (*upload)(void* self, void* to, const void* shared_host, std::size_t bytes) = nullptr;
    int (*download)(void* self, void* shared_host, const void* from, std::size_t bytes) = nullptr;
    // What synthesis is given from now on waits for the uploads so far. Not while a graph is captured.
    int (*order)(void* self) = nullptr;
    int (*launch)(void* self, const Launch& launch) = nullptr;
    // Everything between is kept, not run.
    int (*begin_capture)(void* self) = nullptr;
    int (*end_capture)(void* self, Graph* graph) = nullptr;
    int (*replay)(void* self, Graph graph) = nullptr;
    int (*synchronise)(void* self) = nullptr;
    const char* (*error_text)(void* self, int error) = nullptr;
    void (*close)(void* self) = nullptr; // frees all memory and graphs; waits for the work under way
};

// An open device: its table and what the functions work on. Closes itself.
class Device {
public:
    Device(DeviceInfo about, const DeviceTable* table, void* self) noexcept
        : m_info(std::move(about)), m_table(table), m_self(self) {}
    ~Device() { m_table->close(m_self); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    const DeviceInfo& info() const noexcept { return m_info; }
    int allocate(std::size_t bytes, void** device) { return m_table->allocate(m_self, bytes, device); }
    int allocate_shared(std::size_t bytes, void** host, void** device) {
        return m_table->allocate_shared(m_self, bytes, host, device);
    }
    int upload(void* to, const void* from, std::size_t bytes) { return m_table->upload(m_self, to, from, bytes); }
    int download(void* to, const void* from, std::size_t bytes) { return m_table->download(m_self, to, from, bytes); }
    int order() { return m_table->order(m_self); }
    int launch(const Launch& launch) { return m_table->launch(m_self, launch); }
    int begin_capture() { return m_table->begin_capture(m_self); }
    int end_capture(Graph* graph) { return m_table->end_capture(m_self, graph); }
    int replay(Graph graph) { return m_table->replay(m_self, graph); }
    int synchronise() { return m_table->synchronise(m_self); }
    const char* error_text(int error) { return m_table->error_text(m_self, error); }
    void* self() noexcept { return m_self; }

private:
    DeviceInfo m_info;
    const DeviceTable* m_table;
    void* m_self;
};

} // namespace tutti::gpu
