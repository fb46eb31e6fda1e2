// SPDX-License-Identifier: MIT
// Never run and never compiled by Apple's compiler so far: its syntax is checked against stand-ins (tests/gpu/metal).
//
// A launch is an encoded dispatch; what belongs to a step goes into one command buffer, which `publish` commits. Up to three of them are
// under way. Memory is unified: uploads are copies by the host, and a step's number is written by the host when its command buffer
// has ended, since Metal promises what a device wrote to the host from then on only.
#include "gpu/metal/device.h"

#import <Foundation/Foundation.h>
#import <Metal/Metal.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "gpu/device/program.h"

namespace tutti::gpu {
namespace {

constexpr int k_under_way = 3;
constexpr int k_groups = 512; // of threads in a dispatch: 34 MB for what they keep between their phases
constexpr int k_programs = program_render + engine::k_kernel_count;

enum MetalError : int { metal_no_memory = 1, metal_no_address, metal_no_command, metal_failed, metal_busy };

Status refused(const std::string& what) {
    return Status(Code::unsupported, what, "voices are rendered on the CPU", "see: tutti devices -v");
}
std::string text_of(NSError* error) {
    return error == nil ? "no reason given" : [[error localizedDescription] UTF8String];
}

class Metal {
public:
    explicit Metal(id<MTLDevice> device) : m_device(device), m_places(dispatch_semaphore_create(k_under_way)) {}
    ~Metal() {
        if (m_encoder != nil) [m_encoder endEncoding];
        if (m_last != nil) [m_last waitUntilCompleted];
    }

    std::string prepare() {
        NSError* error = nil;
        MTLCompileOptions* const options = [MTLCompileOptions new];
        options.languageVersion = MTLLanguageVersion3_2;
        options.mathMode = MTLMathModeSafe;
        options.mathFloatingPointFunctions = MTLMathFloatingPointFunctionsPrecise;
        NSString* const text = [NSString stringWithUTF8String:metal_source()];
        id<MTLLibrary> const library = [m_device newLibraryWithSource:text options:options error:&error];
        if (library == nil) return "Metal's compiler refused the device program: " + text_of(error);
        for (int i = 0; i < k_programs; ++i) {
            if (i == program_publish) continue; // the end of the command buffer
            const std::string name = i == program_apply ? "tutti_apply"
                                     : i == program_sum ? "tutti_sum"
                                                        : "tutti_render_" + std::to_string(i - program_render);
            id<MTLFunction> const function = [library newFunctionWithName:[NSString stringWithUTF8String:name.c_str()]];
            if (function != nil) m_pipeline[i] = [m_device newComputePipelineStateWithFunction:function error:&error];
            if (m_pipeline[i] == nil) return "no pipeline for " + name + ": " + text_of(error);
            if ([m_pipeline[i] maxTotalThreadsPerThreadgroup] < k_threads)
                return name + " has too few threads a group on this device";
        }
        m_queue = [m_device newCommandQueue];
        m_shared = [m_device newBufferWithLength:sizeof(Shared) * k_groups options:MTLResourceStorageModePrivate];
        return m_queue == nil || m_shared == nil
                   ? "the device gives no command queue, or no memory for groups of threads"
                   : "";
    }

    int allocate(std::size_t bytes, void** host, void** device) {
        id<MTLBuffer> const made = [m_device newBufferWithLength:bytes options:MTLResourceStorageModeShared];
        if (made == nil) return metal_no_memory;
        std::memset([made contents], 0, bytes);
        m_memory.push_back(made);
        *host = [made contents];
        *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>([made gpuAddress]));
        return 0;
    }
    int upload(void* to, const void* from, std::size_t bytes) {
        void* const host = host_of(to);
        if (host == nullptr) return metal_no_address;
        std::memcpy(host, from, bytes);
        return error();
    }
    int download(void* to, const void* from, std::size_t bytes) {
        NSUInteger at = 0, into = 0;
        id<MTLBuffer> const source = buffer_of(from, at);
        id<MTLBuffer> const target = buffer_at(to, into);
        if (source == nil || target == nil) return metal_no_address;
        if (const int bad = open(); bad != 0) return bad;
        end_encoder();
        id<MTLBlitCommandEncoder> const blit = [m_commands blitCommandEncoder];
        [blit copyFromBuffer:source sourceOffset:at toBuffer:target destinationOffset:into size:bytes];
        [blit endEncoding];
        return error();
    }
    int launch(const Launch& launch) {
        if (m_captured != nullptr) {
            m_captured->push_back(launch);
            return error();
        }
        NSUInteger at = 0;
        id<MTLBuffer> const header = buffer_of(launch.header, at);
        if (header == nil) return metal_no_address;
        if (const int bad = open(); bad != 0) return bad;
        if (launch.program == program_publish)
            return publish(*reinterpret_cast<const Header*>(static_cast<const char*>([header contents]) + at));
        if (m_encoder == nil) {
            m_encoder = [m_commands computeCommandEncoder];
            for (id<MTLBuffer> each : m_memory) // reached by addresses alone
                [m_encoder useResource:each usage:MTLResourceUsageRead | MTLResourceUsageWrite];
        }
        [m_encoder setComputePipelineState:m_pipeline[launch.program]];
        [m_encoder setBuffer:header offset:at atIndex:0];
        const bool renders = launch.program >= program_render;
        if (renders) [m_encoder setBuffer:m_shared offset:0 atIndex:1];
        // One after the other, as all dispatches of an encoder.
        for (int first = 0; first < launch.blocks; first += renders ? k_groups : launch.blocks) {
            const int groups = renders ? std::min(k_groups, launch.blocks - first) : launch.blocks;
            const auto from = static_cast<unsigned>(first);
            if (renders) [m_encoder setBytes:&from length:sizeof from atIndex:2];
            [m_encoder dispatchThreadgroups:MTLSizeMake(static_cast<NSUInteger>(groups), 1, 1)
                      threadsPerThreadgroup:MTLSizeMake(k_threads, 1, 1)];
        }
        return error();
    }
    int begin_capture() {
        m_graphs.push_back(std::make_unique<std::vector<Launch>>());
        m_captured = m_graphs.back().get();
        return error();
    }
    int end_capture(Graph* graph) {
        *graph = m_captured;
        m_captured = nullptr;
        return error();
    }
    int replay(Graph graph) {
        for (const Launch& each : *static_cast<const std::vector<Launch>*>(graph))
            if (const int bad = launch(each); bad != 0) return bad;
        return 0;
    }
    int synchronise() {
        if (m_commands != nil) commit();
        if (m_last != nil) [m_last waitUntilCompleted];
        return error();
    }

private:
    int error() const { return m_state->error.load(std::memory_order_relaxed); }
    // Waits for none: a device that has not ended any of three command buffers is given up.
    int open() {
        if (m_commands != nil) return error();
        if (dispatch_semaphore_wait(m_places, DISPATCH_TIME_NOW) != 0) return metal_busy;
        m_commands = [m_queue commandBuffer];
        return m_commands == nil ? int{metal_no_command} : error();
    }
    void end_encoder() {
        if (m_encoder == nil) return;
        [m_encoder endEncoding];
        m_encoder = nil;
    }
    void commit() {
        end_encoder();
        dispatch_semaphore_t const places = m_places;
        const std::shared_ptr<State> state = m_state;
        [m_commands addCompletedHandler:^(id<MTLCommandBuffer> ended) {
          if ([ended error] != nil) state->error.store(metal_failed, std::memory_order_relaxed);
          dispatch_semaphore_signal(places);
        }];
        [m_commands commit];
        m_last = m_commands;
        m_commands = nil;
    }
    int publish(const Header& header) {
        auto* const done = static_cast<unsigned*>(host_of(header.done));
        if (done == nullptr) return metal_no_address;
        const unsigned sequence = header.sequence;
        [m_commands addCompletedHandler:^(id<MTLCommandBuffer> ended) {
          // Release: the host sees the buses before the number.
          if ([ended error] == nil) std::atomic_ref<unsigned>(*done).store(sequence, std::memory_order_release);
        }];
        commit();
        return error();
    }
    id<MTLBuffer> buffer_of(const void* device, NSUInteger& offset) const {
        const auto at = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(device));
        for (id<MTLBuffer> each : m_memory)
            if (at >= [each gpuAddress] && at - [each gpuAddress] < [each length]) {
                offset = at - [each gpuAddress];
                return each;
            }
        return nil;
    }
    id<MTLBuffer> buffer_at(const void* host, NSUInteger& offset) const {
        for (id<MTLBuffer> each : m_memory) {
            const char* const begin = static_cast<const char*>([each contents]);
            const char* const at = static_cast<const char*>(host);
            if (at >= begin && at < begin + [each length]) {
                offset = static_cast<NSUInteger>(at - begin);
                return each;
            }
        }
        return nil;
    }
    void* host_of(const void* device) const {
        NSUInteger offset = 0;
        id<MTLBuffer> const found = buffer_of(device, offset);
        return found == nil ? nullptr : static_cast<char*>([found contents]) + offset;
    }

    struct State {
        std::atomic<int> error{0}; // set by Metal's own threads
    };
    std::shared_ptr<State> m_state = std::make_shared<State>();
    id<MTLDevice> m_device;
    id<MTLCommandQueue> m_queue = nil;
    id<MTLComputePipelineState> m_pipeline[k_programs] = {};
    std::vector<id<MTLBuffer>> m_memory;
    id<MTLBuffer> m_shared = nil; // of groups of threads
    std::vector<std::unique_ptr<std::vector<Launch>>> m_graphs;
    std::vector<Launch>* m_captured = nullptr;
    id<MTLCommandBuffer> m_commands = nil, m_last = nil;
    id<MTLComputeCommandEncoder> m_encoder = nil;
    dispatch_semaphore_t m_places;
};

Metal& of(void* self) {
    return *static_cast<Metal*>(self);
}

constexpr DeviceTable k_table = {
    [](void* s, std::size_t bytes, void** out) {
        void* host = nullptr;
        return of(s).allocate(bytes, &host, out);
    },
    [](void* s, std::size_t bytes, void** host, void** out) { return of(s).allocate(bytes, host, out); },
    [](void* s, void* to, const void* from, std::size_t bytes) { return of(s).upload(to, from, bytes); },
    [](void* s, void* to, const void* from, std::size_t bytes) { return of(s).download(to, from, bytes); },
    [](void*) { return 0; }, // uploads have been done when they return
    [](void* s, const Launch& launch) { return of(s).launch(launch); },
    [](void* s) { return of(s).begin_capture(); },
    [](void* s, Graph* graph) { return of(s).end_capture(graph); },
    [](void* s, Graph graph) { return of(s).replay(graph); },
    [](void* s) { return of(s).synchronise(); },
    [](void*, int error) {
        constexpr const char* names[] = {"none",
                                         "out of memory",
                                         "an address outside the device's memory",
                                         "no command buffer",
                                         "a command buffer failed",
                                         "three command buffers are late"};
        return error >= 0 && error <= metal_busy ? names[error] : "Metal error";
    },
    [](void* s) { delete static_cast<Metal*>(s); },
};

} // namespace

std::vector<DeviceInfo> list_metal_devices(std::string& why) {
    std::vector<DeviceInfo> all;
    id<MTLDevice> const device = MTLCreateSystemDefaultDevice();
    if (device == nil || ![device hasUnifiedMemory] || ![device supportsFamily:MTLGPUFamilyMetal3]) {
        why = device == nil ? "Metal sees no device" : "the device has no unified memory, or not Metal 3";
        return all;
    }
    DeviceInfo info;
    info.kind = "metal";
    info.name = [[device name] UTF8String];
    info.driver = [[[NSProcessInfo processInfo] operatingSystemVersionString] UTF8String];
    info.memory = [device recommendedMaxWorkingSetSize];
    info.unified = true;
    all.push_back(info);
    return all;
}

Result<std::unique_ptr<Device>> open_metal_device(int index) {
    std::string why;
    const auto all = list_metal_devices(why);
    if (index != 0 || all.empty()) return refused(why.empty() ? "there is one Metal device only" : why);
    auto self = std::make_unique<Metal>(MTLCreateSystemDefaultDevice());
    if (const std::string what = self->prepare(); !what.empty()) return refused(what);
    return std::make_unique<Device>(all.front(), &k_table, self.release());
}

} // namespace tutti::gpu
